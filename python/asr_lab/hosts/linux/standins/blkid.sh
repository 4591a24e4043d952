#!/bin/sh
# blkid [-s UUID|TYPE] [-o value] [DEVICE...]
tag= form=full
while [ $# -gt 0 ]; do
    case $1 in
    -s) tag=$2; shift ;;
    -o) form=$2; shift ;;
    -*) echo "blkid: unknown option $1" >&2; exit 4 ;;
    *) break ;;
    esac
    shift
done
code=2
while read -r source _ type _ _ _ uuid; do
    case " $* " in "  " | *" $source "*) ;; *) continue ;; esac
    [ "$uuid" != - ] || continue
    code=0
    case $form$tag in
    valueUUID) echo "$uuid" ;;
    valueTYPE) echo "$type" ;;
    fullUUID) echo "$source: UUID=\"$uuid\"" ;;
    *) echo "$source: UUID=\"$uuid\" TYPE=\"$type\"" ;;
    esac
done </var/lib/lab/mounts
exit $code
