"""What the user says about the Mobility service and about installers."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Self

from pydantic import Field, SecretStr, model_validator

from asr_migrate.domain.errors import InputError
from asr_migrate.hosts import config_json, urls
from asr_migrate.hosts import mobility_packages as packages
from asr_migrate.hosts.strict import Strict

#: Mobility service installers before this version know no choice of architecture (Site Recovery documentation, 9.55).
FIRST_VERSION_WITH_CS_TYPE = (9, 55)


class Architecture(StrEnum):
    """Whose agent it is; ``none`` leaves the Mobility service alone."""

    NONE = "none"
    CLASSIC = "classic"
    MODERNIZED = "modernized"
    MIGRATE_CLASSIC = "migrate_classic"


class Method(StrEnum):
    """How the agent gets onto the machine: the appliance pushes it, or we install it by hand."""

    PUSH = "push"
    MANUAL = "manual"


class State(StrEnum):
    """What is to become of the agent; ``upgraded`` leaves machines alone that have none."""

    PRESENT = "present"
    UPGRADED = "upgraded"
    ABSENT = "absent"
    UNCONFIGURED = "unconfigured"


class Installer(Strict):
    """Where an installer comes from: a URL that the host fetches, a file on the host, or a file on the controller.

    ``sha256`` is checked on the host; it is required for http, which proves nothing by itself.
    """

    url: str | None = None
    path: str | None = None
    file: str | None = None
    sha256: str | None = Field(default=None, pattern="^[0-9a-fA-F]{64}$")
    version: str | None = None

    @property
    def problem(self) -> InputError | None:
        """What is wrong with the place, or None."""
        shown = self.url and urls.shown(self.url)
        given = [place for place in (shown, self.path, self.file) if place]
        if len(given) != 1:
            return InputError(
                "want installer",
                given or "(not given)",
                "needs exactly one of url, path and file",
                remedy="Give url (the host fetches it), path (it is on the host) or file (it is on the controller).",
            )
        if self.url and not self.url.lower().startswith("https://") and not self.sha256:
            return InputError(
                "want installer.url", shown, "is not https and has no sha256", remedy="Give sha256, or an https URL."
            )
        return None

    @property
    def place(self) -> str:
        """Where the installer is, for messages: a URL without what may be a key; empty when nothing was given."""
        return (self.url and urls.shown(self.url)) or self.path or self.file or ""

    @property
    def file_name(self) -> str:
        """The last part of the place."""
        return urls.file_name(self.url) if self.url else re.split(r"[\\/]", self.place)[-1]

    @property
    def secrets(self) -> tuple[str, ...]:
        """What of the URL must appear in no message."""
        return urls.keys(self.url)

    @property
    def offered(self) -> packages.Version | None:
        """The version that it installs, as given or by its name; None when nobody says."""
        return packages.number(self.version or packages.version_of(self.file_name))

    @property
    def knows_cs_type(self) -> bool:
        """Whether this installer takes the choice between CSLegacy and CSPrime; without a version, yes."""
        return self.offered is None or self.offered[:2] >= FIRST_VERSION_WITH_CS_TYPE


class Repository(Strict):
    """A place that holds the installers of all systems, under their own names.

    ``url`` is the address before the name (the host fetches it; a query stays behind the name, such as the key of a
    container), ``path`` a directory on the host, ``directory`` one on the controller. ``files`` are the names that are
    there: the newest one of the architecture is taken, or that of ``version``. Without them the name is made of
    ``version`` and ``released`` (``9.59.0.0`` and ``15Mar2024``). ``sha256`` are digests by file name or by tag
    (``RHEL8-64``).
    """

    url: str | None = None
    path: str | None = None
    directory: str | None = None
    version: str | None = None
    released: str | None = None
    files: tuple[str, ...] = ()
    sha256: dict[str, str] = Field(default_factory=dict)

    @property
    def given(self) -> bool:
        """Whether there is a repository at all."""
        return bool(self.place)

    @property
    def place(self) -> str:
        """Where the installers are, for messages: a URL without what may be a key; empty when nothing was given."""
        return (self.url and urls.shown(self.url)) or self.path or self.directory or ""

    @property
    def secrets(self) -> tuple[str, ...]:
        """What of the URL must appear in no message."""
        return urls.keys(self.url)

    def name_for(self, package: packages.Package, *, classic: bool) -> str | None:
        """Return the name of a system's installer; None when the repository holds none or does not say its version."""
        if self.files:
            names = [name for name in self.files if not self.version or packages.version_of(name) == self.version]
            return packages.newest(names, package.tag, classic=classic)
        if not self.version or not self.released:
            return None
        return package.file_name(self.version, self.released)

    def installer_for(self, package: packages.Package, *, classic: bool) -> Installer | None:
        """Return a system's installer; None as ``name_for``."""
        name = self.name_for(package, classic=classic)
        if name is None:
            return None
        digest = self.sha256.get(name) or self.sha256.get(package.tag)
        if self.url:
            return Installer(url=urls.below(self.url, name), sha256=digest)
        if self.path:
            return Installer(path=self.path.rstrip("/\\") + ("\\" if "\\" in self.path else "/") + name, sha256=digest)
        return Installer(file=f"{(self.directory or '').rstrip('/')}/{name}", sha256=digest)


