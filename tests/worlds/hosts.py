"""Machines outside Azure, as Site Recovery is told of them."""

from ipaddress import IPv4Address

from asr_lab.arm.estate import HostDescription, HostDisk

GIB = 1024**3


def host(
    name: str,
    address: str,
    number: int | None = None,
    *,
    windows: bool = True,
    agent: str | None = None,
    cores: int = 2,
    memory_mb: int = 4096,
) -> HostDescription:
    """Return a machine with one disk of 40 GiB; ``agent`` is the version of its Mobility service.

    ``number`` makes its identity and its MAC address; without one its address does.
    """
    number = int(IPv4Address(address)) if number is None else number
    guid = f"00000000-0000-4000-8000-{number:012d}"
    return HostDescription(
        host_id=guid,
        host_name=name,
        addresses=(address,),
        os_type="Windows" if windows else "Linux",
        os_name="Windows Server 2022" if windows else "Red Hat Enterprise Linux 8.8",
        disks=(HostDisk(r"\\.\PHYSICALDRIVE0" if windows else "/dev/xvda", 40 * GIB, True),),
        bios_id=guid.upper(),
        mac=f"0a:00:{number.to_bytes(4).hex(':')}",
        firmware="BIOS",
        cores=cores,
        memory_mb=memory_mb,
        agent_version=agent,
    )
