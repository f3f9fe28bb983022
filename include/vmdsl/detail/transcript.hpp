// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <vmdsl/core/config.hpp>
#include <vmdsl/core/source_location.hpp>

namespace vmdsl::detail {

/// What was asked of a network: a verb, the machine it was asked of (empty: the network itself), and all its arguments.
struct verb_call {
    std::string machine;
    std::string verb;
    std::string arguments;       ///< As text that is fit to be shown.
    source_location where = {};  ///< Of the call in the spec. For errors only: it makes no other call of it.
    std::string content = {};    ///< Bytes that belong to the call too, for example what is written to a file.
    bool question = false;    ///< Changes nothing, so a body may ask it any number of times: whether a job still runs.
    bool is_command = false;  ///< The arguments are a shell command.

    friend bool operator==(const verb_call& a, const verb_call& b) {
        return a.machine == b.machine && a.verb == b.verb && a.arguments == b.arguments && a.content == b.content &&
               a.question == b.question;
    }
};

/// A verb that runs a shell command, or is about one that runs.
[[nodiscard]] inline verb_call command_call(std::string machine, std::string verb, std::string command,
                                            const source_location& where) {
    verb_call call{std::move(machine), std::move(verb), std::move(command), where};
    call.is_command = true;
    return call;
}

/// The verb and its arguments, for example "run svn info".
[[nodiscard]] VMDSL_DECL std::string text_of(const verb_call& call);

/// What a running command is known as: the streams of each boot are numbered from 1.
struct job_stream {
    std::uint32_t boot = 0;  ///< How often its machine had been switched on.
    std::uint32_t id = 0;

    friend bool operator==(const job_stream&, const job_stream&) = default;
};

/// What came back. One shape for all verbs, so that a transcript can be written down.
struct verb_answer {
    std::string out;
    std::string err;
    std::int64_t number = 0;
    int signal = 0;
    bool flag = false;
    std::chrono::nanoseconds duration{};
    job_stream job;                ///< Of `spawn`.
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
/// Equal questions that follow each other and got the same answer are one entry: a body that polls for a second asks
/// some hundred thousand times. A replay that asks as often gets what was answered each time; it may also ask less
/// often, or more often (how often a body polls depends on time), and gets the last answer again then.
///
/// Thread-safe; verbs are done without the lock.
class transcript {
public:
    struct entry {
        verb_call call;
        verb_answer answer;
        std::size_t times = 1;
    };
    struct sequence {
        std::vector<entry> entries;
        std::thread::id asked_by;
        bool several_threads = false;
    };
    /// By machine.
    using recording = std::map<std::string, sequence>;

    /// Does `live` and keeps its answer, or answers from the recording. A replay that differs throws
    /// `transcript_mismatch`.
    VMDSL_DECL verb_answer perform(const verb_call& call, const std::function<verb_answer()>& live);

    VMDSL_DECL void start_recording();
    /// Whether answers are kept at present.
    [[nodiscard]] VMDSL_DECL bool is_recording() const;
    /// Ends the recording. Any number of replays share what it returns.
    [[nodiscard]] VMDSL_DECL std::shared_ptr<const recording> take_recording();
    VMDSL_DECL void start_replay(std::shared_ptr<const recording> recorded);
    /// From now on verbs go to the machines. Throws `transcript_mismatch` where a replay has not come to its end.
    VMDSL_DECL void go_live();

private:
    enum class mode { live, recording, replaying };
    /// How far a replay has come in one sequence.
    struct progress {
        std::vector<std::size_t> given;  ///< How often, by entry.
        std::size_t first_not = 0;       ///< All before this one were given at least once.
    };

    VMDSL_DECL void record(const verb_call& call, verb_answer answer);
    [[nodiscard]] VMDSL_DECL verb_answer answer_again(const verb_call& call);

    mutable std::mutex mutex_;
    mode mode_ = mode::live;
    recording made_;
    std::shared_ptr<const recording> replayed_;
    std::map<std::string, progress> progress_;
};

}  // namespace vmdsl::detail

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/impl/transcript.ipp>
#endif
