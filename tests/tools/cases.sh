#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# usage: cases.sh CASE
# One case of tools/demo or tools/test, which find stand-ins for programs that install, build or change users first in
# PATH. Exit status: 0 passed, 77 not possible here, anything else failed.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/vmdsl-tools-test.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin"
unset "${!VMDSL_@}"
export VMDSL_BUILD_DIR=$work/build

fail() {
    echo "FAILED: $*"
    exit 1
}

skip() {
    echo "skipped: $*"
    exit 77
}

# stand_in NAME: a program whose text is on stdin.
stand_in() {
    { echo "#!/bin/bash"; cat; } >"$work/bin/$1"
    chmod 755 "$work/bin/$1"
}

# What the command printed is in $output, its exit status in $status.
try() {
    status=0
    PATH=$work/bin:$PATH "$@" >"$work/output" 2>&1 || status=$?
    output=$(cat "$work/output")
    echo "$output"
}

expect() {
    local text
    [ "$status" -eq "$1" ] || fail "exit status $status instead of $1"
    shift
    for text in "$@"; do
        grep -qF -- "$text" "$work/output" || fail "it does not say: $text"
    done
}

# From here on PATH holds what the scripts need to start, and nothing that installs packages or changes users.
without_administration() {
    local program
    for program in bash basename cat dirname env grep mktemp realpath rm sed tail; do
        ln -sf "$(command -v "$program")" "$work/bin/$program"
    done
    stand_in id <<<'echo 1000'
    stand_in dpkg-query <<<'exit 1'
    PATH=$work/bin
}

case_no_packages() {
    (. /etc/os-release && [ "$ID $VERSION_ID" = "debian 12" ]) || skip "this is not Debian 12"
    without_administration
    for script in demo test; do
        try "$root/tools/$script"
        expect 1 "no sudo" "Let root run this" "apt-get install --no-install-recommends g++ cmake" "tools/$script again"
    done
}

case_password() {
    stand_in id <<<'echo 1000'
    stand_in dpkg-query <<<'exit 1'
    stand_in apt-cache <<<'exit 0'
    stand_in apt-get <<<'exit 0'
    stand_in cmake <<<'exit 1'
    # Wants a password once. It would go unseen where apt runs, because its output goes to a log and a line is redrawn.
    stand_in sudo <<SUDO
case \$1 in
-n) [ -e "$work/password" ] ;;
-v) echo "[sudo] password:"; [ -z "\${WRONG_PASSWORD:-}" ] && touch "$work/password" ;;
*) [ -e "$work/password" ] || touch "$work/unseen" ;;
esac
SUDO
    WRONG_PASSWORD=1 try "$root/tools/demo"
    expect 1 "[sudo] password:" "sudo did not let you" "Let root run this" "apt-get install --no-install-recommends g++"
    [ ! -e "$work/unseen" ] || fail "it went on without a password"
    try "$root/tools/demo"
    expect 1 "so sudo asks for your password" "[sudo] password:" "CMake failed"
    [ ! -e "$work/unseen" ] || fail "the password was asked for where nobody sees it"
    try "$root/tools/demo"
    expect 1 "CMake failed"
    ! grep -qF "password" "$work/output" || fail "it says that sudo asks, which it does not"
}

case_no_debian() {
    without_administration
    rm "$work/bin/dpkg-query"
    try "$root/tools/demo"
    expect 1 "no Debian" "mmdebstrap" "Boost 1.81" "VMDSL_NO_INSTALL=1"
}

case_another_debian() {
    unshare --map-root-user --mount true 2>/dev/null || skip "no mount namespaces here"
    stand_in dpkg-query <<<'exit 1'
    stand_in apt-get <<<'exit 0'
    stand_in apt-cache <<<'[ "${*: -1}" != libboost1.81-dev ] || exit 100'
    printf 'ID=ubuntu\nVERSION_ID="24.04"\nPRETTY_NAME="Ubuntu 24.04 LTS"\n' >"$work/os-release"
    try unshare --map-root-user --mount bash -c 'mount --bind "$1" /etc/os-release && exec "$2"' - \
        "$work/os-release" "$root/tools/demo"
    expect 1 "Ubuntu 24.04 LTS has no package libboost1.81-dev" "Boost 1.81" "VMDSL_NO_INSTALL=1"
}

