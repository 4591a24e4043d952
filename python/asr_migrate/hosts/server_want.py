"""What the user wants of a server that becomes an appliance."""

from __future__ import annotations

from pydantic import Field, SecretStr

from asr_migrate.hosts.mobility_want import Installer
from asr_migrate.hosts.want import TimeService, Want


class ServerWant(Want):
    """What every server that becomes an appliance needs."""

    time_service: TimeService = TimeService.REQUIRED
    installer: Installer
    cores: int = Field(default=8, ge=1)
    #: GiB that must be free on the disk that is installed to
    install_free_gib: float = Field(default=5.0, ge=0)
    #: GiB that should be free there for the cache
    cache_free_gib: float = Field(default=600.0, ge=0)
    memory_mib: int | None = None
    memory_least_mib: int = 16 * 1024


class ConfigurationServerWant(ServerWant):
    """What Unified Setup is told."""

    installer: Installer = Installer(url="https://aka.ms/unifiedsetup")
    install_location: str = "D:\\"
    address: str | None = None
    mysql_root_password: SecretStr = SecretStr("")
    mysql_user_password: SecretStr = SecretStr("")
    vault_credentials: SecretStr = SecretStr("")
    skip_space_check: bool = False
    #: read the passphrase of the configuration server
    passphrase: bool = False


class ReplicationApplianceWant(ServerWant):
    """What the replication appliance's installer needs."""

    installer: Installer = Installer(url="https://aka.ms/V2ARcmApplianceCreationPowershellZip")
