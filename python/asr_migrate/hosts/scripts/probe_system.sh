# Functions of the probe about the system: boot, disks, file systems, packages, firewall.

kernel() {
    version=$(uname -r)
    say kernel "$version"
    if [ -d "/lib/modules/$version" ]; then say kernel_modules yes; else say kernel_modules no; fi
    if [ -r /proc/cmdline ]; then
        read -r line </proc/cmdline || :
        say cmdline "$line"
    fi
    case $version in
        *.el5* | *.el6*) say initrd_storvsc "$(storvsc_in_initrd "$version")" ;;
    esac
    variable=/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c
    if [ -r "$variable" ]; then
        say secure_boot "$(od -An -v -tx1 "$variable" | awk '{ last = $NF } END { print last }')"
    fi
    say runlevel "$(runlevel 2>/dev/null | awk '{ print $2 }')"
}

storvsc_in_initrd() {
    for image in "/boot/initramfs-$1.img" "/boot/initrd-$1.img"; do
        if [ ! -r "$image" ]; then continue; fi
        if command -v lsinitrd >/dev/null 2>&1; then
            listing=$(lsinitrd "$image" 2>/dev/null) || listing=''
        elif command -v gzip >/dev/null 2>&1 && command -v cpio >/dev/null 2>&1; then
            listing=$(gzip -dc "$image" 2>/dev/null | cpio -t 2>/dev/null) || listing=''
        else
            break
        fi
        case $listing in
            '') break ;;
            *hv_storvsc*) echo yes ;;
            *) echo no ;;
        esac
        return 0
    done
    echo unknown
}

# Mounted file systems: mount<TAB>TARGET SOURCE TYPE OPTIONS, blanks in names as \x20 or \040.
mounts() {
    if command -v findmnt >/dev/null 2>&1; then
        rows=$(findmnt -rn -o TARGET,SOURCE,FSTYPE,OPTIONS 2>/dev/null) || rows=''
    else
        rows=$(mount 2>/dev/null | awk '$2 == "on" && $4 == "type" { options = $6; gsub(/[()]/, "", options); print $3, $1, $5, options }') || rows=''
    fi
    printf '%s\n' "$rows" | awk '$2 ~ /^\/dev\// || $1 ~ /^\/(boot|etc|var|usr|usr\/local)?$/ { print "mount\t" $1 " " $2 " " $3 " " $4 }'
    printf '%s\n' "$rows" | while read -r target source _; do
        case $target in / | /boot) ;; *) continue ;; esac
        source=${source%%\[*}
        if [ -L "$source" ]; then say "resolved $source" "$(readlink -f "$source" 2>/dev/null)"; fi
    done
    for directory in / /boot /etc /var; do
        if [ -d "$directory" ]; then
            if [ -w "$directory" ]; then say "writable $directory" yes; else say "writable $directory" no; fi
        fi
    done
}

first_line() {
    text=''
    if [ -r "$1" ]; then read -r text <"$1" || :; fi
    printf '%s' "$text"
}

# block<TAB>NAME<TAB>device mapper's name<TAB>its UUID<TAB>slaves; part<TAB>NAME<TAB>its disk.
blocks() {
    for device in /sys/class/block/*; do
        name=${device##*/}
        case $name in '*' | loop* | ram* | sr* | fd* | zram*) continue ;; esac
        slaves=''
        for slave in "$device"/slaves/*; do
            if [ -e "$slave" ] || [ -L "$slave" ]; then slaves="$slaves ${slave##*/}"; fi
        done
        mapped=''
        uuid=''
        if [ -r "$device/dm/name" ]; then read -r mapped <"$device/dm/name" || :; fi
        if [ -r "$device/dm/uuid" ]; then read -r uuid <"$device/dm/uuid" || :; fi
        say block "$name	$mapped	$uuid	$slaves"
        for part in "$device/$name"*/partition; do
            if [ -e "$part" ]; then
                part=${part%/partition}
                say part "${part##*/}	$name"
            fi
        done
    done
}

uuids() {
    if [ -d /dev/disk/by-uuid ]; then
        ls -l /dev/disk/by-uuid 2>/dev/null | awk '$(NF - 1) == "->" { sub(/^.*\//, "", $NF); print "uuid\t" $(NF - 2) "\t" $NF }'
    elif command -v blkid >/dev/null 2>&1; then
        blkid 2>/dev/null | sed -n 's/^\/dev\/\([^:]*\):\(.* \)\{0,1\} *UUID="\([^"]*\)".*$/\3 \1/p' | awk '{ print "uuid\t" $1 "\t" $2 }'
    fi
}

