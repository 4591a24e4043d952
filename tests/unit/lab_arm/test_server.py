"""The world over real HTTPS, asked by unmodified Azure clients."""

import asyncio
import ssl
import stat
from contextlib import asynccontextmanager

import aiohttp
import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.core.pipeline.transport import AioHttpTransport
from azure.identity import ClientSecretCredential
from azure.identity.aio import ClientSecretCredential as AsyncSecret
from azure.mgmt.network.aio import NetworkManagementClient
from azure.mgmt.recoveryservices.aio import RecoveryServicesClient
from cryptography import x509

from asr_lab.arm.admin import WorldAdmin
from asr_lab.arm.certificates import make_certificates
from asr_lab.arm.landing_zone import LOCATION, RESOURCE_GROUP, SUBSCRIPTION_ID, TENANT_ID, seed
from asr_lab.arm.server import serve
from asr_lab.arm.tokens import Credentials
from asr_lab.arm.world import World
from asr_lab.clock import VirtualClock

SECRET = "not a real secret"
CLIENT = "33333333-3333-4333-8333-333333333333"
SPEED = 3600.0
GROUP = f"/subscriptions/{SUBSCRIPTION_ID}/resourceGroups/{RESOURCE_GROUP}"


class Served:
    """A served world with ways to reach it."""

    def __init__(self, world, clock, certs, url, tls):
        self.world, self.clock, self.certs, self.url, self.tls = world, clock, certs, url, tls

    def transport(self):
        connector = aiohttp.TCPConnector(ssl=self.tls)
        return AioHttpTransport(session=aiohttp.ClientSession(connector=connector), session_owner=True)

    def credential(self, secret=SECRET):
        return AsyncSecret(
            TENANT_ID, CLIENT, secret, authority=self.url, disable_instance_discovery=True, transport=self.transport()
        )

    def client(self, kind, credential):
        scopes = [f"{self.url}/.default"]
        return kind(
            credential, SUBSCRIPTION_ID, base_url=self.url, credential_scopes=scopes, transport=self.transport()
        )

    async def ask(self, method, path, token=None, content_type=None, **options):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if content_type:
            headers["Content-Type"] = content_type
        async with (
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=self.tls)) as session,
            session.request(method, self.url + path, headers=headers, **options) as answer,
        ):
            return answer.status, dict(answer.headers), await answer.json(content_type=None)

    async def token(self):
        async with self.credential() as credential:
            return (await credential.get_token(f"{self.url}/.default")).token


@pytest.fixture(scope="module")
def certs(tmp_path_factory):
    clock = VirtualClock(1)
    return make_certificates(tmp_path_factory.mktemp("certs"), addresses=["127.31.0.1"], now=clock.wall())


@asynccontextmanager
async def serving(certs, tls):
    clock = VirtualClock(SPEED)
    world = World(seed=1)
    seed(world, clock.now())
    runner = await serve(
        world, clock, certs, "127.31.0.1", 0, Credentials(TENANT_ID, CLIENT, SECRET), WorldAdmin(world, seed)
    )
    try:
        yield Served(world, clock, certs, f"https://127.31.0.1:{runner.addresses[0][1]}", tls)
    finally:
        await runner.cleanup()


@pytest.fixture
def run(certs):
    """Run a coroutine function with a served world."""

    def runner(story):
        async def tell():
            async with serving(certs, ssl.create_default_context(cafile=str(certs.ca_file))) as served:
                await story(served)

        asyncio.run(tell())

    return runner


