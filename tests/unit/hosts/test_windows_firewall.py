"""Windows Firewall: what a group is like, which profiles Remote Desktop is let in, and how one rule is named."""

import pytest

from asr_migrate.hosts import windows_firewall as firewall
from asr_migrate.hosts.windows_output import RegistryValue

GROUP = "EmbedCtxt=@FirewallAPI.dll,-28502|"
SMB = "v2.10|Action=Allow|Active={}|Dir=In|Protocol=6|Profile=Domain|LPort=445|App=System|Name=@FirewallAPI.dll,-28511|"
SMB_HOME = SMB.replace("Profile=Domain|", "Profile=Private|Profile=Public|").replace(
    "App=System", "RA4=LocalSubnet|App=System"
)
SMB_OUT = (
    "v2.10|Action=Allow|Active={}|Dir=Out|Protocol=6|Profile=Domain|RPort=445|App=System|Name=@FirewallAPI.dll,-28515|"
)
PING = "v2.10|Action=Allow|Active={}|Dir=In|Protocol=1|Profile=Domain|ICMP4=8:*|Name=@FirewallAPI.dll,-28543|"
SPOOL = (
    "v2.10|Action=Allow|Active={}|Dir=In|Protocol=6|Profile=Domain|LPort=RPC|"
    "App=%SystemRoot%\\system32\\spoolsv.exe|Svc=Spooler|Name=@FirewallAPI.dll,-28535|"
)
RPC_OTHER = SPOOL.replace("spoolsv.exe|Svc=Spooler", "other.exe|Svc=Other")
RDP = "v2.20|Action=Allow|Active={}|Dir=In|Protocol=6|{}LPort=3389|Svc=termservice|EmbedCtxt=@FirewallAPI.dll,-28752|"


def on(form):
    return form.format("TRUE") + GROUP


def off(form):
    return form.format("FALSE") + GROUP


POLICY = "hkey_local_machine\\software\\policies\\microsoft\\windowsfirewall\\"
LOCAL = "hkey_local_machine\\system\\currentcontrolset\\services\\sharedaccess\\parameters\\firewallpolicy\\"
BLOCK = "v2.10|Action=Block|Active=TRUE|Dir=In|Protocol=6|{}Name=mine|"


def host(*texts, policy=None, local=None):
    rules = {str(at): RegistryValue(f"rule-{at}", "REG_SZ", text) for at, text in enumerate(texts)}
    return firewall.read(rules, policy or {}, local or {})


def settings(key, **values):
    return {key: {name.lower(): RegistryValue(name, "REG_DWORD", hex(number)) for name, number in values.items()}}


def chosen(found, *wanted):
    rules = [rule for rule in found.rules if rule.name in wanted]
    return firewall.switching_off(rules, found)


@pytest.mark.parametrize(
    ("texts", "state"),
    [
        ((), "missing"),
        ((on(SMB), on(PING)), "enabled"),
        ((off(SMB), off(PING)), "disabled"),
        ((off(SMB), on(PING)), "partly enabled"),
        ((on(SMB), off(SMB_OUT)), "enabled"),
    ],
)
def test_a_group_is_judged_by_its_inbound_rules(texts, state):
    assert host(*texts).group(firewall.FILE_SHARING).state == state


def test_the_whole_group_is_named_when_no_rule_of_it_is_to_stay_on():
    found = host(on(SMB), on(PING), off(SPOOL))
    assert chosen(found, "rule-0", "rule-1") == ([{"group": "@FirewallAPI.dll,-28502"}], ())


def test_a_rule_of_a_group_that_stays_on_is_named_by_what_tells_it_apart():
    found = host(on(SMB), on(PING), on(SMB_HOME))
    words, alike = chosen(found, "rule-0")
    assert alike == ()
    assert words == [
        {
            "group": "@FirewallAPI.dll,-28502",
            "dir": "in",
            "profile": "domain",
            "protocol": "tcp",
            "localport": "445",
        }
    ]


def test_rules_of_the_same_port_are_told_apart_by_service():
    words, alike = chosen(host(on(SPOOL), on(RPC_OTHER)), "rule-0")
    assert alike == ()
    assert words[0]["localport"] == "RPC"
    assert words[0]["service"] == "Spooler"


