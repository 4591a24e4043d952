#!/bin/sh
# rpm -q NAME..., -qa, -e NAME: the package list is /var/lib/lab/packages, one "name version" a line.
list=/var/lib/lab/packages format=
case ${1:-} in
-qa) sed 's/ /-/' $list; exit ;;
-q | --query) shift ;;
-e) shift; for name; do sed -i "/^$name /d" $list; done; exit ;;
*) echo "rpm: unknown option ${1:-}" >&2; exit 1 ;;
esac
code=0
while [ $# -gt 0 ]; do
    case $1 in
    --qf | --queryformat) format=$2; shift ;;
    --quiet) format=quiet ;;
    *)
        version=$(sed -n "s/^$1 //p" $list)
        if [ -z "$version" ]; then echo "package $1 is not installed"; code=$((code + 1))
        elif [ -z "$format" ]; then echo "$1-$version"
        elif [ "$format" != quiet ]; then printf "$(printf '%s' "$format" | sed "s/%{NAME}/$1/; s/%{VERSION}/${version%%-*}/; s/%{RELEASE}/${version#*-}/")"; fi
        ;;
    esac
    shift
done
exit $code
