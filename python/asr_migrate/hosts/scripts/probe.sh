# Reads what preparation needs to know of a Linux host. Changes nothing. Prints one key<TAB>value a line.
# Set before: want_reach ("address port" words, a pair after a pair) and want_root_field (the wanted field of /etc/shadow, or empty).

say() {
    printf '%s\t%s\n' "$1" "$2"
}

# The first word that is a program of this host.
first_program() {
    for program in "$@"; do
        if command -v "$program" >/dev/null 2>&1; then
            printf '%s\n' "$program"
            return 0
        fi
    done
    return 1
}

release() {
    if [ -r /etc/os-release ]; then
        while IFS='=' read -r name value; do
            value=${value#\"}
            value=${value%\"}
            case $name in
                ID) say os_id "$value" ;;
                NAME) say os_distribution "$value" ;;
                VERSION_ID) say os_version "$value" ;;
            esac
        done </etc/os-release
    fi
    for file in /etc/redhat-release /etc/system-release; do
        if [ -r "$file" ]; then
            read -r line <"$file" || :
            say os_release "$line"
            break
        fi
    done
}

addresses() {
    found=''
    if command -v ip >/dev/null 2>&1; then
        found=$(ip -o -4 addr show scope global 2>/dev/null | awk '{ split($4, part, "/"); print part[1] }') || found=''
    fi
    if [ -z "$found" ]; then
        found=$(hostname -I 2>/dev/null) || found=''
    fi
    if [ -z "$found" ] && command -v ifconfig >/dev/null 2>&1; then
        found=$(ifconfig 2>/dev/null | sed -n 's/^.*inet \(addr:\)\{0,1\}\([0-9.]*\).*$/\2/p' | grep -v '^127\.') || found=''
    fi
    for address in $found; do
        say address "$address"
    done
}

virtualization() {
    if [ -r /sys/hypervisor/type ]; then
        read -r kind </sys/hypervisor/type || kind=''
        guest=''
        if [ -r /sys/hypervisor/guest_type ]; then
            read -r guest </sys/hypervisor/guest_type || guest=''
        elif [ "$kind" = xen ] && ! grep -q '^flags.* hypervisor' /proc/cpuinfo 2>/dev/null; then
            guest=PV
        fi
        say hypervisor "$kind $guest"
    fi
    for disk in /sys/block/*; do
        case ${disk##*/} in
            nvme* | xvd* | sd* | vd*) say disk "${disk##*/}" ;;
        esac
    done
    if [ -d /sys/firmware/efi ]; then
        say firmware UEFI
    else
        say firmware BIOS
    fi
}

space() {
    for directory in / /usr/local; do
        if [ -d "$directory" ]; then
            free=$(df -Pk "$directory" 2>/dev/null | awk 'NR == 2 { print $4 }') || free=''
            say "free_kib $directory" "$free"
        fi
    done
}

# Keyword and value of sshd's global settings in the order in which sshd reads them; sshd takes the first value of a keyword.
sshd_settings() {
    while read -r keyword rest; do
        case $keyword in
            '' | '#'*) continue ;;
            [Mm][Aa][Tt][Cc][Hh]) return 1 ;;
            [Ii][Nn][Cc][Ll][Uu][Dd][Ee])
                for pattern in $rest; do
                    case $pattern in
                        /*) ;;
                        *) pattern=/etc/ssh/$pattern ;;
                    esac
                    for file in $pattern; do
                        if [ -r "$file" ]; then
                            ( sshd_settings <"$file" ) || :
                        fi
                    done
                done
                ;;
            *) printf '%s %s\n' "$keyword" "$rest" ;;
        esac
    done
}

sshd() {
    if [ -r /etc/ssh/sshd_config ]; then
        say sshd_config present
        { sshd_settings </etc/ssh/sshd_config || :; } | awk '
            { keyword = tolower($1); sub(/^[^ ]+ */, ""); gsub(/"/, "") }
            keyword ~ /^(permitrootlogin|passwordauthentication|port)$/ && !(keyword in seen) { seen[keyword] = 1; print "sshd_" keyword "\t" $0 }
            keyword == "subsystem" && $1 == "sftp" && !("sftp" in seen) { seen["sftp"] = 1; print "sshd_sftp\t" $2 }'
    fi
    for file in /usr/libexec/openssh/sftp-server /usr/lib/openssh/sftp-server /usr/lib/ssh/sftp-server /usr/lib/sftp-server; do
        if [ -e "$file" ]; then
            say sftp_server "$file"
            break
        fi
    done
}

