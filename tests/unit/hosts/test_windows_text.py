"""The texts that Windows hosts get: their form, how they travel, and what Ansible makes of them."""

import base64

import pytest
from ansible.plugins.shell.powershell import ShellModule

from asr_migrate.hosts import windows_probe
from asr_migrate.hosts import windows_text as text

SECRET = b"Pa'ss\xff\n"


def test_the_command_line_is_one_that_ansible_recognises_as_encoded():
    shell = ShellModule()
    assert shell._encode_script("", strict_mode=False, preserve_rc=False) == text.COMMAND_PREFIX
    sent = text.exchange("probe", ["echo 'x'"]).command
    assert sent == shell._encode_script(text.BOOTSTRAP, strict_mode=False, preserve_rc=False)


def test_the_command_line_is_the_same_short_one_for_every_text():
    probe = text.exchange("probe", windows_probe.reach([("10.200.100.100", port) for port in range(1, 200)]))
    assert len(probe.stdin) > 8191
    assert probe.command == text.exchange("other", "hostname").command
    assert len(probe.command) < 400


def test_the_text_comes_after_its_number_of_lines_and_without_blank_ones():
    sent = text.exchange("x", ["a", "", "b\nc"], "d")
    assert sent.stdin == b"4\na\nb\nc\nd\n"


def test_contents_of_files_are_no_part_of_the_text_and_travel_byte_for_byte():
    sent = text.exchange(
        "x", [text.write_content("C:\\a", 0), text.write_content("C:\\b", 1)], contents=[SECRET, b"two"]
    )
    count, *rows = sent.stdin.decode("ascii").splitlines()
    assert int(count) == 2
    assert "$lines[-1]" in rows[0]
    assert base64.b64decode(rows[-1]) == SECRET
    assert "$lines[-2]" in rows[1]
    assert base64.b64decode(rows[-2]) == b"two"
    assert base64.b64encode(SECRET).decode() not in sent.command


def test_every_line_of_a_source_s_probe_is_ascii():
    assert all(
        line.isascii() and line.strip() for line in [*windows_probe.source(), *windows_probe.reach([("10.0.0.1", 443)])]
    )


@pytest.mark.parametrize(
    ("made", "line"),
    [
        (text.reg_query("HKLM\\A B", "C"), "reg query 'HKLM\\A B' /v 'C'"),
        (text.reg_add_dword("HKLM\\A", "B", 1), "reg add 'HKLM\\A' /v 'B' /t REG_DWORD /d 1 /f"),
        (
            text.enable_firewall_group("-28502"),
            "netsh advfirewall firewall set rule 'group=@FirewallAPI.dll,-28502' new enable=yes",
        ),
        (text.delete_files("C:\\a", "C:\\b"), "cmd /c 'del /f /q C:\\a C:\\b 2>nul'"),
        (text.sha256("C:\\a"), "certutil -hashfile 'C:\\a' SHA256"),
        (
            text.connect("10.0.0.1", 443),
            "$c = New-Object Net.Sockets.TcpClient; try { $a = $c.BeginConnect('10.0.0.1', 443, $null, $null); "
            "if ($a.AsyncWaitHandle.WaitOne(5000, $false)) { $c.EndConnect($a); echo 'open' } else { echo 'closed' } } "
            "catch { echo 'closed' }; $c.Close()",
        ),
        (text.reg_delete("HKLM\\A B"), "reg delete 'HKLM\\A B' /f"),
        (text.reg_delete("HKLM\\A", "B"), "reg delete 'HKLM\\A' /v 'B' /f"),
        (text.reg_add("HKLM\\A", "B", "REG_SZ", "c d"), "reg add 'HKLM\\A' /v 'B' /t REG_SZ /d 'c d' /f"),
        (text.reg_add("HKLM\\A", "B", "REG_SZ", ""), "reg add 'HKLM\\A' /v 'B' /t REG_SZ /f"),
        (text.reg_find_keys("HKLM\\A", "KB1"), "reg query 'HKLM\\A' /s /k /f 'KB1'"),
        (text.list_disks(), "'list disk' | diskpart"),
        (
            text.wmi("Win32_X", "A", "B().C"),
            "Get-WmiObject -Namespace 'root\\CIMV2' -Class Win32_X -ErrorAction SilentlyContinue "
            "| ForEach-Object { '{0}|{1}' -f $_.A, $_.B().C }",
        ),
        (
            text.set_firewall_rules({"group": "@FirewallAPI.dll,-1", "localport": "445,80"}, enable=False),
            "netsh advfirewall firewall set rule 'group=@FirewallAPI.dll,-1' 'localport=445,80' new enable=no",
        ),
        (
            text.allow_port("our rule", 3389),
            "netsh advfirewall firewall add rule 'name=our rule' dir=in action=allow protocol=tcp localport=3389 "
            "profile=any enable=yes",
        ),
        (text.delete_firewall_rule("our rule"), "netsh advfirewall firewall delete rule 'name=our rule'"),
        (text.configure_service("x", "demand")[0], "sc.exe config 'x' start= demand"),
        (text.run_service("x")[0], "net start 'x'"),
        (text.stop_service("x")[0], "net stop 'x'"),
    ],
)
def test_each_kind_of_line_has_one_form(made, line):
    assert made == line


def test_a_program_is_run_to_its_end_and_tells_its_exit_code_or_that_it_was_not_started():
    assert text.run("C:\\a b.exe", "/q") == [
        "$global:LASTEXITCODE = 9009",
        "& 'C:\\a b.exe' '/q' | Out-String",
        'echo "@@rc $LASTEXITCODE"',
    ]


def test_a_script_runs_where_it_stands_in_a_powershell_of_its_own():
    rows = text.run_script("C:\\a", "b.ps1")
    assert rows[0] == "$global:LASTEXITCODE = 9009"
    assert rows[1] == "$found = [IO.Directory]::GetFiles('C:\\a', 'b.ps1', 'AllDirectories')"
    assert rows[3] == "Set-Location ([IO.Path]::GetDirectoryName($found[0]))"
    assert rows[4].endswith("-File ($found[0]) | Out-String")


def test_a_download_goes_by_a_proxy_whose_password_is_no_part_of_the_text():
    plain = text.download("https://a/b", "C:\\b")
    assert plain[1:] == ["(New-Object Net.WebClient).DownloadFile('https://a/b','C:\\b')"]
    open_proxy = text.download("https://a/b", "C:\\b", "http://10.0.0.1:3128")
    assert open_proxy[1:] == [
        "$way = New-Object Net.WebProxy('http://10.0.0.1:3128')",
        "$client = New-Object Net.WebClient",
        "$client.Proxy = $way",
        "$client.DownloadFile('https://a/b','C:\\b')",
    ]
    login = text.download("https://a/b", "C:\\b", "http://10.0.0.1:3128", login=True)[2]
    assert login.startswith("$way.Credentials = New-Object Net.NetworkCredential(")
    assert "FromBase64String($lines[-1])" in login
    assert "FromBase64String($lines[-2])" in login


def test_only_administrators_may_use_the_working_directory_and_nobody_else_can_have_made_it():
    made, grant, ends = text.make_private_directory("C:\\x")
    assert "mkdir C:\\x" in made
    assert "/inheritance:r" in grant
    assert "/grant:r *S-1-5-18:" in grant
    assert "*S-1-5-32-544:" in grant
    assert ends.startswith("if ($LASTEXITCODE -ne 0) {")
    assert text.WORK_DIRECTORY.startswith("C:\\Windows\\")
