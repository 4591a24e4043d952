"""One connection to one Azure: SDK clients made when first used, all over one session, one trust, one clock."""

from __future__ import annotations

import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import aiohttp
from azure.core import AsyncPipelineClient
from azure.core.exceptions import AzureError, DecodeError, HttpResponseError, ResourceNotFoundError
from azure.core.pipeline.policies import (
    AsyncBearerTokenCredentialPolicy,
    RequestIdPolicy,
    UserAgentPolicy,
)
from azure.core.polling import AsyncLROPoller
from azure.core.rest import AsyncHttpResponse, HttpRequest

from asr_migrate.azure.budget import Budget, BudgetPolicy
from asr_migrate.azure.credentials import RenewableCredential, credential
from asr_migrate.azure.failures import still_runs, translate
from asr_migrate.azure.journal import Journal
from asr_migrate.azure.links import followed
from asr_migrate.azure.policies import (
    READS,
    AnswerPolicy,
    JournalPolicy,
    ReadOnlyPolicy,
    SignInAgainPolicy,
    WriteOnceRetryPolicy,
    WriteRefusedError,
)
from asr_migrate.azure.transport import ClockedTransport, WaitedTooLongError, no_longer_than
from asr_migrate.clock import Clock
from asr_migrate.domain.cloud import CloudSettings, PlannedWrite
from asr_migrate.domain.errors import AsrMigrateError, SetupError, job_error

if TYPE_CHECKING:
    from azure.mgmt.compute.aio import ComputeManagementClient
    from azure.mgmt.network.aio import NetworkManagementClient
    from azure.mgmt.recoveryservices.aio import RecoveryServicesClient
    from azure.mgmt.recoveryservicessiterecovery.aio import SiteRecoveryManagementClient
    from azure.mgmt.resource.resources.aio import ResourceManagementClient
    from azure.mgmt.storage.aio import StorageManagementClient

T = TypeVar("T")

POLLING_INTERVAL_S = 30
STATUS_RETRIES = 5
READ_RETRIES = 2
OPERATION_TIMEOUT_S = 3600.0
STATUS_PATH = re.compile(r"(?P<vault>/subscriptions/.+)/replicationOperationStatus/(?P<job>[^/?]+)", re.IGNORECASE)
JOB_API_VERSION = "2025-08-01"


