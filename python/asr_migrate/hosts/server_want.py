"""What the user wants of a server that becomes an appliance."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr

from asr_migrate.hosts.mobility_want import Installer
from asr_migrate.hosts.strict import Strict
from asr_migrate.hosts.want import TimeService, Want


class Proxy(Strict):
    """An HTTP proxy between the server and Azure; with a ``user`` it asks for a password.

    ``file_form`` is how Unified Setup's file of proxy settings is written: as its ``documented`` example is (``Proxy
    IP``, the address alone), or as its ``published_source`` reads it (``ProxyIP``, a URL).
    """

    address: str = Field(min_length=1)
    port: int = Field(ge=1, le=65535)
    user: str | None = None
    password: SecretStr = SecretStr("")
    file_form: Literal["documented", "published_source"] = "documented"

    @property
    def url(self) -> str:
        """The proxy as a URL, without user and password."""
        return f"http://{self.address}:{self.port}"


class ServerWant(Want):
    """What every server that becomes an appliance needs."""

    time_service: TimeService = TimeService.REQUIRED
    installer: Installer
    #: logical processors, and physical ones (0: not counted)
    cores: int = Field(default=8, ge=1)
    physical_cores: int = Field(default=0, ge=0)
    memory_gib: float = Field(default=16.0, ge=0)
    #: GiB that must be free on the disk that is installed to
    install_free_gib: float = Field(default=5.0, ge=0)
    #: GiB that should be free there for the cache
    cache_free_gib: float = Field(default=600.0, ge=0)
    #: the appliance's address as the sources know it
    address: str | None = None
    proxy: Proxy | None = None
    #: whether the host names of Site Recovery must be reached; by pattern, the name to try, None for none
    check_urls: bool = True
    urls: dict[str, str | None] = Field(default_factory=dict)
    #: the host names of Azure Government
    government: bool = False


class ConfigurationServerWant(ServerWant):
    """What Unified Setup is told."""

    installer: Installer = Installer(url="https://aka.ms/unifiedsetup")
    install_location: str = "D:\\"
    mysql_root_password: SecretStr = SecretStr("")
    mysql_user_password: SecretStr = SecretStr("")
    vault_credentials: SecretStr = SecretStr("")
    skip_space_check: bool = False
    bypass_proxy: bool = False
    #: restart once after Unified Setup, which ends with a restart
    restart: bool = True
    #: read the passphrase of the configuration server
    passphrase: bool = False
    #: register once more with ``vault_credentials``; with another vault that stops all protection
    register_again: Literal["no", "same_vault", "other_vault"] = "no"


class ReplicationApplianceWant(ServerWant):
    """What the replication appliance's installer needs."""

    installer: Installer = Installer(url="https://aka.ms/V2ARcmApplianceCreationPowershellZip")
    #: DRInstaller.ps1 counts these
    physical_cores: int = Field(default=8, ge=0)
