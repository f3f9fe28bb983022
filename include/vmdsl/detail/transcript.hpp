// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <vmdsl/core/config.hpp>

namespace vmdsl::detail {

/// What was asked of a network: a verb, the machine it was asked of (empty: the network itself), and all its arguments.
struct verb_call {
    std::string machine;
    std::string verb;
    std::string arguments;     ///< As text that is fit to be shown.
    std::string content = {};  ///< Bytes that belong to the call too, for example what is written to a file.

    friend bool operator==(const verb_call&, const verb_call&) = default;
};

/// The verb and its arguments, for example "run svn info".
[[nodiscard]] VMDSL_DECL std::string text_of(const verb_call& call);

/// What came back. One shape for all verbs, so that a transcript can be written down.
struct verb_answer {
    std::string out;
    std::string err;
    std::int64_t number = 0;
    int signal = 0;
    bool flag = false;
    std::chrono::nanoseconds duration{};
    std::uint32_t stream = 0;      ///< A running job's stream, 0 where there is none.
    std::string outcome = "done";  ///< For the log.
    std::exception_ptr problem;    ///< The verb threw this.
};

/// The replay of a checkpoint's body asked for something else than the recording did.
struct transcript_mismatch {
    std::string recorded;
    std::string asked;
};

/// The verbs of a checkpoint's body with their answers.
///
/// Recorded while the body runs on live machines, and replayed for each case: the body runs again, gets the same
/// answers, and so fills its members as it did, while no machine is touched.
///
/// The body may use several threads, and how their verbs interleave is different each time. So there is one sequence
/// per machine (and one for the network's own verbs) and no order between the sequences: a replay has to ask each
/// machine for the same, in the same order. Where several threads asked one machine there is no such order either: an
/// answer is then the first to an equal call that was not given yet.
///
/// Thread-safe; verbs are done without the lock.
class transcript {
public:
    struct entry {
        verb_call call;
        verb_answer answer;
        bool given = false;  ///< By the present replay.
    };
    struct sequence {
        std::vector<entry> entries;
        std::size_t next = 0;  ///< The present replay has been given all before this one.
        std::thread::id asked_by;
        bool several_threads = false;
    };
    /// By machine. A value: any number of replays start from copies of it.
    using recording = std::map<std::string, sequence>;

    /// Does `live` and keeps its answer, or answers from the recording. A replay that differs throws
    /// `transcript_mismatch`.
    VMDSL_DECL verb_answer perform(const verb_call& call, const std::function<verb_answer()>& live);

    VMDSL_DECL void start_recording();
    /// Whether answers are kept at present.
    [[nodiscard]] VMDSL_DECL bool is_recording() const;
    [[nodiscard]] VMDSL_DECL recording recorded() const;
    VMDSL_DECL void start_replay(recording recorded);
    /// From now on verbs go to the machines. Throws `transcript_mismatch` where a replay has not come to its end.
    VMDSL_DECL void go_live();

private:
    enum class mode { live, recording, replaying };

    VMDSL_DECL void record(const verb_call& call, verb_answer answer);
    [[nodiscard]] VMDSL_DECL verb_answer answer_again(const verb_call& call);

    mutable std::mutex mutex_;
    mode mode_ = mode::live;
    recording entries_;
};

}  // namespace vmdsl::detail

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/impl/transcript.ipp>
#endif
