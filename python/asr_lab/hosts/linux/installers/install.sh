#!/bin/sh
# install: stand-in for the installer of the Mobility service for Linux. Same options, exit codes, files, services and logs as
# the Site Recovery documentation and the published script of the real one give; it replicates nothing.
#   -d DIR  -r MS|MT  -v VmWare|Azure  -l LOG  -e ERRORS_JSON  -q  -a Install|Upgrade  -c CSLegacy|CSPrime  -m WHO  -j JSON
here=$(cd "$(dirname "$0")" && pwd)
version=@VERSION@ package_os=@OS@
directory= role= platform= log=/var/log/ua_install.log errors=/var/log/InstallerErrors.json action= cs_type=@DEFAULT@
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
known=ASRMobilityService

say() { echo "$*"; echo "$(date '+%Y-%m-%d %H:%M:%S') : $*" >>"$log"; }
note() { printf '{"Errors":[{"error_name":"%s","error_params":{},"default_message":"%s"}]}\n' "$known$1" "$2" >"$errors"; }
fail() { # CODE NAME MESSAGE; with CSPrime only 96, 97 and 98 are told
    say "$3"
    note "$2" "$3"
    [ "$cs_type" != CSPrime ] || [ "$1" = 96 ] || [ "$1" = 98 ] || set -- 97
    say "Installation has failed. Exit code: $1"
    [ ! "$lock" ] || rm -rf "$lock"
    exit "$1"
}
done_with() { # CODE
    rm -rf "$lock"
    [ "$1" != 0 ] || rm -f "$errors"
    say "Installation has succeeded. Exit code: $1"
    exit "$1"
}
# -1, 0 or 1 for a version before, the same as or after another one.
compare() {
    awk -v a="$1" -v b="$2" 'BEGIN { n = split(a, x, "."); m = split(b, y, ".")
        for (i = 1; i <= (n > m ? n : m); i++) if (x[i] + 0 != y[i] + 0) { print (x[i] + 0 < y[i] + 0 ? -1 : 1); exit }
        print 0 }'
}
recorded() { sed -n "s/^$1=//p" /usr/local/.vx_version; }

