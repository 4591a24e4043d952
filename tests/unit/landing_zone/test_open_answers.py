"""The landing zone's writes when their answer leaves open whether they were taken: looked up, never sent again."""

import pytest

from asr_migrate.azure import replication_policy, vault
from asr_migrate.azure.appliance import ApplianceReader
from asr_migrate.domain.errors import ServiceError


async def make_vault(session):
    return (await vault.ensure(session.clients, session.landing_zone))[1]


async def make_key(session):
    return await vault.integrity_key(session.clients, session.landing_zone) is not None


async def make_policy(session):
    return await replication_policy.ensure_policy(session.clients, session.landing_zone)


async def make_mapping(session):
    clients, zone = session.clients, session.landing_zone
    seen = await ApplianceReader(clients, zone).look()
    return await replication_policy.ensure_mapping(clients, zone, seen.fabric, seen.container)


BEFORE = {
    make_vault: (),
    make_key: (make_vault,),
    make_policy: (make_vault,),
    make_mapping: (make_vault, make_policy),
}


@pytest.fixture(params=BEFORE, ids=lambda ensure: ensure.__name__)
def ensure(request, azure):
    """One of the writes, all that it needs being there."""
    for earlier in BEFORE[request.param]:
        azure.tell(earlier)
    if request.param is make_mapping:
        azure.register_appliance()
    azure.world.log.clear()
    return request.param


def answers(azure, status, **more):
    azure.world.faults.add({"match": {"method": "PUT"}, "status": status, "times": 1, **more})


@pytest.mark.parametrize("status", [503, 500, 408])
def test_what_was_taken_all_the_same_is_done_and_sent_once(azure, ensure, status):
    answers(azure, status, after_effect=True)
    assert azure.tell(ensure) is True
    assert len(azure.writes()) == 1


def test_what_was_not_taken_is_the_error_of_the_write_and_can_be_run_again(azure, ensure):
    answers(azure, 503)
    with pytest.raises(ServiceError) as raised:
        azure.tell(ensure)
    assert (raised.value.transient, raised.value.status) == (True, 503)
    assert len(azure.writes()) == 1
    assert azure.tell(ensure) is True


def test_what_is_refused_is_not_looked_for(azure, ensure):
    answers(azure, 403)
    with pytest.raises(ServiceError) as raised:
        azure.tell(ensure)
    assert raised.value.status == 403
    entries = azure.world.log
    after = entries[next(number for number, entry in enumerate(entries) if entry.is_write) + 1 :]
    assert after == []
