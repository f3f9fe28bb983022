#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
set -eu
cc $CFLAGS -c counting.c
mkdir -p "$DESTDIR/usr/bin"
cc counting.o $LDFLAGS -o "$DESTDIR/usr/bin/counting"
