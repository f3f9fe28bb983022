#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# Subversion in the places where Debian has it, with mod_dav_svn for the httpd that was built before.
set -eu
install=$DESTDIR
unset DESTDIR  # its Makefile would take it for a part of where mod_dav_svn belongs
./configure --prefix=/usr --libdir="/usr/lib/$(gcc -print-multiarch)" --disable-static --disable-nls --without-swig \
    --without-jdk --without-berkeley-db --without-doxygen --without-sasl --without-gnome-keyring --without-kwallet \
    --with-apr=/usr/bin/apr-1-config --with-apr-util=/usr/bin/apu-1-config --with-serf=/usr --with-lz4=/usr \
    --with-utf8proc=/usr --with-apxs=/usr/bin/apxs --with-apache-libexecdir=/usr/lib/apache2/modules
make mkdir-init
make fsmod-lib ramod-lib lib serf-lib bin apache-mod  # and not its tests
make -j1 DESTDIR="$install" install  # libraries are linked once more, against those that are there already
rm -rf "$install/usr/share" "$install/usr/include"
