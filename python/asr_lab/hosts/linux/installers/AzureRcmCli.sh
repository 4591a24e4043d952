#!/bin/sh
# AzureRcmCli --getagentconfiginput [--logfile LOG] [--errorfilepath FILE]: print the Agent Config Input of a modernized agent.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
[ "$(id -u)" = 0 ] || { echo "AzureRcmCli must be run as root." >&2; exit 1; }
asked= log=/var/log/AzureRcmCli.log
while [ $# -gt 0 ]; do
    case $1 in
    --getagentconfiginput) asked=yes; shift; continue ;;
    --logfile | --errorfilepath) [ $# -ge 2 ] || { echo "Option $1 wants a value." >&2; exit 120; } ;;
    *) echo "Unknown option $1" >&2; exit 120 ;;
    esac
    [ "$1" != --logfile ] || log=$2
    shift 2
done
[ "$asked" ] || { echo "Nothing was asked for." >&2; exit 120; }
grep -q '^AGENT_TYPE=CSPrime$' /usr/local/.vx_version 2>/dev/null || { echo "There is no agent of type CSPrime." >&2; exit 130; }
echo "$(date '+%Y-%m-%d %H:%M:%S') : agent config input was asked for" >>"$log"
printf '{"BiosId":"%s","Fqdn":"%s"}' "$(cat /sys/class/dmi/id/product_uuid)" "$(hostname)" | base64 | tr -d '\n'
echo
