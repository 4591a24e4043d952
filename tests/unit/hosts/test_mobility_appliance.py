"""Which appliance a modernized agent is registered with: read from its SourceConfig.json, of which no secret leaves."""

import json
import subprocess

import pytest

from asr_lab.hosts import mobility_config
from asr_migrate.hosts import config_json, linux_script
from asr_migrate.hosts.linux_mobility import mobility_state

from .fake_agent import SHELLS

SECRET = "MIIKkea+private/key=="
CONFIG = {
    "BiosId": "ec2a3641-35e2-59ea-0eec-6affa2a29d4e",
    "ClientCertificate": SECRET,
    "RcmProxyTransportSettings": {
        "FriendlyName": "appliance",
        "IpAddresses": ["10.1.1.5", "10.0.1.143"],
        "NatIpAddress": "20.127.13.53",
        "Port": 443,
    },
}
FORMS = [json.dumps(CONFIG), json.dumps(CONFIG, indent=4), json.dumps(CONFIG, separators=(",", ":")) + "\r\n"]
ADDRESSES = ("10.1.1.5", "10.0.1.143", "20.127.13.53")


@pytest.mark.parametrize("text", FORMS)
def test_all_addresses_of_an_appliance_are_read(text):
    assert config_json.addresses(text) == ADDRESSES


@pytest.mark.parametrize("text", ["", "{}", "no json", '{"RcmProxyTransportSettings": {"IpAddresses": []}}'])
def test_a_text_without_addresses_has_none(text):
    assert config_json.addresses(text) == ()


def test_the_lab_s_config_json_has_the_same_form():
    host = type("Host", (), {"bios_id": "x", "host_name": "db-1"})
    made = mobility_config.config_json(mobility_config.config_input(host), "10.20.0.20")
    assert config_json.addresses(made) == ("10.20.0.20",)


def probe(shell, tmp_path, config, drscout="HostId=abc"):
    """Run the probe's part on a modernized agent below a directory; return what it printed."""
    vx, service = tmp_path / "ASR" / "Vx", tmp_path / "vxagent" / "bin" / "vxagent"
    for place in (vx / "etc", vx / "bin", service.parent):
        place.mkdir(parents=True, exist_ok=True)
    version = f"INSTALLATION_DIR={vx}\nAGENT_CONFIGURATION_STATUS=Succeeded\n"
    files = {
        tmp_path / ".vx_version": version,
        vx / "etc/drscout.conf": f"[vxagent]\n{drscout}\nCSType=CSPrime\n",
        vx / "bin/UnifiedAgentConfigurator.sh": "",
        service: "",
    }
    if config is not None:
        files[vx / "etc/SourceConfig.json"] = config
    for place, text in files.items():
        place.write_text(text, encoding="utf-8", newline="")
    say = 'say() { printf \'%s\\t%s\\n\' "$1" "$2"; }\n'
    text = say + "want_config_input=\nwant_work=/var/lib/x\n" + linux_script.body("probe_mobility")
    text = text.replace("/usr/local/.vx_version", str(tmp_path / ".vx_version"))
    text = text.replace("/etc/vxagent", str(tmp_path / "vxagent"))
    done = subprocess.run([shell], input=f"set -eu\n{text}\nmobility\n", capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("text", FORMS)
def test_the_probe_tells_the_addresses_and_no_key(shell, text, tmp_path, kit):
    printed = probe(shell, tmp_path, text)
    assert mobility_state(linux_script.lines(kit.answer(printed))).servers == ADDRESSES
    assert SECRET not in printed


@pytest.mark.parametrize("shell", SHELLS)
def test_a_modernized_agent_that_was_unregistered_is_not_registered_although_its_status_says_so(shell, tmp_path, kit):
    def state(**now):
        return mobility_state(linux_script.lines(kit.answer(probe(shell, tmp_path, **now))))

    assert state(config=FORMS[0]).configured
    (tmp_path / "ASR/Vx/etc/SourceConfig.json").unlink()
    assert state(config=None).configured, "an older agent may keep its configuration elsewhere"
    assert not state(config=None, drscout="HostId=").configured