case_cause() {
    stand_in cmake <<'CMAKE'
[ "$1" = --build ] || exit 0
printf '[1 of 3] a.o\nFAILED: b.o\nb.cpp:1: error: the flux capacitor is missing\n'
seq 100
exit 1
CMAKE
    VMDSL_NO_INSTALL=1 try "$root/tools/demo"
    expect 1 "the flux capacitor is missing" "the build failed; see $work/build/build.log"
    [ "$(ls "$work")" = "$(printf 'bin\nbuild\noutput')" ] || fail "it wrote beside the build folder: $(ls "$work")"
    [ "$(wc -l <"$work/output")" -lt 80 ] || fail "the error is pages long"
}

case_progress() {
    # Goes on only when what it has told was shown.
    stand_in cmake <<CMAKE
[ "\$1" = --build ] || exit 0
echo "image svn-server: base system" >>"\$VMDSL_PROGRESS_FILE"
for _ in \$(seq 300); do
    ! grep -q "svn-server: base system" "$work/output" || exit 1
    sleep 0.1
done
echo "FAILED: nobody told it"
exit 1
CMAKE
    VMDSL_NO_INSTALL=1 try "$root/tools/demo"
    expect 1 "image svn-server: base system"
    ! grep -q "nobody told it" "$work/output" || fail "the image's step was not shown while the build ran"
}

# root_half TEXT: tools/test as root, up to where it goes on as another user: how that is started is then in $work/words.
# TEXT is what find does as that user, on the folder $1.
root_half() {
    mkdir -p "$work/home"
    stand_in id <<<'case $1 in -u) echo 0 ;; -g) echo vmdsl-test ;; esac'
    stand_in getent <<<"echo vmdsl-test:x:1:1::$work/home:/bin/bash"
    stand_in usermod <<<'exit 0'
    stand_in chown <<<'exit 0'
    stand_in install <<<'mkdir -p "${*: -1}"'
    stand_in setpriv <<SETPRIV
shift 5
[ "\$1" != find ] || { shift; $1; }
printf '%s\n' "\$@" >"$work/words"
SETPRIV
    VMDSL_NO_INSTALL=1 try "$root/tools/test"
}

case_settings() {
    export VMDSL_QEMU=/opt/qemu http_proxy=http://proxy.example NO_PROXY=localhost CI=true SECRET=secret
    cd "$work"
    export VMDSL_CACHE_DIR=cache VMDSL_BUILD_DIR=b
    root_half 'exit 0'
    expect 0 "going on as vmdsl-test"
    for word in VMDSL_QEMU=/opt/qemu http_proxy=http://proxy.example NO_PROXY=localhost CI=true \
        "VMDSL_CACHE_DIR=$work/cache" "VMDSL_BUILD_DIR=$work/b" --as-is; do
        grep -qxF -- "$word" "$work/words" || fail "not handed on: $word"
    done
    ! grep -q SECRET "$work/words" || fail "the whole environment was handed on"
}

case_closed_cache() {
    export VMDSL_CACHE_DIR=$work/roots
    mkdir "$work/roots"
    root_half "[ \$1 != $work/roots ] || echo $work/roots/locks; exit 0"
    expect 1 "VMDSL_CACHE_DIR is $work/roots" "$work/roots/locks" "chown -R vmdsl-test: $work/roots"
    [ ! -e "$work/words" ] || fail "it went on all the same"
}

declare -F "case_$1" >/dev/null || fail "no case $1"
"case_$1"
echo "passed: $1"