def test_azure_identity_and_the_sdks_create_a_vault_and_a_certificate_and_read_a_network(run):
    async def story(served):
        async with served.credential() as credential:
            async with served.client(RecoveryServicesClient, credential) as vaults:
                poller = await vaults.vaults.begin_create_or_update(
                    RESOURCE_GROUP,
                    "vault-current",
                    {
                        "location": LOCATION,
                        "sku": {"name": "Standard"},
                        "properties": {"publicNetworkAccess": "Enabled"},
                    },
                )
                vault = await poller.result()
                assert vault.properties.provisioning_state == "Succeeded"
                answer = await vaults.vault_certificates.create(
                    RESOURCE_GROUP,
                    "vault-current",
                    "CN=vault-current",
                    {"properties": {"authType": "AAD", "certificate": ""}},
                )
                assert answer.properties.auth_type == "AzureActiveDirectory"
                assert answer.properties.resource_id > 0
                extended = await vaults.vault_extended_info.create_or_update(
                    RESOURCE_GROUP, "vault-current", {"properties": {"integrityKey": "a2V5"}}
                )
                assert extended.properties.algorithm == "None"
            async with served.client(NetworkManagementClient, credential) as network:
                found = await network.virtual_networks.get(RESOURCE_GROUP, "vnet-prod")
                assert [subnet.name for subnet in found.subnets] == ["apps"]
                assert [one.name async for one in network.virtual_networks.list_all()] == ["vnet-prod", "vnet-test"]
        assert {logged.principal for logged in served.world.log} == {CLIENT}

    run(story)


def test_the_synchronous_credential_signs_in_too(run):
    async def story(served):
        def sign_in():
            credential = ClientSecretCredential(
                TENANT_ID,
                CLIENT,
                SECRET,
                authority=served.url,
                disable_instance_discovery=True,
                connection_verify=str(served.certs.ca_file),
            )
            return credential.get_token(f"{served.url}/.default").token

        token = await asyncio.to_thread(sign_in)
        status, _, _ = await served.ask("GET", f"{GROUP}?api-version=2025-04-01", token)
        assert status == 200

    run(story)


def test_a_wrong_secret_is_refused_in_the_words_of_entra_id(run):
    async def story(served):
        async with served.credential("wrong") as credential:
            with pytest.raises(ClientAuthenticationError, match="AADSTS7000215") as refused:
                await credential.get_token(f"{served.url}/.default")
        assert "wrong" not in str(refused.value)

    run(story)


@pytest.mark.parametrize(
    ("tenant", "form", "number"),
    [
        ("other", {}, 90002),
        (TENANT_ID, {"grant_type": "password"}, 70003),
        (TENANT_ID, {"scope": ""}, 900144),
        (TENANT_ID, {"client_id": "someone"}, 700016),
    ],
)
def test_what_the_token_endpoint_refuses_has_its_number(run, tenant, form, number):
    async def story(served):
        right = {
            "grant_type": "client_credentials",
            "scope": "x/.default",
            "client_id": CLIENT,
            "client_secret": SECRET,
        }
        status, _, body = await served.ask("POST", f"/{tenant}/oauth2/v2.0/token", data={**right, **form})
        assert (status >= 400, body["error_codes"]) == (True, [number])

    run(story)


def test_a_missing_foreign_or_expired_token_is_401_with_a_challenge(run):
    async def story(served):
        path = f"{GROUP}?api-version=2025-04-01"
        token = await served.token()
        tampered = token[:-4] + ("AAAA" if not token.endswith("AAAA") else "BBBB")
        async with served.credential() as credential:
            elsewhere = (await credential.get_token("https://management.azure.com/.default")).token
        codes = []
        for given in (None, tampered, elsewhere):
            status, headers, body = await served.ask("GET", path, given)
            assert status == 401
            assert headers["WWW-Authenticate"].startswith("Bearer authorization_uri=")
            codes.append(body["error"]["code"])
        assert codes == ["AuthenticationFailed", "InvalidAuthenticationToken", "InvalidAuthenticationTokenAudience"]

    run(story)


def test_pushing_virtual_time_forward_does_not_end_a_token(run):
    async def story(served):
        token = await served.token()
        await served.ask("POST", "/_lab/advance", json={"seconds": 10_000_000})
        status, _, _ = await served.ask("GET", f"{GROUP}?api-version=2025-04-01", token)
        assert status == 200

    run(story)


