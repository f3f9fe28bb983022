// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <system_error>

#include <unistd.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <vmdsl/core/error.hpp>
#include <vmdsl/qemu/image.hpp>

namespace vmdsl {

namespace detail {

inline std::map<std::string, std::string, std::less<>>& image_registry() {
    static std::map<std::string, std::string, std::less<>> images;
    return images;
}

inline std::string image_text(const boost::json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

/// The first folder above a file that this user may not enter; empty where there is none.
inline std::string closed_folder_above(const std::filesystem::path& path) {
    std::filesystem::path folder;
    for (const auto& part : path.parent_path()) {
        folder /= part;
        if (::access(folder.c_str(), X_OK) != 0) {
            return errno == EACCES ? folder.string() : std::string();
        }
    }
    return {};
}

VMDSL_DECL void require_file(const std::string& what, const std::string& path, const std::string& if_missing) {
    std::error_code ec;
    const bool there = std::filesystem::is_regular_file(path, ec);
    const int problem = !there ? ec.value() : ::access(path.c_str(), R_OK) == 0 ? 0 : errno;
    if (there && problem == 0) {
        return;
    }
    if (problem == EACCES) {
        const auto folder = closed_folder_above(path);
        throw could_not_run(what + " " + path + " can't be read: " + std::strerror(EACCES),
                            "The user who runs this (id " + std::to_string(::geteuid()) + ") may not " +
                                (folder.empty() ? "read that file" : "enter the folder " + folder) +
                                ". Allow it, or build as this user, whose images are then in a cache of its own "
                                "(VMDSL_CACHE_DIR).");
    }
    throw could_not_run(what + " " + path + " does not exist", if_missing);
}

/// How to build the image of a descriptor, which stands in its build folder's vm-images/.
inline std::string build_command(const std::filesystem::path& descriptor) {
    const auto folder = descriptor.parent_path();
    const auto file = descriptor.filename().string();
    return "cmake --build " + (folder.filename() == "vm-images" ? folder.parent_path().string() : "BUILD_FOLDER") +
           " --target vm-image-" + file.substr(0, file.find(".image.json"));
}

inline void require_image_file(const std::string& descriptor, std::string_view role, const std::string& path) {
    if (!path.empty()) {
        require_file(descriptor + ": the " + std::string(role), path,
                     "Build the image again: " + build_command(descriptor));
    }
}

}  // namespace detail

VMDSL_DECL image_registration::image_registration(std::string_view name, std::string_view descriptor_path) {
    detail::image_registry().insert_or_assign(std::string(name), std::string(descriptor_path));
}

VMDSL_DECL image_description load_image(const std::string& descriptor_path) {
    detail::require_file("the image description", descriptor_path,
                         "Build the image first: " + detail::build_command(descriptor_path));
    std::ifstream in(descriptor_path, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    boost::json::error_code ec;
    const auto parsed = boost::json::parse(text, ec);
    const auto* object = ec ? nullptr : parsed.if_object();
    if (object == nullptr) {
        throw could_not_run(descriptor_path + " is no image description", "Remove the file and build the image again.");
    }
    const auto* format = object->if_contains("format");
    if (format == nullptr || !format->is_int64() || format->get_int64() != 1) {
        throw could_not_run(descriptor_path + " has a format that this version of vmdsl does not know",
                            "Build the image again with this version.");
    }
    image_description image;
    image.name = detail::image_text(*object, "name");
    image.kernel = detail::image_text(*object, "kernel");
    image.bios_kernel = detail::image_text(*object, "bios_kernel");
    image.initrd = detail::image_text(*object, "initrd");
    image.root = detail::image_text(*object, "root");
    image.scratch = detail::image_text(*object, "scratch");
    image.ready_unit = detail::image_text(*object, "ready_unit");
    if (const auto* arguments = object->if_contains("kernel_arguments");
        arguments != nullptr && arguments->is_array()) {
        for (const auto& argument : arguments->get_array()) {
            if (argument.is_string()) {
                image.kernel_arguments.emplace_back(argument.get_string());
            }
        }
    }
    if (const auto* builds = object->if_contains("builds"); builds != nullptr && builds->is_array()) {
        for (const auto& build : builds->get_array()) {
            if (const auto* fields = build.if_object(); fields != nullptr) {
                image.builds.push_back(
                    {detail::image_text(*fields, "folder"), detail::image_text(*fields, "guest_folder")});
                detail::require_image_file(descriptor_path, "instrumented build",
                                           image.builds.back().folder + "/baseline.json");
            }
        }
    }
    if (image.kernel.empty()) {
        throw could_not_run(descriptor_path + " names no kernel", "Build the image again.");
    }
    detail::require_image_file(descriptor_path, "kernel", image.kernel);
    detail::require_image_file(descriptor_path, "bios_kernel", image.bios_kernel);
    detail::require_image_file(descriptor_path, "initrd", image.initrd);
    detail::require_image_file(descriptor_path, "root image", image.root);
    detail::require_image_file(descriptor_path, "scratch template", image.scratch);
    return image;
}

VMDSL_DECL image_description find_image(std::string_view name) {
    const std::string file = std::string(name) + ".image.json";
    if (const char* folders = std::getenv("VMDSL_IMAGE_PATH"); folders != nullptr) {
        std::string_view rest = folders;
        while (!rest.empty()) {
            const auto end = rest.find(':');
            const auto candidate = std::filesystem::path(rest.substr(0, end)) / file;
            std::error_code ec;
            if (std::filesystem::is_regular_file(candidate, ec)) {
                return load_image(candidate.string());
            }
            rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
        }
    }
    const auto& known = detail::image_registry();
    if (const auto found = known.find(name); found != known.end()) {
        return load_image(found->second);
    }
    std::string names;
    for (const auto& entry : known) {
        names += (names.empty() ? "" : ", ") + entry.first;
    }
    throw could_not_run("there is no image \"" + std::string(name) + "\"" +
                            (names.empty() ? "; this program knows none" : "; this program knows: " + names),
                        "Name it in add_vm_test(... IMAGES " + std::string(name) + "), or put the folder of its " +
                            file + " into VMDSL_IMAGE_PATH.");
}

}  // namespace vmdsl
