"""Rules about the system of a Linux source: kernel, packages, programs, clock, as data."""

from __future__ import annotations

import re

from asr_migrate.domain.readiness_rule import Severity
from asr_migrate.hosts import linux_cloud, linux_kernels
from asr_migrate.hosts.linux_facts import MACHINES_64
from asr_migrate.hosts.linux_rule import MATRIX, PUSH, HostRule, Subject, Values, not_installed, to_run, when
from asr_migrate.hosts.linux_script import WORK_DIRECTORY
from asr_migrate.hosts.want import TimeService

RUNLEVELS = "235"
#: Systems, the DHCP client that the installer asks for, and the package with it (its published prerequisite checks).
#: Release 10 of Red Hat's systems has no dhclient any more; that NetworkManager is enough there is derived.
DHCP_CLIENTS = (
    (r"SUSE Linux Enterprise Server 11", "dhcpcd", "dhcpcd"),
    (r"SUSE Linux Enterprise Server 12", "dhclient", "dhcp-client"),
    (r"SUSE", "wicked", "wicked"),
    (r"Ubuntu|Debian", "dhclient", "isc-dhcp-client"),
    (r"(Red Hat|Rocky|Oracle|Alma).* 10\b", "NetworkManager", "NetworkManager"),
    (r"(Red Hat|Rocky|Oracle|Alma|CentOS).* [89]\b", "dhclient", "dhcp-client"),
    (r"", "dhclient", "dhclient"),
)
SHELL = "mount(8) and sh(1)"
#: What the probe says of a package manager's database that is in order.
CONSISTENT = "consistent"


def _host_name(s: Subject) -> Values | None:
    return when(s.seen.host_name.split(".")[0] in ("", "localhost", "(none)"), what=s.seen.host_name or "empty")


def _kernel(s: Subject) -> Values | None:
    found = linux_kernels.judge(s.seen.os_name, s.seen.boot.kernel)
    if s.seen.boot.kernel in s.want.kernels or not (found.refused or found.doubtful):
        return None
    why = {
        linux_kernels.Known.NOT_STOCK: "which is no kernel that Site Recovery's driver is made for",
        linux_kernels.Known.TOO_OLD: "which is too old for Site Recovery's driver",
        linux_kernels.Known.TOO_NEW: "which is newer than the newest that is known here to be supported",
    }.get(found.known, "of which it is not known here whether it is supported")
    return {
        "kernel": s.seen.boot.kernel,
        "os": s.seen.os_name,
        "why": why,
        "listed": found.listed,
        "warn": found.doubtful,
    }


def _acpi(s: Subject) -> Values | None:
    found = [word for word in s.seen.boot.command_line if word in ("acpi=0", "acpi=off")]
    return when(bool(found), word=" ".join(found))


def _later_cloud_file(s: Subject) -> Values | None:
    path = linux_cloud.overriding(s.seen.files)
    return when(bool(path and s.seen.cloud_init and s.want.cloud_init), path=path)


def _dhcp_client(s: Subject) -> Values | None:
    client, package = next(row[1:] for row in DHCP_CLIENTS if re.match(row[0], s.seen.os_name))
    others = [name for name in s.seen.dhcp_clients if name != client]
    said = f"no DHCP client but {', '.join(others)}" if others else "no DHCP client"
    return when(client not in s.seen.dhcp_clients, said=said, client=client, package=package, warn=bool(others))


def _lacks_lvm(s: Subject) -> Values | None:
    packages = s.seen.packages
    return when(packages.database == CONSISTENT and "lvm2" not in packages.versions)


def _database(s: Subject) -> Values | None:
    packages = s.seen.packages
    repair = {"rpm": "rpm --rebuilddb", "dpkg": "dpkg --configure -a"}.get(packages.kind, "")
    return when(packages.database not in ("", CONSISTENT), kind=packages.kind, said=packages.database, repair=repair)


def _time_service(s: Subject) -> Values | None:
    return when(s.want.time_service is TimeService.REQUIRED and not s.seen.time_service)


