"""The action plugin source_host: what it keeps on the controller, what it tells, and what it keeps to itself."""

import importlib.util
import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.utils.display import Display

from asr_migrate.hosts.plan import Answer, Change, Exchange, Plan, Reading
from asr_migrate.hosts.prior import Prior

from .conftest import ROOT

HASH = "$6$salt$secretsecret"
PRIOR = Prior("shadow", "root", {"field": HASH}, {"field": "$6$new$newnewnew"})


def load():
    spec = importlib.util.spec_from_file_location("for_boundary_source_host", ROOT / "plugins/action/source_host.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


class Connection:
    """A host that says the value it has; ``fails`` is raised in its place, ``stumbles`` on closing."""

    has_pipelining = True

    def __init__(self):
        self.value, self.fails, self.stumbles = "old", None, None
        self.sent, self.inputs, self.heard = [], [], []
        self._play_context = SimpleNamespace(no_log=False, remote_user="root")
        self._shell = SimpleNamespace(tmpdir=None)

    def exec_command(self, command, in_data=None, sudoable=True):
        self.sent.append(command)
        self.inputs.append(in_data)
        self.heard.append(self._play_context.no_log)
        if self.fails:
            raise self.fails
        if command.startswith("set "):
            self.value = command.removeprefix("set ")
        return 0, self.value.encode(), b""

    def get_option(self, name):
        raise KeyError(name)

    def close(self):
        if self.stumbles:
            raise self.stumbles


class FilesOnly(Connection):
    """A host that is a shell with a home, over a connection that sends files but no standard input."""

    has_pipelining = False

    def __init__(self, home):
        super().__init__()
        self.home, self.modes = home, []

    def exec_command(self, command, in_data=None, sudoable=True):
        assert not in_data
        self.sent.append(command)
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.home)}
        done = subprocess.run(["sh", "-c", command], capture_output=True, env=environment, check=False)
        return done.returncode, done.stdout, done.stderr

    def put_file(self, source, target):
        self.modes.append(stat.S_IMODE(Path(target).parent.stat().st_mode))
        shutil.copyfile(source, target)
        if self.fails:
            raise self.fails


class Toy:
    """Wants the value ``new``."""

    settle_s = 60.0
    secrets = ()

    def probe(self):
        return Exchange("probe", "look")

    def inspect(self, priors):
        return self.probe()

    def read(self, answer: Answer):
        return Reading({"value": answer.stdout}, answer.stdout, {"agent_config_input": "paste me"})

    def plan(self, reading):
        return self._to("new", reading.of(str), (PRIOR,))

    def restoration(self, reading, priors, *, force=False, only_push=False):
        return self._to("old", reading.of(str), ())

    @staticmethod
    def _to(value, seen, prior):
        if seen == value:
            return Plan()
        return Plan(
            changes=(Change("value", seen, value),), exchanges=(Exchange("change", f"set {value}"),), prior=prior
        )


@pytest.fixture
def host(tmp_path):
    return made(tmp_path, Connection(), Toy())


def made(tmp_path, connection, profile):
    """Return a host with a connection and a profile: run, connection, and the record's file."""
    module = load()
    module.profiles = SimpleNamespace(NAMES=("source",), make=lambda *_: profile)

    def run(state="present", *, check=False, variables=None, **options):
        options = {"state": state, "family": "linux", "prior_dir": str(tmp_path / "prior"), "use_sudo": False} | options
        task = SimpleNamespace(args=options, check_mode=check, diff=True, async_val=0, action="source_host")
        templar = SimpleNamespace(template=lambda value: value)
        plugin = module.ActionModule(task, connection, SimpleNamespace(remote_user="root"), None, templar, None)
        return plugin.run(task_vars={"inventory_hostname": "app-1"} | (variables or {}))

    return SimpleNamespace(run=run, connection=connection, record=tmp_path / "prior" / "app-1.json")


def test_preparing_keeps_the_record_and_restoring_uses_it_up(host):
    prepared = host.run()
    assert (prepared["changed"], prepared["round_trips"]) == (True, 3)
    assert stat.S_IMODE(host.record.stat().st_mode) == 0o600
    assert json.loads(host.record.read_text())["priors"][0]["before"] == {"field": HASH}
    restored = host.run("restored")
    assert (restored["changed"], restored["on_record"]) == (True, [])
    assert host.connection.value == "old"
    assert not host.record.exists()
    for result in (prepared, restored):
        assert HASH not in json.dumps(result)


