#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# usage: cases.sh CASE CACHE
# One case of tools/vm-image. Exit status: 0 passed, 77 not possible here, anything else failed.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
tool=$root/tools/vm-image
case_name=$1
shared_cache=$2

work=$(mktemp -d "${TMPDIR:-/tmp}/vmdsl-image-test.XXXXXX")
chmod 755 "$work"
trap 'status=$?; cleanup; exit $status' EXIT
cleanup() { rm -rf "$work"; }

export VMDSL_CACHE_DIR=$shared_cache
agent=$work/agent
printf '#!/bin/sh\nexit 0\n' >"$agent"
chmod 755 "$agent"

fail() {
    echo "FAILED: $*"
    exit 1
}

skip() {
    echo "skipped: $*"
    exit 77
}

# What a command printed, on both streams, is in $output; its exit status in $status.
try() {
    status=0
    output=$("$@" 2>&1) || status=$?
    echo "$ $*"
    echo "$output"
}

expect_error() {
    [ "$status" -eq 1 ] || fail "exit status $status instead of 1"
    [ "$(wc -l <<<"$output")" -le 25 ] || fail "the error is pages long"
    for text in "$@"; do
        grep -qF -- "$text" <<<"$output" || fail "the error does not say: $text"
    done
    ! grep -q 'Traceback' <<<"$output" || fail "a Python traceback"
}

debian() { "$tool" debian --agent "$agent" --output "$work/$case_name.image.json" "$@"; }

# A cache of the case's own that starts with the shared downloads and base system, under the same locks.
own_cache() {
    VMDSL_CACHE_DIR=$work/cache
    mkdir "$work/cache"
    for kind in apt kernel busybox base locks; do
        ln -s "$shared_cache/$kind" "$work/cache/$kind"
    done
}

field() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1])).get(sys.argv[2], "absent"))' "$1" "$2"; }

# Modes, owners and paths of a root image: lines of "mode owner group path" with the targets of links.
contents() {
    local as_root=()
    [ "$(id -u)" -eq 0 ] || as_root=(unshare --user --map-root-user --map-auto)
    "${as_root[@]}" bash -c 'fsck.erofs --extract="$2" --preserve "$1" >/dev/null && cd "$2" &&
        find . -printf "%M %U %G %P%l\n" | LC_ALL=C sort -k 4; cd / && rm -rf "$2"' - "$1" "$work/extracted"
}

fingerprint() { (cd "$VMDSL_CACHE_DIR" && ls root tmp 2>/dev/null) | sha256sum; }

case_warm_cache() {
    debian --name warm
}

case_bad_arguments() {
    try debian --name bad --file "$work/nothing:/etc/x"
    expect_error "$work/nothing" "does not exist"
    try debian --name bad --file "$agent"
    expect_error "$agent" "SOURCE:/ABSOLUTE/PLACE"
    try debian --name bad --file "$agent:/etc/x:rw"
    expect_error "octal mode"
    try debian --name bad --setup "$work/nothing.sh"
    expect_error "$work/nothing.sh" "does not exist"
    try debian --name bad --package 'vim;reboot'
    expect_error "vim;reboot" "not the name of a Debian package"
    echo text >"$work/text"
    try "$tool" tiny --agent "$work/text"
    expect_error "$work/text" "is not a program"
    try "$tool" tiny --agent "$work/none"
    expect_error "$work/none"
    try "$tool" tiny --agent "$agent" --busybox "$agent"
    expect_error "--kernel, --modules and --busybox belong together"
    try "$tool" tiny --agent "$agent" --kernel "$agent" --modules "$work/none" --busybox "$agent"
    expect_error "$work/none" "does not exist"
}

case_bad_package() {
    before=$(fingerprint)
    start=$SECONDS
    try debian --name bad --package bash apache9 subversio
    expect_error "apache9" "apache2" "subversio" "subversion" "no package of this name"
    [ $((SECONDS - start)) -lt 60 ] || fail "took $((SECONDS - start)) s to find a wrong name"
    [ "$before" = "$(fingerprint)" ] || fail "the cache changed"
    try "$tool" kernel --suite no-such-suite
    expect_error "no-such-suite"
}

