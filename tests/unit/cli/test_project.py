"""Finding the project, reading the lab's environment, and seeing a program through."""

import os
import signal
import sys

import pytest

from asr_migrate.cli import processes
from asr_migrate.cli.project import exports, find
from asr_migrate.domain.errors import SetupError


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.delenv("ASR_LAB_STATE", raising=False)
    (tmp_path / "galaxy.yml").write_text("namespace: asr\nname: migrate\n")
    return tmp_path


def test_the_project_is_found_from_a_folder_inside_it(root):
    inside = root / "playbooks" / "deep"
    inside.mkdir(parents=True)
    assert find(inside).root == root.resolve()


def test_export_lines_are_read_as_a_shell_reads_them():
    text = "# the lab\nexport A=1\nexport B='two words' C=\"x=y\"\nD=ignored\n\nexport E=\n"
    assert exports(text) == {"A": "1", "B": "two words", "C": "x=y", "E": ""}


def test_the_state_directory_can_be_somewhere_else(root, tmp_path_factory, monkeypatch):
    elsewhere = tmp_path_factory.mktemp("state")
    monkeypatch.setenv("ASR_LAB_STATE", str(elsewhere))
    assert find(root).state == elsewhere


def test_the_environment_has_this_projects_ansible_first(root, monkeypatch):
    monkeypatch.delenv("ANSIBLE_CONFIG", raising=False)
    made = find(root).environment()
    assert made["ANSIBLE_CONFIG"] == str(root.resolve() / "ansible.cfg")
    assert made["PATH"].split(os.pathsep)[0] == os.path.dirname(sys.executable)


def test_the_labs_settings_win_over_the_users(root, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "real")
    (root / ".lab").mkdir()
    (root / ".lab" / "env").write_text("export AWS_ACCESS_KEY_ID=lab\n")
    (root / ".lab" / "pid").write_text("1")
    assert find(root).lab_environment()["AWS_ACCESS_KEY_ID"] == "lab"


def test_a_programs_exit_code_is_returned_and_a_signal_as_128_and_more():
    end = [sys.executable, "-c", "import sys; sys.exit(7)"]
    killed = [sys.executable, "-c", f"import os; os.kill(os.getpid(), {int(signal.SIGTERM)})"]
    assert [processes.stream(line, os.environ).code for line in (end, killed)] == [7, 128 + signal.SIGTERM]


def test_a_program_that_fails_is_quoted_in_the_error(tmp_path):
    line = [sys.executable, "-c", "import sys; sys.exit('no such inventory')"]
    with pytest.raises(SetupError) as caught:
        processes.capture(line, os.environ, tmp_path, "reading the inventory")
    assert caught.value.cause == "no such inventory"


def test_a_program_that_is_not_installed_is_named():
    with pytest.raises(SetupError, match="ansible-nothing is not installed"):
        processes.program("ansible-nothing")
