# SPDX-License-Identifier: BSL-1.0
"""Kernel arguments of the guests. docs/images.md says what each is for and what it saved."""

COMMON = (
    "console=ttyS0",
    "quiet",
    "panic=-1",
    "reboot=t",
    "mitigations=off",
    "init_on_alloc=0",
    "cryptomgr.notests",
    "no_timer_check",
    "tsc=nowatchdog",
    "watchdog_thresh=60",
    "rcupdate.rcu_cpu_stall_timeout=120",
    "random.trust_cpu=on",
    "net.ifnames=0",
)

SYSTEMD = (
    "systemd.show_status=error",
)
