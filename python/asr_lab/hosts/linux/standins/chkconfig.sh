#!/bin/sh
# chkconfig [--list] [NAME [on|off]]
. /var/lib/lab/services.sh
list() {
    state_of "$1"
    word=off; [ "$boot" != enabled ] || word=on
    printf '%s\t0:off\t1:off\t2:%s\t3:%s\t4:%s\t5:%s\t6:off\n' "$1" "$word" "$word" "$word" "$word"
}
if [ "${1:-}" = --list ]; then
    shift
    [ $# = 0 ] || { known "$1" || { echo "error reading information on service $1: No such file or directory" >&2; exit 1; }; list "$1"; exit; }
    for unit in "$services"/*; do list "${unit##*/}"; done
    exit
fi
known "${1:-}" || { echo "error reading information on service ${1:-}: No such file or directory" >&2; exit 1; }
case ${2:-} in
'') state_of "$1"; [ "$boot" = enabled ] ;;
on) set_boot "$1" enabled ;;
off) set_boot "$1" disabled ;;
*) echo "chkconfig version 1.3.49.3: bad state ${2}" >&2; exit 1 ;;
esac
