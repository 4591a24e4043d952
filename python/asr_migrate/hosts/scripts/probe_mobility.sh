# What the host says of its Mobility service. Set before: want_config_input (yes: read the Agent Config Input of an agent that is not
# registered yet). Uses say of probe.sh.

# The value of a key of /usr/local/.vx_version.
mobility_value() {
    sed -n "s/^$1=//p" /usr/local/.vx_version 2>/dev/null | tail -n 1 | tr -d ' "\r'
}

mobility() {
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
