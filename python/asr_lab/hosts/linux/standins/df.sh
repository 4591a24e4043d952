#!/bin/sh
# df -Pk DIRECTORY...: from the mount table /var/lib/lab/mounts; root_free_kb beside it, if there, is what is free on /.
case "${1:-}" in
-Pk | -kP) shift ;;
*) exec /.machine/usr/bin/df "$@" ;;
esac
echo 'Filesystem     1024-blocks     Used Available Capacity Mounted on'
code=0
for place; do
    [ -e "$place" ] || { echo "df: $place: No such file or directory" >&2; code=1; continue; }
    set -- - / 0 0
    while read -r source target _ _ size free _; do
        under=${target%/}
        case $place/ in "$under"/*) [ ${#target} -lt ${#2} ] || set -- "$source" "$target" "$size" "$free" ;; esac
    done </var/lib/lab/mounts
    [ "$2" != / ] || [ ! -r /var/lib/lab/root_free_kb ] || set -- "$1" "$2" "$3" "$(cat /var/lib/lab/root_free_kb)"
    used=$(($3 - $4))
    [ "$used" -ge 0 ] || used=0
    printf '%-14s %11s %8s %9s %7s%% %s\n' "$1" "$3" "$used" "$4" $((used * 100 / ($3 + 1))) "$2"
done
exit $code
