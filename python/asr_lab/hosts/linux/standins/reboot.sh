#!/bin/sh
# reboot, shutdown, poweroff: services that are enabled run again, the others do not.
. /var/lib/lab/services.sh
[ "$(id -u)" = 0 ] || { echo "Must be root." >&2; exit 1; }
for unit in "$services"/*; do
    name=${unit##*/}
    state_of "$name"
    hide_process "$name"
    if [ "$boot" = enabled ]; then start_service "$name"; else set_running "$name" stopped; fi
done