def test_waits_leave_as_wall_seconds_and_never_as_nought(run):
    async def story(served):
        body = {"location": LOCATION, "sku": {"name": "Standard"}, "properties": {}}
        path = f"{GROUP}/providers/Microsoft.RecoveryServices/vaults/v?api-version=2026-11-01"
        status, headers, _ = await served.ask("PUT", path, await served.token(), json=body)
        assert (status, headers["Retry-After"], headers["x-ms-retry-after-ms"]) == (201, "1", "17")

    run(story)


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [("{", "application/json", 400), ("<a/>", "text/xml", 415), ("[]", "application/json", 400)],
)
def test_a_body_that_is_not_a_json_object_is_refused(run, body, kind, status):
    async def story(served):
        path = f"{GROUP}?api-version=2025-04-01"
        answered, _, _ = await served.ask("PUT", path, await served.token(), data=body, content_type=kind)
        assert answered == status

    run(story)


def test_a_reset_breaks_the_connection_after_the_request_took_effect(run):
    async def story(served):
        # aiohttp itself sends a PUT again once, so the connection breaks twice.
        fault = {"match": {"method": "PUT"}, "reset": True, "after_effect": True, "times": 2}
        await served.ask("POST", "/_lab/inject", json=fault)
        token, path = await served.token(), f"{GROUP}-2"
        with pytest.raises(aiohttp.ClientError):
            await served.ask("PUT", f"{path}?api-version=2025-04-01", token, json={"location": LOCATION})
        assert path in served.world.resources

    run(story)


def test_the_cloud_describes_itself_for_the_azure_cli(run):
    async def story(served):
        _, _, cloud = await served.ask("GET", "/metadata/endpoints?api-version=2022-09-01")
        assert cloud["resourceManager"] == served.url + "/"
        _, _, clouds = await served.ask("GET", "/metadata/endpoints?api-version=2019-05-01")
        assert [one["name"] for one in clouds] == ["AsrLab"]
        _, _, openid = await served.ask("GET", f"/{TENANT_ID}/v2.0/.well-known/openid-configuration")
        assert openid["token_endpoint"] == f"{served.url}/{TENANT_ID}/oauth2/v2.0/token"
        _, _, instance = await served.ask("GET", "/common/discovery/instance")
        assert TENANT_ID in instance["tenant_discovery_endpoint"]

    run(story)


def test_the_lab_door_shows_the_log_and_the_state_and_resets(run):
    async def story(served):
        token = await served.token()
        await served.ask("PUT", f"{GROUP}-2?api-version=2025-04-01", token, json={"location": LOCATION})
        await served.ask("GET", f"{GROUP}-2?api-version=2025-04-01", token)
        _, _, log = await served.ask("GET", "/_lab/log?writes=1")
        assert [row["method"] for row in log["entries"]] == ["PUT"]
        _, _, empty = await served.ask("DELETE", "/_lab/log")
        assert empty == {"entries": []}
        _, _, state = await served.ask("GET", "/_lab/state")
        assert state["vaults"] == []
        await served.ask("POST", "/_lab/reset")
        assert f"{GROUP}-2" not in served.world.resources
        assert GROUP in served.world.resources

    run(story)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/_lab/advance", {"seconds": -1}),
        ("/_lab/advance", {"minutes": 1}),
        ("/_lab/inject", {"match": {}}),
        ("/_lab/network", {"block": []}),
        ("/_lab/hosts/web", {"skew_s": 960}),
    ],
)
def test_the_lab_door_refuses_what_it_cannot_do(run, path, body):
    async def story(served):
        status, _, answer = await served.ask("POST", path, json=body)
        assert status in (400, 404)
        assert answer["error"]["message"]

    run(story)


def test_the_certificates_carry_what_strict_clients_ask_for_and_the_key_is_private(certs):
    server = x509.load_pem_x509_certificate(certs.certificate_file.read_bytes())
    authority = x509.load_pem_x509_certificate(certs.ca_file.read_bytes())
    server.verify_directly_issued_by(authority)
    for certificate in (server, authority):
        certificate.extensions.get_extension_for_class(x509.KeyUsage)
        certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    server.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier)
    names = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "localhost" in names.get_values_for_type(x509.DNSName)
    assert stat.S_IMODE(certs.key_file.stat().st_mode) == 0o600
