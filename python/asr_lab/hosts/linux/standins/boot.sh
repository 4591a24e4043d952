#!/bin/sh
# What happens when the host starts: every service that is marked running is started.
. /var/lib/lab/services.sh
for unit in "$services"/*; do
    state_of "${unit##*/}"
    [ "$state" != running ] || start_service "${unit##*/}"
done
