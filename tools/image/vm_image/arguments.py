# SPDX-License-Identifier: BSL-1.0
"""Kernel arguments of the guests. docs/images.md says what each is for and what it saved."""

COMMON = (
    "console=ttyS0",
    "quiet",
    "panic=-1",
    "reboot=t",
    "mitigations=off",
    "cryptomgr.notests",
    "no_timer_check",
    "random.trust_cpu=on",
    "net.ifnames=0",
)

SYSTEMD = (
    "systemd.show_status=0",
)
