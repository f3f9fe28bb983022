// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <utility>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <vmdsl/qemu/qmp_codec.hpp>

namespace vmdsl {

VMDSL_DECL std::vector<qmp_message> qmp_codec::feed(std::string_view bytes) {
    std::vector<qmp_message> messages;
    while (!bytes.empty()) {
        const auto end = bytes.find('\n');
        const auto piece = bytes.substr(0, end);
        bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
        if (!skipping_) {
            pending_ += piece;
        }
        if (pending_.size() > max_line) {
            messages.push_back({qmp_message::kind::garbage, 0, pending_.substr(0, 200), {}});
            pending_.clear();
            skipping_ = true;
        }
        if (end == std::string_view::npos) {
            break;
        }
        const std::string line = std::exchange(pending_, {});
        if (!std::exchange(skipping_, false) && line.find_first_not_of("\r ") != std::string::npos) {
            messages.push_back(parse(line));
        }
    }
    return messages;
}

VMDSL_DECL qmp_message qmp_codec::parse(std::string_view line) {
    boost::json::error_code ec;
    auto value = boost::json::parse(boost::json::string_view(line.data(), line.size()), ec);
    auto* object = ec ? nullptr : value.if_object();
    qmp_message garbage{qmp_message::kind::garbage, 0, std::string(line.substr(0, 200)), {}};
    if (object == nullptr) {
        return garbage;
    }
    qmp_message message;
    if (const auto* id = object->if_contains("id"); id != nullptr && id->is_int64() && id->get_int64() >= 0) {
        message.id = static_cast<std::uint64_t>(id->get_int64());
    }
    if (object->contains("QMP")) {
        message.what = qmp_message::kind::greeting;
        return message;
    }
    if (auto* result = object->if_contains("return")) {
        message.what = qmp_message::kind::result;
        message.body = std::move(*result);
        return message;
    }
    if (const auto* failure = object->if_contains("error"); failure != nullptr && failure->is_object()) {
        const auto* description = failure->get_object().if_contains("desc");
        message.what = qmp_message::kind::failure;
        message.text = description != nullptr && description->is_string() ? std::string(description->get_string())
                                                                          : std::string("no description");
        return message;
    }
    if (const auto* name = object->if_contains("event"); name != nullptr && name->is_string()) {
        message.what = qmp_message::kind::event;
        message.text = std::string(name->get_string());
        if (auto* data = object->if_contains("data")) {
            message.body = std::move(*data);
        }
        return message;
    }
    return garbage;
}

VMDSL_DECL std::string qmp_codec::command(std::uint64_t id, std::string_view name,
                                          const boost::json::object& arguments) {
    boost::json::object message;
    message["execute"] = boost::json::string_view(name.data(), name.size());
    if (!arguments.empty()) {
        message["arguments"] = arguments;
    }
    message["id"] = id;
    return boost::json::serialize(message) + "\n";
}

}  // namespace vmdsl
