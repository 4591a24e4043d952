"""No secret of a migration gets out: canaries in every place of a secret, two waves prepared and put back, a search.

The story runs the playbooks at ``-vvv --diff`` and has Ansible keep a log at its highest verbosity. Meanwhile command
lines and environments of all processes of this machine are read, which are those of the lab's Linux hosts, too.
"""

import base64
import json
import os
import re
import secrets
import shlex
import string
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

import pytest

from .canaries import (
    Place,
    Sighting,
    Watch,
    files_below,
    files_of_archive,
    files_of_windows_host,
    sightings,
    windows_command_lines,
)
from .harness import LabProcess, directory

NET = "127.59"
#: Slower than other stories: at -vvv, and watched, the playbooks take longer.
SPEED = 120.0
#: What surrounds the random word of a canary: what is quoted somewhere. The lab's file ``env`` is read by shells
#: without quotes; Unified Setup takes MySQL passwords of at most 16 characters and without quotes.
AROUND = {
    "root_password": ("'\"$", "\\ &"),
    "windows_password": ("'\"$", "`<&"),
    "azure_client_secret": ("~", "+/=%"),
    "aws_secret_access_key": ("", "+/="),
    "mysql_root_password": ("", "@"),
    "mysql_user_password": ("", "!"),
}
#: One machine of each kind: Windows and Linux, the Mobility service by hand and by push; and both appliances.
MACHINES = ("app-2008", "db-rhel67", "web-2022", "db-rhel8")
APPLIANCES = ("legacy-cs", "current-appliance")
#: Machines that are refused; a run without them does not know that, and its appliance waits for them.
REFUSED = ("old-rhel67pv", "batch-amzn2")
LINUX = {"db-rhel67": f"{NET}.1.13", "db-rhel8": f"{NET}.1.22"}
WINDOWS = ("app-2008", "web-2022", *APPLIANCES)
#: The hosts on which root's password is set, for the push of the Mobility service.
PUSHED = ("db-rhel8",)
STORY = ("prepare_landing_zone", "deploy_appliance", "prepare_sources", "restore_sources")
PASSPHRASE = r"C:\ProgramData\Microsoft Azure Site Recovery\private\connection.passphrase"
#: Folders of a Linux host in which something can be written.
WRITABLE = ("etc", "root", "home", "var", "tmp", "opt", "srv", "run", "boot", "dev/shm", "usr/local")
#: The lab's own store: what clients are given (keys, secrets), its vault, and its hosts, which are searched one by one.
STORE = ("secrets", "ssh", "world.state", "hosts")
#: Where a secret belongs: canary, place, as patterns.
BELONGS = (
    (r"(azure_client_secret|aws_secret_access_key)", r"state/env"),
    (r"(old|new) hash of {host}", r"{host}:/etc/shadow"),
    (r"(old|new) hash of {host}", r"state/prior/{host}\.json"),
    # The configuration server made it, and each machine with the Mobility service keeps it in a file of its own.
    (r"passphrase", r"(legacy-cs|app-2008|app-2012):C:\\ProgramData\\.*\\connection\.passphrase"),
    (r"passphrase", r"db-rhel67:/usr/local/InMage/private/connection\.passphrase"),
)
#: What azure-identity and boto3 themselves read from the environment of the user who runs Ansible.
SETTINGS = {
    b"AZURE_CLIENT_SECRET": "azure_client_secret",
    b"AWS_SECRET_ACCESS_KEY": "aws_secret_access_key",
}

pytestmark = pytest.mark.rehearsal


