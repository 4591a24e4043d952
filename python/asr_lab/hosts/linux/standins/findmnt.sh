#!/bin/sh
# findmnt [-r] [-n] [-o COLUMNS] [-T PATH | TARGET | SOURCE]: the mount table is /var/lib/lab/mounts.
columns=TARGET,SOURCE,FSTYPE,OPTIONS head=yes under= only=
while [ $# -gt 0 ]; do
    case $1 in
    -o | --output) columns=$2; shift ;;
    -T | --target) under=$2; shift ;;
    --*) case $1 in --raw | --list | --evaluate) ;; --noheadings) head= ;; *) echo "findmnt: unrecognized option '$1'" >&2; exit 1 ;; esac ;;
    -*)
        case $1 in *n*) head= ;; esac
        case $1 in *o) columns=$2; shift ;; esac
        ;;
    *) only=$1 ;;
    esac
    shift
done
[ -z "$head" ] || echo "$columns" | tr , ' '
awk -v columns="$columns" -v under="$under" -v only="$only" '
    { target[NR] = $2; row[NR] = $0 }
    under != "" && index(under "/", $2 == "/" ? "/" : $2 "/") == 1 && length($2) >= length(best) { best = $2 }
    END {
        number = split(columns, names, ",")
        for (n = 1; n <= NR; n++) {
            split(row[n], field, " ")
            if (under != "" && target[n] != best) continue
            if (only != "" && field[1] != only && field[2] != only) continue
            value["SOURCE"] = field[1]; value["TARGET"] = field[2]; value["FSTYPE"] = field[3]; value["OPTIONS"] = field[4]; value["UUID"] = field[7]
            text = ""
            for (i = 1; i <= number; i++) text = text (i > 1 ? " " : "") value[names[i]]
            print text
            found = 1
        }
        exit !found
    }' /var/lib/lab/mounts
