#!/bin/sh
# install: stand-in for the installer of the Mobility service for Linux. Same options, exit codes, files, services and logs as
# the Site Recovery documentation and the published script of the real one give; it replicates nothing.
#   -d DIR  -r MS|MT  -v VmWare|Azure  -l LOG  -e ERRORS_JSON  -q  -a Install|Upgrade  -c CSLegacy|CSPrime  -m WHO  -j JSON
here=$(cd "$(dirname "$0")" && pwd)
version=@VERSION@ package_os=@OS@
directory=/usr/local/ASR role= platform= log=/var/log/ua_install.log errors=/var/log/InstallerErrors.json action= cs_type=CSPrime
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

say() { echo "$*"; echo "$(date '+%Y-%m-%d %H:%M:%S') : $*" >>"$log"; }
fail() { # CODE NAME MESSAGE; a CSPrime installation only tells 97
    say "$3"
    printf '{"Errors":[{"error_name":"%s","error_params":{},"default_message":"%s"}]}\n' "$2" "$3" >"$errors"
    [ "$cs_type" != CSPrime ] || [ "$1" = 96 ] || [ "$1" = 98 ] || set -- 97
    say "Installation has failed. Exit code: $1"
    rm -rf "$lock"
    exit "$1"
}

[ "$(id -u)" = 0 ] || { echo "The installer must be run as root." >&2; exit 119; }
lock=
while [ $# -gt 0 ]; do
    case $1 in
    -q) shift; continue ;;
    -[drvleacmj]) [ $# -ge 2 ] || fail 96 ASRMobilityServiceInstallerOptionInvalid "Option $1 wants a value." ;;
    *) fail 96 ASRMobilityServiceInstallerOptionInvalid "Invalid option: $1" ;;
    esac
    case $1 in
    -d) directory=$2 ;;
    -r) role=$2 ;;
    -v) platform=$2 ;;
    -l) case $2 in /*) log=$2 ;; *) fail 96 ASRMobilityServiceInstallerOptionInvalid "Log file path $2 is not absolute." ;; esac ;;
    -e) case $2 in /*) errors=$2 ;; *) fail 96 ASRMobilityServiceInstallerOptionInvalid "Errors file path $2 is not absolute." ;; esac ;;
    -a) action=$2 ;;
    -c) cs_type=$2 ;;
    esac
    shift 2
done
case $directory in
/usr/local/ASR) ;;
/*) directory=${directory%/}/ASR ;;
*) fail 156 ASRMobilityServiceInstallerDirectoryInvalid "Installation directory $directory is not an absolute path." ;;
esac
case $cs_type in CSLegacy | CSPrime) ;; *) fail 96 ASRMobilityServiceInstallerOptionInvalid "Invalid CSType: $cs_type" ;; esac
case $platform in VmWare | Azure) ;; *) fail 96 ASRMobilityServiceVMPlatformNotSet "Invalid platform: '$platform'" ;; esac
case $action in '' | Install | Upgrade) ;; *) fail 96 ASRMobilityServiceInstallerOptionInvalid "Invalid action: $action" ;; esac

lock=/var/lock/asr-install
mkdir -p /var/lock
mkdir "$lock" 2>/dev/null || { say "Another instance of the installer is running."; exit 1; }
say "Microsoft Azure Site Recovery Mobility service $version for $package_os, $cs_type, kernel $(uname -r)"
if [ -r /usr/local/.vx_version ]; then
    [ "$action" != Install ] || fail 97 ASRMobilityServiceInstallerAlreadyInstalled "The Mobility service is already installed."
    installed=$(sed -n 's/^AGENT_TYPE=//p' /usr/local/.vx_version)
    [ "$installed" = "$cs_type" ] || fail 97 ASRMobilityServiceInstallerCSTypeMismatch "Installed agent is of type $installed."
    say "Version $version of the Mobility service is already installed."
    rm -rf "$lock"
    exit 0
fi
[ "$action" != Upgrade ] || fail 97 ASRMobilityServiceInstallerUpgradeUnsupported "There is no Mobility service to upgrade."
[ "$role" = MS ] || [ "$role" = MT ] || fail 98 ASRMobilityServiceInstallerRoleInvalid "Invalid role: '$role'. Valid roles are MS and MT."
[ "$(cat /var/lib/lab/installer_os)" = "$package_os" ] ||
    fail 149 ASRMobilityServiceInstallerOSMismatch "This package ($package_os) is not for this operating system."
[ "$(hostname)" ] || fail 99 ASRMobilityServiceInstallerHostNameMissing "The host name is not set."
free_kb=$(df -Pk / | awk 'NR == 2 { print $4 }')
[ ! -r /var/lib/lab/root_free_kb ] || free_kb=$(cat /var/lib/lab/root_free_kb)
[ "$free_kb" -ge 1048576 ] || fail 99 ASRMobilityServiceInstallerInsufficientSpace "/ has $free_kb KB free, 1048576 KB are needed."
for package in lvm2 @DHCP@; do
    grep -q "^$package " /var/lib/lab/packages || fail 99 ASRMobilityServiceInstallerPackageMissing "Package $package is missing."
done
! grep -q '^[^#].*root=/dev/[sxh]v*d' /boot/grub/grub.conf /boot/grub2/grub.cfg /boot/grub/grub.cfg 2>/dev/null ||
    fail 99 ASRMobilityServiceGrubDeviceNameChange "The boot loader names the root disk by a device name; use root=UUID=."

mkdir -p "$directory/Vx/bin" "$directory/Vx/etc" /etc/vxagent/bin /usr/local/InMage/config /usr/local/InMage/private
cp "$here/UnifiedAgentConfigurator.sh" "$directory/Vx/bin/"
cp "$here/vxagent" /etc/vxagent/bin/vxagent
cp "$here/uninstall.sh" "$directory/uninstall.sh"
chmod 755 "$directory/Vx/bin/UnifiedAgentConfigurator.sh" /etc/vxagent/bin/vxagent "$directory/uninstall.sh"
chmod 700 /usr/local/InMage/private
host_id=$(cat /var/lib/lab/host_id)
echo "$host_id" >/usr/local/.vx_host_id
cat >/usr/local/.vx_version <<EOF
INSTALLATION_DIR=$directory/Vx
VERSION=$version
AGENT_TYPE=$cs_type
AGENT_ROLE=$role
PostInstallActions=Succeeded
AGENT_CONFIGURATION_STATUS=Failed
EOF
cat >"$directory/Vx/etc/drscout.conf" <<EOF
[vxagent]
HostId=$host_id
VmPlatform=$platform
CSType=$cs_type
[vxagent.transport]
Hostname=
Port=443
EOF
for service in vxagent uarespawnd; do echo 'stopped enabled' >/var/lib/lab/services/$service; done
echo "MobilityService $version" >>/var/lib/lab/packages
rm -f "$errors"
rm -rf "$lock"
say "Installation has succeeded. Exit code: 0"
exit 0
