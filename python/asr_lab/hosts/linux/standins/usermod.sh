#!/bin/sh
# usermod -p HASH|-L|-U USER
case ${1:-} in
-p) /var/lib/lab/set_shadow "$3" "$2" ;;
-L) exec passwd -l "$2" ;;
-U) exec passwd -u "$2" ;;
*) echo "usermod: invalid option -- '${1:-}'" >&2; exit 2 ;;
esac
