#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# Runs inside the base system once its packages are installed. $1: the kernel's release.
# What is switched off here, and what each thing saved, is listed in docs/images.md.
set -eu

depmod "$1"

# Nobody logs in on a console: root works through the agent.
mask="getty@.service serial-getty@.service console-getty.service container-getty@.service getty-static.service
getty.target"
# Periodic and one-time chores whose only effect in a test machine is load at an unexpected moment.
mask="$mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service
fstrim.timer man-db.timer logrotate.timer systemd-tmpfiles-clean.timer"
# The agent configures addresses, names and the clock, also after a restore.
mask="$mask systemd-timesyncd.service systemd-networkd-wait-online.service systemd-firstboot.service
systemd-machine-id-commit.service systemd-update-utmp.service systemd-update-utmp-runlevel.service
systemd-hwdb-update.service systemd-pstore.service"
# Nothing to check, to grow or to remount: the agent mounted the root.
mask="$mask systemd-remount-fs.service systemd-fsck-root.service"
for unit in $mask; do
    ln -sf /dev/null "/etc/systemd/system/$unit"
done
systemctl set-default multi-user.target

echo 'LANG=C.UTF-8' >/etc/default/locale
: >/etc/fstab
rm -f /etc/hostname /etc/resolv.conf
rm -rf /vmdsl-build
