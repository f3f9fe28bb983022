// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cerrno>
#include <utility>

#include <vmdsl/core/error.hpp>
#include <vmdsl/core/event_stream.hpp>
#include <vmdsl/core/run_options.hpp>
#include <vmdsl/detail/tree_copy.hpp>
#include <vmdsl/guest/stream_queue.hpp>

namespace vmdsl::detail {

VMDSL_DECL std::string text_of(const tree_summary& summary) {
    return std::to_string(summary.entries) + (summary.entries == 1 ? " entry, " : " entries, ") +
           std::to_string(summary.bytes) + " bytes";
}

inline void warn_of_left_out(const machine_runtime& machine, const std::string& what, const tree_summary& summary) {
    if (summary.left_out_count == 0) {
        return;
    }
    std::string text = what + " left out " + std::to_string(summary.left_out_count) + ":";
    for (const auto& each : summary.left_out) {
        text += " " + each + ";";
    }
    text.pop_back();
    emit(event_kind::warning, machine.name(), {{"text", text}});
}

/// Waits for a copy's end and throws where it failed.
inline void finish_copy(const machine_runtime& machine, agent_stream& stream, const std::string& what, deadline until) {
    const auto end = machine.await_end(stream, what, until);
    if (end.failed) {
        auto d = machine.details(what + " failed: " + end.error_text);
        if (end.error_number == EISDIR) {
            d.hint = "Name what the copy shall be, not the folder that it goes into.";
        }
        throw guest_error(std::move(d));
    }
}

VMDSL_DECL tree_summary copy_into_guest(machine_runtime& machine, host_tree_reader& source, const std::string& path,
                                        deadline until) {
    const std::string what = "copying to " + path;
    stream_queue queue;
    const scoped_stream stream(machine.agent()->write_tree(path, queue.sink()));
    for (;;) {
        auto bytes = source.next();
        if (bytes.empty()) {
            stream->end_of_data();
            break;
        }
        if (!queue.send(*stream, std::move(bytes), until)) {
            break;  // it is late, or the guest has failed: the end says which
        }
    }
    finish_copy(machine, *stream, what, until);
    warn_of_left_out(machine, what, source.summary());
    return source.summary();
}

VMDSL_DECL tree_summary copy_out_of_guest(machine_runtime& machine, const std::string& path,
                                          const std::filesystem::path& target, std::string* kept, deadline until) {
    const std::string what = "copying " + path + " to the host";
    host_tree_writer writer(target);
    stream_queue queue;
    const scoped_stream stream(machine.agent()->read_tree(path, queue.sink()));
    for (;;) {
        const auto bytes = queue.take(*stream, until);
        if (!bytes) {
            throw timed_out(machine.details(what + " did not end " + until.limit_text()));
        }
        if (bytes->empty()) {
            break;
        }
        writer.take(*bytes);
        if (kept != nullptr) {
            if (kept->size() + bytes->size() > max_kept_tree) {
                throw usage_error(what + " in prepare(): it is more than 256 MiB, which is kept for each case",
                                  "Copy it in the cases that need it.");
            }
            *kept += *bytes;
        }
    }
    finish_copy(machine, *stream, what, until);
    writer.finish();
    warn_of_left_out(machine, what, writer.summary());
    return writer.summary();
}

VMDSL_DECL std::filesystem::path result_path(std::string_view path) {
    return current_run().output_directory / std::filesystem::path(path);
}

}  // namespace vmdsl::detail
