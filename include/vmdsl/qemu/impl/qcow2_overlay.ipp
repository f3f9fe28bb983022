// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include <vmdsl/core/error.hpp>
#include <vmdsl/process/unique_fd.hpp>
#include <vmdsl/qemu/qcow2_overlay.hpp>

namespace vmdsl {

namespace detail {

/// Big-endian writer for qcow2's tables.
struct qcow2_bytes {
    std::string text;

    void put(std::uint64_t value, int width) {
        for (int shift = (width - 1) * 8; shift >= 0; shift -= 8) {
            text += static_cast<char>((value >> shift) & 0xff);
        }
    }
};

inline constexpr std::uint64_t qcow2_cluster = 65536;

[[noreturn]] inline void qcow2_fail(const std::string& path, const char* what) {
    throw could_not_run(
        "can't " + std::string(what) + " the disk image " + path + ": " + std::strerror(errno),
        errno == ENOSPC ? "Free some space, or set VMDSL_SCRATCH_DIR to a folder on a larger disk." : "");
}

inline void qcow2_write(int fd, const std::string& path, const std::string& text, std::uint64_t offset) {
    std::size_t done = 0;
    while (done < text.size()) {
        const auto n = ::pwrite(fd, text.data() + done, text.size() - done, static_cast<off_t>(offset + done));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            qcow2_fail(path, "write");
        }
        done += static_cast<std::size_t>(n);
    }
}

/// Header with its extension and the backing file's name: cluster 0. Refcount table: cluster 1. The one refcount block:
/// cluster 2. L1 table, all zero: from cluster 3 on.
inline void qcow2_write_all(const std::string& path, const std::string& backing_file, std::string_view backing_format,
                            std::uint64_t bytes) {
    // One L2 table of 8192 entries maps 512 MiB.
    const std::uint64_t l1_entries = (bytes + (qcow2_cluster * 8192) - 1) / (qcow2_cluster * 8192);
    const std::uint64_t l1_clusters = (l1_entries * 8 + qcow2_cluster - 1) / qcow2_cluster;
    constexpr int header_length = 104;

    qcow2_bytes extension;
    if (!backing_file.empty()) {
        extension.put(0xe2792aca, 4);  // backing file format name
        extension.put(backing_format.size(), 4);
        extension.text += backing_format;
        extension.text.resize((extension.text.size() + 7) / 8 * 8, '\0');
    }
    extension.put(0, 8);  // end of extensions

    qcow2_bytes header;
    header.put(0x514649fb, 4);  // magic
    header.put(3, 4);           // version
    header.put(backing_file.empty() ? 0 : header_length + extension.text.size(), 8);
    header.put(backing_file.size(), 4);
    header.put(16, 4);  // cluster bits
    header.put(bytes, 8);
    header.put(0, 4);  // no encryption
    header.put(l1_entries, 4);
    header.put(3 * qcow2_cluster, 8);  // L1 table
    header.put(qcow2_cluster, 8);      // refcount table
    header.put(1, 4);                  // its clusters
    header.put(0, 4);                  // no snapshots
    header.put(0, 8);
    header.put(0, 8);  // incompatible, compatible, autoclear features
    header.put(0, 8);
    header.put(0, 8);
    header.put(4, 4);  // refcounts of 16 bits
    header.put(header_length, 4);

    qcow2_bytes refcount_table;
    refcount_table.put(2 * qcow2_cluster, 8);
    qcow2_bytes refcounts;
    for (std::uint64_t cluster = 0; cluster < 3 + l1_clusters; ++cluster) {
        refcounts.put(1, 2);
    }

    const unique_fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!file) {
        qcow2_fail(path, "create");
    }
    qcow2_write(file.get(), path, header.text + extension.text + backing_file, 0);
    qcow2_write(file.get(), path, refcount_table.text, qcow2_cluster);
    qcow2_write(file.get(), path, refcounts.text, 2 * qcow2_cluster);
    if (::ftruncate(file.get(), static_cast<off_t>((3 + l1_clusters) * qcow2_cluster)) != 0) {
        qcow2_fail(path, "size");
    }
}

}  // namespace detail

VMDSL_DECL void make_qcow2_overlay(const std::string& path, const std::string& backing_file,
                                   std::string_view backing_format, std::uint64_t bytes) {
    if (backing_file.empty() || backing_file.front() != '/' || backing_file.size() > 1023) {
        throw could_not_run("the backing file \"" + backing_file + "\" needs an absolute path of at most 1023 bytes");
    }
    detail::qcow2_write_all(path, backing_file, backing_format, bytes);
}

VMDSL_DECL void make_qcow2(const std::string& path, std::uint64_t bytes) {
    detail::qcow2_write_all(path, {}, {}, bytes);
}

VMDSL_DECL std::uint64_t qcow2_virtual_size(const std::string& path) {
    const unique_fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    unsigned char bytes[32];
    if (!file || ::pread(file.get(), bytes, sizeof bytes, 0) != sizeof bytes || std::memcmp(bytes, "QFI\xfb", 4) != 0) {
        throw could_not_run(path + " is no qcow2 disk image");
    }
    std::uint64_t size = 0;
    for (int i = 24; i < 32; ++i) {
        size = size << 8 | bytes[i];
    }
    return size;
}

}  // namespace vmdsl