case_initrd() {
    "$tool" initrd --agent "$agent" --output "$work/one"
    "$tool" initrd --agent "$agent" --output "$work/two"
    cmp "$work/one" "$work/two"
    mkdir "$work/unpacked"
    list=$(cpio --list --quiet <"$work/one")
    for name in init dev/console modules/boot.list modules/root.list; do
        grep -qx "$name" <<<"$list" || fail "$name is not in the initrd"
    done
    (cd "$work/unpacked" && cpio --extract --quiet --make-directories 'modules/*' init <"$work/one")
    cmp "$agent" "$work/unpacked/init"
    cat "$work/unpacked/modules/boot.list" "$work/unpacked/modules/root.list" >"$work/order"
    # Every module comes after what it needs, and everything listed is there.
    seen=" "
    while read -r module; do
        needs=$(tr '\0' '\n' <"$work/unpacked/modules/$module" | sed -n 's/^depends=//p' | tr ',-' ' _')
        for need in $needs; do
            [[ $seen == *" $need "* ]] || fail "$module is loaded before $need"
        done
        name=${module%.ko}
        seen+="${name//-/_} "
    done <"$work/order"
    for name in virtio_pci virtio_console virtio_blk virtio_net virtio_rng pvpanic_pci overlay; do
        [[ $seen == *" $name "* ]] || fail "$name is not loaded"
    done
    echo '#!/bin/sh' >"$agent"
    "$tool" initrd --agent "$agent" --output "$work/one"
    ! cmp -s "$work/one" "$work/two" || fail "a changed agent makes the same initrd"
}

