"""The host names that an appliance must reach, directly and through a proxy."""

import pytest

from asr_migrate.domain.machine import Os
from asr_migrate.hosts import profiles, server_urls
from asr_migrate.hosts.server_want import ConfigurationServerWant, ReplicationApplianceWant
from asr_migrate.hosts.windows_output import sections

WANTS = {"classic": ConfigurationServerWant, "modernized": ReplicationApplianceWant}
PROXY = {"address": "10.20.0.5", "port": 3128}


def names(architecture, **want):
    return {url.pattern: url.host for url in server_urls.urls(architecture, WANTS[architecture](**want))}


def judged(answers, **want):
    """Return the findings (severity, text) when every host name answers ``open`` but those given."""
    wanted = ReplicationApplianceWant(**want)
    urls = server_urls.urls("modernized", wanted)
    seen = dict.fromkeys((url.host for url in urls if url.host), True) | answers
    found = server_urls.findings("ra-1", urls, seen, wanted.proxy)
    return [(finding.rule, str(finding.severity), finding.text) for finding in found]


@pytest.mark.parametrize("architecture", WANTS)
def test_a_name_without_a_wildcard_is_tried_as_it_stands(architecture):
    assert all(host == pattern for pattern, host in names(architecture).items() if "*" not in pattern)


def test_a_wildcard_is_tried_by_the_user_s_name_or_by_a_known_one_or_not():
    blob = "*.blob.core.windows.net"
    found = names("modernized", urls={blob: "stasrcache.blob.core.windows.net", "*.live.com": None})
    assert found[blob] == "stasrcache.blob.core.windows.net"
    assert found["*.msauth.net"] == "aadcdn.msauth.net"
    assert found["*.vault.azure.net"] is None
    assert "*.live.com" not in found


def test_azure_government_has_names_of_its_own():
    found = names("classic", government=True)
    assert "login.microsoftonline.us" in found
    assert "login.microsoftonline.com" not in found
    assert "*.accesscontrol.windows.net" in found
    for service in ("backup.windowsazure.us", "hypervrecoverymanager.windowsazure.us"):
        assert {f"*.ugv.{service}", f"*.ugi.{service}"} <= set(found)


def test_nothing_is_tried_when_the_user_says_so():
    assert names("classic", check_urls=False) == {}


def test_a_needed_name_that_is_not_reached_is_a_blocker_and_telemetry_a_warning():
    found = judged({"graph.microsoft.com": False, "dc.services.visualstudio.com": False})
    assert [row[:2] for row in found] == [
        ("server.url", "blocker"),
        ("server.url", "warning"),
        ("server.url-untried", "warning"),
    ]
    assert "ra-1 does not reach graph.microsoft.com on TCP 443 (graph.microsoft.com: registration)" in found[0][2]
    assert "*.vault.azure.net" in found[2][2]


@pytest.mark.parametrize(
    ("said", "reached"),
    [
        ("Tracking time.nist.gov [132.163.97.1:123].\n12:00:00, +00.0005000s", True),
        ("Folgt time.nist.gov.\n12:00:00, -1814,1234567s", True),
        ("Tracking time.nist.gov.\n12:00:00, error: 0x800705B4", False),
        ("The following error occurred: No such host is known. (0x80072AF9)", False),
        ("", None),
    ],
)
def test_a_time_server_is_asked_for_the_time_and_never_through_a_proxy(kit, said, reached):
    wanted = ConfigurationServerWant(proxy=PROXY)
    urls = tuple(url for url in server_urls.urls("classic", wanted) if url.host == "time.nist.gov")
    lines = "\n".join(server_urls.lines(urls, wanted.proxy))
    assert "w32tm /stripchart '/computer:time.nist.gov' /samples:1 /dataonly" in lines
    found = sections(f"@@ url time.nist.gov\n{said}\n")
    assert server_urls.reached(found, urls, wanted.proxy) == {"time.nist.gov": reached}


def test_a_time_server_that_does_not_answer_is_a_warning():
    urls = tuple(url for url in server_urls.urls("classic", ConfigurationServerWant()) if url.time)
    found = server_urls.findings("cs-1", urls, {"time.nist.gov": True, "time.windows.com": False}, None)
    assert [(finding.rule, str(finding.severity)) for finding in found] == [("server.url", "warning")]
    assert "time.windows.com on UDP 123" in found[0].text


def test_what_could_not_be_tried_is_one_warning():
    wildcards = {pattern: "name.example" for pattern, host in names("modernized").items() if host is None}
    assert judged({"name.example": True}, urls=wildcards) == []


@pytest.mark.parametrize(
    ("answer", "reached"),
    [
        ("HTTP/1.1 200", True),
        ("HTTP/1.0 200", True),
        ("HTTP/1.1 403", False),
        ("HTTP/1.1 407", None),
        ("closed", False),
        ("", None),
    ],
)
def test_a_proxy_s_answer_to_connect_is_read(kit, answer, reached):
    wanted = profiles.make("replication_appliance", Os.WINDOWS, "ra-1", {"proxy": PROXY})
    assert "Connect('10.20.0.5', 3128)" in kit.decoded(wanted.probe())
    assert '"CONNECT graph.microsoft.com:443 HTTP/1.1`r`nHost: graph.microsoft.com:443`r`n`r`n"' in kit.decoded(
        wanted.probe()
    )
    facts = wanted.read(kit.answer(kit.windows(urls={"graph.microsoft.com": answer}).stdout())).facts
    assert facts["urls"]["graph.microsoft.com"] is reached
