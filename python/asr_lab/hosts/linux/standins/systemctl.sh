#!/bin/sh
# systemctl VERB UNIT...: the verbs that prepare a source, with systemd's words and exit codes.
. /var/lib/lab/services.sh
verb= now= quiet= units= property=
for word; do
    case $word in
    --now) now=yes ;;
    -q | --quiet) quiet=yes ;;
    --no-pager | --no-legend | --plain | --system | -l | --full | --no-ask-password) ;;
    --property=*) property=${word#*=} ;;
    -p) property=next ;;
    -*) echo "systemctl: unrecognized option '$word'" >&2; exit 1 ;;
    *)
        if [ "$property" = next ]; then property=$word
        elif [ -z "$verb" ]; then verb=$word
        else units="$units $word"; fi
        ;;
    esac
done
say() { [ -n "$quiet" ] || echo "$1"; }
need_root() { [ "$(id -u)" = 0 ] || { echo "Failed to $verb $1: Interactive authentication required." >&2; exit 1; }; }
case $verb in
daemon-reload) exit 0 ;;
is-system-running) echo running; exit 0 ;;
list-unit-files)
    for unit in "$services"/*; do state_of "${unit##*/}"; echo "${unit##*/}.service $boot"; done
    exit 0
    ;;
'' | list-units)
    for unit in "$services"/*; do state_of "${unit##*/}"; [ "$state" != running ] || echo "${unit##*/}.service loaded active running"; done
    exit 0
    ;;
reboot | poweroff) exec "/usr/sbin/$verb" ;;
esac
[ -n "$units" ] || { echo "Too few arguments." >&2; exit 1; }
code=0
for unit in $units; do
    name=$(canonical "$unit")
    if ! known "$name"; then
        case $verb in
        is-active) say inactive; code=4 ;;
        is-enabled) echo "Failed to get unit file state for $unit.service: No such file or directory" >&2; code=1 ;;
        status) echo "Unit $unit.service could not be found." >&2; code=4 ;;
        show) echo "LoadState=not-found"; echo "ActiveState=inactive" ;;
        *) echo "Failed to $verb $unit.service: Unit $unit.service not found." >&2; code=5 ;;
        esac
        continue
    fi
    state_of "$name"
    case $verb in
    is-active) if [ "$state" = running ]; then say active; else say inactive; code=3; fi ;;
    is-enabled) say "$boot"; [ "$boot" = enabled ] || code=1 ;;
    status)
        if [ "$state" = running ]; then echo "   Active: active (running)"; else echo "   Active: inactive (dead)"; code=3; fi
        ;;
    show)
        active=inactive; [ "$state" != running ] || active=active
        case $property in
        ActiveState) echo "ActiveState=$active" ;;
        UnitFileState) echo "UnitFileState=$boot" ;;
        *) printf 'LoadState=loaded\nActiveState=%s\nUnitFileState=%s\n' "$active" "$boot" ;;
        esac
        ;;
    start | restart | reload-or-restart)
        need_root "$unit"
        start_service "$name" || { echo "Job for $name.service failed because the control process exited with error code." >&2; code=1; }
        ;;
    try-restart) need_root "$unit"; [ "$state" != running ] || start_service "$name" || code=1 ;;
    reload) need_root "$unit"; reload_service "$name" || code=1 ;;
    stop) need_root "$unit"; stop_service "$name" ;;
    enable) need_root "$unit"; set_boot "$name" enabled; [ -z "$now" ] || start_service "$name" || code=1 ;;
    disable) need_root "$unit"; set_boot "$name" disabled; [ -z "$now" ] || stop_service "$name" ;;
    *) echo "Unknown command verb $verb." >&2; exit 1 ;;
    esac
done
exit $code