case_tiny() {
    "$tool" tiny --agent "$agent" --output "$work/tiny.image.json"
    [ "$(field "$work/tiny.image.json" format)" = 1 ]
    [ "$(field "$work/tiny.image.json" init)" = none ]
    [ "$(field "$work/tiny.image.json" root)" = absent ]
    head -c 4 "$(field "$work/tiny.image.json" kernel)" | grep -q ELF || fail "the kernel is not an ELF file"
    # Two archives after each other, each padded to whole sectors.
    python3 - "$(field "$work/tiny.image.json" initrd)" <<'PYTHON'
import sys
data = open(sys.argv[1], "rb").read()
names, place = [], 0
while place < len(data):
    assert data[place : place + 6] == b"070701", f"no archive entry at {place}"
    size, length = (int(data[place + at : place + at + 8], 16) for at in (54, 94))
    names.append(data[place + 110 : place + 109 + length].decode())
    place += -(-(110 + length) // 4) * 4
    place += -(-size // 4) * 4
    if names[-1] == "TRAILER!!!":
        place += -place % 512
assert names.count("TRAILER!!!") == 2, "expected two archives"
assert {"init", "bin/busybox", "bin/sh", "bin/ls", "etc/passwd", "root"} <= set(names)
PYTHON
    # The same from a kernel and a busybox that are named makes the same bytes.
    kernel=$("$tool" kernel)
    busybox=("$VMDSL_CACHE_DIR"/busybox/*/busybox)
    "$tool" tiny --agent "$agent" --output "$work/named.image.json" --initrd "$work/initrd" \
        --kernel "$kernel/vmlinux" --modules "$kernel/lib/modules" --busybox "${busybox[0]}"
    [ "$(field "$work/named.image.json" kernel)" = "$kernel/vmlinux" ] || fail "another kernel than was named"
    [ "$(field "$work/named.image.json" initrd)" = "$work/initrd" ] || fail "another initrd than was named"
    cmp "$work/initrd" "$(field "$work/tiny.image.json" initrd)"
}

case_given() {
    echo kernel >"$work/k"
    echo initrd >"$work/i"
    try "$tool" given --name own --kernel "$work/k" --initrd "$work/i" --argument 'a="b c"' --argument d \
        --output "$work/own.image.json"
    [ "$status" -eq 0 ] || fail "exit status $status"
    [ "$(field "$work/own.image.json" kernel_arguments)" = "['a=\"b c\"', 'd']" ] || fail "arguments got lost"
    try "$tool" given --name own --kernel "$work/none" --initrd "$work/i"
    expect_error "$work/none" "does not exist"
}

case_no_subordinate_ids() {
    if [ "$(id -u)" -eq 0 ]; then
        # An account that Debian never gives subordinate ids.
        user=(setpriv --reuid nobody --regid nogroup --clear-groups env HOME=/nonexistent "VMDSL_CACHE_DIR=$work/cache")
        ! grep -q '^nobody:' /etc/subuid 2>/dev/null || skip "nobody has subordinate ids here"
        own_cache
        rm "$work/cache/locks"
        chmod -R a+rX "$work" && chown -R nobody "$work/cache"
        setpriv --reuid nobody --regid nogroup --clear-groups test -r "$tool" -a -r "$shared_cache/kernel" ||
            skip "nobody may not read the source tree or the cache"
        try "${user[@]}" "$tool" debian --name denied --agent "$agent" --output "$work/cache/d.json" --setup "$agent"
        expect_error nobody /etc/subuid "sudo usermod --add-subuids"
    elif grep -qE "^($(id -un)|$(id -u)):" /etc/subuid 2>/dev/null; then
        skip "this user has subordinate ids"
    else
        own_cache
        try debian --name denied
        expect_error "$(id -un)" /etc/subuid "sudo usermod --add-subuids"
    fi
}

case_missing_tool() {
    unshare --map-root-user --mount true 2>/dev/null || skip "no mount namespaces here"
    own_cache
    # A program that may not be executed is as good as missing.
    try unshare --map-root-user --mount bash -c 'mount --bind /dev/null "$(command -v mmdebstrap)" && exec "$@"' - \
        "$tool" debian --agent "$agent" --name missing --output "$work/missing.json"
    expect_error mmdebstrap "sudo apt-get install"
}

case_no_namespaces() {
    [ "$(id -u)" -ne 0 ] || skip "root needs no user namespace"
    grep -qsE "^($(id -un)|$(id -u)):" /etc/subuid || skip "this user has no subordinate ids"
    own_cache
    mkdir "$work/bin"
    # As the real one does, it leaves a process behind that keeps its streams open.
    printf '#!/bin/sh\nsleep 300 &\necho $! >>"%s"\necho "unshare: unshare failed: Operation not permitted" >&2\nexit 1\n' \
        "$work/left" >"$work/bin/unshare"
    chmod 755 "$work/bin/unshare"
    PATH=$work/bin:$PATH try debian --name closed
    expect_error "user namespace" "mend it with"
    for pid in $(cat "$work/left"); do
        ! grep -qs sleep "/proc/$pid/comm" || fail "process $pid was left behind"
    done
}

case_no_network() {
    unshare --map-root-user --net true 2>/dev/null || skip "no network namespaces here"
    export VMDSL_CACHE_DIR=$work/empty
    try unshare --map-root-user --net env -u http_proxy -u https_proxy "$tool" kernel
    expect_error "cannot fetch Debian's package lists" "Failed to fetch" "mend it with" "http_proxy"
    [ -z "$(ls -A "$work/empty/kernel" 2>/dev/null)" ] || fail "a kernel from nowhere"
}

case_failing_setup() {
    own_cache
    cat >"$work/breaks.sh" <<'SCRIPT'
#!/bin/sh
echo "the demon cannot be configured"
exit 3
SCRIPT
    chmod 755 "$work/breaks.sh"
    try debian --name failing --setup "$work/breaks.sh"
    expect_error "breaks.sh" "status 3" "the demon cannot be configured" ".log"
    [ -z "$(ls -A "$work/cache/tmp")" ] || fail "leftovers in the cache: $(ls -A "$work/cache/tmp")"
    [ -z "$(ls -A "$work/cache/root" 2>/dev/null)" ] || fail "a failed image is in the cache"
}

case_contents() {
    own_cache
    mkdir -p "$work/tree/sub"
    echo one >"$work/tree/sub/one"
    echo secret >"$work/secret"
    cat >"$work/setup.sh" <<'SCRIPT'
#!/bin/sh
set -e
id -u | grep -qx 0
test -s /etc/issue.d/secret
systemctl enable systemd-networkd
install -o www-data -g www-data -m 750 -d /srv/made
SCRIPT
    chmod 755 "$work/setup.sh"
    debian --name contents --package less --file "$work/secret:/etc/issue.d/:600" --file "$work/tree:/opt/tree" \
        --setup "$work/setup.sh"
    descriptor=$work/contents.image.json
    [ "$(field "$descriptor" init)" = systemd ]
    [ "$(field "$descriptor" ready_unit)" = basic.target ]
    contents "$(field "$descriptor" root)" >"$work/list"
    for line in '-rw------- 0 0 etc/issue.d/secret' '-rw-r--r-- 0 0 opt/tree/sub/one' 'drwxr-x--- 33 33 srv/made' \
        '-rwxr-xr-x 0 0 usr/bin/less' 'drwxr-xr-x 0 0 ' 'drwxr-xr-x 0 0 dev' 'drwxrwxrwt 0 0 tmp'; do
        grep -qxF -- "$line" "$work/list" || fail "not in the image: $line"
    done
    grep -q ' usr/sbin/init' "$work/list" || fail "no init"
    grep -q ' usr/lib/modules/[^/]*/modules.dep.bin$' "$work/list" || fail "no module index"
    ! grep -qE ' (vmdsl-build|etc/resolv.conf|etc/hostname|usr/sbin/policy-rc.d)' "$work/list" || fail "build leftovers"
    ! grep -q ' boot/vmlinuz' "$work/list" || fail "a kernel package in the image"
    scratch=$(field "$descriptor" scratch)
    [ "$(stat -c %s "$scratch")" -eq $((8 << 30)) ] || fail "the scratch disk is not 8 GiB"
    [ "$(du -m "$scratch" | cut -f1)" -le 16 ] || fail "the scratch disk is not sparse"
}

case_cached() {
    own_cache
    echo first >"$work/file"
    debian --name cached --file "$work/file:/etc/file"
    first=$(field "$work/cached.image.json" root)
    # Processor time: what else runs on the host does not count.
    TIMEFORMAT='%U %S'
    { time debian --name cached --file "$work/file:/etc/file" >"$work/log" 2>&1; } 2>"$work/times"
    awk '{ exit !($1 + $2 < 1) }' "$work/times" || fail "the second run took $(cat "$work/times") s of processor time"
    ! grep -q 'root image' "$work/log" || fail "the second run built the image again"
    # The content counts, not the path or the image's name.
    cp "$work/file" "$work/elsewhere"
    debian --name other --file "$work/elsewhere:/etc/file"
    [ "$(field "$work/cached.image.json" root)" = "$first" ] || fail "the same content was built again"
    echo second >"$work/file"
    debian --name cached --file "$work/file:/etc/file"
    [ "$(field "$work/cached.image.json" root)" != "$first" ] || fail "changed content gave the old image"
}

case_parallel() {
    own_cache
    pids=()
    for number in 1 2 3; do
        "$tool" debian --agent "$agent" --name "parallel$number" --output "$work/$number.json" >"$work/$number.log" 2>&1 &
        pids+=($!)
    done
    for pid in "${pids[@]}"; do
        wait "$pid" || fail "a parallel build failed: $(cat "$work"/?.log)"
    done
    [ "$(ls "$work/cache/root" | wc -l)" -eq 1 ] || fail "more than one image for one recipe"
    [ "$(grep -l 'root image' "$work"/?.log | wc -l)" -eq 1 ] || fail "the image was built more than once"
}

# Processes that have the case's folder in their command line: this shell is not one of them.
build_processes() { pgrep -f -- "$work/cache/tmp" || true; }

case_killed() {
    own_cache
    debian --name killed >/dev/null 2>"$work/log" &
    pid=$!
    until [ -n "$(ls -A "$work/cache/tmp" 2>/dev/null)" ] && [ -n "$(build_processes)" ]; do
        kill -0 "$pid" 2>/dev/null || fail "the build ended before it could be killed: $(cat "$work/log")"
        read -rt 0.05 <> <(:) || true
    done
    # The tool itself, not the shell function around it.
    pkill -KILL -P "$pid" -f vm-image || kill -KILL "$pid"
    wait "$pid" 2>/dev/null || true
    for _ in $(seq 100); do
        [ -n "$(build_processes)" ] || break
        read -rt 0.05 <> <(:) || true
    done
    [ -z "$(build_processes)" ] || fail "processes left: $(build_processes | xargs ps -o pid,args -p)"
    ! grep -q "$work" /proc/mounts || fail "mounts left: $(grep "$work" /proc/mounts)"
    [ -z "$(ls -A "$work/cache/root" 2>/dev/null)" ] || fail "a killed build is in the cache"
    [ ! -e "$work/killed.image.json" ] || fail "a killed build left a descriptor"
    debian --name killed
    [ -e "$(field "$work/killed.image.json" root)" ] || fail "no image after a killed build"
    [ -z "$(ls -A "$work/cache/tmp")" ] || fail "leftovers in the cache: $(ls -A "$work/cache/tmp")"
}

# Ctrl-C goes to all processes of the terminal's foreground.
case_interrupted() {
    own_cache
    printf '#!/bin/sh\necho waits\nexec sleep 300\n' >"$work/waits.sh"
    chmod 755 "$work/waits.sh"
    setsid env --default-signal=INT "$tool" debian --agent "$agent" --name interrupted --output "$work/i.json" \
        --setup "$work/waits.sh" >"$work/log" 2>&1 &
    pid=$!
    until grep -qsx waits "$work/cache/logs/interrupted.log"; do
        kill -0 "$pid" 2>/dev/null || fail "the build ended before it could be interrupted: $(cat "$work/log")"
        read -rt 0.05 <> <(:) || true
    done
    kill -INT -- "-$pid"
    status=0
    wait "$pid" || status=$?
    [ "$status" -eq 130 ] || fail "exit status $status instead of 130: $(cat "$work/log")"
    grep -q "interrupted" "$work/log" || fail "it does not say that it was interrupted: $(cat "$work/log")"
    ! grep -q Traceback "$work/log" || fail "a Python traceback: $(cat "$work/log")"
    [ -z "$(build_processes)" ] || fail "processes left: $(build_processes | xargs ps -o pid,args -p)"
    ! grep -q "$work" /proc/mounts || fail "mounts left: $(grep "$work" /proc/mounts)"
    [ -z "$(ls -A "$work/cache/tmp")" ] || fail "leftovers in the cache: $(ls -A "$work/cache/tmp")"
    [ ! -e "$work/i.json" ] || fail "an interrupted build left a descriptor"
}

case_full_disk() {
    unshare --map-root-user --mount true 2>/dev/null || skip "no mount namespaces here"
    [ "$(id -u)" -eq 0 ] || skip "a small file system of our own needs root"
    own_cache
    mkdir "$work/small"
    try unshare --mount bash -c 'mount -t tmpfs -o size=64m tmpfs "$1" && cp -a "$2"/. "$1" && shift 2 && exec "$@"' - \
        "$work/small" "$work/cache" env VMDSL_CACHE_DIR="$work/small" \
        "$tool" debian --agent "$agent" --name full --output "$work/full.json"
    expect_error "full" "VMDSL_CACHE_DIR"
    [ ! -e "$work/full.json" ] || fail "a descriptor of an image that was not built"
}

case_unprivileged() {
    if [ "$(id -u)" -ne 0 ]; then
        grep -qE "^($(id -un)|$(id -u)):" /etc/subuid 2>/dev/null || skip "this user has no subordinate ids"
        own_cache
        rm "$work/cache/base"
        debian --name unprivileged
        return
    fi
    command -v useradd newuidmap >/dev/null || skip "useradd and newuidmap are not installed"
    user=vmdsl-test-$$
    cleanup() {
        userdel "$user" 2>/dev/null || true
        rm -rf "$work"
    }
    # A home folder that nobody else may enter is Debian's default for new users.
    useradd --home-dir "$work/home" --create-home -K HOME_MODE=0700 "$user"
    grep -q "^$user:" /etc/subuid || skip "useradd gives no subordinate ids here"
    run=(setpriv --reuid "$user" --regid "$user" --init-groups env -i HOME="$work/home" PATH=/usr/bin:/bin)
    "${run[@]}" unshare --user --map-root-user --map-auto true || skip "no user namespaces here"
    "${run[@]}" test -r "$tool" || skip "the user may not read the source tree"
    # Downloads and kernel are copied to save time; the base system is built anew, which is what is tested.
    mkdir -p "$work/home/.cache/vmdsl"
    cp -r "$shared_cache/apt" "$shared_cache/kernel" "$work/home/.cache/vmdsl/"
    cp "$agent" "$work/home/agent"
    chown -R "$user": "$work/home"
    "${run[@]}" "$tool" debian --name unprivileged --package less --agent "$work/home/agent" \
        --output "$work/home/unprivileged.image.json"
    contents "$(field "$work/home/unprivileged.image.json" root)" >"$work/list"
    VMDSL_CACHE_DIR=$work/cache && own_cache 2>/dev/null
    debian --name unprivileged --package less
    contents "$(field "$work/unprivileged.image.json" root)" >"$work/list.root"
    diff "$work/list" "$work/list.root" || fail "root and an ordinary user build different systems"
    [ "$(find "$work/home" -uid 0 | wc -l)" -eq 0 ] || fail "files of root in the user's home"
}

declare -F "case_$case_name" >/dev/null || fail "no case $case_name"
"case_$case_name"
echo "passed: $case_name"
