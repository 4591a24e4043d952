"""The page about scenarios."""

from pathlib import Path

import pytest
import yaml

from asr_lab.arm import scenarios

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "lab-scenarios.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", scenarios.names())
def test_the_page_has_every_scenario_as_its_file_describes_it(name):
    found = scenarios.scenario(name)
    assert f"| `{name}` | {found.title} | {found.known} |" in PAGE


def test_the_example_of_the_page_is_a_scenario():
    example = yaml.safe_load(PAGE.partition("```yaml\n")[2].partition("```")[0])
    assert len(scenarios.parse(example).rows) == 2
