"""sc.exe, net and netsh of a simulated host, and what follows from them."""

import pytest

from asr_lab.hosts.windows import firewall


def test_the_state_of_a_service_is_a_number_and_a_word(run):
    assert "        STATE              : 4  RUNNING \r\n" in run("sc.exe query w32time").out


def test_an_unknown_service_ends_with_windows_error_1060(run):
    result = run("sc.exe query nothing")
    assert result.out.startswith("[SC] EnumQueryServicesStatus:OpenService FAILED 1060:\r\n")
    assert run("sc.exe query nothing\nexit 0").code == 0
    assert "@@rc 1060" in run('sc.exe query nothing\necho "@@rc $LASTEXITCODE"').out


@pytest.mark.parametrize(
    ("commands", "code"),
    [
        ("sc.exe start w32time", 1056),
        ("sc.exe stop vss", 1062),
        ("sc.exe stop w32time\nsc.exe config w32time start= disabled\nsc.exe start w32time", 1058),
        ("sc.exe config w32time start= sometimes", 1639),
        ("sc.exe config w32time start=auto", 1639),
        ("sc.exe create x", 1639),
    ],
)
def test_what_the_service_manager_refuses_has_its_own_code(run, commands, code):
    assert f"@@rc {code}\r\n" in run(commands + '\necho "@@rc $LASTEXITCODE"').out


def test_a_start_type_is_kept_in_the_registry(run, host):
    run("sc.exe config w32time start= disabled")
    assert host.registry.get(r"HKLM\SYSTEM\CurrentControlSet\Services\W32Time", "Start") == 4
    assert "START_TYPE         : 4   DISABLED" in run("sc.exe qc w32time").out


def test_net_start_and_stop_take_the_display_name_too(run, host):
    assert run("net stop 'Windows Time'").code == 0
    assert not host.services.is_running("w32time")
    assert "was started successfully" in run("net start w32time").out


def test_net_start_of_a_running_service_fails_with_2(run):
    result = run('net start w32time\necho "@@rc $LASTEXITCODE"')
    assert "@@rc 2" in result.out
    assert "NET HELPMSG 2182" in result.err


def test_sc_without_exe_is_another_command_in_powershell(run):
    result = run("sc query w32time")
    assert result.code == 1
    assert "is not recognized" in result.err


def test_a_rule_group_is_switched_by_its_identifier(run, host):
    result = run("netsh advfirewall firewall set rule 'group=@FirewallAPI.dll,-28502' new enable=yes")
    assert "Updated 14 rule(s).\r\nOk." in result.out
    assert firewall.group_open(host.registry, firewall.FILE_SHARING)
    assert not firewall.group_open(host.registry, firewall.WMI)


def test_a_rule_group_is_switched_by_its_english_name(run, host):
    run('netsh advfirewall firewall set rule group="windows management instrumentation (wmi)" new enable=yes')
    assert firewall.group_open(host.registry, firewall.WMI)


def test_an_unquoted_comma_breaks_the_group_in_two(run):
    assert run("netsh advfirewall firewall set rule group=x,-28502 new enable=yes").code == 1


@pytest.mark.parametrize(
    "words",
    [
        "firewall set rule group=Nothing new enable=yes",
        "firewall set rule 'group=Remote Desktop' new enable=maybe",
        "firewall set rule 'group=Remote Desktop' enable=yes",
        "firewall make rule name=x",
    ],
)
def test_netsh_fails_on_what_it_does_not_know(run, words):
    assert run(f"netsh advfirewall {words}").code == 1


def test_a_rule_can_be_added_shown_and_deleted(run, host):
    run("netsh advfirewall firewall add rule name=Web dir=in action=allow protocol=TCP localport=8443")
    assert firewall.lets_in(host.registry, 8443)
    assert "LocalPort:                            8443" in run("netsh advfirewall firewall show rule name=Web").out
    run("netsh advfirewall firewall delete rule name=Web")
    assert not firewall.lets_in(host.registry, 8443)


def test_a_port_answers_only_when_a_program_listens_and_the_firewall_lets_it_in(run, host):
    assert not host.listens(445)
    run("netsh advfirewall firewall set rule 'group=@FirewallAPI.dll,-28502' new enable=yes")
    assert host.listens(445)
    run("sc.exe stop LanmanServer")
    assert not host.listens(445)


