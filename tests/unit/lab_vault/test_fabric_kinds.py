"""What every kind of fabric has to bring along."""

import pickle

import pytest

from asr_lab.arm import routes
from asr_lab.arm.providers import rules
from asr_lab.arm.providers.fabric_kind import KINDS, kind_for_input, kind_named

routes.load()
POLICIES = rules.table("policies")


@pytest.mark.parametrize("name", sorted(KINDS))
def test_a_kind_has_a_duration_for_each_of_its_steps(lab, name):
    kind = KINDS[name]
    steps = [(kind.provider, step) for step in ("mapping", "unmapping", "refresh")]
    if kind.mapping_updates:
        steps.append((kind.provider, "mapping_update"))
    if kind.input_type:
        steps.append((kind.name, "create"))
    if kind.container_input:
        steps.append((kind.name, "create_container"))
    assert all(lab.world.duration_s(*step) > 0 for step in steps)


@pytest.mark.parametrize("name", sorted(KINDS))
def test_the_policies_of_a_kind_are_known(name):
    kind = KINDS[name]
    assert kind.policies
    assert kind.policies <= set(POLICIES)
    assert kind.failback_policies <= kind.policies


@pytest.mark.parametrize("name", sorted(KINDS))
def test_a_kind_is_the_same_after_it_was_written_down(name):
    assert pickle.loads(pickle.dumps(KINDS[name])) is KINDS[name]


def test_each_input_makes_one_kind():
    made = {kind.input_type: kind.name for kind in KINDS.values() if kind.input_type}
    assert made == {"Azure": "Azure", "FabricSpecificCreationInput": "HyperVSite", "InMageRcm": "InMageRcm"}
    assert kind_for_input("VMwareV2") is None


def test_a_kind_that_the_lab_does_not_have_is_named_with_those_it_has():
    with pytest.raises(LookupError, match="Nowhere is not a kind of fabric of the lab; it has Azure"):
        kind_named("Nowhere")


@pytest.mark.parametrize("name", sorted(POLICIES))
def test_a_policy_row_limits_only_what_it_shows(name):
    row = POLICIES[name]
    limited = {*row.get("limits", {}), *row.get("choices", {}), *row.get("not_above", {}).values()}
    assert limited <= set(row["read_back"])
    assert set(row.get("renamed", {}).values()) <= set(row["read_back"])
    assert row["known"] in ("recorded", "documented", "specification", "chosen")
