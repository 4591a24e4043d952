"""The appliance as the vault sees it: its fabric, health, process servers, accounts, and the servers it discovered.

A configuration server is a fabric of its own (``VMware``). All replication appliances of a vault share one fabric
(``InMageRcm``), whose list row is sparse, and are told apart by their process servers. Source: recorded exchanges.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from asr_migrate.azure.appliance_components import SICK, Component, components
from asr_migrate.azure.client import AzureClients
from asr_migrate.azure.sweep import OFF_AZURE_API, VaultReader
from asr_migrate.domain.errors import DeadlineError, SetupError
from asr_migrate.domain.landing_zone import Architecture, LandingZone

Json = Mapping[str, Any]
Report = Callable[[str], None]

POLL_S = 15.0
#: How often a wait says that it goes on: each minute in the first hour, then less often.
SAY_AGAIN_S, SAY_AGAIN_LATER_S, LATER_S = 60.0, 600.0, 3600.0
PAGE_PORT = 44368
FABRIC_KINDS = {Architecture.CLASSIC: "VMware", Architecture.MODERNIZED: "InMageRcm"}


@dataclass(frozen=True)
class ProcessServer:
    """One process server of the fabric. ``last_heartbeat`` is the service's ISO 8601 text."""

    id: str
    name: str
    addresses: tuple[str, ...]
    version: str | None
    last_heartbeat: str | None
    health: str | None

    def answers_to(self, names: frozenset[str]) -> bool:
        """Whether one of the lower-case ``names`` (host name, FQDN or address) is this server's."""
        mine = {self.name.lower(), self.name.lower().partition(".")[0], *(a.lower() for a in self.addresses)}
        return bool(mine & names)


@dataclass(frozen=True)
class Server:
    """One physical server that the replication appliance discovered. ``account`` is the id of its run-as account."""

    id: str
    name: str
    addresses: tuple[str, ...]
    account: str | None


@dataclass(frozen=True)
class ApplianceState:
    """What the vault knows of the landing zone's appliance; everything empty while it is not registered."""

    registered: bool = False
    vault_exists: bool = True
    fabric: str | None = None
    friendly_name: str | None = None
    container: str | None = None
    health: str | None = None
    health_errors: tuple[str, ...] = ()
    last_heartbeat: str | None = None
    process_servers: tuple[ProcessServer, ...] = ()
    components: tuple[Component, ...] = ()
    run_as_accounts: Mapping[str, str] = field(default_factory=dict)
    server_site: str | None = None
    servers: tuple[Server, ...] = ()
    #: the names of appliances that are registered and are not the landing zone's
    others: tuple[str, ...] = ()

    @property
    def healthy(self) -> bool:
        """Whether the appliance is registered and its fabric is not critical."""
        return self.registered and (self.health or "").lower() not in SICK

    @property
    def sick_components(self) -> tuple[str, ...]:
        """What is wrong with each component that is critical."""
        return tuple(component.text for component in self.components if component.sick)

    def missing(self, addresses: Iterable[str]) -> tuple[str, ...]:
        """Return those of ``addresses`` (or names) that no discovered server has."""
        known = {place.lower() for server in self.servers for place in (server.name, *server.addresses)}
        return tuple(address for address in addresses if address.lower() not in known)

    def as_dict(self) -> dict[str, Any]:
        """Return what a task's result shows."""
        return {**asdict(self), "healthy": self.healthy, "sick_components": list(self.sick_components)}