def test_what_a_rule_does_not_restrict_does_not_name_it():
    shadow = "v2.20|Action=Allow|Active=TRUE|Dir=In|Protocol=6|App=%SystemRoot%\\system32\\RdpSa.exe|Name=a|"
    words, alike = chosen(host(shadow + GROUP, on(SMB)), "rule-0")
    assert alike == ()
    assert words == [
        {
            "group": "@FirewallAPI.dll,-28502",
            "dir": "in",
            "protocol": "tcp",
            "program": "%SystemRoot%\\system32\\RdpSa.exe",
        }
    ]


def test_profiles_that_overlap_do_not_tell_rules_apart():
    both = SMB.replace("Profile=Domain|", "Profile=Domain|Profile=Private|")
    words, alike = chosen(host(on(SMB), on(both)), "rule-0")
    assert words == []
    assert [rule.name for rule in alike] == ["rule-0"]


def test_a_ping_is_named_by_its_kind_of_message():
    words, _ = chosen(host(on(PING), on(SMB)), "rule-0")
    assert words[0]["protocol"] == "icmpv4:8,any"


def test_a_rule_that_nothing_tells_from_another_one_is_left():
    found = host(on(SMB), on(SMB))
    words, alike = chosen(found, "rule-0")
    assert words == []
    assert [rule.name for rule in alike] == ["rule-0"]


def test_two_rules_with_the_same_words_are_switched_by_one_line():
    words, alike = chosen(host(on(SMB), on(SMB), on(PING)), "rule-0", "rule-1")
    assert len(words) == 1
    assert alike == ()


def test_the_version_and_the_order_of_fields_do_not_make_another_rule():
    rule = firewall.Rule("a", "v2.10|Action=Allow|Active=TRUE|Dir=In|")
    assert rule.is_like("v2.20|Active=TRUE|Action=Allow|Dir=In|")
    assert not rule.is_like("v2.10|Action=Allow|Active=FALSE|Dir=In|")


@pytest.mark.parametrize(
    ("texts", "closed"),
    [
        ((RDP.format("TRUE", ""),), ()),
        ((RDP.format("FALSE", ""),), ("domain", "private", "public")),
        ((RDP.format("TRUE", "Profile=Domain|Profile=Private|"),), ("public",)),
        ((RDP.format("TRUE", "Profile=Domain|"), RDP.format("TRUE", "Profile=Public|")), ("private",)),
        ((RDP.format("TRUE", "").replace("Allow", "Block"),), ("domain", "private", "public")),
        ((RDP.format("TRUE", "").replace("=In|", "=Out|"),), ("domain", "private", "public")),
        ((RDP.format("TRUE", "").replace("3389", "3390"),), ("domain", "private", "public")),
        ((RDP.format("TRUE", "").replace("LPort=3389|", ""),), ()),
        (("v2.10|Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort=80,3389|Name=mine|",), ()),
    ],
)
def test_the_profiles_that_are_closed_to_remote_desktop(texts, closed):
    assert host(*texts).closed_profiles(3389) == closed


def test_a_rule_of_the_policy_opens_a_profile_too():
    rule = {"x": RegistryValue("x", "REG_SZ", RDP.format("TRUE", ""))}
    key = "hkey_local_machine\\software\\policies\\microsoft\\windowsfirewall\\firewallrules"
    assert host(policy={key: rule}).closed_profiles(3389) == ()


@pytest.mark.parametrize(
    ("key", "value", "group"),
    [
        ("domainprofile\\services\\fileandprint", {"enabled": 0}, firewall.FILE_SHARING),
        ("standardprofile\\remoteadminsettings", {"enabled": 0}, firewall.WMI),
        ("publicprofile\\services\\remotedesktop", {"enabled": 0}, firewall.REMOTE_DESKTOP),
    ],
)
def test_a_policy_denies_a_group_by_switching_its_exception_off(key, value, group):
    full = "hkey_local_machine\\software\\policies\\microsoft\\windowsfirewall\\" + key
    values = {name: RegistryValue(name, "REG_DWORD", hex(number)) for name, number in value.items()}
    found = host(policy={full: values})
    assert [other for other in firewall.GROUP_NAMES if found.denies(other)] == [group]
    assert host(policy={full: {"enabled": RegistryValue("Enabled", "REG_DWORD", "0x1")}}).denies(group) is False


