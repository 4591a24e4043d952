#!/bin/sh
# ls of a host with SELinux: -Z shows the contexts that /var/lib/lab/contexts keeps by inode; anything else is the real ls.
real=/.machine/usr/bin/ls
[ -x $real ] || real=/.machine/bin/ls
contexts=
for word; do case $word in --*) ;; -*Z*) contexts=yes ;; esac; done
[ -n "$contexts" ] || exec $real "$@"
for file; do
    shift
    case $file in -*) ;; *) set -- "$@" "$file" ;; esac
done
form=' '
if grep -q 'release [67]' /etc/redhat-release; then form='-rw-r--r--. root root '; fi
/var/lib/lab/context_of "$@" | sed "s/^/$form/; s/^ //"
