#!/bin/sh
# date, of a clock that may be wrong: /var/lib/lab/skew_s is what it is ahead of the truth, in seconds.
real=/.machine/usr/bin/date
[ -x $real ] || real=/.machine/bin/date
for word; do
    case $word in
    -s | --set | --set=*)
        [ "$(id -u)" = 0 ] || { echo "date: cannot set date: Operation not permitted" >&2; exit 1; }
        [ "$word" != -s ] && [ "$word" != --set ] || word=$2
        echo "$(($($real -d "${word#--set=}" +%s) - $($real +%s)))" >/var/lib/lab/skew_s
        exit 0
        ;;
    -d | --date | --date=* | -r | -d*) exec $real "$@" ;;
    esac
done
[ -r /var/lib/lab/skew_s ] || exec $real "$@"
exec $real -d "@$(($($real +%s) + $(cat /var/lib/lab/skew_s)))" "$@"
