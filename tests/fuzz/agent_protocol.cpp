// SPDX-License-Identifier: BSL-1.0
// A guest that says what it likes, and a host that goes on with its own work: nothing grows, no credit is made up, and
// what is sent are whole frames.
#include <csignal>
#include <cstdint>
#include <string>
#include <vector>

#include <vmdsl/guest/agent_protocol.hpp>

#include <fuzz/fuzz_input.hpp>

namespace {

using namespace vmdsl;
using detail::agent_protocol;
using detail::agent_stream_ptr;

class run {
public:
    explicit run(fuzz::input& input) : input_(input) {}

    void go() {
        while (!input_.empty() && !host_.breach()) {
            step();
            check();
        }
        lose_the_agent();
    }

private:
    void step() {
        switch (input_.byte() % 16) {
            case 0:
                open();
                break;
            case 1:
                take_output();
                break;
            case 2:
                write();
                break;
            case 3:
                host_.end_of_data(stream());
                asked_ += largest_control;
                break;
            case 4:
                host_.close(stream(), calls_);
                asked_ += largest_control;
                break;
            case 5:
                signal_and_resize(stream());
                break;
            case 6:
                control();
                break;
            case 7:
                lose_the_agent();
                break;
            default:
                guest_frame();
        }
        perform_calls();
    }

    void open() {
        stream_sink sink;
        if (input_.byte() % 2 == 0) {
            sink.on_data = [this, at = streams_.size()](wire::channel channel, std::string_view bytes) {
                host_.grant(streams_[at], channel, bytes.size());
            };
        }
        streams_.push_back(host_.open(wire::stream_kind::command, {}, std::move(sink)));
        asked_ += largest_control;
    }

    void signal_and_resize(const agent_stream_ptr& to) {
        host_.send_signal(to, SIGKILL, signal_target::tree);
        host_.resize(to, {50, 132});
        asked_ += 2 * largest_control;
    }

    void write() {
        const auto to = stream();
        host_.write(to, std::string(input_.number() * 8U, 'x'));
    }

    /// At any moment, and the socket may take more all the same: a write was under way, or posted.
    void lose_the_agent() {
        if (input_.byte() % 2 == 0) {
            host_.abandon(calls_);
            fuzz::require(!host_.has_output(), "nothing is sent to one that is lost");
        } else {
            host_.expect_restart(calls_);
            asked_ += 2 * largest_control;
        }
        perform_calls();
        take_output();
    }

    void control() {
        switch (input_.byte() % 4) {
            case 0:
                host_.quiesce();
                break;
            case 1:
                epoch_ = input_.byte();
                host_.resume(epoch_, input_.byte() % 2 == 0, {});
                asked_ += wire::resync_padding;
                asked_ += most_fields * largest_control;  // streams to close that the one `resumed` names
                break;
            case 2: {
                agent_protocol clone;
                clone.restore(host_.save());
                (void)clone.attach(input_.byte());
                break;
            }
            default:
                host_.send_control(wire::frame_type::power);
        }
        asked_ += 2 * largest_control;
    }

    void guest_frame() {
        constexpr wire::frame_type types[] = {
            wire::frame_type::hello, wire::frame_type::configured, wire::frame_type::quiesced, wire::frame_type::data,
            wire::frame_type::data,  wire::frame_type::resumed,    wire::frame_type::opened,   wire::frame_type::data,
            wire::frame_type::end,   wire::frame_type::credit,     wire::frame_type::exit,     wire::frame_type::failed,
        };
        const auto decision = input_.byte();
        const auto type = decision < 200 ? types[decision % std::size(types)] : static_cast<wire::frame_type>(decision);
        const auto channel = static_cast<wire::channel>(input_.byte() % 3);
        const std::uint32_t stream = type < wire::frame_type::open ? 0U : input_.byte() % 8U;
        std::vector<std::byte> payload =
            type == wire::frame_type::data ? std::vector<std::byte>(input_.number()) : fields();
        if (type == wire::frame_type::hello) {
            payload_builder greeting;
            greeting.u32(wire::tag::version, 1).text(wire::tag::boot_id, input_.text(1));
            payload.insert(payload.begin(), greeting.view().begin(), greeting.view().end());
            epoch_ = input_.byte();
            asked_ += wire::resync_padding + streams_.size() * largest_control;
        }
        received_ += type == wire::frame_type::data ? payload.size() : 0;
        host_.take({decode_status::frame,
                    {static_cast<std::uint32_t>(payload.size()), stream, epoch_, type, channel},
                    payload,
                    decode_problem::none,
                    0},
                   calls_);
        perform_calls();  // they point into the payload
    }

