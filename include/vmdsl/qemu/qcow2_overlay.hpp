// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <vmdsl/core/config.hpp>

namespace vmdsl {

/// Makes an empty qcow2 file that shows `backing_file` and takes all writes: a machine's own copy of a disk, made in
/// constant time. The backing file must not change as long as the overlay is used. Layout after QEMU's
/// docs/interop/qcow2.txt, version 3, clusters of 64 KiB.
///
/// `backing_file` must be an absolute path of at most 1023 bytes, `backing_format` "raw" or "qcow2", `bytes` the
/// virtual size. Throws `could_not_run` where the file can't be written (a full disk, for example).
VMDSL_DECL void make_qcow2_overlay(const std::string& path, const std::string& backing_file,
                                   std::string_view backing_format, std::uint64_t bytes);

/// Makes an empty qcow2 file without a backing file. Throws as `make_qcow2_overlay` does.
VMDSL_DECL void make_qcow2(const std::string& path, std::uint64_t bytes);

/// The virtual size that a qcow2 file's header states. Throws `could_not_run` where it is none.
[[nodiscard]] VMDSL_DECL std::uint64_t qcow2_virtual_size(const std::string& path);

}  // namespace vmdsl

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/qemu/impl/qcow2_overlay.ipp>
#endif
