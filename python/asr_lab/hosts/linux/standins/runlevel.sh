#!/bin/sh
# runlevel: the previous and the current one.
cat /var/lib/lab/runlevel
