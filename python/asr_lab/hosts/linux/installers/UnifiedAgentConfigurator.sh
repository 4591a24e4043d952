#!/bin/sh
# UnifiedAgentConfigurator.sh: stand-in for the registration of the Mobility service with its server.
#   -i CS_IP  -p PORT  -P PASSPHRASE_FILE  -c CSLegacy|CSPrime  -l LOG  -q  -e NAT_IP  -r ID  -f JSON  -m WHO  -j JSON
#   -S CONFIG_JSON  -D true|false (CSPrime)  -U true (unconfigure)
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
log=/var/log/ua_install.log server= port=443 passphrase_file= cs_type=@DEFAULT@ config= unconfigure= discovery=

say() { echo "$*"; echo "$(date '+%Y-%m-%d %H:%M:%S') : $*" >>"$log"; }
status() { [ ! -w /usr/local/.vx_version ] || sed -i "s/^AGENT_CONFIGURATION_STATUS=.*/AGENT_CONFIGURATION_STATUS=$1/" /usr/local/.vx_version; }
finish() { # CODE MESSAGE
    say "$2"
    if [ "$1" = 0 ]; then status Succeeded; elif [ "$1" != 13 ]; then status Failed; fi
    exit "$1"
}

[ "$(id -u)" = 0 ] || { echo "The configurator must be run as root." >&2; exit 119; }
while [ $# -gt 0 ]; do
    case @DEFAULT@$1 in
    CSLegacy-c) finish 96 "Invalid option: -c (version @VERSION@)" ;;
    esac
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
    -D) discovery=$2 ;;
    -U) unconfigure=$2 ;;
    -c) cs_type=$2 ;;
    -l) log=$2 ;;
    esac
    shift 2
done
case $discovery in '' | true | false) ;; *) finish 96 "Option -D takes true or false." ;; esac
[ -r /usr/local/.vx_version ] || finish 1 "The Mobility service is not installed on this machine."
directory=$(sed -n 's/^INSTALLATION_DIR=//p' /usr/local/.vx_version)
installed=$(sed -n 's/^AGENT_TYPE=//p' /usr/local/.vx_version)
configured=$(sed -n 's/^AGENT_CONFIGURATION_STATUS=//p' /usr/local/.vx_version)
[ "$installed" = "$cs_type" ] || { say "CSType $cs_type does not match the installed agent ($installed)."; exit 96; }
set_server() { sed -i "s/^Hostname=.*/Hostname=$1/; s/^Port=.*/Port=$port/" "$directory/etc/drscout.conf"; }
start_agent() {
    for service in vxagent uarespawnd; do
        service $service start >/dev/null || finish 44 "Service $service does not start."
    done
}
if [ "$unconfigure" = true ]; then
    [ "$configured" = Succeeded ] || { say "The agent is not registered."; exit 144; }
    service vxagent stop >/dev/null
    set_server ""
    rm -f "$directory/etc/SourceConfig.json"
    status Failed
    say "The agent is unconfigured."
    exit 0
fi
if [ "$cs_type" = CSPrime ]; then
    [ -r "$config" ] || finish 1 "Source configuration file '$config' is missing."
    field() { sed -n "s/.*\"$1\" *: *\"\([^\"]*\)\".*/\1/p" "$config" | head -n 1; }
    bios=$(cat /sys/class/dmi/id/product_uuid)
    [ "$(field BiosId)" ] || finish 128 "Login to the appliance failed: '$config' is no source configuration file."
    [ "$(field BiosId)" = "$bios" ] || finish 128 "Login to the appliance failed: '$config' was made for another machine."
    appliance=$(tr -d '\n' <"$config" | sed -n 's/.*"IpAddresses" *: *\[ *"\([^"]*\)".*/\1/p')
    if ! timeout 5 bash -c "exec 3<>/dev/tcp/$appliance/443" 2>/dev/null; then
        echo "$(date '+%Y-%m-%d %H:%M:%S') : post request: (7) couldn't connect to $appliance:443" >>/var/log/AzureRcmCli.log
        finish 97 "Registration with the appliance $appliance failed: post request: (7) couldn't connect to $appliance:443"
    fi
    printf '[rcm]\nBiosId=%s\n' "$bios" >/usr/local/InMage/config/RCMInfo.conf
    (umask 077 && cp "$config" "$directory/etc/SourceConfig.json")
    start_agent
    finish 0 "Registered with the appliance $appliance."
fi
[ -r "$passphrase_file" ] || finish 1 "Passphrase file '$passphrase_file' is missing."
echo "$server" | grep -Eq '^([0-9]{1,3}\.){3}[0-9]{1,3}$' || finish 3 "Invalid IP address: '$server'"
other=$(sed -n 's/^Hostname=//p' "$directory/etc/drscout.conf")
[ ! "$other" ] || [ "$other" = "$server" ] || finish 13 "The agent is already registered with another configuration server, $other."

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
start_agent
finish 0 "$message"