def test_check_mode_and_probing_keep_nothing(host):
    assert host.run(check=True)["changed"] is True
    assert host.run("probed")["changed"] is False
    assert not host.record.exists()
    host.run()
    text = host.record.read_text()
    checked = host.run("restored", check=True)
    assert (checked["changed"], checked["on_record"]) == (True, ["shadow root"])
    assert host.record.read_text() == text


def test_a_host_out_of_reach_is_unreachable_with_what_waits_for_it(host):
    host.run()
    host.connection.fails = AnsibleConnectionFailure("no route to host")
    result = host.run("restored")
    assert result["unreachable"] is True
    assert result["on_record"] == ["shadow root"]
    for words in ("no route to host", "shadow root", str(host.record), "run the playbook again"):
        assert words in result["msg"]


def test_a_damaged_record_stops_before_the_host_is_asked_to_change(host):
    host.record.parent.mkdir()
    host.record.write_text("{")
    prepared, restored = host.run(), host.run("restored")
    for result in (prepared, restored):
        assert result["failed"] is True
        assert str(host.record) in result["msg"]
        assert "Remedy: " in result["msg"]
    assert host.connection.sent == ["look"]
    assert host.record.read_text() == "{"


@pytest.mark.parametrize(("verbosity", "unheard"), [(0, False), (2, False), (3, True), (4, True)])
def test_what_a_host_says_is_kept_out_of_verbose_output(host, monkeypatch, verbosity, unheard):
    monkeypatch.setattr(Display(), "verbosity", verbosity)
    host.run()
    assert host.connection.heard == [unheard] * 3
    assert host.connection._play_context.no_log is False


def test_a_censored_error_of_the_connection_says_how_to_read_it(host):
    host.connection.fails = AnsibleConnectionFailure("via ssh: <error censored due to no log>")
    assert "With at most -vv" in host.run("restored")["msg"]


def test_the_text_for_the_appliance_s_page_goes_to_its_file_only(host, tmp_path):
    path = tmp_path / "input.txt"
    result = host.run(agent_config_input_path=str(path))
    assert path.read_text() == "paste me\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "paste me" not in json.dumps(result)


class Shell(Toy):
    """Looks at a host by a script, which holds a secret."""

    def probe(self):
        return Exchange("probe", "sh", b"password=s3cret\nls -A $HOME; echo $password | tr a-z A-Z\n")

    def plan(self, reading):
        return Plan()


def test_a_connection_without_standard_input_gets_a_file_that_is_gone_when_the_command_starts(tmp_path):
    host = made(tmp_path, FilesOnly(tmp_path), Shell())
    assert host.run("probed")["facts"] == {"value": "S3CRET\n"}
    assert (host.connection.modes, len(host.connection.sent)) == ([0o700], 2)
    assert list(tmp_path.iterdir()) == []
    assert "s3cret" not in "".join(host.connection.sent)


def test_a_file_that_did_not_arrive_whole_is_removed(tmp_path):
    host = made(tmp_path, FilesOnly(tmp_path), Shell())
    host.connection.fails = AnsibleError("failed to open a SFTP connection")
    with pytest.raises(AnsibleError, match="SFTP"):
        host.run("probed")
    assert list(tmp_path.iterdir()) == []


def test_a_user_without_a_home_is_told_what_to_do(tmp_path):
    result = made(tmp_path, FilesOnly(tmp_path / "none"), Shell()).run("probed")
    assert result["error"]["code"] == "HostInboxRefused"
    for words in ("app-1", str(tmp_path / "none"), "use the connection plugin ssh"):
        assert words in result["msg"]


def test_a_connection_that_stumbles_on_closing_is_unreachable_all_the_same(host):
    host.connection.fails = AnsibleConnectionFailure("Connection refused")
    host.connection.stumbles = AttributeError("'Connection' object has no attribute 'ssh'")
    with pytest.raises(AnsibleConnectionFailure, match="Connection refused"):
        host.run()


@pytest.mark.parametrize("name", ["ansible_become_password", "ansible_become_pass", "ansible_sudo_pass"])
def test_the_password_for_sudo_goes_before_the_script_and_into_no_command(tmp_path, name):
    connection = Connection()
    made(tmp_path, connection, Shell()).run("probed", use_sudo=True, variables={name: "s3same"})
    assert connection.inputs[0].startswith(b"s3same\npassword=s3cret\n")
    assert "s3same" not in connection.sent[0]
