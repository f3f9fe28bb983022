#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# Runs inside the system that software is built in. $1: the build's name, $2: the name of its script.
set -eu
exec 2>&1
here=/vmdsl-build
folder=/coverage/$1
export DEBIAN_FRONTEND=noninteractive

apt-get install --yes --no-install-recommends $here/debs/*.deb
rm -rf $here/debs
for used in $here/uses/*.tar; do
    [ ! -e "$used" ] || tar --extract --file "$used" --directory / --keep-directory-symlink
done
if [ -d $here/sources ]; then
    mkdir -p /coverage
    dpkg-source --no-check --extract $here/sources/*.dsc "$folder"
fi

# What flushes and collects the counters, for the guest, and for what is linked and run here.
export DESTDIR=$here/install
libraries=/usr/lib/$(gcc -print-multiarch)
mkdir -p "$DESTDIR$libraries" "$DESTDIR/usr/lib/vmdsl"
(
    cd $here
    gcc -std=gnu11 -Wall -Wextra -Werror -O2 -fPIC -shared -Wl,-soname,libvmdsl-coverage.so \
        -o "$DESTDIR$libraries/libvmdsl-coverage.so" flush.c
    gcc -std=gnu11 -Wall -Wextra -Werror -O2 -fPIC -c -o coverage-register.o register.c
    gcc -std=gnu11 -Wall -Wextra -Werror -O2 -o "$DESTDIR/usr/lib/vmdsl/coverage-collect" collect.c
)
cp -a "$DESTDIR/usr" /

# libgcc writes the counters before an exec. In a child of vfork that is the parent's memory, which then counts as written
# for ever; gcc knows of fork only.
flags="-O0 -g --coverage -fprofile-update=atomic -Dvfork=fork"
export CFLAGS="$flags" CXXFLAGS="$flags"
# As one word for the linker: libtool puts libraries and objects into an order of its own.
export LDFLAGS="--coverage -Wl,--push-state,--no-as-needed,$here/coverage-register.o,$libraries/libvmdsl-coverage.so,--pop-state"
export MAKEFLAGS="-j$(nproc)" HOME=/root LC_ALL=C.UTF-8

echo "vmdsl-setup: begin $2"
status=0
(cd "$folder" && "$here/script/$2") </dev/null || status=$?
if [ $status -ne 0 ]; then
    echo
    echo "vmdsl-setup: failed $2 $status"
    exit 1
fi

# Counters of programs that the build itself ran, and notes of what was compiled only to try the compiler.
find "$folder" -name '*.gcda' -delete
find "$folder" -name '*conftest.gcno' -delete
if [ -z "$(find "$folder" -name '*.gcno' -print -quit)" ]; then
    echo "vmdsl-setup: failed $2 0"
    echo "E: nothing below $folder was compiled with coverage: the build has to honour CFLAGS, CXXFLAGS and LDFLAGS"
    exit 1
fi

mkdir -p "$DESTDIR$folder"
if [ -d "$DESTDIR/boot" ]; then
    # A kernel. Its counters are files of debugfs, and who boots it needs it outside of the guest.
    : >"$DESTDIR$folder/kernel"
    mkdir -p "$DESTDIR/lib/modules"
    tar --create --file $here/kernel.tar --directory "$DESTDIR" boot lib/modules
    rm -rf "$DESTDIR/boot"
else
    tar --create --file $here/kernel.tar --files-from=/dev/null
    # The guest's copy of the build folder has an empty file of counters for each object, and everyone may write to it:
    # so neither the rights of the user who is the first to run a program count, nor his umask.
    find "$folder" -name '*.gcno' | while read -r one; do
        mkdir -p "$DESTDIR${one%/*}"
        : >"$DESTDIR${one%.gcno}.gcda"
    done
fi
: >"$DESTDIR/coverage/errors"
find "$DESTDIR/coverage" -type f -exec chmod 666 {} +
find "$DESTDIR" -type f -exec grep -l --binary-files=text -F "$folder/" {} + | while read -r one; do
    case $(head -c 4 "$one" | tr -d '\0') in ?ELF) echo "${one#"$DESTDIR"}" ;; esac
done >"$here/instrumented"
cp $here/instrumented "$DESTDIR$folder/instrumented"

tar --create --file $here/install.tar --directory "$DESTDIR" --owner=root:0 --group=root:0 --sort=name .
cd /
find "${folder#/}" -name '*.gcno' -print0 | xargs -0 gcov --json-format --stdout >$here/baseline.json 2>$here/gcov.log ||
    { tail -n 20 $here/gcov.log; exit 1; }
cp "$(readlink -f "$(command -v gcov)")" $here/gcov

# Of the sources, those that have lines with code: gcov names them, relative to the folder they were compiled in.
perl -ne '
    my ($folder) = /"current_working_directory": "([^"]*)"/;
    while (/"file": "(\/?)([^"]*)"/g) { print $1 ? "/$2" : "$folder/$2", "\0" }
' $here/baseline.json | sort --zero-terminated --unique | xargs -0 realpath --quiet --canonicalize-existing --zero |
    sort --zero-terminated --unique | { grep --null-data "^$folder/" || :; } | sed --null-data 's,^/,,' >$here/sources.list
find "${folder#/}" -name '*.gcno' -print0 | cat - $here/sources.list | tar --create --file $here/tree.tar --null --files-from=-
