# Installs and registers the Mobility service (classic). Set before: package, directory, work, server, cs_type, install, passphrase.
# Prints rc<TAB>step<TAB>exit code; the passphrase file is removed in any case.

step() {
    name=$1
    shift
    code=0
    "$@" >"$work/$name.out" 2>&1 </dev/null || code=$?
    if [ "$code" -ne 0 ]; then
        tail -n 5 "$work/$name.out" | while IFS= read -r line; do printf 'say\t%s\n' "$line"; done
    fi
    printf 'rc\t%s\t%s\n' "$name" "$code"
    return "$code"
}

tell_logs() {
    for file in /var/log/InstallerErrors.json /var/log/ua_install.log; do
        if [ -r "$file" ]; then
            tail -n 40 "$file" | while IFS= read -r line; do printf 'log\t%s\n' "$line"; done
        fi
    done
}

unpack() {
    mkdir -p "$work/mobility" && tar -xzf "$package" -C "$work/mobility"
}

install_agent() {
    # shellcheck disable=SC2086
    cd "$work/mobility" && ./install -d "$directory" -r MS -v VmWare -q $cs_type
}

register() {
    # shellcheck disable=SC2086
    "$directory/Vx/bin/UnifiedAgentConfigurator.sh" -i "$server" -P "$work/MobSvc.passphrase" $cs_type
}

start_agent() {
    /etc/vxagent/bin/vxagent start
}

main() {
    umask 077
    mkdir -p "$work"
    trap 'rm -f "$work/MobSvc.passphrase"' EXIT HUP INT TERM
    printf '%s\n' "$passphrase" >"$work/MobSvc.passphrase"
    done_well=yes
    case $install in
        install)
            if step unpack unpack && step install install_agent && step register register; then :; else done_well=no; fi
            ;;
        register)
            step register register || done_well=no
            ;;
        start)
            step start start_agent || done_well=no
            ;;
    esac
    if [ "$done_well" = no ]; then
        tell_logs
    fi
}

main </dev/null
