"""TCP connections that a PowerShell session makes: Net.Sockets.TcpClient, and a proxy at the other end."""

import re
from dataclasses import dataclass

from asr_lab.hosts.windows.errors import PowerShellError
from asr_lab.hosts.windows.state import Host

_ADDRESS = re.compile(r"[0-9.]+")
_CONNECT = re.compile(rb"CONNECT ([^: ]+):(\d+) HTTP/1\.[01]\r\n")


@dataclass
class Attempt:
    """What BeginConnect gives: an attempt to connect, which is its own wait handle. ``reached`` says how it ends."""

    target: str
    port: int
    reached: bool


@dataclass
class TcpClient:
    """A Net.Sockets.TcpClient; ``peer`` is what it is connected with."""

    peer: Attempt | None = None


@dataclass
class Stream:
    """A connection's stream: what is at the other end, and what it has said and nobody has read yet."""

    peer: Attempt
    unread: bytes = b""


def call(host: Host, target: TcpClient | Attempt | Stream, name: str, arguments: list[object]) -> object:
    """Return what a member of a connection gives; ``name`` is in lower case.

    Raises PowerShellError. A port that does not answer is one that lets an attempt wait in vain.
    """
    first = arguments[0] if arguments else None
    match target, name, len(arguments):
        case Attempt(), "asyncwaithandle", 0:
            return target
        case Attempt(), "waitone", 2:
            return target.reached
        case TcpClient(), "connect", 2:
            target.peer = _ended(_attempt(host, arguments), "Connect", 2)
            return None
        case TcpClient(), "beginconnect", 4:
            return _attempt(host, arguments)
        case TcpClient(), "endconnect", 1 if isinstance(first, Attempt):
            target.peer = _ended(first, "EndConnect", 1)
            return None
        case TcpClient(peer=Attempt() as peer), "getstream", 0:
            return Stream(peer)
        case TcpClient(), "close", 0:
            return None
        case Stream(), "write", 3 if isinstance(first, bytearray):
            target.unread += _proxy(host, target.peer, bytes(first))
            return None
        case Stream(), "read", 3 if isinstance(first, bytearray):
            return _read(target, first, arguments[2])
    raise PowerShellError(f"The lab does not know a member named '{name}' of a connection.", "MethodNotFound")


def _attempt(host: Host, arguments: list[object]) -> Attempt:
    target, port = str(arguments[0]), arguments[1]
    if not isinstance(port, int):
        raise PowerShellError("Cannot convert the port to a number.", "MethodArgumentConversionInvalidCastArgument")
    if target in ("127.0.0.1", "localhost", *host.spec.description.addresses):
        return Attempt(target, port, port in host.condition.listening)
    if host.condition.proxy and not _ADDRESS.fullmatch(target):
        return Attempt(target, port, reached=False)
    return Attempt(target, port, host.uplink.connects(host.spec.address, target, port))


def _ended(attempt: Attempt, method: str, count: int) -> Attempt:
    if not attempt.reached:
        raise PowerShellError(
            f'Exception calling "{method}" with "{count}" argument(s): "No connection could be made because the target '
            f'machine actively refused it {attempt.target}:{attempt.port}"',
            "SocketException",
        )
    return attempt


def _proxy(host: Host, peer: Attempt, said: bytes) -> bytes:
    """Return what a proxy answers to CONNECT; whatever else listens there does not understand it."""
    wanted = _CONNECT.match(said)
    if wanted is None:
        return b"HTTP/1.1 400 Bad Request\r\n\r\n"
    if (host.condition.proxy or {}).get("user"):
        return b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"
    name, port = wanted.group(1).decode(), int(wanted.group(2))
    reached = host.uplink.connects(peer.target, name, port)
    return b"HTTP/1.1 200 Connection established\r\n\r\n" if reached else b"HTTP/1.1 502 Bad Gateway\r\n\r\n"


def _read(stream: Stream, buffer: bytearray, most: object) -> int:
    count = min(len(stream.unread), len(buffer), most if isinstance(most, int) else 0)
    buffer[:count], stream.unread = stream.unread[:count], stream.unread[count:]
    return count
