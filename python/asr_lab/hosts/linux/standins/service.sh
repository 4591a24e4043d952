#!/bin/sh
# service NAME start|stop|restart|reload|condrestart|status: exit codes of the Linux Standard Base.
. /var/lib/lab/services.sh
[ $# -ge 2 ] || { echo "Usage: service < option > | --status-all | [ service_name [ command | --full-restart ] ]" >&2; exit 1; }
name=$(canonical "$1")
known "$name" || { echo "$1: unrecognized service" >&2; exit 1; }
if [ "$(id -u)" != 0 ] && [ "$2" != status ]; then echo "$1: you need to be root" >&2; exit 4; fi
case $2 in
start) start_service "$name" && echo "Starting $name:  [  OK  ]" || { echo "Starting $name:  [FAILED]"; exit 1; } ;;
stop) stop_service "$name" && echo "Stopping $name:  [  OK  ]" ;;
restart)
    echo "Stopping $name:  [  OK  ]"
    start_service "$name" && echo "Starting $name:  [  OK  ]" || { stop_service "$name"; echo "Starting $name:  [FAILED]"; exit 1; }
    ;;
condrestart | try-restart)
    state_of "$name"
    [ "$state" != running ] || start_service "$name" || exit 1
    ;;
reload | force-reload) reload_service "$name" && echo "Reloading $name:  [  OK  ]" || { echo "Reloading $name:  [FAILED]"; exit 7; } ;;
status)
    state_of "$name"
    if [ "$state" = running ]; then echo "$name (pid  1042) is running..."; else echo "$name is stopped"; exit 3; fi
    ;;
*) echo "Usage: /etc/init.d/$name {start|stop|restart|reload|condrestart|status}" >&2; exit 2 ;;
esac
