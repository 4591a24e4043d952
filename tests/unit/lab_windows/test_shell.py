"""PowerShell and cmd.exe of a simulated host."""

import base64

import pytest

from asr_lab.hosts.windows import words
from asr_lab.hosts.windows.shell import CMD_LINE_LIMIT, run_line, run_text


def test_the_clock_is_printed_in_utc_with_seven_decimals_and_the_hosts_skew(run, host):
    host.condition.skew_s = 960.5
    assert run("[DateTime]::UtcNow.ToString('o')").out == "2026-01-01T00:16:00.5000000Z\r\n"


def test_markers_carry_the_last_exit_code(run):
    assert run("reg query 'HKLM\\Nothing'\necho \"@@rc $LASTEXITCODE\"").out == "@@rc 1\r\n"


def test_a_text_that_ends_with_a_failed_command_ends_with_1(run):
    assert run(r"sc.exe query nothing").code == 1


def test_exit_decides_the_exit_code(run):
    assert run("sc.exe query nothing\nexit 7\necho never").code == 7


def test_an_unknown_command_stops_the_text_with_1_and_says_so(run):
    result = run("echo before\nGet-Service w32time\necho after")
    assert (result.out, result.code) == ("before\r\n", 1)
    assert result.err.startswith("#< CLIXML")
    assert "The term 'Get-Service' is not recognized" in result.err


@pytest.mark.parametrize(
    "text",
    [
        "echo 'open",
        "reg query 'HKLM\\X' | Select-String y",
        "if ($x) { echo y }",
        "echo (1 + 2)",
        "try { echo x }",
        "foreach ($x in 1) { echo x }",
        "$x = Get-Service",
        "reg query x > file",
    ],
)
def test_a_text_that_is_not_understood_does_not_run_at_all(run, text):
    result = run("echo before\n" + text)
    assert (result.out, result.code) == ("", 1)
    assert result.err


def test_a_program_that_is_not_there_is_an_error_and_the_next_line_runs(run):
    result = run("& 'C:\\nothing.exe' '/q' | Out-String\necho next")
    assert (result.out, result.code) == ("next\r\n", 0)
    assert "C:\\nothing.exe" in result.err


def test_a_file_that_is_no_program_does_not_run(run, host):
    host.files.write(r"C:\note.exe", b"text")
    assert "not a valid application" in run(r"& 'C:\note.exe'").err


def test_a_tcp_test_says_open_or_closed(run, world):
    text = (
        "$c = New-Object Net.Sockets.TcpClient; "
        "try { $c.Connect('10.20.0.10', 9443); echo 'open' } catch { echo 'closed' }; $c.Close()"
    )
    assert run(text).out == "open\r\n"
    world.blocked.add(("10.20.0.10", 9443))
    assert run(text).out == "closed\r\n"


def test_a_failed_connection_outside_try_is_an_error(run, world):
    world.blocked.add(("10.20.0.10", 443))
    assert run("$c = New-Object Net.Sockets.TcpClient\n$c.Connect('10.20.0.10', 443)").code == 1


def test_standard_input_is_written_as_lines(run, host):
    run(r"[IO.File]::WriteAllLines('C:\ProgramData\f.txt', @($input))", "eins\nzwei ä\n".encode())
    assert host.files.read(r"C:\ProgramData\f.txt") == "eins\r\nzwei ä\r\n".encode()


def test_writing_into_a_missing_folder_fails(run):
    assert run(r"[IO.File]::WriteAllLines('C:\missing\f.txt', @($input))", b"x").code == 1


DOWNLOAD = r"(New-Object Net.WebClient).DownloadFile('https://aka.ms/unifiedsetup', 'C:\ProgramData\Setup.exe')"


def test_old_windows_needs_tls_1_2_switched_on_to_download(run, host):
    assert "Could not create SSL/TLS secure channel" in run(DOWNLOAD).err
    assert run("[Net.ServicePointManager]::SecurityProtocol = 3072\n" + DOWNLOAD).code == 0
    assert host.files.exists(r"C:\ProgramData\Setup.exe")


