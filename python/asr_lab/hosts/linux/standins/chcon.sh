#!/bin/sh
# chcon CONTEXT FILE..., chcon --reference=FILE FILE...; called as restorecon it gives back what the policy says.
[ "$(id -u)" = 0 ] || { echo "${0##*/}: Permission denied" >&2; exit 1; }
wanted=
for word; do
    case $word in
    --reference=*) wanted=$(/var/lib/lab/context_of "${word#*=}"); wanted=${wanted%% *} ;;
    --reference) wanted=next ;;
    -*) ;;
    *)
        if [ "$wanted" = next ]; then wanted=$(/var/lib/lab/context_of "$word"); wanted=${wanted%% *}; continue; fi
        if [ -z "$wanted" ] && [ "${0##*/}" = chcon ]; then wanted=$word; continue; fi
        [ -e "$word" ] || { echo "${0##*/}: cannot access '$word': No such file or directory" >&2; exit 1; }
        context=$wanted
        if [ "${0##*/}" = restorecon ]; then
            case $word in
            /etc/shadow | /etc/shadow-) type=shadow_t ;;
            /etc/hosts) type=net_conf_t ;;
            /root/*) type=admin_home_t ;;
            /boot/*) type=boot_t ;;
            *) type=etc_t ;;
            esac
            context=system_u:object_r:$type:s0
        fi
        echo "$(stat -c %i "$word") $context" >>/var/lib/lab/contexts
        ;;
    esac
done
