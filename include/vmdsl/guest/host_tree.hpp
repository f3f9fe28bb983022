// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <vmdsl/core/config.hpp>
#include <vmdsl/guest/tree_codec.hpp>
#include <vmdsl/process/unique_fd.hpp>

namespace vmdsl {

/// What a copy has moved, and what it could not.
struct tree_summary {
    std::size_t entries = 0;
    std::uint64_t bytes = 0;            ///< Of files' contents.
    std::vector<std::string> left_out;  ///< "path (reason)"; at most `max_named` of them.
    std::size_t left_out_count = 0;

    static constexpr std::size_t max_named = 20;

    VMDSL_DECL void leave_out(const std::string& path, std::string_view why);
};

/// Reads a file of the host, or a folder with everything in it, as a tree. Links in it are links; sockets, pipes and
/// devices are left out. Not thread-safe.
class host_tree_reader {
public:
    /// Looks at everything, opens nothing. Throws `usage_error`: no such path, or it can't be looked at.
    VMDSL_DECL explicit host_tree_reader(std::filesystem::path path);

    /// The next bytes, some 64 KiB; empty at the end. Throws `usage_error` where a file can't be read.
    [[nodiscard]] VMDSL_DECL std::string next();

    /// Names, kinds, sizes, modes and times of all that there is: differs where a copy would probably bring something
    /// else.
    [[nodiscard]] VMDSL_DECL std::string fingerprint() const;

    [[nodiscard]] const tree_summary& summary() const noexcept { return summary_; }

private:
    struct found {
        tree_entry entry;
        std::uint64_t size = 0;
        std::int64_t modified = 0;  // nanoseconds since 1970
    };

    VMDSL_DECL void look_at(const std::filesystem::path& path, const std::string& relative);
    VMDSL_DECL void read_content(std::string& to);

    std::filesystem::path root_;
    std::vector<found> found_;
    std::size_t next_ = 0;
    unique_fd file_;  // whose content is being read
    std::filesystem::path file_path_;
    tree_summary summary_;
};

/// Makes a tree from a guest on the host. The guest is not trusted: whatever names and links it sends, nothing outside
/// of the target changes, and no link is made that leads out of it. How much it sends is bounded by the host's disk
/// only; memory is bounded. Files that are there are replaced, folders are added to, also those that may not be written
/// to: they get their mode back. Not thread-safe.
class host_tree_writer {
public:
    /// `target` is what the tree's root becomes. Its parent folder has to be there.
    VMDSL_DECL explicit host_tree_writer(std::filesystem::path target);
    VMDSL_DECL ~host_tree_writer();
    host_tree_writer(const host_tree_writer&) = delete;
    host_tree_writer& operator=(const host_tree_writer&) = delete;

    /// Takes bytes of a tree. Throws `guest_error` where they are none or would leave the target, `usage_error` where
    /// something of another kind is in the way, `could_not_run` where the host can't write.
    VMDSL_DECL void take(std::string_view bytes);
    /// The tree has ended. Throws likewise.
    VMDSL_DECL void finish();

    [[nodiscard]] const tree_summary& summary() const noexcept { return summary_; }

private:
    /// An open folder, and a name in it.
    struct place {
        unique_fd folder;
        std::string name;
    };

    [[nodiscard]] VMDSL_DECL place place_of(const std::string& path);
    VMDSL_DECL void take_entry(const tree_entry& entry);
    VMDSL_DECL void make_folder(const tree_entry& entry);
    VMDSL_DECL void leave_folder();
    VMDSL_DECL void make_link(const tree_entry& entry);
    VMDSL_DECL void begin_file(const tree_entry& entry);
    VMDSL_DECL void take_content(std::string_view bytes);
    VMDSL_DECL void end_file();

    std::filesystem::path target_;
    tree_decoder decoder_;
    unique_fd root_;  // the target, where it is a folder
    bool begun_ = false;
    std::vector<std::pair<std::string, std::uint32_t>> open_folders_;  // each in the one before, and its mode to be
    place file_place_;
    std::string file_beside_;  // its name until all of it is there
    std::uint32_t file_mode_ = 0;
    unique_fd file_;
    tree_summary summary_;
};

}  // namespace vmdsl

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/guest/impl/host_tree.ipp>
#endif
