#!/bin/sh
# nft list ruleset, iptables -S: the rules of the host, which are the text of /var/lib/lab/firewall.
[ "$(id -u)" = 0 ] || { echo "Operation not permitted (you must be root)" >&2; exit 1; }
case "${0##*/} $*" in
"nft list ruleset" | "nft -nn list ruleset" | "nft -n list ruleset") cat /var/lib/lab/firewall ;;
"iptables -S"*)
    grep -q '^-P INPUT' /var/lib/lab/firewall || printf '%s\n' '-P INPUT ACCEPT' '-P FORWARD ACCEPT' '-P OUTPUT ACCEPT'
    cat /var/lib/lab/firewall
    ;;
*) echo "${0##*/}: $*: not known to this host" >&2; exit 1 ;;
esac
