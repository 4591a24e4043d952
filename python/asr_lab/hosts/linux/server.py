"""SSH for the simulated Linux hosts: one listener per host, sessions run inside the host's namespaces.

Runs an asyncio loop in a thread of its own. A stopped machine, or one whose sshd is stopped, drops the connection.
A host whose flavour has OpenSSH 5 offers what that version had, and nothing newer.
"""

import asyncio
import os
import threading
import warnings
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import asyncssh

from asr_lab.hosts.linux.host import LinuxHost
from asr_lab.hosts.linux.passwords import password_matches
from asr_lab.hosts.linux.sandbox import Session
from asr_lab.hosts.linux.tree import LOGIN_USER

ROOT_LOGIN_WITH_KEY = ("yes", "prohibit-password", "without-password")
VERSION, OLD_VERSION = "OpenSSH_lab", "OpenSSH_5.3"
#: What OpenSSH 5.3 knows of what today's clients can still be asked for (its manual pages sshd_config(5), ssh(1)).
OLD_ALGORITHMS = {
    "kex_algs": (
        "diffie-hellman-group-exchange-sha1",
        "diffie-hellman-group14-sha1",
        "diffie-hellman-group1-sha1",
    ),
    "encryption_algs": ("aes128-ctr", "aes192-ctr", "aes256-ctr", "aes128-cbc", "3des-cbc", "aes192-cbc", "aes256-cbc"),
    "mac_algs": ("hmac-md5", "hmac-sha1", "hmac-sha1-96", "hmac-md5-96"),
    "signature_algs": ("ssh-rsa",),
}


@dataclass(frozen=True)
class FrontKeys:
    """The key that a host shows, and the key that opens its login user."""

    host: asyncssh.SSHKey
    client: asyncssh.SSHKey


