#!/bin/sh
# mount without arguments lists what is mounted; with them it is the real one, of which the table knows nothing.
[ $# = 0 ] || exec /.machine/usr/bin/mount "$@"
awk '{ print $1 " on " $2 " type " $3 " (" $4 ")" }' /var/lib/lab/mounts
