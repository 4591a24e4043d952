"""The simulated Azure over real HTTPS in a thread, and the unmodified SDK in front of it, sync or aio."""

import asyncio
import ssl
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp
from azure.core.pipeline.transport import AioHttpTransport
from azure.identity import ClientSecretCredential
from azure.identity.aio import ClientSecretCredential as AioSecretCredential
from azure.mgmt.recoveryservices import RecoveryServicesClient
from azure.mgmt.recoveryservices.aio import RecoveryServicesClient as AioRecoveryServicesClient
from azure.mgmt.recoveryservicessiterecovery import SiteRecoveryManagementClient
from azure.mgmt.recoveryservicessiterecovery.aio import SiteRecoveryManagementClient as AioSiteRecoveryClient

from asr_lab.arm import landing_zone
from asr_lab.arm.admin import WorldAdmin
from asr_lab.arm.certificates import make_certificates
from asr_lab.arm.estate import ListedHosts
from asr_lab.arm.server import serve
from asr_lab.arm.tokens import Credentials
from asr_lab.arm.world import World
from asr_lab.clock import VirtualClock

CLIENT = "33333333-3333-4333-8333-333333333333"
SECRET = "not a real secret"
ADDRESS = "127.64.1.1"
SPEED = 1_000_000.0
"""A virtual hour passes in 4 ms, so that most operations have ended when the SDK asks for the first time."""


class Served:
    """A world with the rehearsal's landing zone behind ``url``; ``hosts`` are the machines that Site Recovery sees."""

    def __init__(self, folder: Path) -> None:
        self.clock = VirtualClock(SPEED)
        self.hosts = ListedHosts()
        self.world = World(self.hosts, seed=11)
        landing_zone.seed(self.world, self.clock.now())
        self._certificates = make_certificates(folder, addresses=[ADDRESS], now=self.clock.wall())
        self.ca = str(self._certificates.ca_file)
        self.url = ""
        self._up: Future[None] = Future()
        self._loop = asyncio.new_event_loop()
        self._ended = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=[self._serve()], daemon=True)

    def last_request_at(self) -> datetime:
        """Return the virtual time of the last request, for what has to happen at the same moment."""
        return self.world.log[-1].at

    def __enter__(self) -> "Served":
        self._thread.start()
        self._up.result(timeout=30)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(timeout=30)
        self._loop.close()

    async def _serve(self) -> None:
        credentials = Credentials(landing_zone.TENANT_ID, CLIENT, SECRET)
        admin = WorldAdmin(self.world, landing_zone.seed)
        runner = await serve(self.world, self.clock, self._certificates, ADDRESS, 0, credentials, admin)
        self.url = f"https://{ADDRESS}:{runner.addresses[0][1]}"
        self._up.set_result(None)
        await self._ended.wait()
        await runner.cleanup()


@dataclass
class Client:
    """One way to call the SDKs: ``await azure.do("replication_policies.begin_create", ...)`` waits for the end of
    long-running operations, lists come as lists. The vault's resource group and name are put in front.
    """

    served: Served
    vault: str
    options: dict[str, Any]

    async def do(self, operation: str, *arguments: Any, **options: Any) -> Any:
        """Call an operation of the Site Recovery client."""
        return await self.call(
            "site_recovery", operation, landing_zone.RESOURCE_GROUP, self.vault, *arguments, **options
        )

    async def vaults(self, operation: str, *arguments: Any) -> Any:
        """Call an operation of the vaults client."""
        return await self.call("recovery_services", f"vaults.{operation}", landing_zone.RESOURCE_GROUP, *arguments)

    async def call(self, client: str, operation: str, *arguments: Any, **options: Any) -> Any:
        """Call an operation of a client; ``operation`` is ``group.method``."""
        raise NotImplementedError

    async def until(self, operation: str, *arguments: Any, fits: Callable[[Any], bool], looks: int = 400) -> Any:
        """Ask again until the answer fits; virtual time passes with every request."""
        found = None
        for _ in range(looks):
            found = await self.do(operation, *arguments)
            if fits(found):
                return found
        raise AssertionError(f"{operation} {arguments}: still {found}")


class Synchronous(Client):
    """azure-identity and the SDKs, synchronous."""

    async def call(self, client: str, operation: str, *arguments: Any, **options: Any) -> Any:
        return await asyncio.to_thread(self._call, client, operation, arguments, options)

    def _call(self, client: str, operation: str, arguments: tuple[Any, ...], options: dict[str, Any]) -> Any:
        answer = _method(self._clients[client], operation)(*arguments, **options)
        if hasattr(answer, "by_page"):
            return list(answer)
        return answer.result() if hasattr(answer, "result") else answer

    async def __aenter__(self) -> "Synchronous":
        served = self.served
        self._credential = ClientSecretCredential(
            landing_zone.TENANT_ID,
            CLIENT,
            SECRET,
            authority=served.url,
            disable_instance_discovery=True,
            connection_verify=served.ca,
        )
        settings = {
            "base_url": served.url,
            "credential_scopes": [f"{served.url}/.default"],
            "polling_interval": 1,
            "connection_verify": served.ca,
            **self.options,
        }
        self._clients: dict[str, Any] = {
            "site_recovery": SiteRecoveryManagementClient(self._credential, landing_zone.SUBSCRIPTION_ID, **settings),
            "recovery_services": RecoveryServicesClient(self._credential, landing_zone.SUBSCRIPTION_ID, **settings),
        }
        return self

    async def __aexit__(self, *_: object) -> None:
        for client in (*self._clients.values(), self._credential):
            client.close()


class Asynchronous(Client):
    """azure-identity and the SDKs, asynchronous."""

    async def call(self, client: str, operation: str, *arguments: Any, **options: Any) -> Any:
        answer = _method(self._clients[client], operation)(*arguments, **options)
        if hasattr(answer, "by_page"):
            return [row async for row in answer]
        answer = await answer
        return await answer.result() if hasattr(answer, "result") else answer

    async def __aenter__(self) -> "Asynchronous":
        served = self.served
        tls = ssl.create_default_context(cafile=served.ca)
        self._credential = AioSecretCredential(
            landing_zone.TENANT_ID,
            CLIENT,
            SECRET,
            authority=served.url,
            disable_instance_discovery=True,
            transport=_transport(tls),
        )
        settings = {
            "base_url": served.url,
            "credential_scopes": [f"{served.url}/.default"],
            "polling_interval": 1,
            **self.options,
        }
        self._clients: dict[str, Any] = {
            name: kind(self._credential, landing_zone.SUBSCRIPTION_ID, transport=_transport(tls), **settings)
            for name, kind in (
                ("site_recovery", AioSiteRecoveryClient),
                ("recovery_services", AioRecoveryServicesClient),
            )
        }
        return self

    async def __aexit__(self, *_: object) -> None:
        for client in (*self._clients.values(), self._credential):
            await client.close()


KINDS: dict[str, type[Synchronous] | type[Asynchronous]] = {"sync": Synchronous, "aio": Asynchronous}


def _transport(tls: ssl.SSLContext) -> AioHttpTransport:
    session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=tls))
    return AioHttpTransport(session=session, session_owner=True)


def _method(client: Any, operation: str) -> Any:
    group, _, name = operation.partition(".")
    return getattr(getattr(client, group), name)
