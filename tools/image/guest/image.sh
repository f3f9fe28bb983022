#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# Runs inside the root of one image: packages, instrumented builds, files, setup scripts, then tidying.
set -eu
exec 2>&1
here=/vmdsl-build
export DEBIAN_FRONTEND=noninteractive

if [ -d $here/debs ]; then
    apt-get install --yes --no-install-recommends $here/debs/*.deb
    rm -rf $here/debs
fi

for build in $here/builds/*.tar; do
    [ ! -e "$build" ] || tar --extract --file "$build" --directory / --keep-directory-symlink --no-overwrite-dir
done
ldconfig

for folder in $here/files/*/; do
    [ -e "$folder/place" ] || continue
    place=$(cat "$folder/place")
    mkdir -p "$(dirname "$place")"
    if [ -d "$folder/content" ]; then
        mkdir -p "$place"
        cp -a "$folder/content/." "$place/"
    else
        cp -a "$folder/content" "$place"
    fi
done

for script in $here/setup/*; do
    [ -e "$script" ] || continue
    name=${script##*/???-}
    echo "vmdsl-setup: begin $name"
    status=0
    (cd / && "$script") </dev/null || status=$?
    if [ $status -ne 0 ]; then
        echo
        echo "vmdsl-setup: failed $name $status"
        exit 1
    fi
done

# What instrumented programs counted meanwhile is not a test's.
[ ! -d /coverage ] || find /coverage '(' -name '*.gcda' -o -name errors ')' -exec truncate --size=0 {} +

# The service that loads /etc/modules starts only where it lists something.
grep -q '^[^#]' /etc/modules 2>/dev/null || rm -f /etc/modules-load.d/modules.conf

# The agent gives each machine its own; an empty machine-id is not a first boot.
: >/etc/machine-id
rm -f /var/lib/dbus/machine-id /etc/hostname /etc/resolv.conf
rm -rf $here /var/cache/apt/*.bin /var/cache/apt/archives/*.deb /var/lib/apt/lists/*_* /var/log/*.log /var/log/apt/*
# What systemd does once after /usr has changed was done by the packages; these are as new as /usr.
touch /usr /etc/.updated /var/.updated
