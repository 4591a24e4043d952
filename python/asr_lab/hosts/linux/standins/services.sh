# Services of a simulated host as files: /var/lib/lab/services/NAME holds "running|stopped enabled|disabled".
services=/var/lib/lab/services

canonical() { # NAME, with or without .service, or an alias
    name=${1%.service}
    [ ! -r "$services/../aliases/$name" ] || name=$(cat "$services/../aliases/$name")
    printf '%s\n' "$name"
}
known() { [ -f "$services/$1" ]; }
state_of() { read -r state boot <"$services/$1"; }
write_state() { printf '%s %s\n' "$2" "$3" >"$services/$1"; }

set_running() { # NAME running|stopped
    state_of "$1"
    write_state "$1" "$2" "$boot"
}
set_boot() { # NAME enabled|disabled
    state_of "$1"
    write_state "$1" "$state" "$2"
}

started() { # what a service does when it starts
    case $1 in
    sshd)
        /usr/sbin/sshd -t || return 1
        /usr/sbin/sshd -T >/run/lab/sshd_effective
        ;;
    ntpd | chronyd | systemd-timesyncd)
        [ -e /var/lib/lab/no_time_source ] || rm -f /var/lib/lab/skew_s
        ;;
    vxagent | uarespawnd)
        [ -x /etc/vxagent/bin/vxagent ] || return 1
        ;;
    esac
}

# Some services show as a process of their name; its id is kept in a file.
show_process() {
    [ -x "/var/lib/lab/daemons/$1" ] || return 0
    hide_process "$1"
    "/var/lib/lab/daemons/$1" </dev/null >/dev/null 2>&1 &
    echo $! >"/run/lab/$1.pid"
}
hide_process() {
    [ ! -r "/run/lab/$1.pid" ] || kill "$(cat "/run/lab/$1.pid")" 2>/dev/null
    rm -f "/run/lab/$1.pid"
}

start_service() { started "$1" && set_running "$1" running && show_process "$1"; }
stop_service() { set_running "$1" stopped && hide_process "$1"; }
reload_service() {
    state_of "$1"
    [ "$state" = running ] && started "$1"
}
