"""Who reaches whom in the simulated network: power, security groups, open ports, and what a test has blocked."""

import fnmatch
from collections.abc import Callable, Iterable, Sequence
from ipaddress import ip_address
from typing import Protocol


class Ec2(Protocol):
    """What the network needs to know of EC2."""

    def powered_on(self, address: str) -> bool:
        """Return whether an instance with this private address is running."""

    def permits(self, source: str, target: str, port: int) -> bool:
        """Return whether the target's security groups let the port in from ``source``."""


class Network:
    """TCP between the addresses of the estate. ``listens(address, port)`` says whether a server has the port open."""

    def __init__(self, ec2: Ec2, listens: Callable[[str, int], bool]) -> None:
        self._ec2 = ec2
        self._listens = listens
        self.blocked: list[tuple[str, str, str]] = []

    def connects(self, source: str, target: str, port: int) -> bool:
        """Return whether ``source`` reaches ``port`` of ``target``.

        ``target`` may be a name of the internet: web ports (80, 443) of any name answer, except below ``.invalid``,
        which never resolves (RFC 2606).
        """
        if not _is_address(target):
            resolves = not target.rstrip(".").lower().endswith(".invalid")
            return resolves and port in (80, 443) and not self._is_blocked(source, target, port)
        return (
            not self._is_blocked(source, target, port)
            and self._ec2.powered_on(target)
            and self._ec2.permits(source, target, port)
            and self._listens(target, port)
        )

    def block(self, ways: Iterable[Sequence[object]]) -> None:
        """Block exactly these ``[source, target, port]`` from now on; each part may be a pattern such as ``*``.

        Raises ValueError when a way has not three parts.
        """
        blocked = []
        for way in ways:
            if isinstance(way, str) or len(way) != 3:
                raise ValueError(f"block: {way!r} is not [source, target, port]")
            source, target, port = (str(part) for part in way)
            blocked.append((source, target, port))
        self.blocked = blocked

    def _is_blocked(self, source: str, target: str, port: int) -> bool:
        return any(
            fnmatch.fnmatch(source, from_) and fnmatch.fnmatch(target, to) and fnmatch.fnmatch(str(port), ports)
            for from_, to, ports in self.blocked
        )


def _is_address(target: str) -> bool:
    try:
        ip_address(target)
    except ValueError:
        return False
    return True