class Mobility(Strict):
    """The Mobility service: whose agent, how it gets onto the machine, and what is to become of it.

    By hand, ``classic`` and ``migrate_classic`` register with ``passphrase``; ``modernized`` with ``source_config``,
    the text of the config.json that the appliance's page gives, without which the agent is installed and waits.
    ``move`` takes an agent away from another server, ``upgrade`` replaces an older version.
    """

    architecture: Architecture = Architecture.NONE
    method: Method = Method.MANUAL
    state: State = State.PRESENT
    installer: Installer = Installer()
    repository: Repository = Repository()
    appliance_address: str | None = None
    passphrase: SecretStr = SecretStr("")
    source_config: SecretStr = SecretStr("")
    credential_less: bool | None = None
    move: bool = False
    upgrade: bool = False
    install_dir: str | None = None

    @model_validator(mode="after")
    def _knows_where(self) -> Self:
        if self.method is Method.PUSH and self.architecture is Architecture.MIGRATE_CLASSIC:
            raise ValueError(
                "method push with architecture migrate_classic: the classic replication appliance of Azure Migrate "
                "pushes no agent to AWS or physical machines; use method manual"
            )
        if self.by_hand and not self.appliance_address and self.architecture is not Architecture.MODERNIZED:
            raise ValueError(f"architecture {self.architecture} needs appliance_address, the configuration server's")
        return self

    @property
    def by_hand(self) -> bool:
        """Whether there is something to install by hand."""
        wanted = self.architecture is not Architecture.NONE and self.method is Method.MANUAL
        return wanted and self.state is State.PRESENT

    @property
    def server_addresses(self) -> tuple[str, ...]:
        """The addresses of the wanted server, in lower case: the one that was given, and those in the config.json."""
        given = (self.appliance_address, *config_json.addresses(self.source_config.get_secret_value()))
        return tuple(dict.fromkeys(one.lower() for one in given if one))

    @property
    def upgrades(self) -> bool:
        """Whether an older version is replaced."""
        return self.upgrade or self.state is State.UPGRADED

    @property
    def cs_type(self) -> str:
        """What the installers call the architecture."""
        return "CSPrime" if self.architecture is Architecture.MODERNIZED else "CSLegacy"

    @property
    def waits(self) -> bool:
        """Whether the agent is to be installed only, because a person still has to fetch its config.json."""
        modernized = self.by_hand and self.architecture is Architecture.MODERNIZED
        return modernized and not self.source_config.get_secret_value().strip()

    def check_push(self, push: bool) -> None:
        """Raise ValueError when the host is to be prepared for a push that is not possible or not wanted."""
        if push and self.architecture is Architecture.MIGRATE_CLASSIC:
            raise ValueError(
                "push with architecture migrate_classic: the classic replication appliance of Azure Migrate pushes no "
                "agent to AWS or physical machines; install by hand"
            )
        if push and self.by_hand:
            raise ValueError("push and mobility.method manual exclude each other; choose one")