@pytest.mark.parametrize(
    ("words", "port", "service", "blocked"),
    [
        ("LPort=445|", 445, "", True),
        ("LPort=445|", 446, "", False),
        ("LPort=80,3389|", 3389, "", True),
        ("LPort2_10=440-450|", 445, "", True),
        ("LPort=RPC|", 49152, "", True),
        ("LPort=RPC-EPMap|", 135, "", True),
        ("LPort=IPHTTPSIn|", 445, "", False),
        ("", 445, "", True),
        ("Svc=termservice|", 3389, "TermService", True),
        ("Svc=termservice|", 445, "", False),
        ("App=System|", 445, "", True),
        ("App=C:\\x.exe|", 445, "", False),
    ],
)
def test_an_active_rule_that_blocks_keeps_a_port_closed(words, port, service, blocked):
    for form, expected in (
        (BLOCK, blocked),
        (BLOCK.replace("=TRUE", "=FALSE"), False),
        (BLOCK.replace("Block", "Allow"), False),
        (BLOCK.replace("=In", "=Out"), False),
        (BLOCK.replace("Protocol=6", "Protocol=17"), False),
        (BLOCK.replace("Protocol=6|", ""), blocked),
    ):
        found = host(RDP.format("TRUE", ""), form.format(words))
        assert bool(found.blocked_profiles(port, service)) is expected


def test_what_blocks_is_named_with_its_profiles():
    found = host(
        BLOCK.format("Profile=Public|LPort=445|"), BLOCK.format("LPort=445|").replace("Name=mine", "Name=@x.dll,-1")
    )
    assert [block.text for block in found.blocks(445)] == [
        "the firewall rule 'mine' blocks in the profile public",
        "the firewall rule 'rule-1' blocks",
    ]


def test_a_rule_for_some_addresses_closes_no_profile():
    found = host(BLOCK.format("LPort=445|RA4=10.9.0.0/255.255.0.0|"))
    assert found.blocks(445)[0].text == "the firewall rule 'mine' blocks for some addresses"
    assert found.blocked_profiles(445) == ()


@pytest.mark.parametrize(
    ("policy", "local", "blocked"),
    [
        ({}, settings(LOCAL + "publicprofile", DoNotAllowExceptions=1), ("public",)),
        (settings(POLICY + "standardprofile", DoNotAllowExceptions=1), {}, ("private",)),
        (
            settings(POLICY + "publicprofile", DoNotAllowExceptions=0),
            settings(LOCAL + "publicprofile", DoNotAllowExceptions=1),
            (),
        ),
        ({}, settings(LOCAL + "domainprofile", DoNotAllowExceptions=1, EnableFirewall=0), ()),
    ],
)
def test_a_profile_without_exceptions_lets_nobody_in(policy, local, blocked):
    assert host(RDP.format("TRUE", ""), policy=policy, local=local).blocked_profiles(3389) == blocked


@pytest.mark.parametrize(
    ("policy", "local", "blocked"),
    [
        ({}, settings(LOCAL + "publicprofile", EnableFirewall=0), ("domain", "private")),
        (settings(POLICY + "domainprofile", EnableFirewall=0), {}, ("private", "public")),
        (settings(POLICY + "domainprofile", AllowLocalPolicyMerge=0), {}, ("private", "public")),
    ],
)
def test_a_rule_blocks_only_where_the_firewall_is_on_and_its_rules_count(policy, local, blocked):
    assert host(BLOCK.format("LPort=445|"), policy=policy, local=local).blocked_profiles(445) == blocked


def test_a_rule_of_the_policy_blocks_too():
    rules = {POLICY + "firewallrules": {"x": RegistryValue("x", "REG_SZ", BLOCK.format("LPort=445|"))}}
    assert host(policy=rules).blocked_profiles(445) == firewall.PROFILES
