"""The playbooks under ansible-runner, as AWX runs them."""

import os
import sys
from pathlib import Path

import ansible_runner

from .harness import ROOT

REFUSED = {"old-rhel67pv", "batch-amzn2"}


def test_assess_runs_under_ansible_runner_and_tells_each_host_its_result(lab, tmp_path):
    told: dict[str, str] = {}
    failed: list[str] = []

    def listen(event):
        said = event.get("event_data", {})
        if event["event"] in ("runner_on_failed", "runner_on_unreachable"):
            failed.append(said["host"])
        if event["event"] == "runner_on_ok" and said["task"] == "Say why this machine is left out":
            told[said["host"]] = said["res"]["msg"]

    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    run = ansible_runner.run(
        private_data_dir=str(tmp_path),
        project_dir=str(ROOT),
        inventory=str(ROOT / "inventory" / "rehearsal"),
        playbook="playbooks/assess.yml",
        extravars={"asr_reports_dir": str(tmp_path / "reports")},
        envvars=lab.environment | {"ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "PATH": path},
        suppress_env_files=True,
        event_handler=listen,
        quiet=True,
    )
    assert (run.status, run.rc) == ("successful", 0)
    assert set(told) == REFUSED
    assert failed == []
    # ansible-runner writes its own environment into "command", whatever runs; docs/getting-started.md says so.
    artifacts = [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "command"]
    assert any(path.name == "stdout" for path in artifacts)
    secrets = lab.secrets()
    assert {
        name: path.name
        for path in artifacts
        for name, secret in secrets.items()
        if secret in path.read_text(errors="replace")
    } == {}