RULES: tuple[HostRule, ...] = (
    HostRule(
        id="linux.architecture",
        broken=lambda s: when(s.seen.machine in MACHINES_64[1:], machine=s.seen.machine),
        text="{name} has a {machine} processor; the Mobility service is made for x86_64 only",
        remedy="Move its workload to an x86_64 machine before replicating it.",
        source="Site Recovery documentation, installer files of the Mobility service",
    ),
    HostRule(
        id="linux.host-name",
        broken=_host_name,
        text="the host name is '{what}'; the Mobility service registers by it",
        remedy="Give the host a name of its own (hostnamectl set-hostname, or /etc/sysconfig/network).",
    ),
    HostRule(
        id="linux.secure-boot",
        broken=lambda s: when(s.seen.boot.secure),
        text="{name} booted with Secure Boot, under which the Mobility service's driver is not loaded",
        remedy="Turn Secure Boot off in the instance's UEFI settings, boot, and check with mokutil --sb-state.",
    ),
    HostRule(
        id="linux.kernel",
        applies=not_installed,
        broken=_kernel,
        text="{name} ({os}) runs the kernel {kernel}, {why}; the support matrix lists {listed}",
        remedy="Install and boot a kernel of the distribution that the matrix lists (on Ubuntu linux-image-generic, no "
        "-aws kernel); if your Mobility service's version supports {kernel}, name it in source_linux_kernels.",
        source=MATRIX,
    ),
    HostRule(
        id="linux.kernel-modules",
        applies=not_installed,
        broken=lambda s: when(not s.seen.boot.modules, kernel=s.seen.boot.kernel),
        text="{name} has no directory /lib/modules/{kernel} for the kernel that it runs",
        remedy="Reboot into the installed kernel, or install the modules of {kernel} again.",
    ),
    HostRule(
        id="linux.initrd",
        applies=not_installed,
        broken=lambda s: when(
            s.seen.boot.storvsc in ("no", "unknown"),
            said="lacks hv_storvsc" if s.seen.boot.storvsc == "no" else "could not be read, to look for hv_storvsc",
            kernel=s.seen.boot.kernel,
            warn=s.seen.boot.storvsc == "unknown",
        ),
        text="the initial RAM disk of {name} {said}, without which it finds no disk in Azure",
        remedy="Run dracut -f --add-drivers 'hv_vmbus hv_storvsc hv_netvsc' /boot/initramfs-{kernel}.img {kernel} "
        "(release 5: mkinitrd --preload=hv_storvsc -f), after installing the Linux Integration Services.",
    ),
    HostRule(
        id="linux.acpi",
        broken=_acpi,
        text="{name} booted with {word}; without ACPI it does not start in Azure",
        remedy="Take {word} out of the kernel's command line (/etc/default/grub, then grub2-mkconfig or update-grub; "
        "or /boot/grub/grub.conf) and reboot.",
    ),
    HostRule(
        id="linux.dhcp-client",
        broken=_dhcp_client,
        text="{name} has {said}; the Mobility service's installer asks for {client}, and the Azure VM gets its address "
        "by DHCP",
        remedy="Install the package {package}; it need not be the one that sets up the network.",
    ),
    HostRule(
        id="linux.c-locale",
        applies=not_installed,
        broken=lambda s: when(s.seen.c_locale is False),
        text="{name} does not have the locale C, which the Mobility service's installer asks for (locale -a)",
        remedy="Reinstall the C library's locales (glibc-common, glibc-locale or locales).",
    ),
    HostRule(
        id="linux.work-noexec",
        applies=to_run,
        broken=lambda s: when(bool(s.seen.work_noexec), mount=s.seen.work_noexec, directory=WORK_DIRECTORY),
        text="{mount} of {name} is mounted with noexec; the installer is unpacked to {directory} and run from there",
        remedy="Run mount -o remount,exec {mount} until the Mobility service is installed.",
        source=SHELL,
    ),
    HostRule(
        id="linux.runlevel",
        applies=not_installed,
        broken=lambda s: when(
            s.seen.boot.runlevel.isdigit() and s.seen.boot.runlevel not in RUNLEVELS, level=s.seen.boot.runlevel
        ),
        text="{name} is in runlevel {level}; the Mobility service is installed in 2, 3 or 5 only",
        remedy="Bring it to its usual state (telinit 3, or systemctl isolate multi-user.target), then run again.",
    ),
    HostRule(
        id="linux.lvm2",
        applies=not_installed,
        broken=_lacks_lvm,
        text="{name} has no package lvm2, which the Mobility service's installer asks for",
        remedy="Install lvm2 (yum, zypper or apt-get install lvm2); it need not be used.",
    ),
    HostRule(
        id="linux.package-database",
        applies=not_installed,
        broken=_database,
        text="the {kind} database of {name} is not consistent: {said}",
        remedy="Run {repair}, then check that the package manager answers.",
    ),
    HostRule(
        id="linux.openssl",
        severity=Severity.WARNING,
        applies=not_installed,
        broken=lambda s: when(not s.seen.openssl and "openssl" not in s.seen.packages.versions),
        text="{name} has no openssl, with which the Mobility service makes its certificate",
        remedy="Install the distribution's current openssl.",
        source=PUSH,
    ),
    HostRule(
        id="linux.python",
        severity=Severity.WARNING,
        broken=lambda s: when(not s.seen.python),
        text="{name} has no Python; the Azure guest agent, which needs 2.6 or newer, is not installed at failover",
        remedy="Install the distribution's python package, or do without the guest agent.",
        source=PUSH,
    ),
    HostRule(
        id="linux.time-service",
        broken=_time_service,
        text="{name} keeps its clock with no time service: no ntpd, chronyd or systemd-timesyncd runs",
        remedy="Install and start chrony or ntp.",
    ),
    HostRule(
        id="linux.cloud-init",
        severity=Severity.WARNING,
        broken=_later_cloud_file,
        text="{path} of {name} names EC2 as a source of cloud-init's data and is read after our file",
        remedy="Take Ec2 out of the datasource_list of {path}, or rename it to come before 99-asr-migrate.cfg.",
        source="Azure Migrate tutorial for AWS instances",
    ),
)
