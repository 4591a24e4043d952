#!/bin/sh
# UnifiedAgentConfigurator.sh: stand-in for the registration of the Mobility service with a configuration server.
#   -i CS_IP  -p PORT  -P PASSPHRASE_FILE  -c CSLegacy|CSPrime  -l LOG  -q  -e NAT_IP  -r ID  -f JSON  -m WHO  -j JSON
#   -S CONFIG_JSON (CSPrime)  -U true (unconfigure)
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
log=/var/log/ua_install.log server= port=443 passphrase_file= cs_type=CSPrime config= unconfigure=

say() { echo "$*"; echo "$(date '+%Y-%m-%d %H:%M:%S') : $*" >>"$log"; }
finish() { # CODE MESSAGE
    say "$2"
    status=Failed
    [ "$1" != 0 ] || status=Succeeded
    [ ! -w /usr/local/.vx_version ] ||
        sed -i "s/^AGENT_CONFIGURATION_STATUS=.*/AGENT_CONFIGURATION_STATUS=$status/" /usr/local/.vx_version
    exit "$1"
}

[ "$(id -u)" = 0 ] || { echo "The configurator must be run as root." >&2; exit 119; }
while [ $# -gt 0 ]; do
    case $1 in
    -q) shift; continue ;;
    -[iepPSCDUclrfmj]) [ $# -ge 2 ] || finish 96 "Option $1 wants a value." ;;
    *) finish 96 "Invalid option: $1" ;;
    esac
    case $1 in
    -i) server=$2 ;;
    -p) port=$2 ;;
    -P) passphrase_file=$2 ;;
    -S) config=$2 ;;
    -U) unconfigure=$2 ;;
    -c) cs_type=$2 ;;
    -l) log=$2 ;;
    esac
    shift 2
done
[ -r /usr/local/.vx_version ] || finish 1 "The Mobility service is not installed on this machine."
directory=$(sed -n 's/^INSTALLATION_DIR=//p' /usr/local/.vx_version)
installed=$(sed -n 's/^AGENT_TYPE=//p' /usr/local/.vx_version)
[ "$installed" = "$cs_type" ] || finish 96 "CSType $cs_type does not match the installed agent ($installed)."
set_server() { sed -i "s/^Hostname=.*/Hostname=$1/; s/^Port=.*/Port=$port/" "$directory/etc/drscout.conf"; }
if [ "$unconfigure" = true ]; then
    service vxagent stop >/dev/null
    set_server ""
    say "The agent is unconfigured."
    exit 0
fi
if [ "$cs_type" = CSPrime ]; then
    [ -r "$config" ] || finish 1 "Source configuration file '$config' is missing."
    finish 97 "The lab's appliance configures agents of type CSPrime itself, by push installation."
fi
[ -r "$passphrase_file" ] || finish 1 "Passphrase file '$passphrase_file' is missing."
echo "$server" | grep -Eq '^([0-9]{1,3}\.){3}[0-9]{1,3}$' || finish 3 "Invalid IP address: '$server'"

mkdir -p /run/lab
answer=/run/lab/answer.$$
rm -f "$answer"
mkfifo -m 600 "$answer"
exec 3<>"$answer"
say "Registering with the configuration server $server:$port"
printf 'register\t%s\t%s\t%s\t%s\n' "$answer" "$server" "$port" "$(head -n 1 "$passphrase_file")" >/run/lab/requests
IFS='	' read -r code message <&3
exec 3>&-
rm -f "$answer"
[ "$code" = 0 ] || finish "$code" "$message"
set_server "$server"
(umask 077 && cp "$passphrase_file" /usr/local/InMage/private/connection.passphrase)
for service in vxagent uarespawnd; do
    service $service start >/dev/null || finish 44 "Service $service does not start."
done
finish 0 "$message"
