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
        "reg query 'HKLM\\X' | findstr x | findstr y",
        "if ($x -like 'a*') { echo y }",
        'echo "$(hostname)"',
        "Get-WmiObject -Class Win32_Processor",
        "Get-WmiObject -Class Win32_Processor | ForEach-Object { $_.Name }",
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


BOOTSTRAP = '$lines = @($input); Invoke-Expression ($lines[1..$lines[0]] -join "`n")'


def given(text: str, *contents: str) -> bytes:
    rows = text.split("\n")
    return "\n".join([str(len(rows)), *rows, *contents, ""]).encode()


def test_standard_input_is_run_as_a_script(run, host):
    script = "echo '@@ one'\nsc.exe query nothing\necho \"@@rc $LASTEXITCODE\"\n$name = 'x'; echo $name\nhostname"
    result = run(BOOTSTRAP, given(script))
    assert result.out.startswith("@@ one\r\n[SC] EnumQueryServicesStatus:OpenService FAILED 1060")
    assert result.out.endswith("@@rc 1060\r\nx\r\nAPP-2012\r\n")
    assert result.code == 0


def test_the_whole_of_standard_input_may_be_the_script(run):
    assert run('Invoke-Expression (@($input) -join "`n")', b"echo one\necho two\n").out == "one\r\ntwo\r\n"


def test_a_script_of_one_line_runs(run):
    assert run(BOOTSTRAP, given("echo one")).out == "one\r\n"


def test_a_script_on_standard_input_may_be_longer_than_a_command_line(run):
    assert run(BOOTSTRAP, given("\n".join(["echo 'row'"] * 5000))).out == "row\r\n" * 5000


def test_contents_behind_the_script_are_written_byte_for_byte(run, host):
    contents = [base64.b64encode(data).decode() for data in (b"\x00\xffsecond", b"first\n")]
    script = "[IO.File]::WriteAllBytes('C:\\Windows\\Temp\\NAME', [Convert]::FromBase64String($lines[-NUMBER]))"
    rows = [script.replace("NAME", "a").replace("NUMBER", "1"), script.replace("NAME", "b").replace("NUMBER", "2")]
    assert run(BOOTSTRAP, given("\n".join(rows), *contents)).code == 0
    assert host.files.read(r"C:\Windows\Temp\a") == b"first\n"
    assert host.files.read(r"C:\Windows\Temp\b") == b"\x00\xffsecond"


def test_a_script_on_standard_input_that_does_not_parse_runs_not_at_all(run):
    result = run(BOOTSTRAP, given("echo before\necho 'open"))
    assert (result.out, result.code) == ("", 1)
    assert "missing the terminator" in result.err


def test_without_standard_input_the_bootstrap_runs_nothing(run):
    result = run(BOOTSTRAP)
    assert (result.out, result.code) == ("", 1)
    assert "it is an empty string" in result.err


def test_standard_input_can_be_read_once(run):
    assert run(BOOTSTRAP, given("echo 'rows:'\n$input")).out == "rows:\r\n"


def test_a_failed_statement_of_a_script_on_standard_input_does_not_stop_it(run, world):
    world.blocked.add(("10.20.0.10", 443))
    script = given("$c = New-Object Net.Sockets.TcpClient\n$c.Connect('10.20.0.10', 443)\necho next")
    assert run(BOOTSTRAP, script).out == "next\r\n"
    assert run(f"try {{ {BOOTSTRAP}; echo never }} catch {{ echo caught }}", script).out == "caught\r\n"


def test_exit_of_a_script_on_standard_input_is_that_of_the_process(run):
    assert run(BOOTSTRAP, given("exit 7\necho never")).code == 7


PROXY = (
    "$c = New-Object Net.Sockets.TcpClient; try { $c.Connect('10.20.0.5', 3128); $s = $c.GetStream(); "
    '$b = [Text.Encoding]::ASCII.GetBytes("CONNECT aka.ms:443 HTTP/1.1`r`nHost: aka.ms:443`r`n`r`n"); '
    "$s.Write($b, 0, $b.Length); $n = $s.Read($b, 0, 12); echo ([Text.Encoding]::ASCII.GetString($b, 0, $n)) } "
    "catch { echo 'closed' }; $c.Close()"
)


@pytest.mark.parametrize(
    ("blocked", "out"),
    [(None, "HTTP/1.1 200"), (("aka.ms", 443), "HTTP/1.1 502"), (("10.20.0.5", 3128), "closed")],
)
def test_a_proxy_is_asked_to_connect(run, world, blocked, out):
    if blocked:
        world.blocked.add(blocked)
    assert run(PROXY).out == f"{out}\r\n"


def test_a_connection_may_be_waited_for(run, world):
    text = (
        "$c = New-Object Net.Sockets.TcpClient; try { $a = $c.BeginConnect('10.20.0.10', 443, $null, $null); "
        "if ($a.AsyncWaitHandle.WaitOne(5000, $false)) { $c.EndConnect($a); echo 'open' } else { echo 'closed' } } "
        "catch { echo 'closed' }; $c.Close()"
    )
    assert run(text).out == "open\r\n"
    world.blocked.add(("10.20.0.10", 443))
    assert run(text).out == "closed\r\n"


@pytest.mark.parametrize(
    ("condition", "out"),
    [
        ("@(0,98,3010) -contains $LASTEXITCODE", "no"),
        ("@(0,1060) -contains $LASTEXITCODE", "yes"),
        ("$LASTEXITCODE -eq 1060", "yes"),
        ("$LASTEXITCODE -ne 1060", "no"),
        ("$nothing", "no"),
    ],
)
def test_a_condition_decides_what_runs(run, condition, out):
    text = f"sc.exe query nothing | Out-Null\nif ({condition}) {{\n echo yes\n}}\nelse {{ echo no }}"
    assert run(text).out == f"{out}\r\n"


def test_programs_read_what_is_piped_into_them(run, host):
    host.files.write(r"C:\Setup.exe", b"x")
    digest = "2d 71 16 42 b7 26 b0 44 01 62 7c a9 fb ac 32 f5 c8 53 0f b1 90 3c c4 db 02 25 87 17 92 1a 48 81"
    found = run(f"certutil -hashfile 'C:\\Setup.exe' SHA256 | findstr.exe /i '/c:{digest}' '/c:{'0' * 64}'")
    assert (found.out, found.code) == (f"{digest}\r\n", 0)
    assert run("'list disk' | diskpart").out.count("  Disk ") == 2


def test_a_text_file_is_read_whole(run, host):
    host.files.write(r"C:\note.txt", b"one")
    assert run(r"[IO.File]::ReadAllText('C:\note.txt')").out == "one\r\n"
    assert "Could not find file" in run(r"[IO.File]::ReadAllText('C:\nothing.txt')").err


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
