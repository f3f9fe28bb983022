#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# Apache httpd with Debian's layout, and of its modules those that Debian enables by itself and WebDAV.
set -eu
export CPPFLAGS="-DPLATFORM='\"Debian\"' -DBUILD_DATETIME='\"\"'"
./configure --enable-layout=Debian --enable-so --with-program-name=apache2 --with-apr=/usr/bin/apr-1-config \
    --with-apr-util=/usr/bin/apu-1-config --with-pcre=/usr/bin/pcre2-config --enable-mpms-shared=event \
    --enable-modules=none --enable-mods-static="unixd logio watchdog version log_config" \
    --enable-mods-shared="access_compat alias auth_basic authn_core authn_file authz_core authz_host authz_user \
        autoindex dav deflate dir env filter mime negotiation reqtimeout setenvif status"
make SHLTCFLAGS="-prefer-pic -shared"
make install
# The rest comes from Debian's packages.
cd "$DESTDIR"
rm -rf etc var usr/share/man usr/share/apache2/icons usr/share/apache2/error usr/share/apache2/default-site \
    usr/sbin/apachectl usr/sbin/envvars*
