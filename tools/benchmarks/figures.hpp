// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

/// What all benchmarks share: samples with their medians and quartiles, and the JSON line that ends the output.
namespace bench {

/// Runs `work` and returns how long it took, in seconds.
template <class Work>
[[nodiscard]] double seconds_of(Work&& work) {
    const auto begin = std::chrono::steady_clock::now();
    std::forward<Work>(work)();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// Repeated measurements of one thing.
class samples {
public:
    explicit samples(std::string name) : name_(std::move(name)) {}

    void add(double value) { values_.push_back(value); }

    [[nodiscard]] double quantile(double share) const {
        auto sorted = values_;
        std::sort(sorted.begin(), sorted.end());
        const auto at = share * static_cast<double>(sorted.size() - 1);
        const auto low = static_cast<std::size_t>(at);
        const auto high = std::min(low + 1, sorted.size() - 1);
        return sorted[low] + (at - static_cast<double>(low)) * (sorted[high] - sorted[low]);
    }
    [[nodiscard]] double median() const { return quantile(0.5); }

    /// The distance between the quartiles, as a share of the median: above a half nothing can be told.
    [[nodiscard]] double spread() const { return (quantile(0.75) - quantile(0.25)) / median(); }

    /// "name: median 1.234 (quartiles 1.1 to 1.3, 9 runs)".
    void print(const char* unit) const {
        std::printf("%-34s median %9.3f %s (quartiles %.3f to %.3f, %zu runs)%s\n", name_.c_str(), median(), unit,
                    quantile(0.25), quantile(0.75), values_.size(), spread() > 0.5 ? "  TOO NOISY TO TELL" : "");
        std::fflush(stdout);
    }

private:
    std::string name_;
    std::vector<double> values_;
};

/// The figures, in the order given: the last line of a benchmark's output.
inline void print_json(const std::vector<std::pair<std::string, double>>& figures) {
    std::string line = "{";
    for (const auto& [name, value] : figures) {
        char text[64];
        std::snprintf(text, sizeof text, "%.4g", value);
        line += (line.size() > 1 ? ", \"" : "\"") + name + "\": " + text;
    }
    std::printf("%s}\n", line.c_str());
}

}  // namespace bench
