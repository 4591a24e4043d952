"""The person at the appliance: what Microsoft leaves to a human of the modernized architecture, played in virtual time.

After DRInstaller has run on the appliance, the person registers it with the vault in its web page, then types in the
address and the account of every machine of the wave (Site Recovery documentation, "Deploy the replication appliance").
What is not ready yet is tried again later.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from asr_lab.arm.estate import HostDescription, RegistrationRefused
from asr_lab.arm.world import World

REGISTRATION_S = 20 * 60.0
RETRY_S = 5 * 60.0
ACCOUNTS = {"Windows": ("windows-admin", "WindowsServer"), "Linux": ("linux-root", "LinuxServer")}


@dataclass(frozen=True)
class SiteRecovery:
    """The two things that the appliance's web page does."""

    register_appliance: Callable[..., object]
    add_physical_server: Callable[..., object]


class Person:
    """Somebody who operates the appliances. ``addresses`` are the machines of the wave, ``vault`` the vault's name.

    ``powered_on`` tells whether a machine runs: nobody types in a machine that is off. ``registered`` is told of an
    appliance that was registered. What is still to be done stands in the world's schedule, not here.
    """

    def __init__(
        self,
        world: World,
        site_recovery: SiteRecovery,
        *,
        vault: str,
        addresses: Sequence[str],
        powered_on: Callable[[str], bool],
        registered: Callable[[HostDescription], None] = lambda _: None,
    ) -> None:
        self._world = world
        self._site_recovery = site_recovery
        self.vault = vault
        self._addresses = addresses
        self._powered_on = powered_on
        self._registered = registered
        self.last_refusal = ""

    def appliance_installed(self, appliance: HostDescription, now: datetime) -> None:
        """Take note that an appliance waits for its registration; it is done about twenty minutes later."""
        self._world.after(now, REGISTRATION_S, partial(self._register, appliance))

    def _register(self, appliance: HostDescription, now: datetime) -> None:
        vault_id = self._vault_id()
        if vault_id is None:
            self.last_refusal = f"There is no vault named {self.vault}."
            self._world.after(now, RETRY_S, partial(self._register, appliance))
            return
        try:
            self._site_recovery.register_appliance(self._world, vault_id=vault_id, host=appliance, now=now)
        except RegistrationRefused as refusal:
            self.last_refusal = str(refusal)
            self._world.after(now, RETRY_S, partial(self._register, appliance))
            return
        self._registered(appliance)
        self._add_servers(vault_id, tuple(self._addresses), now)

    def _add_servers(self, vault_id: str, addresses: tuple[str, ...], now: datetime) -> None:
        """Type in every machine that runs; come back for the others."""
        left: list[str] = []
        for address in addresses:
            host = self._world.hosts.describe(address)
            if host is None or not self._powered_on(address):
                left.append(address)
                continue
            account, credential_type = ACCOUNTS[host.os_type]
            try:
                self._site_recovery.add_physical_server(
                    self._world,
                    vault_id=vault_id,
                    address=address,
                    account=account,
                    credential_type=credential_type,
                    now=now,
                )
            except RegistrationRefused as refusal:
                self.last_refusal = str(refusal)
                left.append(address)
        if left:
            self._world.after(now, RETRY_S, partial(self._add_servers, vault_id, tuple(left)))

    def _vault_id(self) -> str | None:
        """Return the id of the vault that the person looks for."""
        for vault in self._world.resources.descendants("", "Microsoft.RecoveryServices/vaults"):
            if vault["name"].casefold() == self.vault.casefold():
                return str(vault["id"])
        return None