# Words root= and resume= of the boot loaders' settings.
grub() {
    set --
    for file in /boot/grub/menu.lst /boot/grub/grub.conf /boot/grub/grub.cfg /boot/grub2/grub.cfg /boot/grub2/grubenv \
        /boot/efi/EFI/*/grub.cfg /boot/efi/EFI/*/grub.conf /boot/efi/EFI/*/grubenv /boot/loader/entries/*.conf /etc/default/grub; do
        if [ -f "$file" ] && [ -r "$file" ]; then set -- "$@" "$file"; fi
    done
    if [ "$#" -eq 0 ]; then return 0; fi
    awk '/^[ \t]*#/ { next }
        { for (i = 1; i <= NF; i++) if ($i ~ /(^|["=\047])(root|resume)=/) { word = $i; gsub(/["\047]/, "", word); sub(/^.*root=/, "root=", word)
            sub(/^.*resume=/, "resume=", word); if (!((FILENAME, word) in seen)) { seen[FILENAME, word] = 1; print "grub\t" FILENAME "\t" word } } }' "$@"
}

# package<TAB>NAME<TAB>VERSION; packages tells the kind, package_database whether it is consistent.
packages() {
    if [ ! -e /etc/debian_version ] && command -v rpm >/dev/null 2>&1; then
        say packages rpm
        state=consistent
        listed=$(rpm -qa --qf '%{NAME}\t%{VERSION}-%{RELEASE}\n' lvm2 openssl openssh openssh-server 2>&1) || state="exit code $?"
        case $listed in *error:*) state=$(printf '%s\n' "$listed" | sed -n 's/^.*\(error:.*\)$/\1/p' | sed -n 1p) ;; esac
        printf '%s\n' "$listed" | awk -F'\t' 'NF == 2 { print "package\t" $1 "\t" $2 }'
        say package_database "$state"
    elif command -v dpkg-query >/dev/null 2>&1; then
        say packages dpkg
        dpkg-query -W -f='${Package}\t${Version}\t${Status}\n' lvm2 openssl openssh-server 2>/dev/null |
            awk -F'\t' '$3 == "install ok installed" { print "package\t" $1 "\t" $2 }'
        state=consistent
        said=$(dpkg --audit 2>&1) || state="exit code $?"
        if [ -n "$said" ]; then state=$(printf '%s\n' "$said" | sed -n 1p); fi
        say package_database "$state"
    fi
}

# Rules of the firewall that bear on inbound connections. Asked only when the kernel has them loaded already.
firewall() {
    if [ -d /sys/module/nf_tables ] && command -v nft >/dev/null 2>&1; then
        nft list ruleset 2>/dev/null | awk '/^table|chain |hook input|dport|accept|drop|reject|jump|goto|^[ \t]*}/ { print "nft\t" $0 }' | sed -n 1,400p
    fi
    if [ -d /sys/module/iptable_filter ] && command -v iptables >/dev/null 2>&1; then
        iptables -S 2>/dev/null | awk '{ print "iptables\t" $0 }' | sed -n 1,400p
    fi
}

selinux() {
    for file in /sys/fs/selinux/enforce /selinux/enforce; do
        if [ -r "$file" ]; then say selinux_enforcing "$(first_line "$file")"; fi
    done
    if [ -r /etc/selinux/config ]; then
        while IFS='=' read -r name value; do
            if [ "$name" = SELINUXTYPE ]; then say selinux_type "$value"; fi
        done </etc/selinux/config
    fi
}

cloud_init() {
    if [ -r /etc/cloud/cloud.cfg ] || command -v cloud-init >/dev/null 2>&1; then
        say cloud_init installed
        if [ -e /etc/cloud/cloud-init.disabled ]; then say cloud_init disabled; fi
    fi
}

# Whether sshd is started at boot; nothing where neither systemd nor another init is seen.
ssh_at_boot() {
    found=''
    if [ -d /run/systemd/system ]; then
        found=no
        set -- /etc/systemd/system/*.wants/ssh.service /etc/systemd/system/*.wants/sshd.service \
            /etc/systemd/system/*.wants/ssh.socket /etc/systemd/system/*.wants/sshd.socket
    elif [ -d /etc/rc3.d ] || [ -d /etc/init.d/rc3.d ] || [ -d /etc/init ]; then
        found=no
        set -- /etc/rc[235].d/S*ssh* /etc/init.d/rc[235].d/S*ssh* /etc/init/ssh.conf
    else
        return 0
    fi
    for file in "$@"; do
        if [ -e "$file" ] || [ -L "$file" ]; then found=yes; fi
    done
    say ssh_at_boot "$found"
}
