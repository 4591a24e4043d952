#!/bin/sh
# passwd -S|-l|-u|-d|--stdin USER
[ "$(id -u)" = 0 ] || { echo "passwd: Only root can do that." >&2; exit 1; }
verb= user=
for word; do case $word in -*) verb=$word ;; *) user=$word ;; esac; done
field=$(sed -n "s/^$user:\([^:]*\):.*/\1/p" /etc/shadow)
grep -q "^$user:" /etc/shadow || { echo "passwd: Unknown user name '$user'." >&2; exit 1; }
case $verb in
-S | --status)
    case $field in '') state=NP ;; '!'* | '*'*) state=L ;; *) state=P ;; esac
    [ ! -e /etc/redhat-release ] || { [ $state = P ] && state=PS || state=LK; }
    echo "$user $state 2024-03-13 0 99999 7 -1"
    ;;
-l) case $field in '!'*) ;; *) /var/lib/lab/set_shadow "$user" "!$field" ;; esac ;;
-u) /var/lib/lab/set_shadow "$user" "${field#!}" ;;
-d) /var/lib/lab/set_shadow "$user" "" ;;
--stdin) IFS= read -r secret; printf '%s:%s\n' "$user" "$secret" | chpasswd ;;
*) echo "passwd: a terminal is needed to type a password" >&2; exit 1 ;;
esac
