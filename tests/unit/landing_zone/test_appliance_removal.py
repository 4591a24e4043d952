"""Taking an appliance out of its vault, and what forbids it."""

import pytest

from asr_migrate.azure import replication_policy, vault
from asr_migrate.azure.appliance import ApplianceReader, ApplianceState, ProcessServer
from asr_migrate.azure.appliance_removal import refuse_if_used, remove
from asr_migrate.domain.errors import SetupError


@pytest.fixture
def appliance(azure):
    """A registered replication appliance with its policy."""

    async def prepare(session):
        clients, zone = session.clients, session.landing_zone
        await replication_policy.ensure_policy(clients, zone)
        seen = await ApplianceReader(clients, zone).look()
        await replication_policy.ensure_mapping(clients, zone, seen.fabric, seen.container)

    azure.tell(lambda session: vault.ensure(session.clients, session.landing_zone))
    azure.register_appliance()
    azure.tell(prepare)
    azure.world.log.clear()
    return azure


async def take_away(session):
    clients, zone = session.clients, session.landing_zone
    return await remove(clients, zone, await ApplianceReader(clients, zone).look())


def test_association_policy_and_appliance_go_in_this_order_and_once(appliance):
    assert appliance.tell(take_away) is True
    written = [line.split("/")[-2:] for line in appliance.writes()]
    assert written[0] == ["ec2-to-azure-mapping", "remove"]
    assert written[1] == ["replicationPolicies", "ec2-to-azure"]
    assert written[2][-1] == "remove"
    appliance.world.log.clear()
    assert appliance.tell(take_away) is False
    assert appliance.writes() == []


def test_check_mode_says_what_would_go_and_sends_nothing(appliance):
    async def story(session):
        await take_away(session)
        return [write.as_dict()["what"] for write in session.writes]

    said = appliance.tell(story, check_mode=True)
    assert [words.split()[0] for words in said] == ["take", "delete", "remove"]
    assert appliance.writes() == []


def test_an_appliance_that_shares_its_fabric_is_refused_by_the_others_names(appliance):
    async def story(session):
        clients, zone = session.clients, session.landing_zone
        seen = await ApplianceReader(clients, zone).look()
        other = ProcessServer("id", "second-appliance", ("10.20.0.21",), None, None, None)
        shared = ApplianceState(**{**seen.__dict__, "process_servers": (*seen.process_servers, other)})
        await refuse_if_used(clients, zone, shared)

    with pytest.raises(SetupError, match="second-appliance") as refused:
        appliance.tell(story)
    assert refused.value.code == "ApplianceNotAlone"
    assert appliance.writes() == []


def test_an_appliance_that_is_not_registered_is_nothing_to_remove(azure):
    azure.tell(lambda session: vault.ensure(session.clients, session.landing_zone))
    azure.world.log.clear()
    assert azure.tell(take_away) is False
    assert azure.writes() == []
