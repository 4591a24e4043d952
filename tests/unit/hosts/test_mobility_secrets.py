"""Keys in the URLs of installers: a shared access signature, a user and a password are in no message."""

import http.server
import threading
from contextlib import contextmanager

import pytest

from asr_migrate.domain.errors import SetupError
from asr_migrate.domain.machine import Os
from asr_migrate.hosts import mobility_findings, profiles, urls
from asr_migrate.hosts import mobility_packages as packages
from asr_migrate.hosts.linux_mobility import LinuxMobility
from asr_migrate.hosts.masking import MASK, masked
from asr_migrate.hosts.mobility import MobilityState, wrong_digest
from asr_migrate.hosts.mobility_want import Installer, Mobility, Repository
from asr_migrate.hosts.prepare import prepare
from asr_migrate.hosts.windows_installer import fetch, judge_download
from asr_migrate.hosts.windows_mobility import WindowsMobility

from .fake_agent import SHELLS, FakeAgent

CANARY, PASSWORD = "Kea2f%2Bc0ffee1%3D", "Takahe-77!"
DECODED = "Kea2f+c0ffee1="
FILE = "UA_9.59.0.0_RHEL6-64_GA_15Mar2024_release.tar.gz"
QUERY = f"sp=r&sv=2024-11-04&sig={CANARY}"
URL = f"https://kea:{PASSWORD}@files.example/agents/{FILE}?{QUERY}"
SHOWN = f"https://files.example/agents/{FILE}"
ABSENT = MobilityState(installed=False, configured=False, running=False)
SYSTEM = "Red Hat Enterprise Linux 6.7"


def told(*texts):
    """Return the forms of the secrets that stand in texts."""
    return [secret for secret in (CANARY, DECODED, PASSWORD) for text in texts if secret in str(text)]


def told_by(error):
    return told(error.message, error.cause, error.remedy, error.args, getattr(error, "value", None))


def test_a_url_is_shown_without_what_may_be_a_key():
    assert urls.shown(URL) == SHOWN
    assert urls.shown("https://files.example:8443/a/b.exe#part") == "https://files.example:8443/a/b.exe"


def test_query_user_and_password_are_secrets_as_they_stand_and_decoded():
    keys = urls.keys(URL)
    assert {QUERY, CANARY, DECODED, f"kea:{PASSWORD}", PASSWORD} <= set(keys)
    assert "r" not in keys, "a short value would tear words apart"
    assert list(keys) == sorted(keys, key=len, reverse=True), "the whole is masked before its parts"
    assert urls.keys(None) == urls.keys("https://files.example/x") == ()


@pytest.mark.parametrize(
    ("url", "name"),
    [(URL, FILE), ("https://files.example", "files.example"), ("https://kea:pw@files.example:8443/", "files.example")],
)
def test_a_file_name_holds_nothing_of_a_key(url, name):
    assert Installer(url=url).file_name == name


def test_the_key_of_a_container_goes_behind_the_file_s_name():
    repository = Repository(url=f"https://files.example/agents?{QUERY}", files=(f"Microsoft-ASR_{FILE}",))
    found = repository.installer_for(packages.of_system(SYSTEM), classic=True)
    assert found.url == f"https://files.example/agents/Microsoft-ASR_{FILE}?{QUERY}"
    assert CANARY in repository.secrets


def test_wrong_inputs_and_missing_installers_show_no_key():
    package = packages.of_system(SYSTEM)
    errors = [
        Installer(url=URL.replace("https", "http")).problem,
        Installer(url=URL, path="/srv/x").problem,
        wrong_digest(Installer(url=URL, sha256="ab" * 32), "cd" * 32),
        mobility_findings.not_in_repository(Repository(url=URL), package),
        mobility_findings.not_in_repository(Repository(url=URL, files=("x",)), package),
    ]
    assert [told_by(error) for error in errors] == [[]] * len(errors)
    assert [error.value for error in errors[:2]] == [SHOWN.replace("https", "http"), [SHOWN, "/srv/x"]]
    assert all("files.example" in error.message for error in errors[2:])


@contextmanager
def refusing_server():
    """A web server on loopback that has nothing."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_error(403)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("shell", SHELLS)
def test_a_download_that_is_refused_shows_no_key(tmp_path, shell, kit):
    with refusing_server() as port:
        url = URL.replace("https", "http").replace("files.example", f"127.0.0.1:{port}")
        wanted = {"architecture": "classic", "appliance_address": "10.20.0.10", "passphrase": "secret"}
        hand = LinuxMobility(Mobility(**wanted, installer={"url": url, "sha256": "ab" * 32}))
        printed = FakeAgent(tmp_path).run(shell, hand.work("db-1", SYSTEM, ABSENT))
    assert told(printed) == []
    error = hand.judge(kit.answer(printed))
    assert error.code == "DownloadFailed"
    assert f"http://127.0.0.1:{port}/agents/{FILE} did not arrive" in error.message
    assert told_by(error) == []


def test_what_a_windows_host_says_of_a_download_shows_no_key(kit):
    installer = Installer(url=URL, sha256="ab" * 32)
    said = f'Exception calling "DownloadFile" with "2" argument(s): "404: {URL}" {"." * 260} {URL}'
    refused = judge_download(kit.answer("@@ sha256\n", said), installer)
    hand = WindowsMobility(
        Mobility(architecture="classic", appliance_address="10.20.0.10", passphrase="secret", installer={"url": URL})
    )
    by_hand = hand.judge(kit.answer("@@ mobility fetch\n@@rc 1\n", said))
    for error in (refused, by_hand):
        assert error.code == "DownloadFailed"
        assert told_by(error) == []
    assert told(fetch(installer, "C:\\x.exe").name) == []


@pytest.mark.parametrize("family", [Os.LINUX, Os.WINDOWS])
def test_the_keys_are_among_a_profile_s_secrets(family, kit, clock):
    mobility = {
        "architecture": "classic",
        "appliance_address": "10.20.0.10",
        "installer": {"url": URL},
        "repository": {"url": "https://files.example/agents?sig=Kakapo-Kakapo"},
    }
    profile = profiles.make("source", family, "db-1", {"mobility": mobility})
    assert {CANARY, DECODED, PASSWORD, "Kakapo-Kakapo"} <= set(profile.secrets)

    def fails(_exchange):
        raise SetupError(f"{URL} is not there", code="X", cause=URL, remedy=URL)

    with pytest.raises(SetupError) as raised:
        prepare(profile, fails, clock, keep=lambda _: None)
    assert told_by(raised.value) == []


def test_masking_leaves_the_rest_of_a_text():
    assert masked("a secret, an open word", ("secret", "")) == f"a {MASK}, an open word"


@pytest.mark.parametrize("profile", ["configuration_server", "replication_appliance"])
def test_the_keys_are_among_an_appliance_s_secrets(profile):
    made = profiles.make(profile, Os.WINDOWS, "cs-1", {"installer": {"url": URL}})
    assert {CANARY, DECODED, PASSWORD} <= set(made.secrets)
