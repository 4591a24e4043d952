# What the host says of its Mobility service, and what that one's installer asks for. Set before: want_config_input (yes: read the Agent
# Config Input of an agent that is not registered yet) and want_work (the directory in which we work). Uses say of probe.sh.

# The value of a key of /usr/local/.vx_version.
mobility_value() {
    sed -n "s/^$1=//p" /usr/local/.vx_version 2>/dev/null | tail -n 1 | tr -d ' "\r'
}

# Every DHCP client of the host; a distribution's own one need not be the first of them.
dhcp_clients() {
    for program in dhclient dhcpcd wicked NetworkManager udhcpc; do
        if command -v "$program" >/dev/null 2>&1; then say dhcp_client "$program"; fi
    done
    for file in /usr/lib/systemd/systemd-networkd /lib/systemd/systemd-networkd; do
        if [ -x "$file" ]; then
            say dhcp_client systemd-networkd
            break
        fi
    done
}

c_locale() {
    if command -v locale >/dev/null 2>&1; then
        say c_locale "$(locale -a 2>/dev/null | awk '/^[Cc]([._@-]|$)/ { found = 1 } END { print found ? "yes" : "no" }')"
    fi
}

# Logical volumes that the boot loader activates and that are not there; a host that boots by UEFI is not asked.
grub_volumes() {
    if [ -d /sys/firmware/efi ]; then return 0; fi
    for file in /boot/grub/grub.cfg /boot/grub2/grub.cfg /boot/grub/menu.lst /boot/grub/grub.conf /etc/default/grub; do
        if [ ! -r "$file" ]; then continue; fi
        for word in $(grep -v '^[[:space:]]*#' "$file" | tr "\"' \t" '\n\n\n\n' | sed -n 's/^.*rd[._][lL][vV][mM][._][lL][vV]=//p' | sort -u); do
            if [ ! -e "/dev/$word" ]; then say grub_missing "$file	/dev/$word"; fi
        done
    done
}

# The mount point that holds the directory in which we work, when programs may not be run from there.
noexec() {
    if [ ! -r /proc/mounts ]; then return 0; fi
    say work_noexec "$(awk -v path="$want_work/" '
        { at = $2; if (at != "/") at = at "/" }
        index(path, at) == 1 && length(at) >= longest { longest = length(at); found = ("," $4 ",") ~ /,noexec,/ ? $2 : "" }
        END { print found }' /proc/mounts)"
}

# The addresses of a modernized agent's appliance; the file holds a private key, of which nothing is printed.
appliance() {
    if [ ! -r "$1" ]; then return 0; fi
    for address in $(tr -d '\r\n' <"$1" | awk '
        match($0, /"IpAddresses"[ \t]*:[ \t]*\[[^]]*\]/) { text = substr($0, RSTART, RLENGTH); sub(/^[^[]*/, "", text) }
        match($0, /"NatIpAddress"[ \t]*:[ \t]*"[^"]*"/) { other = substr($0, RSTART, RLENGTH); sub(/^[^:]*:/, "", other) }
        END { text = text " " other; gsub(/[^0-9A-Za-z.:-]+/, " ", text); print text }'); do
        say mobility_appliance "$address"
    done
}

mobility() {
    for part in dhcp_clients c_locale grub_volumes noexec; do
        "$part" || :
    done
    directory=$(mobility_value INSTALLATION_DIR)
    directory=${directory:-/usr/local/ASR/Vx}
    there=0
    for part in /usr/local/.vx_version "$directory/etc/drscout.conf" "$directory/bin/UnifiedAgentConfigurator.sh" /etc/vxagent/bin/vxagent; do
        if [ -e "$part" ]; then there=$((there + 1)); fi
    done
    case $there in
        0) return 0 ;;
        4) say mobility installed ;;
        *) say mobility partial ;;
    esac
    version=$(mobility_value PROD_VERSION)
    say mobility_version "${version:-$(mobility_value VERSION)}"
    say mobility_status "$(mobility_value AGENT_CONFIGURATION_STATUS)"
    if [ -r "$directory/etc/drscout.conf" ]; then
        awk -F= '{ key = tolower($1); gsub(/[ \t]/, "", key); value = $2; gsub(/[ \t"\r]/, "", value) }
            key ~ /^(hostname|cstype|vmplatform|hostid)$/ { print "mobility_" key "\t" value }' "$directory/etc/drscout.conf"
    fi
    appliance "$directory/etc/SourceConfig.json"
    if [ -r /usr/local/.vx_host_id ]; then
        say mobility_hostid "$(tr -d ' "\r\n' </usr/local/.vx_host_id)"
    fi
    if [ -x /etc/vxagent/bin/vxagent ]; then
        if /etc/vxagent/bin/vxagent status >/dev/null 2>&1 </dev/null; then
            say vxagent running
        else
            say vxagent stopped
        fi
    fi
    if [ -d /sys/module ]; then
        if [ -d /sys/module/involflt ]; then say mobility_driver loaded; else say mobility_driver missing; fi
    fi
    if [ "$want_config_input" = yes ] && [ -x "$directory/bin/AzureRcmCli" ] &&
        [ "$(mobility_value AGENT_CONFIGURATION_STATUS | tr '[:upper:]' '[:lower:]')" != succeeded ]; then
        "$directory/bin/AzureRcmCli" --getagentconfiginput --logfile /var/log/AzureRcmCli.log 2>/dev/null </dev/null |
            while IFS= read -r line; do say mobility_input "$line"; done
    fi
}
