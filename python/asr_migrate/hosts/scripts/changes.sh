# Functions that change a Linux host. Each prints rc<TAB>name<TAB>exit code; what a failed one says stands before it as say<TAB>text.

run_change() {
    change=$1
    shift
    set +e
    said=$( ( set -eu; "$@" ) 2>&1 )
    code=$?
    set -e
    if [ "$code" -ne 0 ]; then
        printf '%s\n' "$said" | while IFS= read -r line; do printf 'say\t%s\n' "$line"; done
    fi
    printf 'rc\t%s\t%s\n' "$change" "$code"
}

# Put the lines of standard input at the top of sshd's settings, between markers, in place of an older block of ours.
# An sftp subsystem that only the older block gave is kept.
change_sshd() {
    config=/etc/ssh/sshd_config
    fresh=$config.asr-migrate
    block='/^# asr-migrate: begin$/,/^# asr-migrate: end$/'
    wanted=$(cat)
    case $wanted in
        *'Subsystem sftp'*) kept='' ;;
        *) kept=$(sed -n "${block}p" "$config" | sed -n '/^Subsystem sftp/p') ;;
    esac
    rm -f "$fresh"
    (
        umask 077
        {
            echo '# asr-migrate: begin'
            printf '%s\n' "$wanted"
            if [ -n "$kept" ]; then printf '%s\n' "$kept"; fi
            echo '# asr-migrate: end'
            sed "${block}d" "$config"
        } >"$fresh"
    )
    checker=$(command -v sshd || echo /usr/sbin/sshd)
    if [ -x "$checker" ] && "$checker" -t -f "$config" >/dev/null 2>&1; then
        if ! "$checker" -t -f "$fresh"; then
            rm -f "$fresh"
            echo "sshd refuses the changed $config; it was left as it is"
            return 1
        fi
    fi
    cat "$fresh" >"$config"
    rm -f "$fresh"
    reload_sshd
}

reload_sshd() {
    if [ -d /run/systemd/system ]; then
        systemctl reload sshd 2>/dev/null || systemctl reload ssh
    elif command -v service >/dev/null 2>&1; then
        service sshd reload >/dev/null 2>&1 || service ssh reload >/dev/null
    elif [ -r /var/run/sshd.pid ]; then
        kill -HUP "$(cat /var/run/sshd.pid)"
    else
        echo 'sshd could not be told to read its settings again: no systemd, no service command and no /var/run/sshd.pid'
        return 1
    fi
}

# Set root's password from the line root:HASH on standard input.
change_root_password() {
    chpasswd -e
}

# Append the lines of standard input to /etc/hosts.
change_hosts_file() {
    if [ -n "$(tail -c 1 /etc/hosts)" ]; then
        echo >>/etc/hosts
    fi
    cat >>/etc/hosts
}