def test_windows_server_2022_downloads_without_being_told(make_host):
    assert run_text(make_host("web-2022"), DOWNLOAD).code == 0


def test_an_unknown_address_does_not_resolve(run):
    text = r"(New-Object Net.WebClient).DownloadFile('http://www.example.com/x','C:\x')"
    assert "The remote name could not be resolved: 'www.example.com'" in run(text).err


def test_ansibles_modules_are_refused_by_powershell_2(make_host):
    text = 'if ($PSVersionTable.PSVersion -lt [Version]"5.1") {\n exit 1\n}\n$codeJson = 1'
    result = run_text(make_host("app-2008"), text)
    assert result.out == '{"failed":true,"msg":"Ansible requires PowerShell v5.1"}\r\n'
    assert run_text(make_host("web-2022"), text).code == 1


def test_a_command_line_starts_powershell_through_cmd(host):
    encoded = base64.b64encode("hostname".encode("utf-16-le")).decode()
    assert run_line(host, f"PowerShell -NoProfile -EncodedCommand {encoded}", b"").out == "APP-2012\r\n"
    assert run_line(host, "x" * (CMD_LINE_LIMIT + 1), b"").err == "The command line is too long.\r\n"


def test_cmd_lists_and_shows_files_by_wildcard(run, host):
    host.files.write(r"C:\logs\a.log", b"first\r\n")
    host.files.write(r"C:\logs\b.log", b"second\r\n")
    assert run(r"cmd /c 'type C:\logs\*'").out == "first\r\nsecond\r\n"
    assert run(r"cmd /c 'dir /b C:\logs'").out == "a.log\r\nb.log\r\n"


@pytest.mark.parametrize(
    ("line", "out", "code"),
    [
        (r"if exist C:\Windows (echo yes) else (echo no)", "yes\r\n", 0),
        (r'if exist "C:\No Such" (echo yes) else (echo no)', "no\r\n", 0),
        (r"if not exist C:\x mkdir C:\x", "", 0),
        (r"mkdir C:\Windows", "", 1),
        (r"type C:\nothing", "", 1),
        (r"del /f /q C:\nothing", "", 0),
        (r"echo %ProgramData%", "C:\\ProgramData\r\n", 0),
        (r"echo one & echo two", "one\r\ntwo\r\n", 0),
        (r"type C:\nothing || echo missing", "missing\r\n", 0),
        (r"type C:\nothing 2>nul && echo found", "", 1),
        (r"format C:", "", 1),
        (r"del /z C:\x", "", 1),
        (r"exit 5", "", 5),
    ],
)
def test_cmd_does_what_it_is_asked(run, line, out, code):
    result = run(f"cmd /c '{line}'\necho \"@@rc $LASTEXITCODE\"")
    assert result.out == out + f"@@rc {code}\r\n"


def test_files_are_moved_copied_and_renamed(run, host):
    host.files.write(r"C:\a\one.txt", b"1")
    run(r"cmd /c 'copy C:\a\one.txt C:\a\two.txt'")
    run(r"cmd /c 'ren C:\a\one.txt three.txt'")
    run(r"cmd /c 'move /y C:\a\two.txt C:\Windows'")
    assert [node.path for node in host.files.children(r"C:\a")] == [r"C:\a\three.txt"]
    assert host.files.read(r"C:\Windows\two.txt") == b"1"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["a", "b c"], 'a "b c"'),
        (["", "a"], "a"),
        (['if exist "C:\\x y" echo'], '"if exist "C:\\x y" echo"'),
        (["C:\\a b\\"], '"C:\\a b\\"'),
    ],
)
def test_powershell_quotes_arguments_as_windows_powershell_does(arguments, line):
    assert words.join(arguments) == line


def test_a_trailing_backslash_behind_a_blank_breaks_the_argument_as_on_windows():
    assert words.split(words.join(["/InstallLocation", "C:\\a b\\", "/Silent"])) == [
        "/InstallLocation",
        'C:\\a b" /Silent',
    ]