class ApplianceReader:
    """Looks at the appliance, once or until it is where it should be."""

    def __init__(self, clients: AzureClients, zone: LandingZone) -> None:
        self._clients = clients
        self._zone = zone
        self._vault = VaultReader(clients, zone)
        appliance = zone.appliance
        names = (appliance.name, appliance.address, appliance.fqdn)
        self._names = frozenset(name.lower() for name in names if name)

    async def look(self) -> ApplianceState:
        """Return what is there now; a vault that does not exist yet has no appliance."""
        try:
            rows = await self._vault.vault_list("replicationFabrics")
        except SetupError as error:
            if error.code != "VaultMissing":
                raise
            return ApplianceState(vault_exists=False)
        kind = FABRIC_KINDS[self._zone.architecture]
        others: list[str] = []
        for row in rows:
            if custom(row).get("instanceType") != kind:
                continue
            fabric = await self._vault.resource(str(row["id"]))
            if self._is_mine(fabric):
                return await self._state(fabric)
            others += names_of(fabric)
        return ApplianceState(others=tuple(others))

    def _is_mine(self, fabric: Json) -> bool:
        details = custom(fabric)
        if self._zone.architecture is Architecture.CLASSIC:
            given = (fabric["properties"].get("friendlyName"), details.get("hostName"), details.get("ipAddress"))
            mine = {str(name).lower() for name in given if name}
            return bool((mine | {name.partition(".")[0] for name in mine if not name[0].isdigit()}) & self._names)
        return any(server.answers_to(self._names) for server in process_servers(fabric))

    async def _state(self, fabric: Json) -> ApplianceState:
        details, properties = custom(fabric), fabric["properties"]
        rows = await self._clients.get_all(f"{fabric['id']}/replicationProtectionContainers", "2025-08-01")
        found = process_servers(fabric)
        mine = [server for server in found if server.answers_to(self._names)]
        heartbeat = details.get("lastHeartbeat") or next((server.last_heartbeat for server in mine), None)
        site = details.get("physicalSiteId")
        accounts = {
            str(account["accountName"]): str(account["accountId"]) for account in details.get("runAsAccounts") or ()
        }
        return ApplianceState(
            registered=True,
            fabric=str(fabric["name"]),
            friendly_name=properties.get("friendlyName"),
            container=container_of([str(row["name"]) for row in rows], properties.get("internalIdentifier")),
            health=properties.get("health"),
            health_errors=tuple(
                str(error.get("errorMessage") or error.get("summaryMessage") or error.get("errorCode"))
                for error in properties.get("healthErrorDetails") or ()
            ),
            last_heartbeat=heartbeat,
            process_servers=found,
            components=components(details),
            run_as_accounts=accounts if site is None else await self._site_accounts(site),
            server_site=site,
            servers=await self._servers(site) if site else await self._agents(rows),
        )

    async def _site_accounts(self, site: str) -> dict[str, str]:
        rows = await self._clients.get_all(f"{site}/runasaccounts", OFF_AZURE_API)
        return {str((row.get("properties") or {}).get("displayName") or row["name"]): str(row["id"]) for row in rows}

    async def _agents(self, containers: list[dict[str, Any]]) -> tuple[Server, ...]:
        """Return the machines whose Mobility service has registered with a configuration server."""
        if self._zone.architecture is not Architecture.CLASSIC:
            return ()
        lists = [
            await self._clients.get_all(f"{row['id']}/replicationProtectableItems", "2025-08-01") for row in containers
        ]
        return tuple(agent_of(row) for rows in lists for row in rows if custom(row).get("agentInstalled") == INSTALLED)

    async def _servers(self, site: str) -> tuple[Server, ...]:
        rows = await self._clients.get_all(f"{site}/machines", OFF_AZURE_API)
        return tuple(server_of(row) for row in rows if not (row.get("properties") or {}).get("isDeleted"))

    async def wait_registered(self, timeout_s: float, report: Report) -> ApplianceState:
        """Look until the appliance is registered and has a container.

        Raises DeadlineError naming what is missing. ``report`` gets a line whenever something changes.
        """
        zone, appliance = self._zone, self._zone.appliance
        label = f"appliance {appliance.name}"

        def lacks(state: ApplianceState) -> str | None:
            if not state.registered:
                seen = f"; the vault knows {', '.join(state.others)}" if state.others else ""
                return f"not registered with vault {zone.vault} yet{seen}"
            return None if state.container else "registered, its protection container does not show yet"

        return await self._wait(
            label,
            lacks,
            timeout_s,
            report,
            code="ApplianceNotRegistered",
            remedy=REGISTRATION_REMEDIES[zone.architecture],
            hint=None if zone.architecture is Architecture.CLASSIC else self._sign_in(),
        )

    def _sign_in(self) -> str:
        """Return what a person has to do while the wait for the registration lasts."""
        appliance = self._zone.appliance
        return (
            f"open https://{appliance.fqdn or appliance.name}:{PAGE_PORT} on the server, paste the vault's appliance "
            "key, and type the device code that the page shows at https://microsoft.com/devicelogin within 5 minutes"
        )

    async def wait_servers(self, addresses: Iterable[str], timeout_s: float, report: Report) -> ApplianceState:
        """Look until the appliance knows a server for each of ``addresses``.

        A replication appliance discovers the servers that a person adds; a configuration server knows those whose
        Mobility service registered. Raises DeadlineError naming the addresses that are missing.
        """
        zone = self._zone
        wanted = tuple(addresses)

        def lacks(state: ApplianceState) -> str | None:
            if not state.registered:
                return f"not registered with vault {zone.vault} yet"
            missing = state.missing(wanted)
            found = len(wanted) - len(missing)
            return f"{found} of {len(wanted)} servers; missing {', '.join(missing)}" if missing else None

        return await self._wait(
            f"servers of appliance {zone.appliance.name}",
            lacks,
            timeout_s,
            report,
            code="ServersNotDiscovered",
            remedy=SERVERS_REMEDIES[zone.architecture],
        )

    async def _wait(
        self,
        label: str,
        lacks: Callable[[ApplianceState], str | None],
        timeout_s: float,
        report: Report,
        *,
        code: str,
        remedy: str,
        hint: str | None = None,
    ) -> ApplianceState:
        """Look until ``lacks`` says nothing more; ``hint`` is what a person can do meanwhile."""
        clock = self._clients.clock
        start_s = clock.monotonic()
        said, said_s = "", start_s
        while True:
            state = await self.look()
            problem = lacks(state)
            waited_s = clock.monotonic() - start_s
            if not problem:
                return state
            again_s = SAY_AGAIN_S if waited_s < LATER_S else SAY_AGAIN_LATER_S
            if problem != said or clock.monotonic() - said_s >= again_s:
                left_min = max(timeout_s - waited_s, 0.0) / 60
                report(f"{label}: {problem}; {left_min:.0f} of {timeout_s / 60:.0f} minutes left")
                if hint and problem != said:
                    report(f"{label}: {hint}")
                said, said_s = problem, clock.monotonic()
            if waited_s >= timeout_s:
                raise DeadlineError(
                    f"{label}: {problem} after {timeout_s / 60:.0f} minutes", code=code, cause=problem, remedy=remedy
                )
            await clock.sleep(min(POLL_S, max(timeout_s - waited_s, 1.0)))

    async def refresh(self, state: ApplianceState) -> bool:
        """Ask every provider of the registered fabric to read its servers again; return whether one was asked.

        Check mode notes it as planned. Takes three minutes with a configuration server.
        """
        zone, operations = self._zone, self._clients.site_recovery.replication_recovery_services_providers
        fabric = str(state.fabric)
        providers = await self._vault.vault_list(f"replicationFabrics/{fabric}/replicationRecoveryServicesProviders")
        asked: list[Awaitable[Any]] = [
            self._clients.finish(
                operations.begin_refresh_provider(zone.resource_group, zone.vault, fabric, str(provider["name"])),
                what=f"refresh the server {state.friendly_name}",
                why="it was just registered; its accounts and agents would show a quarter of an hour later",
            )
            for provider in providers
        ]
        for call in asked:
            await call
        return bool(asked) and not self._clients.check_mode

    def plan_refresh(self) -> None:
        """Note the refresh that check mode cannot try, because there is no fabric before the registration."""
        name = self._zone.appliance.name
        self._clients.plan(
            "POST",
            f"replicationRecoveryServicesProviders/{name}/refreshProvider",
            what=f"refresh the server {name}",
            why="it will just have been registered",
        )


