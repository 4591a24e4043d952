"""The texts that Windows hosts get: their form, their length, and what Ansible makes of them."""

import pytest
from ansible.plugins.shell.powershell import ShellModule

from asr_migrate.hosts import configuration_server, windows_probe
from asr_migrate.hosts import windows_text as text


def test_an_encoded_text_is_what_ansible_recognises_as_encoded():
    shell = ShellModule()
    assert shell._encode_script("", strict_mode=False, preserve_rc=False) == text.COMMAND_PREFIX
    assert text.encoded("echo 'x'") == shell._encode_script("echo 'x'", strict_mode=False, preserve_rc=False)


def test_every_probe_fits_a_command_line_of_cmd():
    targets = [("10.200.100.100", port) for port in (443, 9443)]
    server = windows_probe.server(configuration_server.SERVICES, ["d:"], [443]) + windows_probe.passphrase()
    for probe in (windows_probe.source(targets), text.lines(server, windows_probe.reach(targets))):
        assert len(text.encoded(probe)) <= 8191


def test_a_text_that_is_too_long_is_refused_before_it_is_sent():
    with pytest.raises(ValueError, match="more than"):
        text.encoded("x" * (text.MAX_TEXT + 1))


def test_the_longest_text_fits_exactly():
    assert 8180 <= len(text.encoded("x" * text.MAX_TEXT)) <= 8191


@pytest.mark.parametrize(
    ("made", "line"),
    [
        (text.reg_query("HKLM\\A B", "C"), "reg query 'HKLM\\A B' /v 'C'"),
        (text.reg_add_dword("HKLM\\A", "B", 1), "reg add 'HKLM\\A' /v 'B' /t REG_DWORD /d 1 /f"),
        (
            text.enable_firewall_group("-28502"),
            "netsh advfirewall firewall set rule 'group=@FirewallAPI.dll,-28502' new enable=yes",
        ),
        (text.write_from_stdin("C:\\x"), "[IO.File]::WriteAllLines('C:\\x', @($input))"),
        (text.delete_files("C:\\a", "C:\\b"), "cmd /c 'del /f /q C:\\a C:\\b'"),
        (text.sha256("C:\\a"), "certutil -hashfile 'C:\\a' SHA256"),
        (
            text.connect("10.0.0.1", 443),
            "$c = New-Object Net.Sockets.TcpClient; try { $c.Connect('10.0.0.1', 443); echo 'open' } "
            "catch { echo 'closed' }; $c.Close()",
        ),
    ],
)
def test_each_kind_of_line_has_one_form(made, line):
    assert made == line


def test_a_program_is_run_to_its_end_and_tells_its_exit_code():
    assert text.run("C:\\a b.exe", "/q") == ["& 'C:\\a b.exe' '/q' | Out-String", 'echo "@@rc $LASTEXITCODE"']
    assert text.run("C:\\a.ps1")[0] == "& 'C:\\a.ps1' | Out-String"


def test_only_administrators_may_use_the_working_directory():
    grant = text.make_private_directory("C:\\x")[1]
    assert "/inheritance:r" in grant
    assert "*S-1-5-18:" in grant
    assert "*S-1-5-32-544:" in grant
