#!/bin/sh
# sudo [-n] [-H] [-S] [-E] [-i] [-u root] [--] [NAME=value] COMMAND...: the login user may do everything without a password.
login=
while [ $# -gt 0 ]; do
    case $1 in
    -n | -H | -S | -E | -k | --non-interactive) shift ;;
    -p) shift 2 ;;
    -u) [ "$2" = root ] || { echo "sudo: unknown user $2" >&2; exit 1; }; shift 2 ;;
    -i | -s) login=yes; shift ;;
    -v | --validate) exit 0 ;;
    -l | --list) echo "User ${USER:-ec2-user} may run the following commands: (ALL) NOPASSWD: ALL"; exit 0 ;;
    --) shift; break ;;
    -*) echo "sudo: unrecognized option '$1'" >&2; exit 1 ;;
    *) break ;;
    esac
done
given=
while :; do case ${1:-} in [A-Za-z_]*=*) given="$given $1"; shift ;; *) break ;; esac; done
[ $# -gt 0 ] || { [ -n "$login" ] || { echo "usage: sudo -h | -K | -k | -V" >&2; exit 1; }; set -- /bin/sh; }
[ -z "$login" ] || [ "$1" = /bin/sh ] || set -- /bin/sh -c "$*"
set -- env -i HOME=/root USER=root LOGNAME=root SHELL=/bin/bash LC_ALL=C SUDO_USER="${SUDO_USER:-${USER:-root}}" \
    PATH=/usr/local/sbin:/sbin:/bin:/usr/sbin:/usr/bin $given "$@"
[ "$(id -u)" != 0 ] || exec "$@"
exec nsenter -t 1 -m -r -- /bin/sh -c 'cd "$0" 2>/dev/null; exec "$@"' "$PWD" "$@"
