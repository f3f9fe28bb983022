#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# Runs inside the base system once its packages are installed. $1: the kernel's release.
# docs/images.md lists what is switched off here, why, and what it saved.
set -eu
here=/vmdsl-build

depmod "$1"
cp -R $here/files/. /

mask() {
    for unit in "$@"; do
        ln -sf /dev/null "/etc/systemd/system/$unit"
    done
}

# Nobody logs in on a console: root works through the agent.
mask getty@.service serial-getty@.service console-getty.service container-getty@.service getty-static.service \
    getty.target
# Chores whose only effect in a test machine is load at an unexpected moment.
mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service \
    fstrim.timer man-db.timer logrotate.timer systemd-tmpfiles-clean.timer
# The agent configures addresses, names and the clock, also after a restore; virtio-rng and the CPU seed the kernel.
mask systemd-timesyncd.service systemd-networkd-wait-online.service systemd-firstboot.service \
    systemd-machine-id-commit.service systemd-update-utmp.service systemd-update-utmp-runlevel.service \
    systemd-hwdb-update.service systemd-pstore.service systemd-random-seed.service
# Nothing to check, to grow, to remount or to wait for: the agent mounted the root, writable.
mask systemd-remount-fs.service systemd-fsck-root.service systemd-repart.service
# Kernel file systems that few programs look at; mount(8) still mounts them.
mask dev-hugepages.mount dev-mqueue.mount sys-fs-fuse-connections.mount sys-kernel-config.mount \
    sys-kernel-debug.mount sys-kernel-tracing.mount
# Its result, nodes for modules that are loaded when their device file is opened (/dev/fuse, /dev/net/tun, ...), is
# always the same.
mask kmod-static-nodes.service
awk '!/^#/ && $3 ~ /^[bc][0-9]+:[0-9]+$/ {
    folder = $2
    if (sub("/[^/]*$", "", folder)) print "d /dev/" folder " 0755 - - -"
    print substr($3, 1, 1) "! /dev/" $2 " 0600 - - - " substr($3, 2)
}' "/usr/lib/modules/$1/modules.devname" >/usr/lib/tmpfiles.d/vmdsl-static-nodes.conf

# Programs that systemd runs at boot and at every reload, to find things that these images do not have.
mkdir -p /etc/systemd/system-generators
for generator in cryptsetup getty gpt-auto hibernate-resume integritysetup run system-update veritysetup; do
    ln -sf /dev/null "/etc/systemd/system-generators/systemd-$generator-generator"
done

# Started by the first who talks to them instead of at boot.
rm -f /usr/lib/systemd/system/multi-user.target.wants/dbus.service \
    /usr/lib/systemd/system/multi-user.target.wants/systemd-logind.service

systemctl set-default multi-user.target
echo 'LANG=C.UTF-8' >/etc/default/locale
: >/etc/fstab
rm -rf /etc/hostname /etc/resolv.conf $here
