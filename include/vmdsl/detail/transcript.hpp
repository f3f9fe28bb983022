// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <string>
#include <vector>

#include <vmdsl/core/config.hpp>

namespace vmdsl::detail {

/// What was asked of a network: a verb, the machine it was asked of, and all its arguments as text.
struct verb_call {
    std::string machine;
    std::string verb;
    std::string arguments;

    friend bool operator==(const verb_call&, const verb_call&) = default;
};

/// What came back. One shape for all verbs, so that a transcript can be written down.
struct verb_answer {
    std::string out;
    std::string err;
    std::int64_t number = 0;
    int signal = 0;
    bool flag = false;
    std::chrono::nanoseconds duration{};
    std::uint32_t stream = 0;    ///< A running job's stream, 0 where there is none.
    std::exception_ptr problem;  ///< The verb threw this.
};

/// The replay of a checkpoint's body asked for something else than the recording did.
struct transcript_mismatch {
    std::string recorded;
    std::string asked;
};

/// The verbs of a checkpoint's body with their answers, in order.
///
/// Recorded while the body runs on live machines, and replayed for each case: the body runs again, gets the same
/// answers, and so fills its members as it did, while no machine is touched.
class transcript {
public:
    /// Does `live` and keeps its answer, or answers from the recording. A replay that differs throws
    /// `transcript_mismatch`.
    VMDSL_DECL verb_answer perform(const verb_call& call, const std::function<verb_answer()>& live);

    VMDSL_DECL void start_recording();
    /// Everything recorded so far is answered again from its beginning on.
    VMDSL_DECL void start_replay();
    /// From now on verbs go to the machines. Throws `transcript_mismatch` where a replay has not come to its end.
    VMDSL_DECL void go_live();

    [[nodiscard]] bool replaying() const noexcept { return mode_ == mode::replaying; }

    /// The streams of jobs that were started, in order.
    [[nodiscard]] VMDSL_DECL std::vector<std::uint32_t> streams_of(const std::string& machine) const;

private:
    enum class mode { live, recording, replaying };
    struct entry {
        verb_call call;
        verb_answer answer;
    };

    mode mode_ = mode::live;
    std::vector<entry> entries_;
    std::size_t next_ = 0;
};

}  // namespace vmdsl::detail

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/impl/transcript.ipp>
#endif
