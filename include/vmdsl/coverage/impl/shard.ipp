// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <exception>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <boost/json/value_to.hpp>
#include <fmt/format.h>

#include <vmdsl/core/error.hpp>
#include <vmdsl/core/json_text.hpp>
#include <vmdsl/coverage/files.hpp>
#include <vmdsl/coverage/shard.hpp>

namespace vmdsl {

namespace detail {

/// The build's number that a guest's file belongs to, and its notes; the size of `builds` where it is no build's.
/// What the guest names is looked up and never taken as a place to write to before it was found to be one of ours.
struct counter_place {
    std::size_t build;
    std::filesystem::path notes;
};

inline counter_place place_of(const std::vector<instrumented_build>& builds, const std::string& path) {
    const auto clean = std::filesystem::path(path).lexically_normal();
    std::size_t number = 0;
    for (; number < builds.size() && clean == path; ++number) {
        if (!path.starts_with(builds[number].guest_folder + "/")) {
            continue;
        }
        auto notes = std::filesystem::path(builds[number].folder) / "tree" / clean.relative_path();
        notes.replace_extension(".gcno");
        std::error_code ec;
        if (clean.extension() == ".gcda" && std::filesystem::is_regular_file(notes, ec)) {
            return {number, std::move(notes)};
        }
    }
    return {builds.size(), {}};
}

inline std::filesystem::path make_numbered_folder(const std::filesystem::path& folder) {
    std::error_code ec;
    std::filesystem::create_directories(folder, ec);
    for (int number = 1; !ec; ++number) {
        auto text = std::to_string(number);
        text.insert(0, text.size() < 4 ? 4 - text.size() : 0, '0');
        if (std::filesystem::create_directory(folder / text, ec)) {
            return folder / text;
        }
    }
    throw could_not_run("can't make a folder for coverage in " + folder.string() + ": " + ec.message(),
                        "Free some space, or name another folder with --output.");
}

/// Whatever a guest has said in it, the manifest can be read again: what is no text comes back as \xNN.
inline void write_manifest(const coverage_shard& shard) {
    std::vector<std::string> builds;
    for (const auto& build : shard.builds) {
        builds.push_back(fmt::format(R"({{"folder": {}, "guest_folder": {}}})", json_string(build.folder),
                                     json_string(build.guest_folder)));
    }
    std::vector<std::string> problems;
    for (const auto& problem : shard.problems) {
        problems.push_back(json_string(problem));
    }
    const auto text = fmt::format(R"({{"machine": {}, "test": {}, "builds": [{}], "files": {}, "problems": [{}]}})",
                                  json_string(shard.machine), json_string(shard.test), fmt::join(builds, ", "),
                                  shard.files, fmt::join(problems, ", "));
    write_result_file(shard.folder / "shard.json", text + "\n");
}

inline coverage_shard read_manifest(const std::filesystem::path& folder) {
    const auto file = folder / "shard.json";
    coverage_shard shard;
    shard.folder = folder;
    try {
        const auto manifest = boost::json::parse(read_bytes(file));
        shard.machine = boost::json::value_to<std::string>(manifest.at("machine"));
        shard.test = boost::json::value_to<std::string>(manifest.at("test"));
        shard.files = boost::json::value_to<std::size_t>(manifest.at("files"));
        shard.problems = boost::json::value_to<std::vector<std::string>>(manifest.at("problems"));
        for (const auto& build : manifest.at("builds").as_array()) {
            shard.builds.push_back({boost::json::value_to<std::string>(build.at("folder")),
                                    boost::json::value_to<std::string>(build.at("guest_folder"))});
        }
    } catch (const std::exception& problem) {
        return {folder, {}, {}, {}, 0, {file.string() + " can't be read: " + problem.what()}};
    }
    return shard;
}

}  // namespace detail

VMDSL_DECL coverage_shard write_shard(const std::filesystem::path& folder, const coverage_shard& beginning,
                                      const collection& collected) {
    auto shard = beginning;
    shard.folder = detail::make_numbered_folder(folder);
    if (!collected.problem.empty()) {
        shard.problems.push_back(collected.problem);
    }
    for (const auto& process : collected.missed) {
        shard.problems.push_back("not flushed: " + process);
    }
    for (const auto& line : collected.errors) {
        shard.problems.push_back("a program in the guest could not write its counters: " + line);
    }
    std::set<std::string> taken;
    for (const auto& file : collected.files) {
        const auto place = detail::place_of(shard.builds, file.path);
        if (place.build == shard.builds.size()) {
            shard.problems.push_back(file.path + ": it belongs to no build of this image");
            continue;
        }
        const auto notes = detail::read_bytes(place.notes, detail::gcov_header);
        if (auto problem = counter_file_problem(file.content, notes); !problem.empty()) {
            shard.problems.push_back(file.path + ": " + problem);
            continue;
        }
        if (!has_counts(file.content)) {
            continue;
        }
        if (!taken.insert(file.path).second) {
            shard.problems.push_back(file.path + ": it came twice, and the first copy counts");
            continue;
        }
        const auto copy = shard.folder / std::to_string(place.build) / std::filesystem::path(file.path).relative_path();
        detail::write_result_file(copy, file.content);
        std::error_code ec;
        std::filesystem::create_symlink(place.notes, std::filesystem::path(copy).replace_extension(".gcno"), ec);
        ++shard.files;
    }
    detail::write_manifest(shard);
    return shard;
}

VMDSL_DECL std::vector<coverage_shard> read_shards(const std::filesystem::path& folder) {
    std::vector<coverage_shard> shards;
    std::error_code ec;
    for (const auto& entry : std::filesystem::directory_iterator(folder, ec)) {
        if (entry.is_directory()) {
            shards.push_back(detail::read_manifest(entry.path()));
        }
    }
    std::sort(shards.begin(), shards.end(), [](const auto& a, const auto& b) { return a.folder < b.folder; });
    return shards;
}

}  // namespace vmdsl
