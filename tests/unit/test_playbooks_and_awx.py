"""Which hosts the playbooks choose, and that AWX's objects name what there is, in the playbook's order."""

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
WITH_APPLIANCES = ("prepare_landing_zone", "deploy_appliance", "check_ways")
ESTATE = {
    "all": {
        "children": {
            "appliances": {"hosts": {"cs-a": None, "appliance-b": None}},
            "wave_a": {"hosts": {"a1": None}},
            "wave_b": {"hosts": {"b1": None}},
            "landing_zone_a": {"hosts": {"cs-a": None}, "children": {"wave_a": None}},
            "landing_zone_b": {"hosts": {"appliance-b": None}, "children": {"wave_b": None}},
        }
    }
}


class AwxLoader(yaml.SafeLoader):
    """Reads ``!unsafe`` as the text that it marks."""


AwxLoader.add_constructor("!unsafe", lambda loader, node: loader.construct_scalar(node))


def awx(name: str) -> Mapping[str, Any]:
    return yaml.load((ROOT / "awx" / f"{name}.yml").read_text(), AwxLoader)


@pytest.fixture
def estate(tmp_path):
    path = tmp_path / "hosts.yml"
    path.write_text(yaml.safe_dump(ESTATE))
    return path


@pytest.mark.parametrize(
    ("chosen", "appliances", "machines"),
    [
        ((), {"cs-a", "appliance-b"}, {"a1", "b1"}),
        (("-e", "asr_waves=wave_a"), {"cs-a"}, {"a1"}),
        (("-e", "asr_waves=wave_*:!wave_a"), {"appliance-b"}, {"b1"}),
        (("-e", "asr_waves=wave_b", "-e", "asr_appliances=appliance-b"), {"appliance-b"}, {"b1"}),
    ],
)
def test_a_choice_of_waves_is_a_choice_of_their_appliances_too(estate, chosen, appliances, machines):
    listed = subprocess.run(
        [
            str(Path(sys.executable).with_name("ansible-playbook")),
            *("-i", str(estate), "--list-hosts", *chosen),
            *(f"playbooks/{name}.yml" for name in WITH_APPLIANCES),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert listed.returncode == 0, listed.stderr
    plays = [
        (re.match(r".*?\): ([^\t]*)", play)[1], set(re.findall(r"^      (\S+)$", play, re.MULTILINE)))
        for play in listed.stdout.split("  play #")[1:]
    ]
    assert plays == [
        ("Prepare the landing zone", appliances),
        ("Find out which machines the appliance must know", machines),
        ("Deploy the appliance", appliances),
        ("Try the ways", machines | appliances),
        ("Show the matrix", appliances),
    ]


def test_every_playbook_has_a_job_template_and_every_survey_is_there():
    templates = awx("job_templates")["awx_job_templates"]
    assert {row["playbook"] for row in templates} == {f"playbooks/{path.name}" for path in ROOT.glob("playbooks/*.yml")}
    assert {row["survey"] for row in templates} | {"approved_waves"} == set(awx("surveys")["awx_surveys"])


def test_what_a_survey_asks_is_read_somewhere():
    asked = {row["variable"] for survey in awx("surveys")["awx_surveys"].values() for row in survey["spec"]}
    read = "".join(path.read_text() for folder in ("playbooks", "roles") for path in (ROOT / folder).rglob("*.yml"))
    assert asked
    assert {name for name in asked if name not in read} == set()


def test_the_workflow_goes_the_way_of_the_migrate_playbook():
    (workflow,) = awx("workflow")["awx_workflows"]
    nodes = workflow["nodes"]
    assert [node.get("after") for node in nodes] == [None, *(node["id"] for node in nodes[:-1])], "one after the other"
    playbook_of = {row["name"]: row["playbook"] for row in awx("job_templates")["awx_job_templates"]}
    steps = yaml.safe_load((ROOT / "playbooks" / "migrate.yml").read_text())
    assert [playbook_of[node["template"]] for node in nodes if "template" in node] == [
        f"playbooks/{step['ansible.builtin.import_playbook']}" for step in steps
    ]
