"""What the lab's commands print, take and refuse."""

import json
import re

import pytest

from .conftest import NET


def test_up_says_where_the_lab_is_and_how_to_read_on(lab):
    said = lab.ok("up")
    assert "runs already" in said
    for words in (f"https://{NET}.0.1:8443", f"http://{NET}.0.1:5000", "/_lab/", "ca.pem", "howto az", "howto sdk"):
        assert words in said


def test_a_lab_that_runs_does_not_become_fresh_by_up(lab):
    done = lab("up", "--fresh")
    assert done.returncode == 1
    assert "reset" in done.stderr


@pytest.mark.parametrize("client", ["env", "az", "sdk", "curl", "aws", "ansible"])
def test_howto_names_this_labs_addresses_and_no_secret(lab, client):
    said = lab.ok("howto", client)
    assert f"{NET}.0.1" in said or str(lab.state) in said
    secrets = [path.read_text().strip() for path in (lab.state / "secrets").iterdir() if path.is_file()]
    assert not [secret for secret in secrets if secret in said]


def test_howto_az_registers_the_cloud_and_signs_in(lab):
    said = lab.ok("howto", "az")
    assert f"az cloud register --name AsrLab --endpoint-resource-manager https://{NET}.0.1:8443" in said
    assert "az config set core.instance_discovery=false" in said
    assert re.search(r"az login --service-principal --username \S+ --tenant \S+", said)


def test_howto_sdk_is_python_that_compiles(lab):
    compile(lab.ok("howto", "sdk"), "howto", "exec")


def test_howto_for_an_unknown_client_names_those_there_are(lab):
    done = lab("howto", "fortran")
    assert done.returncode == 2
    assert "env, az, sdk, curl, aws, ansible" in " ".join(done.stderr.replace("│", " ").split())


def test_status_is_a_table_or_json(lab):
    said = lab.ok("status")
    assert re.search(r"app-2008 +10\.20\.1\.11 +yes", said)
    assert lab.status()["hosts"]["app-2008"]["running"] is True


@pytest.mark.parametrize(("time", "seconds"), [("90", 90), ("2m", 120), ("1.5h", 5400), ("1d", 86400)])
def test_advance_takes_seconds_minutes_hours_and_days(lab, time, seconds):
    before = lab.status()["now"]
    lab.ok("advance", time)
    after = lab.status()["now"]
    assert after > before
    assert "Virtual time is" in lab.ok("advance", "0")


@pytest.mark.parametrize("time", ["soon", "-5", "3w"])
def test_advance_refuses_other_words(lab, time):
    assert lab("advance", time).returncode == 2


def test_a_scenario_is_listed_injected_and_taken_back(lab):
    listed = json.loads(lab.ok("scenarios", "--json"))
    assert {"slow_region", "stuck_initial_replication"} & {row["name"] for row in listed}
    assert listed[0]["title"] in lab.ok("scenarios")
    planted = json.loads(lab.ok("inject", "--scenario", listed[0]["name"]))
    assert planted["faults"] >= 1
    assert json.loads(lab.ok("inject", "--clear"))["faults"] == 0


def test_a_scenario_comes_from_a_file_of_ones_own(lab, tmp_path):
    file = tmp_path / "mine.yml"
    file.write_text(
        "title: Busy\ndescription: The next write is answered 503.\nknown: chosen\n"
        "rows:\n- match: {method: PUT}\n  status: 503\n  times: 1\n"
    )
    assert json.loads(lab.ok("inject", "--scenario", str(file)))["faults"] == 1
    lab.ok("inject", "--clear")


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("--scenario", "no_such"), 1, "no_such"),
        (("--scenario", "no_such.yml"), 2, "cannot be read"),
        (("17",), 2, "give one JSON object"),
        ((), 2, "exactly one of"),
        (("--clear", "{}"), 2, "exactly one of"),
        (("--name", "web", "{}"), 2, "needs --scenario"),
    ],
)
def test_what_inject_cannot_do_is_refused_with_a_sentence(lab, words, code, sentence):
    done = lab("inject", *words)
    assert done.returncode == code
    assert sentence in " ".join(done.stderr.replace("│", " ").split())


def test_the_log_is_lines_json_or_a_session_with_answers(lab, tmp_path):
    lab.ok("log", "--keep-answers")
    url, curl = lab.settings(), lab.ok("howto", "curl")
    assert url["AZURE_SUBSCRIPTION_ID"] in curl
    session = tmp_path / "session.json"
    done = lab("log", "--as-session", str(session))
    assert done.returncode == 1
    assert "keep them with" in done.stderr
    assert not session.exists()
    lab.ok("log", "--forget-answers")


def test_commands_without_a_lab_say_how_to_start_one(idle):
    for words in (("status",), ("advance", "1"), ("howto", "az"), ("log",), ("scenarios",)):
        done = idle(*words)
        assert done.returncode == 1, words
        assert "up" in done.stderr or "No lab runs" in done.stdout
