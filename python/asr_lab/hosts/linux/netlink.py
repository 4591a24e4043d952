"""The few requests to the kernel's routing socket that a simulated host needs; iproute2 may not be installed.

Layouts are those of rtnetlink(7). Everything here acts on the network namespace of the calling process.
"""

import os
import socket
import struct

RTM_NEWLINK, RTM_NEWADDR, RTM_NEWROUTE = 16, 20, 24
REQUEST, ACK, CREATE = 0x1, 0x4, 0x400
IFF_UP = 0x1
IFLA_IFNAME, IFLA_LINKINFO, IFLA_INFO_KIND = 3, 18, 1
IFA_ADDRESS, IFA_LOCAL = 1, 2
RTA_DST, RTA_OIF = 1, 4
SCOPE_GLOBAL, SCOPE_HOST = 0, 254
TABLE_LOCAL, PROTOCOL_BOOT, TYPE_LOCAL = 255, 3, 2


def add_interface(name: str) -> None:
    """Create a network card that leads nowhere. Raises OSError when the kernel has none of the usual kinds."""
    refusal: OSError | None = None
    for kind in ("dummy", "ifb", "bridge"):
        body = struct.pack("=BxHiII", socket.AF_UNSPEC, 0, 0, 0, 0)
        info = _attribute(IFLA_INFO_KIND, kind.encode())
        try:
            _ask(RTM_NEWLINK, CREATE, body + _attribute(IFLA_IFNAME, name.encode()) + _attribute(IFLA_LINKINFO, info))
        except OSError as error:
            refusal = error
        else:
            return
    raise refusal or OSError("no kind of network card")


def bring_up(name: str) -> None:
    """Switch the interface on."""
    _ask(RTM_NEWLINK, 0, struct.pack("=BxHiII", socket.AF_UNSPEC, 0, socket.if_nametoindex(name), IFF_UP, IFF_UP))


def add_address(name: str, address: str, prefix: int) -> None:
    """Give the interface an IPv4 address."""
    packed = socket.inet_aton(address)
    body = struct.pack("=BBBBI", socket.AF_INET, prefix, 0, SCOPE_GLOBAL, socket.if_nametoindex(name))
    _ask(RTM_NEWADDR, CREATE, body + _attribute(IFA_LOCAL, packed) + _attribute(IFA_ADDRESS, packed))


def add_local_route(network: str, prefix: int) -> None:
    """Let this host answer for every address of ``network`` without listing any of them as its own."""
    body = struct.pack(
        "=BBBBBBBBI", socket.AF_INET, prefix, 0, 0, TABLE_LOCAL, PROTOCOL_BOOT, SCOPE_HOST, TYPE_LOCAL, 0
    )
    loopback = struct.pack("=I", socket.if_nametoindex("lo"))
    _ask(RTM_NEWROUTE, CREATE, body + _attribute(RTA_DST, socket.inet_aton(network)) + _attribute(RTA_OIF, loopback))


def _attribute(kind: int, value: bytes) -> bytes:
    length = 4 + len(value)
    return struct.pack("=HH", length, kind) + value + b"\0" * (-length % 4)


def _ask(kind: int, flags: int, body: bytes) -> None:
    """Send one request and wait for the kernel's answer. Raises OSError with the kernel's errno."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel:
        kernel.bind((0, 0))
        kernel.send(struct.pack("=IHHII", 16 + len(body), kind, REQUEST | ACK | flags, 1, 0) + body)
        answer = kernel.recv(4096)
    code = -struct.unpack_from("=i", answer, 16)[0]
    if code:
        raise OSError(code, os.strerror(code))
