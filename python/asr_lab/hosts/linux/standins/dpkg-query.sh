#!/bin/sh
# dpkg-query -W [-f FORMAT] NAME..., dpkg -s NAME, dpkg --audit: the package list is /var/lib/lab/packages.
# What stands in package_database_broken beside it is what dpkg --audit has to say of half-installed packages.
list=/var/lib/lab/packages broken=/var/lib/lab/package_database_broken code=0 format='${Package}\t${Version}\n'
while [ $# -gt 0 ]; do
    case $1 in
    --audit | -C) if [ -r $broken ]; then cat $broken; fi; exit 0 ;;
    -W | -s | --show | --status) [ "$1" = -W ] || [ "$1" = --show ] || format='Package: ${Package}\nStatus: ${Status}\nVersion: ${Version}\n' ;;
    -f) format=$2; shift ;;
    -f=* | --showformat=*) format=${1#*=} ;;
    -f*) format=${1#-f} ;;
    -*) echo "${0##*/}: error: unknown option $1" >&2; exit 2 ;;
    *)
        version=$(sed -n "s/^$1 //p" $list)
        if [ -z "$version" ]; then echo "dpkg-query: no packages found matching $1" >&2; code=1
        else printf "$(printf '%s' "$format" | sed "s/\${Package}/$1/; s/\${Version}/$version/; s/\${Status}/install ok installed/; s/\${db:Status-Abbrev}/ii /")"; fi
        ;;
    esac
    shift
done
exit $code
