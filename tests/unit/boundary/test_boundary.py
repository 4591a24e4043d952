"""The boundary between Ansible's modules and the library."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from asr_migrate.domain.errors import SetupError
from asr_migrate.domain.lifecycle import Goal, Stage

ROOT = Path(__file__).parents[3]
MODULES = ("wave", "wave_info")


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def boundary():
    return load(ROOT / "plugins" / "module_utils" / "boundary.py")


def source(name):
    return (ROOT / "plugins" / "modules" / f"{name}.py").read_text()


def documented(name, constant="DOCUMENTATION"):
    return yaml.safe_load(source(name).partition(f'{constant} = r"""')[2].partition('"""')[0])


def test_our_errors_become_a_message_with_code_cause_and_remedy(boundary):
    told = boundary.failure(SetupError("no vault", code="VaultMissing", cause="404", remedy="Make it."))
    assert told == {
        "msg": "no vault. Make it.",
        "error": {"code": "VaultMissing", "cause": "404", "remedy": "Make it."},
    }


def test_a_missing_package_is_named_with_what_to_install(boundary):
    told = boundary.failure(ImportError("no", name="asr_migrate"))
    assert "asr_migrate" in told["msg"]
    assert "requirements.txt" in told["error"]["remedy"]


def test_a_defect_is_told_without_a_traceback(boundary):
    told = boundary.failure(KeyError("x"))
    assert told["error"]["code"] == "Unexpected"
    assert "Traceback" not in told["msg"]


def test_packages_that_are_missing_or_too_old_are_named(boundary):
    problems = boundary.unmet({"no-such-package-of-ours": "1.0", "pydantic": "999.0"})
    assert problems[0] == "no-such-package-of-ours 1.0 or newer is missing"
    assert problems[1].endswith("999.0 or newer is needed")


def test_what_is_installed_here_is_enough(boundary):
    assert boundary.unmet() == []


@pytest.mark.parametrize(("version", "numbers"), [("2.0.0", (2, 0, 0)), ("2.1b1", (2,)), ("10.4", (10, 4))])
def test_versions_are_compared_by_their_numbers(boundary, version, numbers):
    assert boundary.numbers(version) == numbers


def test_the_modules_goals_are_the_librarys():
    assert documented("wave")["options"]["goal"]["choices"] == [str(goal) for goal in Goal]


def test_the_documented_stages_are_the_librarys():
    told = documented("wave_info", "RETURN")["machines"]["contains"]["stage"]["description"][0]
    assert [stage for stage in Stage if f"V({stage})" not in told] == []


def run(module, parameters, tmp_path, *, check_mode=False):
    """Run a module as Ansible does, in a process of its own, and return its result."""
    arguments = {"ANSIBLE_MODULE_ARGS": {**parameters, "_ansible_check_mode": check_mode}}
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PYTHONPATH": f"{ROOT / 'collections'}:{ROOT / 'python'}",
    }
    done = subprocess.run(
        [sys.executable, str(ROOT / "plugins" / "modules" / f"{module}.py")],
        input=json.dumps(arguments),
        capture_output=True,
        text=True,
        env=environment,
        cwd=tmp_path,
        check=False,
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize("module", MODULES)
def test_a_landing_zone_that_is_incomplete_fails_with_its_place_and_remedy(module, tmp_path):
    parameters = {"landing_zone": {"vault": "v"}, "machines": []}
    if module == "wave":
        parameters["goal"] = "protected"
    result = run(module, parameters, tmp_path)
    assert result["failed"]
    assert "asr_landing_zone.subscription_id" in result["msg"]
    assert result["error"]["code"] == "InvalidInput"
    assert result["error"]["remedy"]
