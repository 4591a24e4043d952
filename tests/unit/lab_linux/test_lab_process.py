"""The lab as a process: up, asked, changed, down, with the command line that a user types."""

import json
import os
import socket
import stat
import subprocess
import sys

import pytest

LAB_NET = "127.34"
PYTHON_PATH = os.pathsep.join(path for path in sys.path if path)


def lab(state, *words):
    return subprocess.run(
        [sys.executable, "-m", "asr_lab", words[0], "--state", str(state), *words[1:]],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": PYTHON_PATH},
    )


@pytest.fixture(scope="module")
def state(tmp_path_factory):
    directory = tmp_path_factory.mktemp("state") / "lab"
    done = lab(directory, "up", "--net", LAB_NET)
    assert done.returncode == 0, done.stderr + (directory / "lab.log").read_text()
    yield directory
    assert lab(directory, "down").stdout == "The lab is down.\n"


def test_up_says_what_is_there_and_a_second_up_does_nothing(state):
    again = lab(state, "up", "--net", LAB_NET)
    assert again.returncode == 0
    assert "runs already" in again.stdout


def test_what_is_secret_is_readable_by_its_owner_only(state):
    private = [*(state / "secrets").iterdir(), *(state / "ssh").glob("id_*[!b]"), state / "env", state / "server.key"]
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in private} == {p.name: 0o600 for p in private}
    assert stat.S_IMODE(state.stat().st_mode) == 0o700


def test_no_secret_is_in_the_log(state):
    log = (state / "lab.log").read_text()
    assert not [path.name for path in (state / "secrets").iterdir() if path.read_text().strip() in log]


def test_status_tells_which_machines_run(state):
    hosts = json.loads(lab(state, "status", "--json").stdout)["hosts"]
    assert hosts["app-2008"]["running"] is True
    assert hosts["legacy-cs"]["running"] is False


def test_advance_pushes_virtual_time(state):
    before = json.loads(lab(state, "status", "--json").stdout)["now"]
    told = lab(state, "advance", "10d").stdout
    after = json.loads(lab(state, "status", "--json").stdout)["now"]
    assert after[:10] > before[:10]
    assert after[:10] in told


def test_the_log_of_a_fresh_lab_holds_no_write(state):
    assert lab(state, "log", "--writes").stdout == ""


def test_a_fault_on_a_host_shows_there_and_reset_takes_it_back(state):
    done = lab(state, "inject", "--host", "db-rhel8", '{"service": {"chronyd": "stopped"}}')
    assert done.returncode == 0, done.stderr
    assert lab(state, "inject", "--network", '{"block": [["10.20.1.11", "*", 9443]]}').returncode == 0
    assert json.loads(lab(state, "status", "--json").stdout)["blocked"] == [["10.20.1.11", "*", "9443"]]
    assert lab(state, "reset").returncode == 0
    assert json.loads(lab(state, "status", "--json").stdout)["blocked"] == []


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--host", "nobody", "{}"), "There is no host 'nobody'; there are legacy-cs"),
        (("--host", "db-rhel8", '{"colour": "red"}'), "unknown fault colour"),
        (("--network", '{"block": [["10.20.1.11"]]}'), "is not [source, target, port]"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused_with_a_sentence(state, words, sentence):
    done = lab(state, "inject", *words)
    assert done.returncode == 1
    assert sentence in done.stderr


def test_a_taken_port_is_named(state, tmp_path):
    with socket.create_server(("127.35.0.1", 5000)):
        done = lab(tmp_path / "other", "up", "--net", "127.35")
    assert done.returncode == 1
    assert "127.35.0.1:5000 cannot be opened" in done.stderr
    assert lab(tmp_path / "other", "down").stdout == "No lab runs.\n"


def test_without_a_lab_the_commands_say_how_to_start_one(tmp_path):
    done = lab(tmp_path, "advance", "1")
    assert done.returncode == 1
    assert "python -m asr_lab up" in done.stderr
    assert lab(tmp_path, "status").returncode == 1


def test_without_user_namespaces_the_other_parts_come_up_and_the_setting_is_named(tmp_path):
    directory = tmp_path / "lab"
    forbid = "echo 0 > /proc/sys/user/max_user_namespaces"
    up = f"{sys.executable} -m asr_lab up --net 127.36 --state {directory}"
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "sh", "-c", f"{forbid} && exec {up}"],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": PYTHON_PATH},
    )
    try:
        assert done.returncode == 0, done.stderr
        line = next(line for line in done.stdout.splitlines() if "left out" in line)
        assert "allow them with: sudo sysctl -w" in line
        refused = lab(directory, "inject", "--host", "db-rhel8", '{"skew_s": 960}')
        assert "not simulated here" in refused.stderr
    finally:
        lab(directory, "down")
