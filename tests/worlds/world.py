"""A world that is driven through World.handle, its time moved by hand."""

from datetime import UTC, datetime, timedelta
from typing import Any

from asr_lab.arm import landing_zone
from asr_lab.arm.estate import ListedHosts
from asr_lab.arm.wire import Request, Response
from asr_lab.arm.world import World
from asr_lab.contract.certificates import client_certificate

from .vaults import SERVICE_VERSION, mapping_body, registration_file, vault_body
from .zones import GROUP, SUB, vault_id


class WorldLab:
    """A world with the lab's landing zone, its machines and its time, and short ways to ask it."""

    def __init__(self, hosts: ListedHosts) -> None:
        self.hosts = hosts
        self.world = World(hosts)
        self.now = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
        landing_zone.seed(self.world, self.now)

    def advance(self, seconds: float) -> None:
        """Let so much time pass."""
        self.now += timedelta(seconds=seconds)
        self.world.advance(self.now)

    def ask(self, method: str, path: str, body: Any = None, *, api: str = SERVICE_VERSION, **query: str) -> Response:
        """Send a request as a client does."""
        request = Request(method, path, {"api-version": api, **query}, {}, body, "someone")
        return self.world.handle(request, self.now)

    def get(self, path: str, *, api: str = SERVICE_VERSION, **query: str) -> Any:
        """Return what a resource or a list is, which has to be there."""
        response = self.ask("GET", path, api=api, **query)
        assert response.status == 200, response.body
        return response.body

    def do(self, method: str, path: str, body: Any = None, *, within_s: float = 7200.0) -> dict[str, Any]:
        """Send a change, wait for its job as a client does (30 s a poll), and return the job's properties."""
        response = self.ask(method, path, body)
        assert response.status == 202, (response.status, response.body)
        assert response.body is None
        job_id, waited = response.headers["x-ms-request-id"], 0.0
        while (job := self.get(job_id)["properties"])["state"] not in ("Succeeded", "Failed"):
            assert waited < within_s, job
            self.advance(30)
            waited += 30
        return dict(job)

    def make_vault(self, name: str = "vault") -> str:
        """Make a vault and return its id."""
        path = vault_id(name)
        made = self.ask("PUT", path, vault_body())
        assert made.status == 201, made.body
        self.advance(120)
        return path

    def policy(self, vault: str, settings: dict[str, Any], name: str = "policy") -> dict[str, Any]:
        """Make a policy of the vault and return the job's properties."""
        return self.do(
            "PUT", f"{vault}/replicationPolicies/{name}", {"properties": {"providerSpecificInput": settings}}
        )

    def map_policy(self, vault: str, container: str, settings: dict[str, Any], **more: Any) -> str:
        """Make the policy ``policy``, associate it with the container, and return the mapping's id."""
        job = self.policy(vault, settings)
        assert job["state"] == "Succeeded", job
        mapping = f"{container}/replicationProtectionContainerMappings/mapping"
        job = self.do("PUT", mapping, mapping_body(f"{vault}/replicationPolicies/policy", **more))
        assert job["state"] == "Succeeded", job
        return mapping

    @property
    def vms(self) -> dict[str, Any]:
        """The virtual machines of the resource group by name."""
        listed = self.get(f"{GROUP}/providers/Microsoft.Compute/virtualMachines", api="2025-04-01")
        return {vm["name"]: vm for vm in listed["value"]}

    def vault_key(self, vault: str, *, site: tuple[str, str] | None = None) -> bytes:
        """Return a registration file for the vault, with a certificate registered there just now."""
        certificate = client_certificate(self.now, hours=120)
        body = {"properties": {"authType": "AAD", "certificate": certificate}}
        name = vault.rpartition("/")[2]
        put = self.ask("PUT", f"{vault}/certificates/{name}{SUB}-3-1-2026-vaultcredentials", body)
        assert put.status == 200, put.body
        return registration_file(name, certificate, site=site)
