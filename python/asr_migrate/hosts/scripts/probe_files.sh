# Functions of the probe that send files as they are: path, where a link leads, mode, owner, SELinux context and all bytes.

# A file of sshd's settings and every file that it includes, one path a line.
sshd_files() {
    printf '%s\n' "$1"
    while read -r keyword rest || [ -n "$keyword" ]; do
        case $keyword in
            [Ii][Nn][Cc][Ll][Uu][Dd][Ee])
                for pattern in $rest; do
                    pattern=${pattern#\"}
                    pattern=${pattern%\"}
                    case $pattern in
                        /*) ;;
                        *) pattern=/etc/ssh/$pattern ;;
                    esac
                    for included in $pattern; do
                        if [ -r "$included" ]; then ( sshd_files "$included" ); fi
                    done
                done
                ;;
        esac
    done <"$1"
}

paths() {
    if [ -r /etc/ssh/sshd_config ]; then sshd_files /etc/ssh/sshd_config; fi
    printf '%s\n' /etc/hosts /etc/fstab /etc/cloud/cloud.cfg.d/99-asr-migrate.cfg "$want_files"
    if [ -d /etc/cloud ]; then
        grep -l datasource_list /etc/cloud/cloud.cfg /etc/cloud/cloud.cfg.d/*.cfg 2>/dev/null || :
    fi
}

selinux_on() {
    [ -e /sys/fs/selinux/enforce ] || [ -e /selinux/enforce ]
}

# Each path once: file<TAB>PATH<TAB>REAL PATH (or "absent"); then, of the real ones, how they are listed; then their bytes in that order.
files() {
    known='
'
    listed=$(paths) || :
    newline='
'
    set -f
    IFS=$newline
    set --
    for path in $listed; do
        case $known in *"$newline$path$newline"*) continue ;; esac
        known=$known$path$newline
        real=$path
        if [ -L "$path" ]; then real=$(readlink -f "$path" 2>/dev/null) || real=$path; fi
        if [ -f "$real" ] && [ -r "$real" ]; then
            say file "$path	$real"
            set -- "$@" "$real"
        else
            say file "$path	absent"
        fi
    done
    unset IFS
    set +f
    if [ "$#" -eq 0 ]; then return 0; fi
    ls -lnd "$@" | awk '{
        name = $0
        for (i = 1; i <= 8; i++) sub(/^[^ ]+ +/, "", name)
        print "stat\t" $1 " " $2 " " $3 " " $4 " " $5 "\t" name
    }'
    if selinux_on; then
        ls -Zd "$@" 2>/dev/null | awk '{
            for (i = 1; i < NF; i++) if ($i ~ /^[^:]+:[^:]+:[^:]+/) { print "context\t" $i "\t" substr($0, index($0, $i) + length($i) + 1); break }
        }' || :
    fi
    cat "$@" | od -An -v -tx1 | awk '
        { gsub(/[ \t]/, ""); row = row $0 }
        NR % 32 == 0 { print "hex\t" row; row = "" }
        END { if (row != "") print "hex\t" row }'
}
