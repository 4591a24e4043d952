#!/bin/sh
# ntpdate, ntpd -gq, ntpq -p, ntpstat, chronyc, timedatectl: what asks or sets the time.
. /var/lib/lab/services.sh
tool=${0##*/}
skew=0
[ ! -r /var/lib/lab/skew_s ] || skew=$(cat /var/lib/lab/skew_s)
service=chronyd
[ ! -f "$services/ntpd" ] || service=ntpd
[ ! -f "$services/systemd-timesyncd" ] || service=systemd-timesyncd
state_of $service
step() { [ -e /var/lib/lab/no_time_source ] && return 1; rm -f /var/lib/lab/skew_s; }
case "$tool ${1:-}" in
"chronyc makestep" | "chronyc -a") step && echo "200 OK" ;;
"chronyc tracking")
    [ "$state" = running ] || { echo "506 Cannot talk to daemon"; exit 1; }
    printf 'Reference ID    : A9FEA97B (169.254.169.123)\nStratum         : 4\nSystem time     : %s.000000000 seconds fast of NTP time\nLeap status     : Normal\n' "$skew"
    ;;
"chronyc sources") [ "$state" = running ] || { echo "506 Cannot talk to daemon"; exit 1; }; echo "^* 169.254.169.123               3   4   377     4  +5us[+9us] +/-  400us" ;;
"ntpstat "*) [ "$state" = running ] && [ "$skew" = 0 ] && echo "synchronised to NTP server (169.254.169.123) at stratum 4" || { echo unsynchronised; exit 1; } ;;
"ntpq "*) [ "$state" = running ] || { echo "ntpq: read: Connection refused"; exit 1; }; echo "*169.254.169.123 10.0.0.1 3 u 33 64 377 0.3 $((skew * -1000)).0 0.02" ;;
"ntpdate "* | "ntpd "*) step && echo "step time server 169.254.169.123 offset $((-skew)) sec" ;;
"timedatectl "*)
    synced=yes ntp=active
    [ "$skew" = 0 ] && [ "$state" = running ] || synced=no
    [ "$state" = running ] || ntp=inactive
    case ${1:-} in
    show) printf 'Timezone=UTC\nNTP=%s\nNTPSynchronized=%s\n' "$([ $ntp = active ] && echo yes || echo no)" $synced ;;
    set-ntp) [ "$2" = true ] || [ "$2" = yes ] || [ "$2" = 1 ] && start_service $service || stop_service $service ;;
    *) printf 'System clock synchronized: %s\n              NTP service: %s\n' $synced $ntp ;;
    esac
    ;;
*) echo "$tool: $*: not known to this host" >&2; exit 1 ;;
esac