root_password() {
    if [ ! -r /etc/shadow ]; then
        return 0
    fi
    field=$(awk -F: '$1 == "root" { print $2 }' /etc/shadow)
    if [ -n "$want_root_field" ] && [ "$field" = "$want_root_field" ]; then
        say root_password wanted
        return 0
    fi
    case $field in
        '' | '!'* | '*'*) say root_password none ;;
        *) say root_password other ;;
    esac
}

hosts_file() {
    if [ -r /etc/hosts ]; then
        awk -v host="$(uname -n)" '
            { sub(/#.*/, "") }
            { for (i = 2; i <= NF; i++) if ($i == host) { print "hosts_address\t" $1; break } }' /etc/hosts
    fi
}

mounts() {
    if [ -r /etc/fstab ]; then
        awk '$1 ~ /^\/dev\/(sd|xvd|nvme|hd|vd)/ { print "fstab_by_name\t" $1 " " $2 }' /etc/fstab
    fi
}

programs() {
    say python "$(first_program python3 python python2 python2.7 python2.6 || :)"
    say dhcp_client "$(first_program dhclient dhcpcd wicked NetworkManager udhcpc || if [ -x /usr/lib/systemd/systemd-networkd ]; then echo systemd-networkd; fi)"
    say fetcher "$(first_program curl wget || :)"
    time_service=''
    for file in /proc/[0-9]*/stat; do
        if { read -r _ name _ <"$file"; } 2>/dev/null; then
            case $name in
                '(ntpd)' | '(chronyd)' | '(systemd-timesyn'*) time_service=$name ;;
            esac
        fi
    done
    say time_service "$time_service"
}

mobility() {
    if [ -r /usr/local/.vx_version ]; then
        say mobility installed
        directory=$(sed -n 's/^INSTALLATION_DIR=//p' /usr/local/.vx_version)
        say mobility_status "$(sed -n 's/^AGENT_CONFIGURATION_STATUS=//p' /usr/local/.vx_version)"
        configuration=${directory%/Vx}/Vx/etc/drscout.conf
        if [ -r "$configuration" ]; then
            awk -F= '{ key = $1; gsub(/[ \t]/, "", key) }
                tolower(key) == "hostname" || tolower(key) == "cstype" { value = $2; gsub(/[ \t"]/, "", value); print "mobility_" tolower(key) "\t" value }' "$configuration"
        fi
    fi
    if [ -x /etc/vxagent/bin/vxagent ]; then
        if /etc/vxagent/bin/vxagent status >/dev/null 2>&1; then
            say vxagent running
        else
            say vxagent stopped
        fi
    fi
}

reach() {
    while [ "$#" -ge 2 ]; do
        answer=closed
        if command -v bash >/dev/null 2>&1 && command -v timeout >/dev/null 2>&1 &&
            timeout 5 bash -c "exec 3<>/dev/tcp/$1/$2" >/dev/null 2>&1 </dev/null; then
            answer=open
        elif command -v nc >/dev/null 2>&1; then
            if nc -z -w 5 "$1" "$2" >/dev/null 2>&1 </dev/null; then
                answer=open
            fi
        elif ! command -v bash >/dev/null 2>&1; then
            answer=untried
        fi
        say "reach $1 $2" "$answer"
        shift 2
    done
}

main() {
    say utc "$(date -u '+%Y-%m-%dT%H:%M:%SZ')"
    say host_name "$(uname -n)"
    say machine "$(uname -m)"
    say kernel "$(uname -r)"
    say user "$(id -u)"
    release || :
    addresses || :
    virtualization || :
    space || :
    sshd || :
    root_password || :
    hosts_file || :
    mounts || :
    programs || :
    mobility || :
    # shellcheck disable=SC2086
    reach $want_reach || :
    say end 0
}

main </dev/null