class SshFront:
    """The SSH servers of all Linux hosts. ``loopback`` maps an estate address to the address to listen on."""

    def __init__(
        self,
        hosts: Sequence[LinuxHost],
        *,
        loopback: Callable[[str], str],
        port: int,
        keys: FrontKeys,
        old_keys: FrontKeys,
        servers: Sequence[str],
    ) -> None:
        self._hosts = hosts
        self._loopback = loopback
        self._port = port
        self._keys = keys
        self._old_keys = old_keys
        self._servers = servers
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="linux-hosts", daemon=True)
        self._listeners: list[asyncssh.SSHAcceptor] = []
        self._pipes: list[int] = []

    def start(self) -> None:
        """Open port 2222 of every host. Raises OSError when one is taken."""
        warnings.filterwarnings("ignore", "Diffie-Hellman over finite fields")  # old hosts have nothing better
        self._thread.start()
        try:
            self._call(self._open())
        except OSError:
            self.stop()
            raise

    def stop(self) -> None:
        """Close every port and end the sessions."""
        self._call(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=5)

    def renew(self) -> None:
        """Listen to the hosts' requests again, after they were built anew."""
        self._call(self._watch_requests())

    def _call(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=20)

    async def _open(self) -> None:
        for host in self._hosts:
            old = host.flavour.old_openssh
            keys = self._old_keys if old else self._keys
            listener = await asyncssh.create_server(
                partial(_Door, host, keys.client),
                self._loopback(host.machine.address),
                self._port,
                server_host_keys=[_shown(keys.host, old=old)],
                server_version=OLD_VERSION if old else VERSION,
                process_factory=partial(self._session, host),
                encoding=None,
                line_editor=False,
                reuse_address=True,
                agent_forwarding=False,
                **(OLD_ALGORITHMS if old else {}),
            )
            self._listeners.append(listener)
        await self._watch_requests()

    async def _close(self) -> None:
        for listener in self._listeners:
            listener.close()
        self._forget_requests()

    async def _watch_requests(self) -> None:
        self._forget_requests()
        for host in self._hosts:
            pipe = host.sandbox.open_requests()
            self._pipes.append(pipe)
            self._loop.add_reader(pipe, self._take_requests, host, pipe)

    def _forget_requests(self) -> None:
        for pipe in self._pipes:
            self._loop.remove_reader(pipe)
            os.close(pipe)
        self._pipes.clear()

    def _take_requests(self, host: LinuxHost, pipe: int) -> None:
        """Answer programs of the host that ask the lab for something; a line is shorter than a pipe's atomic write."""
        for line in os.read(pipe, 65536).decode(errors="replace").splitlines():
            self._loop.run_in_executor(None, _answer, host, line)

    async def _session(self, host: LinuxHost, process: "asyncssh.SSHServerProcess[bytes]") -> None:
        """Run one command (or a shell) of a client inside the host."""
        await asyncio.to_thread(host.refresh_ports, self._servers)
        user = process.get_extra_info("username")
        inside = await asyncio.create_subprocess_exec(
            *host.sandbox.argv(Session(user), process.command or "exec /bin/sh"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        feed = asyncio.create_task(_pump(process.stdin, inside.stdin, close=True))
        gone = asyncio.create_task(process.channel.wait_closed())
        outputs = asyncio.create_task(_pump_both(inside, process))
        await asyncio.wait([outputs, gone], return_when=asyncio.FIRST_COMPLETED)
        if gone.done():
            with suppress(ProcessLookupError):
                inside.kill()
        code = await inside.wait()
        await outputs
        feed.cancel()
        gone.cancel()
        process.exit(code if code >= 0 else 128 - code)


class _Door(asyncssh.SSHServer):
    """Who may come in: the login user and root, each as the host's own sshd_config has it."""

    def __init__(self, host: LinuxHost, client_key: asyncssh.SSHKey) -> None:
        self._host = host
        self._client_key = client_key

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        """Drop the connection when the machine is off or runs no sshd."""
        if not self._host.running or not self._host.service_running("sshd"):
            conn.abort()

    def public_key_auth_supported(self) -> bool:
        """Return True."""
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        """Whether this key opens this account."""
        if username == "root" and self._root_login not in ROOT_LOGIN_WITH_KEY:
            return False
        return username in ("root", LOGIN_USER) and key.public_data == self._client_key.public_data

    def password_auth_supported(self) -> bool:
        """Whether sshd_config allows passwords."""
        return self._host.sshd_setting("passwordauthentication") == "yes"

    def validate_password(self, username: str, password: str) -> bool:
        """Whether this is the password of the account."""
        if username == "root" and self._root_login != "yes":
            return False
        return password_matches(self._host.password_field(username), password)

    @property
    def _root_login(self) -> str | None:
        return self._host.sshd_setting("permitrootlogin")


def _shown(key: asyncssh.SSHKey, *, old: bool) -> asyncssh.SSHKeyPair:
    """Return the host key as the server offers it: an old one with signatures of SHA-1 alone."""
    (pair,) = asyncssh.load_keypairs([key])
    if old:
        pair.host_key_algorithms = (b"ssh-rsa",)
    return pair


def _answer(host: LinuxHost, line: str) -> None:
    """Answer one request of a host's program: ``register``, answer pipe, server, port, passphrase, tab separated."""
    _, pipe, server, port, passphrase = line.split("\t", 4)
    code, message = host.register(server, int(port), passphrase)
    host.sandbox.answer(pipe, f"{code}\t{message}\n")


async def _pump_both(inside: asyncio.subprocess.Process, process: "asyncssh.SSHServerProcess[bytes]") -> None:
    await asyncio.gather(_pump(inside.stdout, process.stdout), _pump(inside.stderr, process.stderr))


async def _pump(source: Any, target: Any, close: bool = False) -> None:
    """Copy bytes until the end of ``source`` or until ``target`` is gone."""
    with suppress(BrokenPipeError, ConnectionResetError, asyncssh.Error, asyncssh.BreakReceived):
        while data := await source.read(65536):
            target.write(data)
            await target.drain()
    if close:
        target.close()
