# Reads what preparation needs to know of a Linux host. Changes nothing. Prints one key<TAB>value a line.
# Set before: want_reach ("address port" words, a pair after a pair), want_files (more files to send, one path a line) and want_work (the
# directory in which we work).

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
    for file in /etc/oracle-release /etc/redhat-release /etc/system-release; do
        if [ -r "$file" ]; then
            read -r line <"$file" || :
            say os_release "$line"
            break
        fi
    done
    if [ -r /etc/debian_version ]; then
        read -r line </etc/debian_version || :
        say debian_version "$line"
    fi
    if [ -r /etc/SuSE-release ]; then
        version=$(sed -n 's/^VERSION *= *//p' /etc/SuSE-release)
        say suse_version "$version.$(sed -n 's/^PATCHLEVEL *= *//p' /etc/SuSE-release)"
    fi
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

# One df for all: its rows come in the order of the directories.
space() {
    set --
    for directory in / /usr/local /boot; do
        if [ -d "$directory" ]; then set -- "$@" "$directory"; fi
    done
    df -Pk "$@" 2>/dev/null | awk -v directories="$*" '
        BEGIN { split(directories, directory, " ") }
        NR > 1 { print "free_kib " directory[NR - 1] "\t" $4 }'
}

ssh_server() {
    program=$(first_program sshd) || program=''
    if [ -z "$program" ] && [ -x /usr/sbin/sshd ]; then program=/usr/sbin/sshd; fi
    say sshd_program "$program"
    for file in /usr/libexec/openssh/sftp-server /usr/lib/openssh/sftp-server /usr/lib/ssh/sftp-server /usr/lib64/ssh/sftp-server /usr/lib/sftp-server; do
        if [ -e "$file" ]; then
            say sftp_server "$file"
            break
        fi
    done
}

# Root's password field and the day of its last change.
shadow() {
    if [ ! -r /etc/shadow ]; then
        return 0
    fi
    while IFS=: read -r name field changed _; do
        if [ "$name" = root ]; then
            say shadow_field "$field"
            say shadow_changed "$changed"
            return 0
        fi
    done </etc/shadow
}

# What a run of ours that was killed left behind; a lock whose process is gone holds nobody off.
remains() {
    for file in /etc/ssh/sshd_config /etc/hosts /etc/fstab /etc/shadow /etc/cloud/cloud.cfg.d/99-asr-migrate.cfg; do
        for left in "$file.asr-migrate-new" "$file.asr-migrate-old"; do
            if [ -e "$left" ]; then say remains "$left"; fi
        done
    done
    if [ -e "$want_work" ] || [ -L "$want_work" ]; then say remains "$want_work"; fi
    if [ -e /etc/shadow.lock ]; then
        owner=''
        read -r owner </etc/shadow.lock || :
        case $owner in
            '' | *[!0-9]*) ;;
            *) if ! kill -0 "$owner" 2>/dev/null; then say remains /etc/shadow.lock; fi ;;
        esac
    fi
}

# What tells this machine from any other; root alone may read the first three. EC2 gives the asset tag (Nitro) and both UUIDs (Xen).
identity() {
    for pair in asset_tag:/sys/class/dmi/id/board_asset_tag product_uuid:/sys/class/dmi/id/product_uuid \
        hypervisor_uuid:/sys/hypervisor/uuid machine_id:/etc/machine-id machine_id:/var/lib/dbus/machine-id; do
        value=''
        if { read -r value <"${pair#*:}" || [ -n "$value" ]; } 2>/dev/null; then say "${pair%%:*}" "$value"; fi
    done
}

programs() {
    say python "$(first_program python3 python python2 python2.7 python2.6 /usr/libexec/platform-python || :)"
    say openssl "$(first_program openssl || :)"
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

# A port counts as closed only when a program that could have said "open" has tried it.
reach() {
    while [ "$#" -ge 2 ]; do
        answer=untried
        if command -v bash >/dev/null 2>&1 && command -v timeout >/dev/null 2>&1; then
            answer=closed
            if timeout 5 bash -c "exec 3<>/dev/tcp/$1/$2" >/dev/null 2>&1 </dev/null; then answer=open; fi
        fi
        if [ "$answer" != open ] && command -v nc >/dev/null 2>&1; then
            answer=closed
            if nc -z -w 5 "$1" "$2" >/dev/null 2>&1 </dev/null; then answer=open; fi
        fi
        say "reach $1 $2" "$answer"
        shift 2
    done
}

main() {
    say utc "$(date -u '+%Y-%m-%dT%H:%M:%SZ')"
    say host_name "$(uname -n)"
    say machine "$(uname -m)"
    say user "$(id -u)"
    say groups "$(id -Gn 2>/dev/null || :)"
    for part in kernel release addresses virtualization space mounts blocks uuids grub packages firewall selinux \
        cloud_init ssh_server ssh_at_boot shadow remains identity programs mobility files; do
        "$part" || :
    done
    # shellcheck disable=SC2086
    reach $want_reach || :
    say end 0
}

main </dev/null
