#!/bin/sh
# uninstall.sh -Y [-L LOG]: remove the Mobility service.
[ "$(id -u)" = 0 ] || { echo "The uninstaller must be run as root." >&2; exit 1; }
[ "${1:-}" = -Y ] || { echo "usage: uninstall.sh -Y [-L log]" >&2; exit 1; }
log=/var/log/ua_uninstall.log
[ "${2:-}" != -L ] || log=$3
echo "$(date '+%Y-%m-%d %H:%M:%S') : Mobility service removed" >>"$log"
for service in vxagent uarespawnd; do service $service stop >/dev/null; done
rm -f /var/lib/lab/services/vxagent /var/lib/lab/services/uarespawnd
sed -i '/^MobilityService /d' /var/lib/lab/packages
directory=$(sed -n 's#^INSTALLATION_DIR=\(.*\)/Vx$#\1#p' /usr/local/.vx_version)
rm -rf /etc/vxagent /usr/local/InMage /usr/local/.vx_version /usr/local/.vx_host_id "${directory:-/usr/local/ASR}"
