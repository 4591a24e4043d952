"""The action plugin source_host: what it keeps on the controller, what it tells, and what it keeps to itself."""

import importlib.util
import json
import stat
import sys
from types import SimpleNamespace

import pytest
from ansible.errors import AnsibleConnectionFailure
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
    """A host that says the value it has; ``fails`` is raised in its place."""

    def __init__(self):
        self.value, self.fails, self.sent, self.heard = "old", None, [], []
        self._play_context = SimpleNamespace(no_log=False, remote_user="root")
        self._shell = SimpleNamespace(tmpdir=None)

    def exec_command(self, command, in_data=None, sudoable=True):
        self.sent.append(command)
        self.heard.append(self._play_context.no_log)
        if self.fails:
            raise self.fails
        if command.startswith("set "):
            self.value = command.removeprefix("set ")
        return 0, self.value.encode(), b""

    def get_option(self, name):
        return "root" if name == "remote_user" else None

    def close(self):
        pass


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
    module = load()
    module.profiles = SimpleNamespace(NAMES=("source",), make=lambda *_: Toy())
    connection = Connection()

    def run(state="present", *, check=False, **options):
        options = {"state": state, "family": "linux", "prior_dir": str(tmp_path / "prior"), **options}
        task = SimpleNamespace(args=options, check_mode=check, diff=True, async_val=0, action="source_host")
        templar = SimpleNamespace(template=lambda value: value)
        plugin = module.ActionModule(task, connection, SimpleNamespace(remote_user="root"), None, templar, None)
        return plugin.run(task_vars={"inventory_hostname": "app-1"})

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
