# SPDX-License-Identifier: BSL-1.0
# Shared by tools/demo, tools/test and tools/bench: what they install, how they build, and how they speak.
# Sourced with the project's folder in $root.

# Debian 12's packages. Boost 1.81 stands beside the default 1.74 there.
build_packages=(g++ cmake ninja-build libboost1.81-dev libboost-test1.81-dev libboost-json1.81-dev libfmt-dev)
image_packages=(mmdebstrap erofs-utils uidmap cpio e2fsprogs busybox-static zstd kmod python3 ca-certificates)
run_packages=(qemu-system-x86 seabios)
test_packages=(clang clang-format clang-tidy libxml2-utils qemu-utils git)

build_folder=${VMDSL_BUILD_DIR:-$root/build}

started=$SECONDS
say() { printf '[%3d s] %s\n' "$((SECONDS - started))" "$*"; }
fail() {
    printf '\n%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

# install_packages PACKAGE...: installs those that are missing; does nothing where all are there.
install_packages() {
    local package missing=()
    command -v dpkg-query >/dev/null || fail "this is no Debian system: install by hand what corresponds to: $*"
    for package in "$@"; do
        [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
    done
    if [ ${#missing[@]} -eq 0 ]; then
        say "packages: all $# are installed"
        return
    fi
    if [ "$(dpkg-query --show --showformat='${db:Status-Status}' libboost1.74-dev 2>/dev/null)" = installed ]; then
        case " ${missing[*]} " in *" libboost1.81-"*)
            fail "libboost1.74-dev is installed, and Debian has only one Boost for developers at a time.
Remove it (sudo apt-get remove libboost1.74-dev) and run this again." ;;
        esac
    fi
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || fail "these packages are missing, and there is no sudo to install them with:
${missing[*]}
As root: apt-get install --no-install-recommends ${missing[*]}"
        as_root=(sudo)
    fi
    say "packages: installing ${missing[*]}"
    local log
    log=$(mktemp)
    # An index that is hours old names versions that the archive no longer has.
    if ! "${as_root[@]}" apt-get update >"$log" 2>&1; then
        say "packages: the index could not be fetched anew; trying with the old one"
    fi
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "${missing[@]}" \
        >>"$log" 2>&1 || { tail -n 20 "$log" >&2; fail "the packages could not be installed; the whole story is in $log"; }
    rm -f "$log"
}

# configure: the build folder, with Ninja. Arguments go to CMake.
configure() {
    say "configuring $build_folder"
    cmake -S "$root" -B "$build_folder" -G Ninja "$@" >"$build_folder.configure.log" 2>&1 ||
        { tail -n 30 "$build_folder.configure.log" >&2; fail "CMake failed; see $build_folder.configure.log"; }
}

# build TARGET...: quiet unless it fails.
build() {
    say "building $*"
    local log="$build_folder/build.log"
    cmake --build "$build_folder" --target "$@" >"$log" 2>&1 ||
        { tail -n 40 "$log" >&2; fail "the build failed; see $log"; }
}
