"""What a Windows host of the lab needs of the world around it; the lab that starts the hosts fulfils it."""

from typing import Protocol

from asr_lab.arm.estate import HostDescription


class Uplink(Protocol):
    """Site Recovery, the network and the internet, as one host sees them. Addresses are those of the estate
    (10.20.a.b).
    """

    def register_configuration_server(
        self, vault_credentials_xml: bytes, host: HostDescription, passphrase: str
    ) -> None:
        """Register a configuration server with the vault of a key. Raises RegistrationRefused."""

    def register_mobility(self, server_address: str, passphrase: str, host: HostDescription) -> None:
        """Register a machine with a configuration server. Raises RegistrationRefused."""

    def appliance_installed(self, host: HostDescription) -> None:
        """Take note that DRInstaller.ps1 ended well: a person can now register the appliance in its web page."""

    def connects(self, source: str, target: str, port: int) -> bool:
        """Return whether a TCP connection from ``source`` to ``target`` succeeds."""

    def powered_on(self, address: str) -> bool:
        """Return whether the machine at ``address`` runs (in EC2)."""

    def download(self, url: str) -> bytes | None:
        """Return what the internet answers for ``url``, or None when its name does not resolve."""
