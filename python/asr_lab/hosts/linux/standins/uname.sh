#!/bin/sh
# uname, of the host's own kernel.
kernel=$(cat /var/lib/lab/kernel) machine=x86_64
[ ! -r /var/lib/lab/architecture ] || machine=$(cat /var/lib/lab/architecture)
all="Linux $(hostname) $kernel #1 SMP $machine $machine $machine GNU/Linux"
[ $# -gt 0 ] || set -- -s
out=
for word; do
    case $word in
    -a | --all) out="$out $all" ;;
    --*) echo "uname: unrecognized option '$word'" >&2; exit 1 ;;
    -*)
        letters=${word#-}
        while [ -n "$letters" ]; do
            rest=${letters#?}
            case ${letters%"$rest"} in
            s) out="$out Linux" ;;
            n) out="$out $(hostname)" ;;
            r) out="$out $kernel" ;;
            v) out="$out #1 SMP" ;;
            m | p | i) out="$out $machine" ;;
            o) out="$out GNU/Linux" ;;
            *) echo "uname: invalid option '$word'" >&2; exit 1 ;;
            esac
            letters=$rest
        done
        ;;
    esac
done
echo "${out# }"
