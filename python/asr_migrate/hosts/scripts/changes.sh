# Functions that change a Linux host, or put back what was there. Each prints changed<TAB>NAME<TAB>exit code; what a failed one says
# stands before it as said<TAB>TEXT, and nothing after it is done.

run_change() {
    change=$1
    shift
    set +e
    said=$( ( set -eu; "$@" ) 2>&1 )
    code=$?
    set -e
    if [ "$code" -ne 0 ]; then
        printf '%s\n' "$said" | while IFS= read -r line; do printf 'said\t%s\n' "$line"; done
    fi
    printf 'changed\t%s\t%s\n' "$change" "$code"
    return "$code"
}

# The file must still be what the probe saw: its cksum, or "absent".
unchanged() {
    if [ ! -e "$1" ]; then
        now=absent
    else
        sum=$(cksum <"$1")
        # shellcheck disable=SC2086
        set -- "$1" "$2" $sum
        now="$3 $4"
    fi
    if [ "$now" != "$2" ]; then
        echo "$1 is no longer what it was when it was read; somebody else changed it in between"
        return 1
    fi
}

# Put the file $1 in the place of $2 at once. A file with several hard links, one that is mounted by itself, and one whose SELinux
# context cannot be given to another file, is written to instead.
put_in_place() {
    if [ -e "$2" ]; then
        listed=$(ls -ld "$2")
        # shellcheck disable=SC2086
        set -- "$1" "$2" $listed
        if [ "$4" = 1 ] && same_context "$1" "$2" && mv -f "$1" "$2" 2>/dev/null; then return 0; fi
        cat "$1" >"$2"
        rm -f "$1"
    else
        mv -f "$1" "$2"
        if command -v restorecon >/dev/null 2>&1; then restorecon "$2" || :; fi
    fi
}

same_context() {
    if [ -e /sys/fs/selinux/enforce ] || [ -e /selinux/enforce ]; then
        chcon --reference="$2" "$1" 2>/dev/null
    fi
}

# replace_file FILE CKSUM MODE OWNER CONTEXT SERVICE, the content on standard input. CONTEXT may be empty, SERVICE is empty or sshd.
replace_file() {
    file=$1
    guard=$2
    mode=$3
    owner=$4
    context=$5
    service=$6
    fresh=$file.asr-migrate-new
    old=$file.asr-migrate-old
    unchanged "$file" "$guard"
    umask 077
    trap 'rm -f "$fresh" "$old"' EXIT
    rm -f "$fresh" "$old"
    if [ -e "$file" ]; then
        cp -p "$file" "$fresh"
        cp -p "$file" "$old"
    else
        mkdir -p -m 755 "${file%/*}"
    fi
    cat >"$fresh"
    chown "$owner" "$fresh"
    chmod "$mode" "$fresh"
    if [ "$service" = sshd ]; then sshd_accepts "$fresh" "$file"; fi
    put_in_place "$fresh" "$file"
    chown "$owner" "$file"
    chmod "$mode" "$file"
    if [ -n "$context" ] && command -v chcon >/dev/null 2>&1; then chcon "$context" "$file" || :; fi
    if [ "$service" = sshd ] && ! reload_sshd; then
        put_in_place "$old" "$file"
        reload_sshd >/dev/null 2>&1 || :
        echo "$file was put back as it was"
        return 1
    fi
}

# remove_file FILE CKSUM
remove_file() {
    unchanged "$1" "$2"
    rm -f "$1"
}

# remove_remains PATH...: what a run that was killed left behind, files and our work directory.
remove_remains() {
    rm -rf "$@"
}

# sshd_accepts NEW OLD: when sshd accepts the old settings it must accept the new ones.
sshd_accepts() {
    checker=$(command -v sshd) || checker=/usr/sbin/sshd
    if [ -x "$checker" ] && "$checker" -t -f "$2" >/dev/null 2>&1; then
        if ! "$checker" -t -f "$1"; then
            echo "sshd refuses the changed $2; it was left as it is"
            return 1
        fi
    fi
}

# An sshd that does not run reads its settings when it starts.
reload_sshd() {
    if [ -d /run/systemd/system ]; then
        for unit in sshd ssh; do
            if systemctl is-active --quiet "$unit.service" 2>/dev/null; then
                systemctl reload "$unit.service"
                return
            fi
        done
        return 0
    fi
    if command -v service >/dev/null 2>&1; then
        if service sshd reload >/dev/null 2>&1 || service ssh reload >/dev/null 2>&1; then return 0; fi
    fi
    for script in /etc/init.d/sshd /etc/init.d/ssh; do
        if [ -x "$script" ] && "$script" reload >/dev/null 2>&1; then return 0; fi
    done
    for pid_file in /var/run/sshd.pid /run/sshd.pid; do
        if [ -r "$pid_file" ]; then
            kill -HUP "$(cat "$pid_file")"
            return
        fi
    done
    echo 'sshd could not be told to read its settings again: no systemd, no service that knows it and no /var/run/sshd.pid'
    return 1
}

# Take a lock as the shadow tools do: a file that holds the process's number. One whose process is gone does not count.
lock() {
    if ( set -C; printf '%s' "$$" >"$1" ) 2>/dev/null; then return 0; fi
    owner=''
    read -r owner <"$1" || :
    case $owner in '' | *[!0-9]*) return 1 ;; esac
    if kill -0 "$owner" 2>/dev/null; then return 1; fi
    rm -f "$1"
    ( set -C; printf '%s' "$$" >"$1" ) 2>/dev/null
}

# Give root's line of /etc/shadow another password field and day of change. Standard input: the field and the day that are there, and
# the new ones, a line each. Everything else stays as it is, byte for byte.
replace_root_password() {
    IFS= read -r old_field
    IFS= read -r old_day
    IFS= read -r new_field
    IFS= read -r new_day
    file=/etc/shadow
    if [ -L "$file" ]; then file=$(readlink -f "$file"); fi
    fresh=$file.asr-migrate-new
    umask 077
    if ! lock "$file.lock"; then
        echo "another program is changing passwords ($file.lock exists)"
        return 1
    fi
    trap 'rm -f "$fresh" "$file.lock"' EXIT
    rm -f "$fresh"
    cp -p "$file" "$fresh"
    found=''
    ended=''
    while [ -z "$ended" ]; do
        IFS= read -r line || ended=yes
        if [ -n "$ended" ] && [ -z "$line" ]; then break; fi
        case $line in
            "root:$old_field:$old_day:"*)
                if [ -z "$found" ]; then line="root:$new_field:$new_day:${line#"root:$old_field:$old_day:"}"; fi
                found=yes
                ;;
        esac
        if [ -n "$ended" ]; then printf '%s' "$line"; else printf '%s\n' "$line"; fi
    done <"$file" >"$fresh"
    if [ -z "$found" ]; then
        echo "root's line of $file is no longer what it was when it was read"
        return 1
    fi
    put_in_place "$fresh" "$file"
}
