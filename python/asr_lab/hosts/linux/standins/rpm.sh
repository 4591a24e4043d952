#!/bin/sh
# rpm -q NAME..., rpm -qa [--qf FORMAT] [GLOB...], rpm -e NAME: the package list is /var/lib/lab/packages, one "name [epoch:]version-release" a line.
# What stands in package_database_broken beside it is what rpm has to say of a broken database.
list=/var/lib/lab/packages broken=/var/lib/lab/package_database_broken
form='%{NAME}-%{VERSION}-%{RELEASE}.x86_64\n' all= names= quiet=
if [ -r $broken ]; then cat $broken >&2; exit 1; fi
while [ $# -gt 0 ]; do
    case $1 in
    -qa | -aq) all=yes ;;
    -q | --query | -[qv]*) ;;
    -e) shift; for name; do sed -i "/^$name /d" $list; done; exit ;;
    --qf | --queryformat) form=$2; shift ;;
    --qf=* | --queryformat=*) form=${1#*=} ;;
    --quiet) quiet=yes ;;
    -*) echo "rpm: $1: unknown option" >&2; exit 1 ;;
    *) names="$names $1" ;;
    esac
    shift
done
[ -z "$quiet" ] || form=
awk -v all="$all" -v names="$names" -v form="$form" -v quiet="$quiet" '
    function show(name, version,    text) {
        text = form
        sub(/^[0-9]+:/, "", version)
        gsub(/%{NAME}/, name, text)
        gsub(/%{VERSION}/, substr(version, 1, index(version, "-") - 1), text)
        gsub(/%{RELEASE}/, substr(version, index(version, "-") + 1), text)
        printf "%s", text
    }
    function like(glob) { gsub(/[.+]/, "[&]", glob); gsub(/[*]/, ".*", glob); return "^" glob "$" }
    BEGIN { number = split(names, wanted, " ") }
    { version[$1] = $2; if (all && !number) show($1, $2) }
    all { for (i = 1; i <= number; i++) if ($1 ~ like(wanted[i])) { show($1, $2); break } }
    END {
        for (i = 1; !all && i <= number; i++) {
            if (wanted[i] in version) { show(wanted[i], version[wanted[i]]); continue }
            if (!quiet) print "package " wanted[i] " is not installed"
            missing++
        }
        exit missing
    }' $list