async def writes_arrive_once(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Keep aiohttp from sending a PUT or DELETE a second time when the connection breaks before the answer.

    aiohttp (3.14, ``ClientSession._request``) sends such methods again by itself after ``ClientOSError`` and
    ``ServerDisconnectedError``: below our policies, with the same client request id and without a line in the journal,
    so that an enable that had arrived is begun twice. It does not do so for any other ``ClientError``. Errors of
    connections that were never made stay what they are.
    """
    try:
        return await handler(request)
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        if request.method in READS or isinstance(error, aiohttp.ClientConnectorError):
            raise
        raise aiohttp.ClientConnectionError(f"the connection broke before the answer: {error}") from error


def trust(cloud: CloudSettings) -> ssl.SSLContext:
    """Return the one TLS context of a connection.

    Raises SetupError when ``ca_file`` cannot be read.
    """
    try:
        return ssl.create_default_context(cafile=cloud.ca_file)
    except (OSError, ssl.SSLError) as error:
        raise SetupError(
            f"asr_cloud.ca_file: {cloud.ca_file} cannot be read as a PEM file",
            cause=str(error),
            remedy="Give the path of a PEM file with the certificate authorities of this cloud, or leave it out.",
        ) from None


class AzureClients:
    """The SDK's asynchronous clients of one subscription; see ``connect``.

    Each SDK is imported when its client is first used: together they take a second, which every task would pay.
    ``planned`` lists what check mode did not send. ``read``, ``find``, ``send`` and ``finish`` await an
    SDK call and turn what it raises into the errors of ``domain.errors``; use them for every call.
    """

    def __init__(
        self,
        cloud: CloudSettings,
        subscription_id: str,
        session: aiohttp.ClientSession,
        *,
        clock: Clock,
        check_mode: bool = False,
        journal: Journal | None = None,
        budget: Budget | None = None,
    ) -> None:
        self.cloud = cloud
        self.subscription_id = subscription_id
        self.clock = clock
        self.check_mode = check_mode
        self.planned: list[PlannedWrite] = []
        self._session = session
        self.budget = budget or Budget(clock)
        self.journal = journal

    def transport(self) -> ClockedTransport:
        return ClockedTransport(self._session, self.clock)

    @cached_property
    def credential(self) -> RenewableCredential:
        return credential(self.cloud, self.transport())

    def _per_retry_policies(self) -> list[Any]:
        """Return what each attempt goes through, in the order that ``azure.policies`` names."""
        guard = [ReadOnlyPolicy(self.planned)] if self.check_mode else []
        noted = [JournalPolicy(self.journal, self.clock)] if self.journal and not self.check_mode else []
        return [
            SignInAgainPolicy(self.credential),
            *guard,
            BudgetPolicy(self.budget),
            *noted,
            AnswerPolicy(self.clock),
        ]

    @staticmethod
    def _retry_policy() -> WriteOnceRetryPolicy:
        return WriteOnceRetryPolicy(retry_status=STATUS_RETRIES, retry_read=READ_RETRIES)

    def _make(self, client: Callable[..., T]) -> T:
        return client(
            credential=self.credential,
            subscription_id=self.subscription_id,
            base_url=self.cloud.resource_manager,
            credential_scopes=[self.cloud.scope],
            transport=self.transport(),
            retry_policy=self._retry_policy(),
            per_retry_policies=self._per_retry_policies(),
            polling_interval=POLLING_INTERVAL_S,
        )

    @cached_property
    def site_recovery(self) -> SiteRecoveryManagementClient:
        from azure.mgmt.recoveryservicessiterecovery.aio import SiteRecoveryManagementClient

        return self._make(SiteRecoveryManagementClient)

    @cached_property
    def vaults(self) -> RecoveryServicesClient:
        from azure.mgmt.recoveryservices.aio import RecoveryServicesClient

        return self._make(RecoveryServicesClient)

    @cached_property
    def network(self) -> NetworkManagementClient:
        from azure.mgmt.network.aio import NetworkManagementClient

        return self._make(NetworkManagementClient)

    @cached_property
    def storage(self) -> StorageManagementClient:
        from azure.mgmt.storage.aio import StorageManagementClient

        return self._make(StorageManagementClient)

    @cached_property
    def compute(self) -> ComputeManagementClient:
        from azure.mgmt.compute.aio import ComputeManagementClient

        return self._make(ComputeManagementClient)

    @cached_property
    def resources(self) -> ResourceManagementClient:
        from azure.mgmt.resource.resources.aio import ResourceManagementClient

        return self._make(ResourceManagementClient)

    @cached_property
    def arm(self) -> AsyncPipelineClient[HttpRequest, AsyncHttpResponse]:
        """A client for answers that are read as they are, without an SDK's models; see ``get``.

        Nothing in its pipeline decodes an answer: ``get`` does, once.
        """
        return AsyncPipelineClient(
            base_url=self.cloud.resource_manager,
            transport=self.transport(),
            policies=[
                RequestIdPolicy(),
                UserAgentPolicy("asr-migrate"),
                self._retry_policy(),
                *self._per_retry_policies(),
                AsyncBearerTokenCredentialPolicy(self.credential, self.cloud.scope),
            ],
        )

    async def get(self, path: str, api_version: str, doing: str | None = None) -> dict[str, Any]:
        """GET ``path`` (an ARM id, or a whole nextLink) and return its JSON.

        Raises ServiceError (status 404 when it does not exist), also when the answer is no JSON object.
        """
        url = path if path.startswith("https://") else f"{self.cloud.resource_manager}{path}?api-version={api_version}"
        doing = doing or f"reading {path}"
        try:
            response = await self.arm.send_request(HttpRequest("GET", url))
            response.raise_for_status()
            return decoded(response)
        except AzureError as error:
            raise translate(error, doing) from error

    async def rows(self, path: str, api_version: str, doing: str | None = None) -> AsyncIterator[dict[str, Any]]:
        """GET the list at ``path`` page by page and yield its rows; a page is let go before the next is asked for.

        Raises WireError when a nextLink leads to another host, ServiceError when it leads back to a page that was read.
        """
        link: str | None = path
        read: set[str] = set()
        while link:
            page = await self.get(link, api_version, doing)
            read.add(link)
            values = page.pop("value", None) or []
            link = followed(page.get("nextLink"), self.cloud.resource_manager, read, doing or f"reading {path}")
            for row in values:
                yield row
            values.clear()

    async def get_all(self, path: str, api_version: str, doing: str | None = None) -> list[dict[str, Any]]:
        """Return the rows of the list at ``path``, whole."""
        return [row async for row in self.rows(path, api_version, doing)]

    async def read(self, call: Awaitable[T], doing: str) -> T:
        """Await one SDK read. ``doing`` begins the error's sentence, e.g. ``reading vault v``."""
        try:
            return await call
        except AzureError as error:
            raise translate(error, doing) from error

    async def find(self, call: Awaitable[T], doing: str) -> T | None:
        """Await one SDK read and return None when the resource does not exist."""
        try:
            return await call
        except ResourceNotFoundError:
            return None
        except AzureError as error:
            raise translate(error, doing) from error

    async def send(self, call: Awaitable[T], *, what: str, why: str) -> T | None:
        """Await one SDK write that is answered at once. In check mode note it as planned and return None.

        ``what`` names the change ("create vault v"), ``why`` the reason ("it does not exist").
        """
        try:
            return await call
        except WriteRefusedError as refused:
            self._describe(refused.write, what, why)
            return None
        except AzureError as error:
            raise translate(error, what) from error

    async def finish(
        self, call: Awaitable[AsyncLROPoller[T]], *, what: str, why: str, timeout_s: float = OPERATION_TIMEOUT_S
    ) -> T | None:
        """Start a long-running operation and follow it to its end with our clock; check mode notes it, returns None.

        ``call`` is a ``begin_...`` of any client, not yet awaited. Raises ServiceError with the failed job's own code,
        cause and remedy when the operation is one of Site Recovery, and ServiceError OperationStillRuns when it has not
        ended ``timeout_s`` service seconds after it was taken: it goes on in Azure, nothing is cancelled.
        """
        try:
            poller = await call
            with no_longer_than(self.clock, timeout_s):
                return await poller.result()
        except WaitedTooLongError as error:
            raise still_runs(what, timeout_s) from error
        except WriteRefusedError as refused:
            self._describe(refused.write, what, why)
            return None
        except HttpResponseError as error:
            raise await self._operation_error(error, what) from error
        except AzureError as error:
            raise translate(error, what) from error

    def plan(self, method: str, path: str, *, what: str, why: str) -> None:
        """Note a write that check mode cannot try: what it would be sent to is only made by other writes."""
        self.planned.append(PlannedWrite(method=method, path=path, what=what, why=why))

    def _describe(self, write: PlannedWrite, what: str, why: str) -> None:
        self.planned[self.planned.index(write)] = replace(write, what=what, why=why)

    async def _operation_error(self, error: HttpResponseError, what: str) -> AsrMigrateError:
        request = getattr(error.response, "request", None)
        found = STATUS_PATH.search(str(getattr(request, "url", "")))
        if found is None:
            return translate(error, what)
        job: Mapping[str, Any] | None = None
        try:
            job = await self.get(f"{found['vault']}/replicationJobs/{found['job']}", JOB_API_VERSION)
        except AsrMigrateError:
            return translate(error, what)
        return job_error(job, what) if (job.get("properties") or {}).get("errors") else translate(error, what)


def decoded(response: AsyncHttpResponse) -> dict[str, Any]:
    """Return the JSON object of an answer.

    Raises DecodeError when it is none, e.g. the page of a proxy.
    """
    try:
        found = response.json()
    except ValueError as error:
        raise DecodeError(f"JSON is invalid: {error}", response=response, error=error) from error
    if not isinstance(found, dict):
        raise DecodeError(f"the answer is a JSON {type(found).__name__}, not an object", response=response)
    return found


@asynccontextmanager
async def connect(
    cloud: CloudSettings,
    subscription_id: str,
    *,
    clock: Clock,
    check_mode: bool = False,
    journal: Journal | None = None,
) -> AsyncIterator[AzureClients]:
    """Open a connection to ``cloud`` and close all of it at the end.

    ``journal`` gets a line before and after every write; ``check_mode`` refuses every write.
    """
    connector = aiohttp.TCPConnector(ssl=trust(cloud))
    async with aiohttp.ClientSession(
        connector=connector,
        auto_decompress=False,
        trust_env=True,
        cookie_jar=aiohttp.DummyCookieJar(),
        middlewares=(writes_arrive_once,),
    ) as session:
        yield AzureClients(cloud, subscription_id, session, clock=clock, check_mode=check_mode, journal=journal)
