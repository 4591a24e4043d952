"""A lab host whose only way out is a proxy; scripts; copies in the registry; what an ordinary user writes."""

import pytest

from asr_lab.hosts.windows.faults import apply_fault
from asr_lab.hosts.windows.installers import packages

SITE = packages.UNIFIED_SETUP_URL
OPEN, LOGIN = {"address": "10.20.0.5", "port": 3128}, {"user": "asr", "password": "secret"}
TLS = "[Net.ServicePointManager]::SecurityProtocol = [Enum]::ToObject([Net.SecurityProtocolType], 3072)\n"
DIRECT = TLS + f"(New-Object Net.WebClient).DownloadFile('{SITE}','C:\\Windows\\Temp\\x')"
CONNECT = (
    "$c = New-Object Net.Sockets.TcpClient; try { $c.Connect('10.20.0.5', 3128); $s = $c.GetStream(); "
    '$b = [Text.Encoding]::ASCII.GetBytes("CONNECT aka.ms:443 HTTP/1.1`r`n`r`n"); $s.Write($b, 0, $b.Length); '
    "$n = $s.Read($b, 0, 12); echo ([Text.Encoding]::ASCII.GetString($b, 0, $n)) } catch { echo 'closed' }"
)


def by_proxy(port=3128, password=None):
    login = f"$p.Credentials = New-Object Net.NetworkCredential('asr', '{password}')\n" if password else ""
    return (
        f"{TLS}$p = New-Object Net.WebProxy('http://10.20.0.5:{port}')\n{login}$w = New-Object Net.WebClient\n"
        f"$w.Proxy = $p\n$w.DownloadFile('{SITE}','C:\\Windows\\Temp\\x')"
    )


def test_without_a_proxy_both_ways_lead_out(run):
    assert run(DIRECT).code == 0
    assert run(by_proxy()).code == 0


def test_a_proxy_that_does_not_answer_leads_nowhere(run, world):
    world.blocked.add(("10.20.0.5", 3128))
    assert "Unable to connect" in run(by_proxy()).err


@pytest.mark.parametrize(
    ("asks", "text", "complaint"),
    [
        ({}, DIRECT, "could not be resolved"),
        ({}, by_proxy(8080), "Unable to connect"),
        ({}, by_proxy(), None),
        (LOGIN, by_proxy(), "407"),
        (LOGIN, by_proxy(password="wrong"), "407"),
        (LOGIN, by_proxy(password="secret"), None),
    ],
)
def test_where_a_proxy_is_the_only_way_out_it_must_be_taken(host, run, asks, text, complaint):
    apply_fault(host, {"proxy": OPEN | asks})
    said = run(text)
    assert said.code == (1 if complaint else 0)
    assert (complaint or "") in said.err
    apply_fault(host, {"proxy": None})
    assert run(DIRECT).code == 0


def test_names_are_not_reached_past_the_proxy_and_it_may_ask_who_is_there(host, run):
    direct = (
        "$c = New-Object Net.Sockets.TcpClient; "
        "try { $c.Connect('aka.ms', 443); echo 'open' } catch { echo 'closed' }; $c.Close()"
    )
    assert run(direct).out == "open\r\n"
    apply_fault(host, {"proxy": OPEN})
    assert run(direct).out == "closed\r\n"
    assert run(CONNECT).out == "HTTP/1.1 200\r\n"
    apply_fault(host, {"proxy": OPEN | LOGIN})
    assert run(CONNECT).out == "HTTP/1.1 407\r\n"


@pytest.mark.parametrize(
    "fault",
    [
        {"proxy": {"address": "10.20.0.5"}},
        {"proxy": OPEN | {"user": "asr"}},
        {"proxy": OPEN | {"scheme": "https"}},
        {"proxy_file_form": "another"},
    ],
)
def test_a_proxy_that_is_not_whole_is_refused(host, fault):
    with pytest.raises(ValueError, match="give "):
        apply_fault(host, fault)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (packages.script("throwing-script"), 1),
        (b"no script of the lab", 1),
        (None, -196608),
    ],
)
def test_a_script_of_its_own_tells_its_exit_code_in_every_case(host, run, content, code):
    if content:
        host.files.write(r"C:\a b\c.ps1", content)
    said = run("PowerShell -NoProfile -File ('C:\\a b\\c.ps1') | Out-String\necho \"$LASTEXITCODE\"")
    assert said.out.split()[-1] == str(code)


def test_a_program_that_is_not_there_leaves_the_exit_code_as_it_was(run):
    assert run("$global:LASTEXITCODE = 9009\n& 'C:\\no.exe' '/q'\necho \"$LASTEXITCODE\"").out == "9009\r\n"


def test_a_script_is_found_below_a_folder(host, run):
    host.files.write(r"C:\x\y\Run.ps1", b"text")
    host.files.write(r"C:\x\NotRun.ps1", b"text")
    found = "$found = [IO.Directory]::GetFiles('C:\\x', 'run.ps1', 'AllDirectories')\n"
    assert run(found + "echo ([IO.Path]::GetDirectoryName($found[0]))").out == "C:\\x\\y\r\n"
    assert run(found + "Set-Location ([IO.Path]::GetDirectoryName($found[0]))").code == 0
    assert run("Set-Location 'C:\\not-there'").code == 1


def test_a_registry_key_is_copied_with_what_is_below(host, run):
    host.registry.write(r"HKLM\SOFTWARE\One\Below", {"Name": "value"})
    assert run(r"reg copy 'HKLM\SOFTWARE\One' 'HKLM\SOFTWARE\Two' /s /f").code == 0
    assert host.registry.text(r"HKLM\SOFTWARE\Two\Below", "Name") == "value"
    assert run(r"reg copy 'HKLM\SOFTWARE\One' 'HKLM\SOFTWARE\Two' /s").code == 1
    assert run(r"reg copy 'HKLM\SOFTWARE\Nothing' 'HKLM\SOFTWARE\Three' /s /f").code == 1


@pytest.mark.parametrize("folder", [r"C:\Windows\new", r"C:\Program Files\new"])
def test_an_ordinary_user_writes_nothing_where_windows_and_programs_are(host, folder):
    with pytest.raises(ValueError, match="only administrators"):
        apply_fault(host, {"planted": {folder + r"\x.txt": "text"}})


def test_what_an_ordinary_user_made_stays_open_to_that_user(host, run):
    mine, theirs = r"C:\ProgramData\mine", r"C:\ProgramData\theirs"
    apply_fault(host, {"planted": {theirs + r"\x.txt": "text"}})
    for folder in (mine, theirs):
        run(f"cmd /c 'mkdir {folder}'")
        assert run(f"cmd /c 'icacls {folder} /inheritance:r /grant:r *S-1-5-18:(OI)(CI)F'").code == 0
    apply_fault(host, {"planted": {theirs + r"\y.txt": "text"}})
    with pytest.raises(ValueError, match="only administrators"):
        apply_fault(host, {"planted": {mine + r"\y.txt": "text"}})
