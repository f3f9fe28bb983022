// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <vmdsl/core/config.hpp>

namespace vmdsl {

/// Software in an image that add_vm_instrumented_build compiled with coverage.
struct instrumented_build {
    std::string folder;        ///< In the host's cache: sources, notes (.gcno) and the gcov that belongs to them.
    std::string guest_folder;  ///< Where it was compiled, and where guests write their counters.
};

/// What a machine boots from, read from the descriptor that add_vm_image made (NAME.image.json).
struct image_description {
    std::string name;
    std::string kernel;       ///< Path of the kernel that QEMU loads.
    std::string bios_kernel;  ///< Path of the same as a bzImage, which boots slower but finds a VGA; may be empty.
    std::string initrd;       ///< Path of the initial RAM disk; holds the agent and the modules that boot needs.
    std::string root;         ///< Path of the read-only root image, empty where the guest lives in its initrd.
    std::string scratch;      ///< Path of an empty file system for the writable layer, empty where there is none.
    std::vector<std::string> kernel_arguments;
    std::vector<instrumented_build> builds;
    std::string ready_unit;  ///< The systemd unit whose start ends the boot, empty without systemd.
};

/// Makes an image known to this program under a name. The sources that add_vm_test generates call it before main.
/// `name` and `descriptor_path` must live as long as the program (they are literals there).
class image_registration {
public:
    VMDSL_DECL image_registration(std::string_view name, std::string_view descriptor_path);
};

/// Finds and reads an image: in the folders of $VMDSL_IMAGE_PATH (colon-separated; NAME.image.json) first, then among
/// the registered ones. Throws `could_not_run`: no such image (names the known ones), an unreadable or malformed
/// descriptor, a file it names that is missing.
[[nodiscard]] VMDSL_DECL image_description find_image(std::string_view name);

/// Reads a descriptor. Throws as `find_image` does.
[[nodiscard]] VMDSL_DECL image_description load_image(const std::string& descriptor_path);

namespace detail {

/// Throws `could_not_run` where a file is not there (with `if_missing`: what to do then) or may not be read by this
/// user: "WHAT PATH does not exist".
VMDSL_DECL void require_file(const std::string& what, const std::string& path, const std::string& if_missing);

}  // namespace detail

}  // namespace vmdsl

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/qemu/impl/image.ipp>
#endif
