"""The command line: what it says to wrong input, and what it hands on."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from asr_migrate.cli.lab import COMMANDS
from asr_migrate.cli.main import app

MANIFEST = "namespace: asr\nname: migrate\n"


@pytest.fixture
def project(tmp_path, monkeypatch):
    (tmp_path / "galaxy.yml").write_text(MANIFEST)
    (tmp_path / "playbooks").mkdir()
    (tmp_path / "playbooks" / "migrate.yml").write_text("[]\n")
    monkeypatch.delenv("ASR_LAB_STATE", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(*arguments):
    return CliRunner().invoke(app, list(arguments))


def test_without_a_command_the_help_is_shown():
    result = call()
    assert all(name in result.output for name in ("rehearse", "run", "report", "lab"))


def test_the_help_has_examples_and_exit_codes():
    result = call("--help")
    assert result.exit_code == 0
    assert "asr-migrate rehearse --wave legacy" in result.output
    assert "Exit codes: 0 done" in result.output


def test_the_version_is_printed():
    result = call("--version")
    assert (result.exit_code, result.output.split()[0]) == (0, "asr-migrate")


@pytest.mark.parametrize("command", [["rehearse"], ["run", "migrate", "-i", "x"], ["status"], ["lab", "up"]])
def test_outside_of_the_project_every_command_says_where_to_go(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = call(*command)
    assert result.exit_code == 3
    assert "is not inside the asr-migrate project" in result.output.replace("\n", " ")
    assert "Remedy:" in result.output


def test_another_collection_is_not_taken_for_the_project(tmp_path, monkeypatch):
    (tmp_path / "galaxy.yml").write_text("namespace: amazon\nname: aws\n")
    monkeypatch.chdir(tmp_path)
    assert call("rehearse").exit_code == 3


@pytest.mark.parametrize("command", [["run", "migrate"], ["status"], ["report"], ["plan"]])
def test_running_without_an_inventory_is_refused(command, project):
    (project / "playbooks" / "report.yml").write_text("[]\n")
    result = call(*command)
    assert result.exit_code == 2
    assert "no inventory is given" in result.output


def test_an_unknown_playbook_is_answered_with_those_there_are(project):
    result = call("run", "migrade", "-i", "localhost,")
    assert result.exit_code == 2
    assert "there is no playbook migrade" in result.output
    assert "one of: migrate" in result.output


@pytest.mark.parametrize("command", [["run", "--lab", "migrate"], ["report", "--lab"], ["status", "--lab"]])
def test_a_lab_that_does_not_run_is_named_with_the_command_that_starts_it(command, project):
    (project / "playbooks" / "report.yml").write_text("[]\n")
    result = call(*command)
    assert result.exit_code == 3
    assert "asr-migrate lab up" in result.output


@pytest.mark.parametrize("fault", ["not json", "17", "{"])
def test_a_fault_that_is_no_json_object_is_refused_before_the_lab_is_asked(fault, project, capfd):
    assert call("lab", "inject", fault).exit_code == 2
    assert "give one JSON object" in " ".join(capfd.readouterr().err.replace("│", " ").split())


def test_the_labs_own_help_names_the_command_that_was_typed(project, capfd):
    assert call("lab", "up", "--help").exit_code == 0
    assert "Usage: asr-migrate lab up" in capfd.readouterr().out


def test_every_command_of_the_lab_is_offered_with_its_words(project, capfd):
    call("lab", "--help")
    assert subprocess.run([sys.executable, "-m", "asr_lab", "--help"], check=False).returncode == 0
    own = capfd.readouterr().out
    listed = {line.split()[1] for line in own.splitlines() if line.startswith("│ ") and line[2:3].isalpha()}
    assert listed == set(COMMANDS)


@pytest.mark.parametrize(
    "command", [["lab", "advance", "-5"], ["lab", "advance", "soon"], ["lab", "sideways"], ["rehears"]]
)
def test_wrong_usage_ends_with_2(command, project):
    assert call(*command).exit_code == 2


def test_an_environment_file_without_a_running_lab_does_not_count(project):
    (project / ".lab").mkdir()
    (project / ".lab" / "env").write_text("export ASR_LAB_NET=127.20\n")
    assert call("run", "--lab", "migrate").exit_code == 3


def test_what_follows_the_playbook_goes_to_ansible_as_it_is(project, capfd):
    result = call("run", "migrate", "-i", "localhost,", "--no-such-option")
    assert result.exit_code == 2
    assert "unrecognized arguments: --no-such-option" in capfd.readouterr().err


def test_the_exit_code_of_a_run_that_was_stopped_is_in_the_help():
    for arguments in (["--help"], ["run", "--help"]):
        assert "4" in call(*arguments).output.replace("\n", " ").partition("Exit codes:")[2]


@pytest.mark.parametrize("command", [["run", "migrate"], ["status"], ["report"], ["plan"]])
@pytest.mark.parametrize("given", [["-i", "no/such"], ["--inventory", "no/such"]])
def test_an_inventory_that_does_not_exist_is_refused_by_name(command, given, project):
    result = call(*command, *given)
    assert result.exit_code == 2
    assert "there is no file or folder no/such" in result.output


@pytest.mark.parametrize("command", ["rehearse", "run", "plan", "status", "report"])
def test_the_help_of_every_command_has_examples_and_exit_codes(command):
    output = call(command, "--help").output
    assert f"asr-migrate {command} " in output.partition("Examples:")[2]
    assert "4 stopped" in " ".join(output.partition("Exit codes:")[2].split())


def test_planning_an_unknown_playbook_is_answered_with_those_there_are(project):
    result = call("plan", "migrade", "-i", "localhost,")
    assert result.exit_code == 2
    assert "one of: migrate" in result.output
