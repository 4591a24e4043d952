#!/bin/sh
# uninstall.sh -Y [-L LOG]: remove the Mobility service. The driver stays loaded until the next restart.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
[ "$(id -u)" = 0 ] || { echo "The uninstaller must be run as root." >&2; exit 1; }
log=/var/log/ua_uninstall.log sure=
while [ $# -gt 0 ]; do
    case $1 in
    -Y) sure=yes; shift ;;
    -L) [ $# -ge 2 ] || { echo "usage: uninstall.sh -Y [-L log]" >&2; exit 1; }; log=$2; shift 2 ;;
    *) echo "usage: uninstall.sh -Y [-L log]" >&2; exit 1 ;;
    esac
done
[ "$sure" ] || { echo "usage: uninstall.sh -Y [-L log]" >&2; exit 1; }
for service in vxagent uarespawnd; do service $service stop >/dev/null 2>&1; done
rm -f /var/lib/lab/services/vxagent /var/lib/lab/services/uarespawnd
sed -i '/^MobilityService /d' /var/lib/lab/packages
directory=$(sed -n 's#^INSTALLATION_DIR=\(.*\)/Vx$#\1#p' /usr/local/.vx_version 2>/dev/null)
rm -rf /etc/vxagent /usr/local/InMage /usr/local/.vx_version /usr/local/.vx_host_id "${directory:-/usr/local/ASR}"
echo "$(date '+%Y-%m-%d %H:%M:%S') : Mobility service removed" >>"$log"
echo "The Mobility service was removed. Restart the machine to unload its driver."
