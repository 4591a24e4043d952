#!/bin/sh
# sshd -t (test the configuration) and sshd -T (print what is in force): the first value of a keyword wins, as in OpenSSH.
config=/etc/ssh/sshd_config
test_only=
while [ $# -gt 0 ]; do
    case $1 in
    -t) test_only=yes ;;
    -T) ;;
    -f) config=$2; shift ;;
    *) echo "sshd: illegal option $1" >&2; exit 1 ;;
    esac
    shift
done
flatten() { # Match blocks end the global part
    while read -r key value; do
        case $key in
        '' | '#'*) ;;
        [Mm]atch) break ;;
        [Ii]nclude) for file in $value; do [ ! -r "$file" ] || flatten <"$file"; done ;;
        *) printf '%s %s\n' "$key" "$value" ;;
        esac
    done
}
flatten <"$config" | awk -v only="$test_only" -v file="$config" '
    BEGIN {
        split("port addressfamily listenaddress hostkey syslogfacility loglevel logingracetime permitrootlogin strictmodes " \
            "maxauthtries maxsessions pubkeyauthentication authorizedkeysfile passwordauthentication permitemptypasswords " \
            "kbdinteractiveauthentication challengeresponseauthentication gssapiauthentication gssapicleanupcredentials usepam " \
            "x11forwarding printmotd printlastlog tcpkeepalive usedns acceptenv subsystem protocol clientaliveinterval " \
            "clientalivecountmax allowusers denyusers allowgroups denygroups banner ciphers macs kexalgorithms " \
            "allowtcpforwarding allowagentforwarding permittty usedns kerberosauthentication useprivilegeseparation", names, " ")
        for (i in names) known[names[i]] = 1
    }
    {
        key = tolower($1)
        if (!(key in known)) { print file ": Bad configuration option: " $1 > "/dev/stderr"; bad = 1; next }
        if ($2 == "") { print file ": missing argument for " $1 > "/dev/stderr"; bad = 1; next }
        if (key ~ /^(permitrootlogin|passwordauthentication)$/ && $2 !~ /^(yes|no|prohibit-password|without-password|forced-commands-only)$/) {
            print file ": unsupported option \"" $2 "\"" > "/dev/stderr"; bad = 1; next
        }
        if (!(key in value)) { sub(/^[^ ]+ +/, ""); value[key] = $0; order[++n] = key }
    }
    END {
        if (bad) { print file ": terminating, bad configuration options" > "/dev/stderr"; exit 255 }
        if (only == "") {
            if (!("permitrootlogin" in value)) print "permitrootlogin prohibit-password"
            if (!("passwordauthentication" in value)) print "passwordauthentication yes"
            for (i = 1; i <= n; i++) print order[i], value[order[i]]
        }
    }'
