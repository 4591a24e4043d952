"""Kinds of simulated Linux distributions: to which of them something can happen."""

from asr_lab.hosts.linux.flavour import Flavour


def everywhere(_: Flavour) -> bool:
    """Every distribution can be broken so."""
    return True


def has_boot(flavour: Flavour) -> bool:
    """Whether /boot is a file system of its own."""
    return "/boot" in flavour.mounts


def has_uefi(flavour: Flavour) -> bool:
    """Whether it boots by UEFI."""
    return "/boot/efi" in flavour.mounts


def sample(flavour: Flavour) -> bool:
    """Whether it is among those on which a rule is broken in a second way as well: one of each family."""
    return flavour.installer_os in ("RHEL6-64", "RHEL9-64", "OL8-64", "UBUNTU-22.04-64", "DEBIAN8-64", "SLES15-64")


def is_el6(flavour: Flavour) -> bool:
    """Whether the probe looks into its initial RAM disk."""
    return ".el6." in flavour.kernel


def boots_by_bios(flavour: Flavour) -> bool:
    """Whether the installer looks into the boot loader's file."""
    return not has_uefi(flavour)


def takes_a_named_package(flavour: Flavour) -> bool:
    """Whether the documentation names the installer of the system, so that nothing is said about its name."""
    return flavour.installer_os in ("RHEL8-64", "OL8-64", "SLES12-64", "UBUNTU-20.04-64")


def has_grub_defaults(flavour: Flavour) -> bool:
    """Whether GRUB 2's settings are there."""
    return "/etc/default/grub" in flavour.files


def has_selinux(flavour: Flavour) -> bool:
    """Whether SELinux is enforcing."""
    return flavour.selinux