    std::vector<std::byte> fields() {
        payload_builder made;
        for (int i = input_.byte() % (most_fields + 1); i > 0; --i) {
            const auto tag = static_cast<wire::tag>(input_.byte() % 40);
            if (input_.byte() % 2 == 0) {
                made.u64(tag, std::uint64_t{input_.byte()} << (input_.byte() % 64));
            } else {
                made.bytes(tag, input_.bytes(input_.byte()));
            }
        }
        const auto view = made.view();
        const auto kept = input_.byte() % 8 == 0 ? view.size() / 2 : view.size();
        return {view.begin(), view.begin() + static_cast<std::ptrdiff_t>(kept)};
    }

    /// What the guest reads, if it does.
    void take_output() {
        std::vector<std::byte> bytes;
        host_.take_output(bytes, calls_);
        frame_decoder decoder;
        std::size_t data = 0;
        std::size_t credit_frames = 0;
        std::size_t known = 0;
        for (std::span<const std::byte> rest(bytes); !rest.empty();) {
            rest = rest.subspan(decoder.feed(rest));
            for (auto found = decoder.next(); found.status != decode_status::need_more; found = decoder.next()) {
                fuzz::require(found.status == decode_status::frame, "whole frames are sent");
                const auto size = wire::header_size + found.payload.size() + wire::trailer_size;
                if (found.header.type == wire::frame_type::data) {
                    data += found.payload.size();
                    known += size;
                } else if (found.header.type == wire::frame_type::credit) {
                    ++credit_frames;
                    granted_ += wire::find_field(found.payload, wire::tag::bytes).number();
                    known += size;
                }
            }
        }
        fuzz::require(data <= agent_protocol::output_batch + wire::max_payload, "data comes in batches");
        fuzz::require(granted_ <= received_, "no more credit is given than was used up");
        fuzz::require(credit_frames <= 2 * streams_.size(), "credit is gathered");
        sent_ += bytes.size() - known;
        fuzz::require(sent_ <= asked_, "the guest makes nothing else be queued");
    }

    void check() {
        for (const auto& each : streams_) {
            fuzz::require(each->credit <= wire::initial_credit, "the guest's credit has a limit");
            for (const auto i : {0U, 1U}) {
                fuzz::require(each->granted[i] <= wire::initial_credit, "so has ours");
                fuzz::require(each->granted[i] + each->used_up[i] <= wire::initial_credit, "which comes back once");
            }
            fuzz::require(!each->over || each->pending.empty(), "nothing is kept for what has ended");
            const auto end = each->end.value_or(stream_end{});
            fuzz::require(end.exit_code >= 0 && end.exit_code <= 255, "a command ends as commands do");
            fuzz::require(end.signal >= 0 && end.signal <= 127, "or by a signal that there can be");
        }
    }

    agent_stream_ptr stream() {
        const auto chosen = input_.byte();
        if (streams_.empty()) {
            open();
        }
        return streams_[chosen % streams_.size()];
    }

    void perform_calls() {
        for (const auto& call : std::exchange(calls_, {})) {
            detail::perform(call);
        }
    }

    static constexpr std::size_t largest_control = 64;
    static constexpr int most_fields = 3;

    fuzz::input& input_;
    agent_protocol host_;
    std::vector<detail::sink_call> calls_;
    std::vector<agent_stream_ptr> streams_;
    std::uint32_t epoch_ = 0;
    std::uint64_t received_ = 0;
    std::uint64_t granted_ = 0;
    std::size_t asked_ = 0;  ///< Bytes that the host's own doings may have queued, credit and data left out.
    std::size_t sent_ = 0;   ///< How many came out.
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::input input(data, size);
    run(input).go();
    return 0;
}
