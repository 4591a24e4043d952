"""The clients against the lab's Azure, over real HTTPS and with the real credential."""

import asyncio
import json

import pytest

from asr_lab.arm.landing_zone import LOCATION, RESOURCE_GROUP
from asr_migrate.domain.errors import ServiceError, SetupError

VAULT = {"location": LOCATION, "sku": {"name": "Standard"}, "properties": {"publicNetworkAccess": "Enabled"}}


def make_vault(clients):
    call = clients.vaults.vaults.begin_create_or_update(RESOURCE_GROUP, "vault-a", VAULT)
    return clients.finish(call, what="create vault vault-a", why="it does not exist")


def vault(clients):
    return clients.find(clients.vaults.vaults.get(RESOURCE_GROUP, "vault-a"), "reading vault vault-a")


def test_a_long_operation_is_followed_to_its_end(lab):
    async def story():
        async with lab.opened() as clients:
            made = await make_vault(clients)
            return made.name, (await vault(clients)).properties.provisioning_state

    assert asyncio.run(story()) == ("vault-a", "Succeeded")


def test_what_does_not_exist_is_none(lab):
    async def story():
        async with lab.opened() as clients:
            return await vault(clients)

    assert asyncio.run(story()) is None


def test_check_mode_sends_no_write_and_lists_it_with_its_reason(lab):
    async def story():
        async with lab.opened(check_mode=True) as clients:
            assert await make_vault(clients) is None
            return clients.planned

    planned = asyncio.run(story())
    assert [(write.method, write.what, write.why) for write in planned] == [
        ("PUT", "create vault vault-a", "it does not exist")
    ]
    assert lab.world.writes == []


def test_a_write_that_was_accepted_but_answered_503_is_sent_once(lab):
    lab.world.faults.add(
        {"match": {"method": "PUT", "path": "*vault-a"}, "status": 503, "after_effect": True, "times": 3}
    )

    async def story():
        async with lab.opened() as clients:
            with pytest.raises(ServiceError) as raised:
                await make_vault(clients)
            return raised.value

    error = asyncio.run(story())
    assert error.transient
    assert len(lab.world.writes) == 1


def test_a_wrong_secret_is_told_with_what_to_check_and_without_the_secret(lab, monkeypatch):
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "wrong-secret-value")

    async def story():
        async with lab.opened() as clients:
            with pytest.raises(SetupError) as raised:
                await vault(clients)
            return raised.value

    error = asyncio.run(story())
    assert "AZURE_CLIENT_SECRET" in error.remedy
    assert "wrong-secret-value" not in str(error.as_dict())


def test_a_server_that_is_not_trusted_is_told_with_the_setting_to_check(lab):
    async def story():
        async with lab.opened(ca_file=None) as clients:
            with pytest.raises((ServiceError, SetupError)) as raised:
                await vault(clients)
            return raised.value

    assert "ca_file" in asyncio.run(story()).remedy


def test_a_ca_file_that_cannot_be_read_is_named(lab):
    async def story():
        async with lab.opened(ca_file="/nowhere/ca.pem"):
            pass

    with pytest.raises(SetupError, match=r"/nowhere/ca\.pem"):
        asyncio.run(story())


def test_raw_reads_follow_pages_and_name_what_is_missing(lab):
    async def story():
        async with lab.opened() as clients:
            group = f"/subscriptions/{clients.subscription_id}/resourceGroups/{RESOURCE_GROUP}"
            networks = await clients.get_all(f"{group}/providers/Microsoft.Network/virtualNetworks", "2024-05-01")
            with pytest.raises(ServiceError) as raised:
                await clients.get(f"{group}x/providers/Microsoft.Network/virtualNetworks", "2024-05-01", "reading x")
            return [network["name"] for network in networks], raised.value

    names, error = asyncio.run(story())
    assert sorted(names) == ["vnet-prod", "vnet-test"]
    assert (error.status, error.code) == (404, "ResourceGroupNotFound")


class ProxyPage:
    """An answer of 200 that some proxy gave in Azure's place."""

    status_code, reason, headers = 200, "OK", {}

    def raise_for_status(self):
        pass

    def text(self, encoding=None):
        return "<html>Sign in to this network</html>"

    def json(self):
        return json.loads(self.text())


class Proxy:
    async def send_request(self, request):
        return ProxyPage()


def test_an_answer_that_is_no_json_is_an_error_that_names_what_was_read(lab):
    async def story():
        async with lab.opened() as clients:
            clients.arm = Proxy()
            await clients.get("/subscriptions/s", "2024-05-01", "reading s")

    with pytest.raises(ServiceError, match="reading s"):
        asyncio.run(story())
