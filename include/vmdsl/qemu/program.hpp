// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include <vmdsl/core/config.hpp>

namespace vmdsl {

/// The QEMU that this run uses.
struct qemu_program {
    std::string path;
    std::string version;  ///< As it says itself: "QEMU emulator version 7.2.22 (Debian ...)".
};

/// Finds QEMU ($VMDSL_QEMU, else qemu-system-x86_64 in $PATH) and checks that it is 7.2 or newer, which brought
/// `-netdev stream`. The answer is kept for the process. Throws `could_not_run`: none found, too old, not QEMU.
[[nodiscard]] VMDSL_DECL const qemu_program& find_qemu();

/// The accelerator to use with a kernel: what `wanted` says ("kvm" or "tcg"), or, for "auto", KVM where it really runs
/// a guest. /dev/kvm alone proves nothing: it may open and create machines whose guests never start, so the probe lets
/// the kernel print its first console line under a deadline of 10 s. The answer for "auto" is kept per boot of the
/// host, QEMU build and user in the cache folder. One event (a fact) says which accelerator was chosen and why.
/// Throws `could_not_run` where "kvm" is demanded and does not work, `usage_error` for another word.
[[nodiscard]] VMDSL_DECL std::string choose_accelerator(const std::string& wanted, const std::string& kernel);

/// Why "auto" does not choose KVM on this host; empty where it does. Found out with `kernel` as `choose_accelerator`
/// does. Without a kernel (an empty path) no guest is tried: then empty only means that /dev/kvm opens. Throws
/// `could_not_run` where there is no QEMU.
[[nodiscard]] VMDSL_DECL std::string why_no_kvm(const std::string& kernel);

/// Where images and other things are kept that can be made again: $VMDSL_CACHE_DIR, else vmdsl in the XDG cache folder.
[[nodiscard]] VMDSL_DECL std::filesystem::path cache_folder();

namespace detail {

/// The executable of that name that comes first in $PATH; empty where there is none.
[[nodiscard]] VMDSL_DECL std::string find_in_path(std::string_view name);

}  // namespace detail

}  // namespace vmdsl

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/qemu/impl/program.ipp>
#endif
