# Does the steps that were decided about the Mobility service, one after the other, until one fails.
# Set before: steps (of fetch unpack unconfigure uninstall install upgrade register start), package, url, place (the URL without what
# may be a key, to be shown), sha256, directory, work, server, cs_type ("-c CSLegacy", "-c CSPrime" or empty), discovery ("-D true" or empty), passphrase, source_config.
# The function private_directory stands before this script.
# Prints rc<TAB>step<TAB>exit code, of an installation with warnings warned<TAB>the installer's errors file, and of a failed step failed<TAB>step, say<TAB>what it said and log<TAB>the end of its logs.

# The directory that the installer chose: Vx in the installation's directory.
installed_in() {
    found=$(sed -n 's/^INSTALLATION_DIR=//p' /usr/local/.vx_version 2>/dev/null | tail -n 1 | tr -d ' "\r')
    printf '%s\n' "${found:-/usr/local/ASR/Vx}"
}

# The URL travels through standard input: it may hold a key.
download() {
    rm -f "$package"
    if command -v curl >/dev/null 2>&1; then
        printf 'url = "%s"\n' "$url" | curl -fsSL -K - -o "$package"
    else
        printf '%s\n' "$url" | wget -q -i - -O "$package"
    fi
}

fetch() {
    if [ -n "$url" ]; then
        download || { echo "$place did not arrive"; return 90; }
    fi
    if [ ! -r "$package" ]; then
        echo "$package is not there"
        return 90
    fi
    if [ -n "$sha256" ]; then
        digest=$({ sha256sum "$package" 2>/dev/null || openssl dgst -sha256 -r "$package"; } | sed 's/[^0-9a-f].*//')
        if [ "$digest" != "$sha256" ]; then
            echo "$package has the digest $digest, wanted $sha256"
            return 91
        fi
    fi
}

unpack() {
    rm -rf "$work/mobility"
    mkdir -p "$work/mobility" && tar -xzf "$package" -C "$work/mobility"
}

install_agent() {
    # shellcheck disable=SC2086
    cd "$work/mobility" && ./install ${directory:+-d "$directory"} -r MS -v VmWare -q $cs_type
}

upgrade_agent() {
    # shellcheck disable=SC2086
    cd "$work/mobility" && ./install -q -v VmWare $cs_type
}

register() {
    # shellcheck disable=SC2086
    if [ -n "$source_config" ]; then
        printf '%s\n' "$source_config" >"$work/config.json"
        "$(installed_in)/bin/UnifiedAgentConfigurator.sh" -S "$work/config.json" -q $cs_type $discovery
    else
        printf '%s\n' "$passphrase" >"$work/MobSvc.passphrase"
        "$(installed_in)/bin/UnifiedAgentConfigurator.sh" -i "$server" -P "$work/MobSvc.passphrase" $cs_type
    fi
}

unconfigure() {
    # shellcheck disable=SC2086
    "$(installed_in)/bin/UnifiedAgentConfigurator.sh" -q -U true $cs_type
}

# Takes away what the probe counts as parts of an agent: half an installation may lack its own uninstaller, and an uninstaller that leaves
# its mark has not done its work. What stays is named, with exit code 90.
uninstall() {
    vx=$(installed_in)
    base=${vx%/Vx}
    mark=/usr/local/.vx_version
    set -- "$vx/etc/drscout.conf" "$vx/bin/UnifiedAgentConfigurator.sh" /etc/vxagent/bin/vxagent
    if [ -x "$base/uninstall.sh" ]; then
        "$base/uninstall.sh" -Y -L /var/log/ua_uninstall.log || return "$?"
    else
        if [ -x /etc/vxagent/bin/vxagent ]; then /etc/vxagent/bin/vxagent stop || :; fi
        rm -f "$mark" || :
    fi
    left=''
    if [ -e "$mark" ]; then left=" $mark"; else rm -f "$@" || :; fi
    for part in "$@"; do
        if [ -e "$part" ]; then left="$left $part"; fi
    done
    if [ -n "$left" ]; then
        echo "parts of the agent are still there:$left"
        return 90
    fi
}

start() {
    /etc/vxagent/bin/vxagent start
}

# Whether a step's exit code means that it was done: 98 is done with warnings (and an unknown role), 129 waits for the appliance only,
# 144 was not registered any more.
was_done() {
    case $1:$2 in
        *:0 | register:98 | register:129 | unconfigure:98 | unconfigure:144) return 0 ;;
        install:98 | upgrade:98) [ -r /usr/local/.vx_version ] ;;
        *) return 1 ;;
    esac
}

tell() {
    if [ -r "$2" ]; then
        tail -n "$3" "$2" | while IFS= read -r line; do printf '%s\t%s\n' "$1" "$line"; done
    fi
}

do_step() {
    function=$1
    case $1 in
        install | upgrade) function=${1}_agent ;;
    esac
    code=0
    ( set -eu; "$function" ) >"$work/$1.out" 2>&1 </dev/null || code=$?
    printf 'rc\t%s\t%s\n' "$1" "$code"
    if was_done "$1" "$code"; then
        case $1:$code in install:98 | upgrade:98) tell warned /var/log/InstallerErrors.json 40 ;; esac
        return 0
    fi
    printf 'failed\t%s\n' "$1"
    tell say "$work/$1.out" 5
    case $1 in
        install | upgrade) tell log /var/log/ua_install.log 40 && tell log /var/log/InstallerErrors.json 40 ;;
        register | unconfigure) tell log /var/log/AzureRcmCli.log 20 && tell log /var/log/ua_install.log 40 ;;
        uninstall) tell log /var/log/ua_uninstall.log 40 ;;
    esac
    return 1
}

clean_up() {
    rm -rf "$work/mobility"
    rm -f "$work"/MobSvc.passphrase "$work"/config.json "$work"/*.out
    case $package in
        "$work"/*) rm -f "$package" ;;
    esac
    rmdir "$work" 2>/dev/null || :
}

main() {
    umask 077
    refused=$(private_directory "$work" 2>&1) || {
        printf 'rc\tdirectory\t%s\nfailed\tdirectory\nsay\t%s\n' "$?" "$refused"
        return 0
    }
    trap clean_up EXIT
    trap 'exit 1' HUP INT TERM
    for step in $steps; do
        do_step "$step" || break
    done
}

main