@dataclass
class Story:
    """A lab with canaries, and what was seen of it while the playbooks ran and after them."""

    lab: LabProcess
    home: Path
    canaries: dict[str, str]
    watch: Watch = field(default_factory=Watch)
    outputs: dict[str, str] = field(default_factory=dict)
    #: canaries found between preparing and putting back
    prepared: list[Sighting] = field(default_factory=list)
    records: dict[str, int] = field(default_factory=dict)

    def run(self, playbook: str) -> None:
        """Run a playbook; it must go well."""
        limit = ",".join((*MACHINES, *APPLIANCES, *REFUSED))
        ran = self.lab.playbook(playbook, "-vvv", "--diff", "--limit", limit)
        self.outputs[playbook] = ran.output
        failures = re.findall(r"^(?:fatal|failed): .*(?:\n .*)*", ran.output, re.MULTILINE)
        assert ran.code == 0, f"{playbook}:\n" + "\n".join(failures or [ran.output[-4000:]])

    def linux(self, host: str, command: str, stdin: bytes = b"") -> bytes:
        """Run a command as root on a Linux host of the lab, over SSH."""
        keys = self.lab.state / "ssh"
        trusted = f"-oUserKnownHostsFile={keys}/known_hosts"
        old = (
            "-oHostKeyAlgorithms=+ssh-rsa",
            "-oPubkeyAcceptedAlgorithms=+ssh-rsa",
            "-oKexAlgorithms=+diffie-hellman-group14-sha1",
        )
        login = ("-i", str(keys / "id_ed25519"), "-i", str(keys / "id_rsa"), "-oIdentitiesOnly=yes", "-oBatchMode=yes")
        where = (f"ec2-user@{LINUX[host]}", "-p", "2222")
        done = subprocess.run(
            ["ssh", "-Fnone", trusted, *old, *login, *where, f"sudo -n sh -c '{command}'"],
            input=stdin,
            capture_output=True,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def places(self) -> Iterator[Place]:
        """Yield every place where a secret could have got to, but for processes."""
        yield from ((f"output of {name}", output.encode()) for name, output in self.outputs.items())
        yield from files_below(self.lab.state, "state", but=STORE)
        yield from files_below(self.home, "home")
        yield "log of Azure's requests", json.dumps(self.lab.admin("GET", "log")).encode()
        yield from windows_command_lines((self.home / "ansible.log").read_bytes())
        for host in LINUX:
            yield from files_of_archive(self.linux(host, f"cd / && tar -cf - {' '.join(WRITABLE)}"), host)
        for host in WINDOWS:
            yield from files_of_windows_host(self.lab.state / "hosts" / host, host)

    def search(self) -> list[Sighting]:
        """Return the canaries that are where they do not belong."""
        found = sightings(self.canaries, self.places())
        return [one for one in found if not any(_belongs(one, *pair) for pair in BELONGS)]


def _belongs(seen: Sighting, canary: str, place: str) -> bool:
    for host in LINUX:
        patterns = (pattern.replace("{host}", re.escape(host)) for pattern in (canary, place))
        if all(re.fullmatch(pattern, text) for pattern, text in zip(patterns, (seen.canary, seen.place), strict=True)):
            return True
    return False


@pytest.fixture(scope="module")
def story() -> Iterator[Story]:
    """The story, told to its end."""
    with directory() as state, directory() as home:
        with LabProcess(state, net=NET):
            pass
        canaries = plant(state)
        with LabProcess(state, net=NET, speed=SPEED) as lab:
            yield told(Story(lab, home, canaries))


def word() -> str:
    """Return a word of 15 characters that stands nowhere else."""
    return f"Kea{secrets.token_hex(6)}"


def plant(state: Path) -> dict[str, str]:
    """Give a stopped lab secrets of ours; return their words by name."""
    words = {name: word() for name in AROUND}
    for name, (before, after) in AROUND.items():
        path = state / "secrets" / name
        assert path.exists(), f"the lab keeps no {name}"
        path.write_text(f"{before}{words[name]}{after}")
    for name in ("id_ed25519", "id_rsa"):
        words[f"login key {name}"] = (state / "ssh" / name).read_text().splitlines()[-3]
    return words


def told(story: Story) -> Story:
    """Tell the story and keep what was seen."""
    story.lab.environment |= {
        "HOME": str(story.home),
        "TMPDIR": str(story.home / "tmp"),
        "ANSIBLE_HOME": str(story.home / ".ansible"),
        "ANSIBLE_REMOTE_TEMP": str(story.home / ".ansible" / "remote"),
        "ANSIBLE_LOG_PATH": str(story.home / "ansible.log"),
        "ANSIBLE_LOG_VERBOSITY": "6",
    }
    (story.home / "tmp").mkdir()
    for host in PUSHED:
        story.canaries[f"old hash of {host}"] = plant_hash(story, host)
    with story.watch:
        for playbook in STORY[:-1]:
            story.run(playbook)
        story.canaries |= made_by_the_run(story)
        for host in PUSHED:
            story.canaries[f"new hash of {host}"] = root_field(story, host).rpartition("$")[2]
        prior = story.lab.state / "prior"
        story.records = {path.name: path.stat().st_mode & 0o777 for path in (prior, *prior.iterdir())}
        story.prepared = story.search()
        story.run(STORY[-1])
    return story


def plant_hash(story: Story, host: str) -> str:
    """Give root of a host an old password; return the end of its hash."""
    hashed = "".join(secrets.choice(string.ascii_letters + string.digits + "./") for _ in range(86))
    shadow = story.linux(host, "cat /etc/shadow").decode()
    new = re.sub(r"^root:[^:]*", lambda _: f"root:$6$kea${hashed}", shadow, count=1, flags=re.MULTILINE)
    assert hashed in new
    story.linux(host, "cat >/etc/shadow", new.encode())
    return hashed


def root_field(story: Story, host: str) -> str:
    """Return the password field of root."""
    shadow = story.linux(host, "cat /etc/shadow").decode()
    return next(line.split(":")[1] for line in shadow.splitlines() if line.startswith("root:"))


def made_by_the_run(story: Story) -> dict[str, str]:
    """Return the secrets that came into being: the passphrase, and what in the registration key opens the vault."""
    hosts = story.lab.state / "hosts"
    on_server = dict(files_of_windows_host(hosts / "legacy-cs", "legacy-cs"))
    found = {"passphrase": on_server[f"legacy-cs:{PASSPHRASE}"].decode().strip()}
    for path in (story.lab.state / "secrets" / "keys").rglob("*.VaultCredentials"):
        for name, value in re.findall(r"<(ManagementCert|ChannelIntegrityKey)>([^<]+)<", path.read_text()):
            # A log may cut a long text short, so a part of it is looked for.
            found[name] = value if len(value) <= 80 else value[len(value) // 2 :][:60]
    return found


#: How programs write a secret down, each with a name.
WRITTEN = {
    "plain": str.encode,
    "UTF-16": lambda text: text.encode("utf-16-le"),
    "JSON": lambda text: json.dumps([text]).encode(),
    "JSON in JSON": lambda text: json.dumps(json.dumps([text])).encode(),
    "URL": lambda text: quote(text, safe="").encode(),
    "form": lambda text: quote_plus(text).encode(),
    "XML": lambda text: escape(text).encode(),
    "shell": lambda text: shlex.quote(text).encode(),
    "PowerShell": lambda text: text.replace("'", "''").encode(),
    "base64 in lines": lambda text: base64.encodebytes(text.encode()),
    "EncodedCommand": lambda text: base64.b64encode(text.encode("utf-16-le")),
    "od": lambda text: text.encode().hex(" ").encode(),
}
#: Where a secret is planted to see the search find it, and how the place is called.
PLANTED = {
    "output": "output of planted",
    "state": "state/left",
    "journal": "state/journal/left",
    "record": "state/prior/left",
    "report": "state/reports/left",
    "temporary": "home/.ansible/tmp/left",
    "home": "home/left",
    "linux": "db-rhel8:/var/tmp/left",
    "windows": r"app-2008:C:\Windows\Temp\left",
}


@contextmanager
def planted(story: Story, text: Mapping[str, bytes]) -> Iterator[None]:
    """Leave texts in places, by the names of PLANTED, as long as a block runs."""
    windows = story.lab.state / "hosts" / "app-2008"
    roots = {"state": story.lab.state, "home": story.home}
    files = {name: where.split("/", 1) for name, where in PLANTED.items() if where.startswith(("state/", "home/"))}
    paths = {roots[root] / inside: text[name] for name, (root, inside) in files.items()}
    paths[windows / "blobs" / "left"] = text["windows"]
    for path, content in paths.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    kept = (windows / "state.json").read_text()
    state = json.loads(kept)
    state["files"][r"C:\Windows\Temp\left"] = ["left", 1]
    (windows / "state.json").write_text(json.dumps(state))
    story.linux("db-rhel8", "cat >/var/tmp/left", text["linux"])
    story.outputs["planted"] = text["output"].decode("latin-1")
    yield
    for path in paths:
        path.unlink()
    (windows / "state.json").write_text(kept)
    story.linux("db-rhel8", "rm /var/tmp/left")
    del story.outputs["planted"]


def test_every_kind_of_secret_was_at_work(story: Story) -> None:
    hashes = {f"{age} hash of {host}" for age in ("old", "new") for host in PUSHED}
    made = {"passphrase", "ManagementCert", "ChannelIntegrityKey", "login key id_rsa"}
    assert {*AROUND, *made, *hashes} <= set(story.canaries)
    assert len(set(story.canaries.values())) == len(story.canaries)
    assert min(map(len, story.canaries.values())) >= 15, "a short word could be found by chance"


def test_no_secret_is_in_results_logs_reports_or_files_after_preparing(story: Story) -> None:
    assert story.prepared == []


def test_no_secret_is_in_results_logs_reports_or_files_after_putting_back(story: Story) -> None:
    assert story.search() == []
    for host in PUSHED:
        assert root_field(story, host).endswith(story.canaries[f"old hash of {host}"]), "root's old password is back"


def test_no_secret_was_in_a_command_line_of_any_process(story: Story) -> None:
    watch = story.watch
    assert sightings(story.canaries, watch.places()) == []
    assert watch.scans > 500, f"only {watch.scans} looks at the processes; that proves nothing"
    for words in (
        ("ansible-playbook", "deploy_appliance.yml"),
        ("ssh", "ControlMaster"),
        ("AnsiballZ",),
        ("sudo", "sh"),
    ):
        assert watch.ran(*words), f"{words} was not seen"


def test_no_secret_was_in_a_command_line_of_a_windows_host(story: Story) -> None:
    lines = windows_command_lines((story.home / "ansible.log").read_bytes())
    assert len([place for place, _ in lines if "decoded" in place]) >= 10
    assert sightings(story.canaries, lines) == []


def test_environments_hold_only_the_settings_of_azure_identity_and_boto3(story: Story) -> None:
    seen = {}
    for (name, value), programs in story.watch.variables.items():
        for one in sightings(story.canaries, [(name.decode(errors="replace"), value)]):
            seen.setdefault((name, one.canary), set()).update(programs)
    assert {pair: programs for pair, programs in seen.items() if pair not in SETTINGS.items()} == {}
    assert set(seen) == set(SETTINGS.items())


def test_prior_values_are_for_their_owner_only(story: Story) -> None:
    assert story.records.pop("prior") == 0o700
    assert {f"{host}.json" for host in PUSHED} <= set(story.records)
    assert set(story.records.values()) == {0o600}


def test_the_search_finds_what_is_planted_in_every_place_in_every_form(story: Story) -> None:
    secrets_of = {place: {form: f"\"'<{word()}&" for form in WRITTEN} for place in PLANTED}
    text = {place: b" ".join(WRITTEN[form](one) for form, one in by.items()) for place, by in secrets_of.items()}
    with planted(story, text):
        wanted = {f"{place} {form}": one for place, by in secrets_of.items() for form, one in by.items()}
        found = {(one.canary, one.place) for one in sightings(wanted, story.places())}
    assert found == {(f"{place} {form}", where) for place, where in PLANTED.items() for form in WRITTEN}


@pytest.mark.parametrize("form", WRITTEN)
def test_a_secret_is_found_in_the_form(form: str) -> None:
    for before in ("", "x", "xy"):
        secret = f"\"'<{word()}&"
        text = WRITTEN[form](f"{before}net user a {secret} /add")
        assert [one.canary for one in sightings({"it": secret, "other": word()}, [("here", text)])] == ["it"]


def test_the_watch_sees_command_lines_and_environments() -> None:
    mark = word()
    with Watch() as watch:
        waiting = subprocess.Popen(
            [sys.executable, "-c", "input()", mark], env=os.environ | {"KEA": mark}, stdin=subprocess.PIPE
        )
        watch.scan_again()
        waiting.communicate(b"\n")
    assert (b"KEA", mark.encode()) in watch.variables
    assert [one.form for one in sightings({"mark": mark}, watch.places())] == ["plain"]


def test_a_secret_in_an_encoded_command_is_found() -> None:
    mark = word()
    for before in ("", "x", "xy"):
        encoded = base64.b64encode(f"{before}net user a {mark}".encode("utf-16-le")).decode()
        log = f"p=1 u=x n=ansible INFO| <127.0.0.1> WINRM EXEC 'PowerShell' ['-EncodedCommand', '{encoded}']\n"
        places = windows_command_lines(log.encode())
        assert [one.form for one in sightings({"mark": mark}, places)] == ["base64 of UTF-16", "UTF-16"]
