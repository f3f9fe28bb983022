#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# Debian's Linux with the configuration in this folder. Its own Makefiles say how to compile, and which files count.
set -eu
unset CFLAGS CXXFLAGS LDFLAGS
# Without the sources of other architectures and of documents, which are half of it; their Kconfig files are read.
tar --extract --file /usr/src/linux-source-6.1.tar.xz --strip-components=1 --exclude='*/arch/[a-wyz]*/*.[chS]' \
    --exclude='*.dts' --exclude='*.dtsi' --exclude='*.rst' --exclude='*/tools/testing' --exclude='*/tools/perf'
make tinyconfig
KCONFIG_ALLCONFIG= scripts/kconfig/merge_config.sh -m .config config
make olddefconfig
# An option that this kernel has no more, or whose needs are missing, would be left out without a word.
grep '=y$' config | while read -r option; do
    grep -qx "$option" .config || { echo "E: the kernel can't be configured with $option"; exit 1; }
done
make bzImage
release=$(make --silent kernelrelease)
install -D -m 644 arch/x86/boot/bzImage "$DESTDIR/boot/vmlinuz-$release"
