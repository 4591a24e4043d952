#!/bin/sh
# chpasswd [-e]: "user:password" lines on standard input; the hash is salted SHA-512, recomputable without crypt(3).
[ "$(id -u)" = 0 ] || { echo "chpasswd: Permission denied." >&2; exit 1; }
encrypted= code=0
case ${1:-} in -e | --encrypted) encrypted=yes ;; '') ;; *) echo "Usage: chpasswd [-e]" >&2; exit 2 ;; esac
while IFS= read -r line || [ -n "$line" ]; do
    user=${line%%:*} secret=${line#*:}
    if [ "$user" = "$line" ] || [ -z "$secret" ] || ! grep -q "^$user:" /etc/shadow; then
        echo "chpasswd: line rejected for user '$user'" >&2
        code=1
        continue
    fi
    if [ -z "$encrypted" ]; then
        salt=$(od -An -N8 -tx1 /dev/urandom | tr -d ' \n')
        secret="\$6\$$salt\$$(printf '%s%s' "$salt" "$secret" | sha512sum | cut -d' ' -f1)"
    fi
    /var/lib/lab/set_shadow "$user" "$secret"
done
exit $code