def test_rules_of_a_group_are_chosen_by_what_they_say(run, host):
    group = "'group=@FirewallAPI.dll,-28502'"
    switch = f"netsh advfirewall firewall set rule {group} dir=in profile=any protocol=6 localport=445 new enable=yes"
    assert "Updated 1 rule(s)." in run(switch).out
    echo = f"netsh advfirewall firewall set rule {group} dir=in 'protocol=icmpv4:8,any' new enable=yes"
    assert "Updated 1 rule(s)." in run(echo).out
    active = [rule.name for rule in firewall.of_group(host.registry, firewall.FILE_SHARING) if rule.active]
    assert sorted(active) == ["FPS-ICMP4-ERQ-In", "FPS-SMB-In-TCP"]
    assert run(switch.replace("profile=any", "profile=domain")).code == 1


def test_a_rule_of_ones_own_is_added_for_profiles_and_deleted_by_name(run, host):
    add = "netsh advfirewall firewall add rule 'name=our rule' dir=in action=allow protocol=tcp localport=8443"
    assert run(f"{add} 'profile=public,domain' enable=yes").code == 0
    rule = next(rule for rule in firewall.rules(host.registry) if rule.first("Name") == "our rule")
    assert [value for key, value in rule.fields if key == "Profile"] == ["Public", "Domain"]
    assert firewall.lets_in(host.registry, 8443)
    assert "Deleted 1 rule(s)." in run("netsh advfirewall firewall delete rule 'name=our rule'").out
    assert not firewall.lets_in(host.registry, 8443)


def test_a_rule_counts_in_its_profiles_only_and_a_block_wins(run, host):
    text = "v2.22|Action={}|Active=TRUE|Dir=In|Protocol=6|{}LPort=8443|Name=x|"
    host.registry.set(firewall.RULES, "x", text.format("Allow", "Profile=Domain|"))
    assert not firewall.lets_in(host.registry, 8443)
    host.registry.set(firewall.RULES, "x", text.format("Allow", ""))
    assert firewall.lets_in(host.registry, 8443)
    host.registry.set(firewall.GROUP_POLICY_RULES, "y", text.format("Block", ""))
    assert not firewall.lets_in(host.registry, 8443)


def test_local_rules_may_be_void_by_policy(host):
    assert firewall.lets_in(host.registry, 3389)
    host.registry.write(firewall.GROUP_POLICY + r"\PublicProfile", {"AllowLocalPolicyMerge": 0})
    assert not firewall.lets_in(host.registry, 3389)


@pytest.mark.parametrize("place", [firewall.POLICY, firewall.GROUP_POLICY])
def test_a_profile_without_exceptions_lets_nobody_in(host, place):
    key, _ = firewall.active_profile(host.registry)
    host.registry.set(f"{place}\\{key}", "DoNotAllowExceptions", 1, "REG_DWORD")
    assert not firewall.lets_in(host.registry, 3389)


@pytest.mark.parametrize("words", ["LPort2_10=3380-3390", "LPort=80,3389"])
def test_a_rule_may_name_several_ports(host, words):
    blocks = f"v2.10|Action=Block|Active=TRUE|Dir=In|Protocol=6|{words}|Name=mine|"
    assert firewall.lets_in(host.registry, 3389)
    host.registry.set(firewall.RULES, "Mine", blocks, "REG_SZ")
    assert not firewall.lets_in(host.registry, 3389)


def test_a_delayed_start_is_set_and_taken_back(run, host):
    assert "AUTO_START" in run("sc.exe qc w32time").out
    run("sc.exe config w32time start= delayed-auto")
    assert "(DELAYED)" in run("sc.exe qc w32time").out
    run("sc.exe config w32time start= auto")
    assert "(DELAYED)" not in run("sc.exe qc w32time").out


def test_netsh_fails_while_the_firewalls_service_stands_still(run):
    run("net stop MpsSvc")
    result = run("netsh advfirewall firewall set rule group=@FirewallAPI.dll,-28502 new enable=yes")
    assert (result.code, "attempting to contact" in result.err) == (1, True)
