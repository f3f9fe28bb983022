#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# Makes the repository /srv/svn/demo and has Apache serve it at /repos/demo.
set -eu
mkdir -p /srv/svn
svnadmin create /srv/svn/demo
chown -R www-data:www-data /srv/svn
a2enmod -q dav dav_svn
a2enconf -q svn-server
echo 'ServerName localhost' >/etc/apache2/conf-available/server-name.conf
a2enconf -q server-name
apache2ctl configtest