REGISTRATION_REMEDIES = {
    Architecture.CLASSIC: "Look at C:\\ProgramData\\ASRLogs and C:\\ProgramData\\ASRSetupLogs on the server, check "
    "that its services run, its clock is in time and it reaches Azure on port 443, and run deploy_appliance again. If "
    "the server was registered with another vault before, set asr_appliance.register_again to other_vault; that stops "
    "the protection of everything that replicates through it.",
    Architecture.MODERNIZED: "Do the steps that deploy_appliance printed (also in the reports directory) on the "
    "appliance's configuration page, then run deploy_appliance again; it goes on where it is. If the appliance shows "
    "under another name, correct asr_landing_zone.appliance.",
}


SERVERS_REMEDIES = {
    Architecture.CLASSIC: "The vault does not show the Mobility service of these machines. Read its configurator's log "
    "on each (ASRUnifiedAgentConfigurator.log; ua_install.log on Linux) and configurator_register_host_static_info.log "
    "on the configuration server, refresh the server in the vault, then run again.",
    Architecture.MODERNIZED: "Add the missing servers on the appliance (Provide Physical server details, then "
    "Continue); if one is there and shows an error, check its account and that the appliance reaches it. Then run "
    "again.",
}
INSTALLED = "Installed"


def agent_of(item: Json) -> Server:
    """Return a protectable item of a configuration server as a server. Source: recorded exchanges."""
    properties, addresses = item.get("properties") or {}, str(custom(item).get("ipAddress") or "")
    found = tuple(place.strip() for place in addresses.split(",") if place.strip())
    return Server(str(item["id"]), str(properties.get("friendlyName") or item["name"]), found, None)


