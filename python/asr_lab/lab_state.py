"""The lab's state directory: keys, secrets and settings, made by a fresh lab and kept by one that goes on.

world.state                    the simulated Azure (mode 0600); a lab that finds it goes on where it stood
ca.pem server.pem server.key   the lab's certificate authority and the certificate of all its servers
env                            the settings of a shell that talks to the lab (mode 0600)
secrets/                       one secret a file (mode 0600)
ssh/                           id_ed25519(.pub), id_rsa(.pub) of the login user, known_hosts
installers/                    Mobility service packages for Linux, SHA256SUMS
hosts/                         state of the simulated hosts; Linux hosts are made anew at each start
pid lab.log                    the running lab
"""

import os
import secrets
import shutil
import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import asyncssh

CLIENT_ID = "33333333-3333-4333-8333-333333333333"
SECRETS = (
    "windows_password",
    "azure_client_secret",
    "root_password",
    "mysql_root_password",
    "mysql_user_password",
    "aws_secret_access_key",
)
DIRECTORIES = ("secrets", "ssh", "hosts", "installers")
MADE_AT_EACH_START = ("installers",)


@dataclass(frozen=True)
class SshKeys:
    """The key that Linux hosts show, and the key that opens their login user; those of OpenSSH 5 know RSA keys only."""

    host: asyncssh.SSHKey
    client: asyncssh.SSHKey
    old_host: asyncssh.SSHKey
    old_client: asyncssh.SSHKey

    def authorized_key(self, *, old: bool) -> str:
        """Return the line of authorized_keys for the client's key."""
        return _public(self.old_client if old else self.client)


class State:
    """The state directory at ``directory`` (absolute)."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory.absolute()
        self.ca = self.directory / "ca.pem"
        self.server_certificate = self.directory / "server.pem"
        self.server_key = self.directory / "server.key"
        self.hosts = self.directory / "hosts"
        self.installers = self.directory / "installers"
        self.log = self.directory / "lab.log"
        self.pid = self.directory / "pid"
        self.environment = self.directory / "env"
        self.world = self.directory / "world.state"

    def prepare(self, *, keep: bool) -> None:
        """Make the directory; remove what the last lab left in it, or with ``keep`` what each start makes anew."""
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.directory.chmod(0o700)
        for name in DIRECTORIES:
            if not keep or name in MADE_AT_EACH_START:
                shutil.rmtree(self.directory / name, ignore_errors=True)
            (self.directory / name).mkdir(mode=0o700, exist_ok=True)

    def make_secrets(self) -> dict[str, str]:
        """Return the lab's secrets, each in a file of its own; those that are not there are made."""
        found: dict[str, str] = {}
        for name in SECRETS:
            path = self.directory / "secrets" / name
            if not path.exists():
                write_private(path, _mysql_password() if name.startswith("mysql") else _password())
            found[name] = path.read_text("utf-8")
        return found

    def make_ssh_keys(self, addresses: Iterable[str], port: int) -> SshKeys:
        """Return host keys and client keys, made when they are not there; write known_hosts for ``addresses``."""
        ssh = self.directory / "ssh"
        names = ("host_ed25519", "id_ed25519", "host_rsa", "id_rsa")
        keys = SshKeys(*(_key(ssh / name) for name in names))
        for name, key in (("id_ed25519", keys.client), ("id_rsa", keys.old_client)):
            (ssh / f"{name}.pub").write_text(_public(key) + "\n", "ascii")
        known = [f"[{a}]:{port} {_public(key)}\n" for a in addresses for key in (keys.host, keys.old_host)]
        (ssh / "known_hosts").write_text("".join(known), "ascii")
        return keys

    def write_environment(self, settings: Mapping[str, str]) -> None:
        """Write ``env``, to be read by a shell."""
        write_private(self.environment, "".join(f"export {name}={value}\n" for name, value in settings.items()))

    def read_environment(self) -> dict[str, str]:
        """Return the settings of ``env``; empty when no lab has run here."""
        try:
            lines = self.environment.read_text("utf-8").splitlines()
        except FileNotFoundError:
            return {}
        pairs = (line.removeprefix("export ").split("=", 1) for line in lines if "=" in line)
        return {pair[0]: pair[1] for pair in pairs}


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, from its first moment on."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        out.write(text)


def _public(key: asyncssh.SSHKey) -> str:
    """Return the public half as a line of authorized_keys."""
    return key.export_public_key().decode().strip()


def _key(path: Path) -> asyncssh.SSHKey:
    """Return the private key at ``path``, made when there is none; its name ends with its kind."""
    if not path.exists():
        kind = f"ssh-{path.name.rpartition('_')[2]}"
        write_private(path, asyncssh.generate_private_key(kind).export_private_key().decode())
    return asyncssh.import_private_key(path.read_text("ascii"))


def _password() -> str:
    """Return a password that meets Windows' rules of complexity and needs no quoting in a shell."""
    letters = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(20))
    return f"Lab-{letters}7z"


def _mysql_password() -> str:
    """Return a password as Unified Setup asks for one: 8 to 16 characters, with a letter, a digit and a sign like _."""
    return f"Lab_{''.join(secrets.choice(string.ascii_letters + string.digits) for _ in range(10))}7z"
