#!/bin/sh
# uname, of the host's own kernel.
kernel=$(cat /var/lib/lab/kernel) all="Linux $(hostname) $(cat /var/lib/lab/kernel) #1 SMP x86_64 x86_64 x86_64 GNU/Linux"
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
            m | p | i) out="$out x86_64" ;;
            o) out="$out GNU/Linux" ;;
            *) echo "uname: invalid option '$word'" >&2; exit 1 ;;
            esac
            letters=$rest
        done
        ;;
    esac
done
echo "${out# }"
