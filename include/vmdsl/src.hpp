// SPDX-License-Identifier: BSL-1.0
#pragma once

/// Every body, for the one translation unit of a program that compiles vmdsl once itself. The whole program defines
/// `VMDSL_SEPARATE_COMPILATION` then; without it this header does not compile. CMake's target `vmdsl::vmdsl` does the
/// same, a layer at a time, so its users need neither.

// The bodies stand in the order of their layers.
// clang-format off
#include <vmdsl/core/config.hpp>

#ifndef VMDSL_SEPARATE_COMPILATION
#error "define VMDSL_SEPARATE_COMPILATION for the whole program, or do not include <vmdsl/src.hpp>"
#endif

#include <vmdsl/core/impl/case_clock.ipp>
#include <vmdsl/core/impl/command_pattern.ipp>
#include <vmdsl/core/impl/deadline.ipp>
#include <vmdsl/core/impl/error.ipp>
#include <vmdsl/core/impl/event.ipp>
#include <vmdsl/core/impl/event_stream.ipp>
#include <vmdsl/core/impl/file_content.ipp>
#include <vmdsl/core/impl/json_text.ipp>
#include <vmdsl/core/impl/run_options.ipp>
#include <vmdsl/core/impl/shell_quote.ipp>
#include <vmdsl/core/impl/source_location.ipp>
#include <vmdsl/core/impl/text_pattern.ipp>
#include <vmdsl/process/impl/child.ipp>
#include <vmdsl/process/impl/control_channel.ipp>
#include <vmdsl/process/impl/guardian.ipp>
#include <vmdsl/process/impl/io_loop.ipp>
#include <vmdsl/process/impl/run_processes.ipp>
#include <vmdsl/process/impl/scratch_dir.ipp>
#include <vmdsl/qemu/impl/command_line.ipp>
#include <vmdsl/qemu/impl/image.ipp>
#include <vmdsl/qemu/impl/key_names.ipp>
#include <vmdsl/qemu/impl/machine_process.ipp>
#include <vmdsl/qemu/impl/memory_file.ipp>
#include <vmdsl/qemu/impl/program.ipp>
#include <vmdsl/qemu/impl/qcow2_overlay.ipp>
#include <vmdsl/qemu/impl/qmp_client.ipp>
#include <vmdsl/qemu/impl/qmp_codec.ipp>
#include <vmdsl/qemu/impl/qmp_result.ipp>
#include <vmdsl/qemu/impl/time_stamp_counter.ipp>
#include <vmdsl/guest/impl/agent_client.ipp>
#include <vmdsl/guest/impl/agent_protocol.ipp>
#include <vmdsl/guest/impl/agent_stream.ipp>
#include <vmdsl/guest/impl/command.ipp>
#include <vmdsl/guest/impl/console_log.ipp>
#include <vmdsl/guest/impl/frame_codec.ipp>
#include <vmdsl/guest/impl/host_tree.ipp>
#include <vmdsl/guest/impl/port_probe.ipp>
#include <vmdsl/guest/impl/stream_queue.ipp>
#include <vmdsl/guest/impl/tree_codec.ipp>
#include <vmdsl/guest/impl/unit_properties.ipp>
#include <vmdsl/net/impl/addressing.ipp>
#include <vmdsl/net/impl/egress_queue.ipp>
#include <vmdsl/net/impl/fabric.ipp>
#include <vmdsl/net/impl/fabric_engine.ipp>
#include <vmdsl/net/impl/fabric_report.ipp>
#include <vmdsl/net/impl/forward.ipp>
#include <vmdsl/net/impl/mac_table.ipp>
#include <vmdsl/net/impl/stream_framer.ipp>
#include <vmdsl/net/impl/switch.ipp>
#include <vmdsl/coverage/impl/collection.ipp>
#include <vmdsl/coverage/impl/counter_file.ipp>
#include <vmdsl/coverage/impl/files.ipp>
#include <vmdsl/coverage/impl/gcov.ipp>
#include <vmdsl/coverage/impl/line_counts.ipp>
#include <vmdsl/coverage/impl/report.ipp>
#include <vmdsl/coverage/impl/shard.ipp>
#include <vmdsl/coverage/impl/tool.ipp>
#include <vmdsl/report/impl/boost_test.ipp>
#include <vmdsl/report/impl/chronicle.ipp>
#include <vmdsl/report/impl/command_line.ipp>
#include <vmdsl/report/impl/interactive.ipp>
#include <vmdsl/report/impl/junit.ipp>
#include <vmdsl/report/impl/output_folder.ipp>
#include <vmdsl/report/impl/printable.ipp>
#include <vmdsl/report/impl/result_files.ipp>
#include <vmdsl/report/impl/run_record.ipp>
#include <vmdsl/report/impl/signal_inbox.ipp>
#include <vmdsl/report/impl/spec_main.ipp>
#include <vmdsl/report/impl/supervisor.ipp>
#include <vmdsl/report/impl/terminal.ipp>
#include <vmdsl/report/impl/worker_process.ipp>
#include <vmdsl/impl/baked_in.ipp>
#include <vmdsl/impl/console_writer.ipp>
#include <vmdsl/impl/control_server.ipp>
#include <vmdsl/impl/guest.ipp>
#include <vmdsl/impl/job.ipp>
#include <vmdsl/impl/machine_coverage.ipp>
#include <vmdsl/impl/machine_description.ipp>
#include <vmdsl/impl/machine_needs.ipp>
#include <vmdsl/impl/machine_runtime.ipp>
#include <vmdsl/impl/machine_signs.ipp>
#include <vmdsl/impl/network_core.ipp>
#include <vmdsl/impl/network_link.ipp>
#include <vmdsl/impl/network_operator.ipp>
#include <vmdsl/impl/network_runtime.ipp>
#include <vmdsl/impl/polling_condition.ipp>
#include <vmdsl/impl/runtime_registry.ipp>
#include <vmdsl/impl/screen.ipp>
#include <vmdsl/impl/step.ipp>
#include <vmdsl/impl/topology.ipp>
#include <vmdsl/impl/transcript.ipp>
#include <vmdsl/impl/tree_copy.ipp>
#include <vmdsl/impl/units.ipp>
// clang-format on
