# SPDX-License-Identifier: BSL-1.0
# Shared by tools/demo, tools/test and tools/bench: what they install, how they build, and how they speak.
# Sourced with the project's folder in $root.

# Debian 12's packages. Boost 1.81 stands beside the default 1.74 there.
build_packages=(g++ cmake ninja-build libboost1.81-dev libboost-test1.81-dev libboost-json1.81-dev libfmt-dev
    libedit-dev)
image_packages=(mmdebstrap erofs-utils uidmap cpio e2fsprogs lz4 busybox-static zstd kmod python3 ca-certificates
    debian-archive-keyring)
run_packages=(qemu-system-x86 seabios lcov)
test_packages=(clang libclang-rt-14-dev clang-format clang-tidy python3-clang-14 libxml2-utils qemu-utils git procps
    pkg-config make dpkg-dev debhelper nix-bin python3-yaml)

build_folder=$(realpath --canonicalize-missing --no-symlinks "${VMDSL_BUILD_DIR:-$root/build}")

started=$SECONDS
say() { printf '[%3d s] %s\n' "$((SECONDS - started))" "$*"; }
fail() {
    printf '\ntools/%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

# tell_progress LOG STEPS: how far what writes these files is. On a terminal the log's last "[N of M] ...", or its last line
# where it has none, every second in the same place, elsewhere every 15 s; and each line of STEPS. Ends with this script.
tell_progress() {
    local log=$1 steps_file=$2 steps=0 quiet=0 clear='' line width
    [ ! -t 1 ] || clear=$'\r\e[K'
    while sleep 1 >/dev/null && kill -0 $$; do
        quiet=$((quiet + 1))
        while read -r line; do
            printf %s "$clear"
            say "  $line"
            steps=$((steps + 1)) quiet=0
        done < <(tail -n "+$((steps + 1))" "$steps_file")
        line=$(grep -a '^\[[0-9]* of' "$log" | tail -n 1) || line=$(tail -n 1 "$log" | tr -cd '[:print:]')
        if [ -n "$clear" ]; then
            line=$(say "  $line")
            width=$(stty size </dev/tty | cut -d ' ' -f 2) || width=80
            [ "${width:-0}" -gt 1 ] || width=80
            printf %s "$clear${line:0:$((width - 1))}"
        elif [ "$quiet" -ge 15 ]; then
            say "  ${line:0:120}"
            quiet=0
        fi
    done 2>/dev/null
}

# watched LOG COMMAND...: runs a command with all that it prints in the log, and tells how far it is. The steps of images
# come in a file of their own, because Ninja keeps to itself what vm-image prints until it has ended.
watched() {
    local log=$1 status=0 teller
    shift
    : >"$log"
    : >"$log.steps"
    tell_progress "$log" "$log.steps" &
    teller=$!
    VMDSL_PROGRESS_FILE=$log.steps "$@" >"$log" 2>&1 || status=$?
    kill "$teller" 2>/dev/null || true
    wait "$teller" 2>/dev/null || true
    [ ! -t 1 ] || printf '\r\e[K'
    return "$status"
}

# install_packages PACKAGE...: installs those that are missing; does nothing where all are there.
install_packages() {
    if [ -n "${VMDSL_NO_INSTALL:-}" ]; then
        say "packages: not looked at (VMDSL_NO_INSTALL is set)"
        return
    fi
    local system="an unknown system"
    system=$(. /etc/os-release 2>/dev/null && echo "${PRETTY_NAME:-$ID}") || true
    command -v dpkg-query >/dev/null || not_debian_12 "this is no Debian ($system), so nothing can be installed here"
    local package missing=()
    for package in "$@"; do
        is_installed "$package" || missing+=("$package")
    done
    if [ ${#missing[@]} -eq 0 ]; then
        say "packages: all $# are installed"
        return
    fi
    local install="apt-get install --no-install-recommends ${missing[*]}"
    if is_installed libboost1.74-dev; then
        case " ${missing[*]} " in *" libboost1.81-"*)
            fail "libboost1.74-dev is installed, and Debian has only one Boost for developers at a time.
Remove it (sudo apt-get remove libboost1.74-dev) and run this again." ;;
        esac
    fi
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || is_debian_12 || not_debian_12 "packages are missing in $system: ${missing[*]}"
        command -v sudo >/dev/null || fail "packages are missing, you are not root, and there is no sudo to install them with.
Let root run this, then run tools/$(basename "$0") again:
  $install"
        as_root=(sudo)
    fi
    say "packages: installing ${missing[*]}"
    if [ ${#as_root[@]} -ne 0 ] && ! sudo -n apt-get --version >/dev/null 2>&1; then
        # Here, because the prompt would not be seen beside the line that tells how far apt is.
        say "packages: only root can install them, so sudo asks for your password"
        sudo -v || fail "packages are missing, and sudo did not let you install them.
Let root run this, then run tools/$(basename "$0") again:
  $install"
    fi
    local log unknown=()
    log=$(mktemp -d)/apt.log
    # An index that is hours old names versions that the archive no longer has.
    if ! watched "$log" "${as_root[@]}" apt-get update; then
        say "packages: the index could not be fetched anew; trying with the old one"
    fi
    for package in "${missing[@]}"; do
        apt-cache show --no-all-versions "$package" >/dev/null 2>&1 || unknown+=("$package")
    done
    if [ ${#unknown[@]} -gt 0 ] && ! is_debian_12; then
        not_debian_12 "$system has no package ${unknown[*]}"
    fi
    if ! watched "$log" "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install --yes --no-install-recommends "${missing[@]}"; then
        tail -n 20 "$log" >&2
        fail "the packages could not be installed; all that apt said is in $log. By hand, as root:
  apt-get update && $install"
    fi
    rm -r "$(dirname "$log")"
}

is_installed() { [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

is_debian_12() { (. /etc/os-release && [ "$ID" = debian ] && [ "$VERSION_ID" = 12 ]) 2>/dev/null; }

# not_debian_12 WHY: never returns.
not_debian_12() {
    fail "$1.
What is installed are Debian 12's packages:
  ${build_packages[*]}
  ${image_packages[*]}
  ${run_packages[*]}
Elsewhere, install what corresponds (g++ 12 or clang 14, CMake 3.24, Boost 1.81 with Boost.Test and Boost.JSON, fmt 9.1,
QEMU 7.2, or newer), and run this again so: VMDSL_NO_INSTALL=1 $0"
}

# configure: the build folder, with Ninja. Arguments go to CMake.
configure() {
    say "configuring $build_folder"
    local log="$build_folder/configure.log"
    cmake -S "$root" -B "$build_folder" -G Ninja "$@" >"$log" 2>&1 ||
        { tail -n 30 "$log" >&2; fail "CMake failed; see $log"; }
}

# build TARGET...: tells how far it is, and the first failure if there is one.
build() {
    say "building $*"
    local log="$build_folder/build.log"
    if ! NINJA_STATUS="[%f of %t] " watched "$log" cmake --build "$build_folder" --target "$@"; then
        { grep -q '^FAILED:' "$log" && sed -n '/^FAILED:/,$p' "$log" || tail -n 40 "$log"; } | cut -c 1-400 | head -n 60 >&2
        fail "the build failed; see $log"
    fi
}
