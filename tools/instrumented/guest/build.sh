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

flags="-O0 -g --coverage -fprofile-update=atomic"
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

# The guest's copy of the build folder has an empty file of counters for each object, and everyone may write to it: so
# neither the rights of the user who is the first to run a program count, nor his umask.
find "$folder" -name '*.gcno' | while read -r one; do
    mkdir -p "$DESTDIR${one%/*}"
    : >"$DESTDIR${one%.gcno}.gcda"
done
: >"$DESTDIR/coverage/errors"
find "$DESTDIR/coverage" -type f -exec chmod 666 {} +
find "$DESTDIR" -type f -exec grep -l --binary-files=text -F "$folder/" {} + | while read -r one; do
    case $(head -c 4 "$one" | tr -d '\0') in ?ELF) echo "${one#"$DESTDIR"}" ;; esac
done >"$here/instrumented"
cp $here/instrumented "$DESTDIR$folder/instrumented"

tar --create --file $here/install.tar --directory "$DESTDIR" --owner=root:0 --group=root:0 --sort=name .
cd /
find "${folder#/}" -type f '(' -name '*.gcno' -o -name '*.[chyls]' -o -name '*.[ch]pp' -o -name '*.[ch]xx' -o -name '*.[ch]c' \
    -o -name '*.[ch]h' -o -name '*.ipp' -o -name '*.inc' ')' -print0 |
    tar --create --file $here/tree.tar --null --files-from=-
find "${folder#/}" -name '*.gcno' -print0 | xargs -0 gcov --json-format --stdout >$here/baseline.json 2>$here/gcov.log ||
    { tail -n 20 $here/gcov.log; exit 1; }
cp "$(readlink -f "$(command -v gcov)")" $here/gcov