def custom(fabric: Json) -> Json:
    """Return a fabric's ``customDetails``."""
    found: Json = (fabric.get("properties") or {}).get("customDetails") or {}
    return found


def names_of(fabric: Json) -> list[str]:
    """Return what a fabric's appliances are called."""
    servers = [server.name for server in process_servers(fabric)]
    return servers or [str(fabric["properties"].get("friendlyName") or fabric["name"])]


def process_servers(fabric: Json) -> tuple[ProcessServer, ...]:
    """Return the process servers of a fabric that was read on its own; both architectures' spelling."""
    return tuple(
        ProcessServer(
            id=str(row["id"]),
            name=str(row.get("fqdn") or row.get("name") or row.get("friendlyName")),
            addresses=tuple(
                str(place)
                for place in (*(row.get("ipAddresses") or ()), row.get("ipAddress"), row.get("name"))
                if place
            ),
            version=row.get("version") or row.get("agentVersion"),
            last_heartbeat=row.get("lastHeartbeatUtc") or row.get("lastHeartbeat"),
            health=row.get("health") or row.get("systemLoadStatus"),
        )
        for row in custom(fabric).get("processServers") or ()
    )


def container_of(names: list[str], internal_identifier: str | None) -> str | None:
    """Return the container that machines are protected in, by the naming of the two architectures.

    Classic: ``cloud_{fabric's internal identifier}``; modernized: ends in ``replicationcontainer``.
    """
    classic = f"cloud_{internal_identifier}".lower()
    for name in names:
        if name.lower() == classic or name.lower().endswith("replicationcontainer"):
            return name
    return names[0] if names else None


def server_of(machine: Json) -> Server:
    """Return a machine of a Microsoft.OffAzure ServerSites list as a server. Source: Azure Migrate documentation."""
    properties = machine.get("properties") or {}
    places = [address for nic in properties.get("networkAdapters") or () for address in nic.get("ipAddressList") or ()]
    return Server(
        id=str(machine["id"]),
        name=str(properties.get("displayName") or machine["name"]),
        addresses=tuple(str(place) for place in (*places, properties.get("fqdn")) if place),
        account=properties.get("runAsAccountId"),
    )
