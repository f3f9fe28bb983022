// SPDX-License-Identifier: BSL-1.0
#pragma once

/// What systemd says of a unit: the result of `guest::unit_info`.
///
///     auto apache = net.machine("webserver").unit_info("apache2.service");
///     BOOST_TEST(apache.active());
///     BOOST_TEST(apache.number("ExecMainStatus") == 0);

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include <vmdsl/core/config.hpp>

namespace vmdsl {

/// The properties of a unit that `systemctl show` prints; systemd.unit(5) and org.freedesktop.systemd1(5) explain them.
/// A value, safe to keep. A function that stands for a property throws as `value` does where the unit has none of that
/// name, as units that are no services have no `MainPID`.
class unit_properties {
public:
    /// `shown` is what `systemctl show UNIT` printed.
    VMDSL_DECL unit_properties(std::string unit, std::string_view shown);

    /// Its name, as it was asked for.
    [[nodiscard]] const std::string& unit() const noexcept { return unit_; }

    /// Whether there is such a unit (or one that is masked).
    [[nodiscard]] bool exists() const { return load_state() != "not-found"; }
    /// Whether its `active_state()` is "active": it runs, or has done what it was started for.
    [[nodiscard]] bool active() const { return active_state() == "active"; }
    /// Whether its `active_state()` is "failed".
    [[nodiscard]] bool failed() const { return active_state() == "failed"; }

    /// "loaded", "not-found", "masked", "bad-setting", "error".
    [[nodiscard]] const std::string& load_state() const { return value("LoadState"); }
    /// "active", "inactive", "activating", "deactivating", "failed", "reloading".
    [[nodiscard]] const std::string& active_state() const { return value("ActiveState"); }
    /// What it is in detail, by its type: "running", "exited", "dead", "listening", "mounted", ...
    [[nodiscard]] const std::string& sub_state() const { return value("SubState"); }
    /// Why a service is no longer running: "success", "exit-code", "signal", "timeout", ...
    [[nodiscard]] const std::string& result() const { return value("Result"); }
    /// The process id of a service's main process, 0 where there is none.
    [[nodiscard]] std::int64_t main_pid() const { return number("MainPID"); }
    /// How often a service was restarted by itself.
    [[nodiscard]] std::int64_t restarts() const { return number("NRestarts"); }

    /// Whether it has a property of that name: `has("MainPID")`.
    [[nodiscard]] bool has(std::string_view property) const { return values_.find(property) != values_.end(); }
    /// A property's text; several values of one are lines. Throws `usage_error` where the unit has no such property.
    [[nodiscard]] VMDSL_DECL const std::string& value(std::string_view property) const;
    /// A property that is a number. Throws `usage_error` likewise, and where it is none.
    [[nodiscard]] VMDSL_DECL std::int64_t number(std::string_view property) const;
    /// All of them, by name.
    [[nodiscard]] const std::map<std::string, std::string, std::less<>>& all() const noexcept { return values_; }

    /// For people: "active (running)", or "there is none".
    [[nodiscard]] VMDSL_DECL std::string state_text() const;

private:
    std::string unit_;
    std::map<std::string, std::string, std::less<>> values_;
};

}  // namespace vmdsl

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/guest/impl/unit_properties.ipp>
#endif