[ "$(id -u)" = 0 ] || { echo "The installer must be run as root." >&2; exit 119; }
lock=
while [ $# -gt 0 ]; do
    case @DEFAULT@$1 in
    CSLegacy-c) fail 96 InstallerOptionInvalid "Invalid option: -c (version $version)" ;;
    esac
    case $1 in
    -q) shift; continue ;;
    -[drvleacmj]) [ $# -ge 2 ] || fail 96 InstallerOptionInvalid "Option $1 wants a value." ;;
    *) fail 96 InstallerOptionInvalid "Invalid option: $1" ;;
    esac
    case $1 in
    -d) directory=$2 ;;
    -r) role=$2 ;;
    -v) platform=$2 ;;
    -l) case $2 in /*) log=$2 ;; *) fail 96 InstallerOptionInvalid "Log file path $2 is not absolute." ;; esac ;;
    -e) case $2 in /*) errors=$2 ;; *) fail 96 InstallerOptionInvalid "Errors file path $2 is not absolute." ;; esac ;;
    -a) action=$2 ;;
    -c) cs_type=$2 ;;
    esac
    shift 2
done
case $directory in
'' | /usr/local/ASR) directory=/usr/local/ASR ;;
/*) directory=${directory%/}/ASR ;;
*) fail 156 InstallerDirectoryInvalid "Installation directory $directory is not an absolute path." ;;
esac
case $cs_type in CSLegacy | CSPrime) ;; *) fail 96 InstallerOptionInvalid "Invalid CSType: $cs_type" ;; esac
case $platform in VmWare | Azure) ;; *) fail 96 VMPlatformNotSet "Invalid platform: '$platform'" ;; esac
case $action in '' | Install | Upgrade) ;; *) fail 96 InstallerOptionInvalid "Invalid action: $action" ;; esac
[ -r "$here/Third-Party_Notices.txt" ] || fail 93 InstallerMandatoryFilesMissing "Third-Party_Notices.txt is missing."

mkdir -p /var/lock
mkdir /var/lock/asr-install 2>/dev/null || { say "Another instance of the installer is running."; exit 1; }
lock=/var/lock/asr-install
say "Microsoft Azure Site Recovery Mobility service $version for $package_os, $cs_type, kernel $(uname -r)"
[ "$(cat /var/lib/lab/installer_os)" = "$package_os" ] ||
    fail 149 InstallerOSMismatch "This package ($package_os) is not for this operating system."

upgrade=
if [ -r /usr/local/.vx_version ]; then
    [ "$action" != Install ] || fail 97 InstallerInstallationTypeMismatch "The Mobility service is already installed; action Install was given."
    installed=$(recorded AGENT_TYPE) old=$(recorded VERSION)
    [ "$installed" = "$cs_type" ] || fail 97 InstallerCSTypeMismatch "Installed agent is of type $installed."
    old_platform=$(sed -n 's/^VmPlatform=//p' "$(recorded INSTALLATION_DIR)/etc/drscout.conf" 2>/dev/null)
    [ "$old_platform" != Azure ] || [ "$platform" != VmWare ] ||
        fail 76 InstallerPlatformMismatch "The platform cannot be changed from Azure to VmWare."
    case $(compare "$version" "$old") in
    -1) fail 15 InstallerDowngradeAgentNotSupported "Version $old is installed; a downgrade to $version is not supported." ;;
    0)
        say "Version $version of the Mobility service is already installed."
        done_with 0
        ;;
    esac
    [ "${old%%.*}" = "${version%%.*}" ] || fail 11 InstallerUpgradeNotSupported "An upgrade from $old to $version is not supported."
    upgrade=yes
    directory=$(recorded INSTALLATION_DIR)
    directory=${directory%/Vx} role=$(recorded AGENT_ROLE)
else
    [ "$action" != Upgrade ] || fail 97 InstallerInstallationTypeMismatch "There is no Mobility service to upgrade."
fi
[ "$role" = MS ] || [ "$role" = MT ] || fail 98 InstallerRoleInvalid "Invalid role: '$role'. Valid roles are MS and MT."
[ "$(hostname)" ] || fail 99 HostNameNotSet "The host name is not set."
free_kb=$(df -Pk / | awk 'NR == 2 { print $4 }')
[ "$free_kb" -ge 1048576 ] || fail 99 InstallerInsufficientSpace "/ has $free_kb KB free, 1048576 KB are needed."
way=$directory
while [ "$way" ] && [ "$way" != / ]; do
    [ ! -L "$way" ] || fail 56 InstallerSoftLinkInPath "$way on the way to $directory is a soft link."
    way=${way%/*}
done
case $(uname -r) in
@KERNELS@) ;;
*) fail 208 KernelNotSupported "Kernel $(uname -r) is not supported by version $version." ;;
esac
grep -q '^lvm2 ' /var/lib/lab/packages || fail 99 LvmPackageMissing "Package lvm2 is missing."
client=
for package in @DHCP@; do
    ! grep -q "^$package " /var/lib/lab/packages || client=$package
done
[ "$client" ] || fail 99 DhcpClientNotAvailable "None of the packages @DHCP@ is installed."
case " $(cat /proc/cmdline) $(cat /var/lib/lab/cmdline 2>/dev/null) " in
*" acpi=0 "* | *" acpi=off "*) fail 99 AcpiDisabled "ACPI is disabled on the kernel's command line." ;;
esac
! grep -q '^[^#].*root=/dev/[sxh]v*d' /boot/grub/grub.conf /boot/grub2/grub.cfg /boot/grub/grub.cfg 2>/dev/null ||
    fail 99 GrubDeviceNameChange "The boot loader names the root disk by a device name; use root=UUID=."

mkdir -p "$directory/Vx/bin" "$directory/Vx/etc" /etc/vxagent/bin /usr/local/InMage/config /usr/local/InMage/private
cp "$here/UnifiedAgentConfigurator.sh" "$here/AzureRcmCli" "$directory/Vx/bin/"
cp "$here/vxagent" /etc/vxagent/bin/vxagent
cp "$here/uninstall.sh" "$directory/uninstall.sh"
chmod 755 "$directory/Vx/bin/UnifiedAgentConfigurator.sh" "$directory/Vx/bin/AzureRcmCli" /etc/vxagent/bin/vxagent "$directory/uninstall.sh"
chmod 700 /usr/local/InMage/private
mkdir -p /sys/module/involflt
if [ "$upgrade" ]; then
    sed -i "s/^VERSION=.*/VERSION=$version/" /usr/local/.vx_version
    sed -i "s/^MobilityService .*/MobilityService $version/" /var/lib/lab/packages
    versions=$(($(echo "$version" | cut -d. -f2) - $(echo "$old" | cut -d. -f2)))
    [ "$versions" -gt 4 ] || done_with 0
    note InstallerSuccessfulRecommendedReboot "Please reboot your machine after upgrade for some changes to take effect"
    say "A reboot is needed for some changes to take effect."
    done_with 98
fi
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
[ "$cs_type" != CSPrime ] || { echo "Agent Config Input:"; "$directory/Vx/bin/AzureRcmCli" --getagentconfiginput; }
done_with 0
