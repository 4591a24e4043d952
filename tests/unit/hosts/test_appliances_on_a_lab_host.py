"""Appliances on Windows servers of the lab: the product's own text runs, the lab's own installers answer."""

import hashlib

import pytest
from ansible.plugins.shell.powershell import _parse_clixml

from asr_lab.arm.estate import HostDescription, HostDisk, RegistrationRefused
from asr_lab.clock import ManualClock as LabClock
from asr_lab.hosts.windows.faults import apply_fault
from asr_lab.hosts.windows.installers import dr_configurator, packages
from asr_lab.hosts.windows.installers.unified_setup import CONFIGURATOR, CS_PRODUCT, MYSQL_5_5, REGISTRATION
from asr_lab.hosts.windows.shell import run_line
from asr_lab.hosts.windows.state import AGENT_PRODUCT, Host, HostSpec
from asr_migrate.domain.errors import SetupError
from asr_migrate.domain.machine import Os
from asr_migrate.hosts import prepare, profiles, server_probe, windows_installer
from asr_migrate.hosts import windows_text as text
from asr_migrate.hosts.plan import Answer

NEWER = "https://downloads.lab.example/newer.exe"
SETUP, ARCHIVE = packages.UNIFIED_SETUP_URL, packages.APPLIANCE_URL
ONLY_WAY = {"address": "10.20.0.5", "port": 3128}
LOGIN = {"user": "corp\\asr", "password": "Pr0xy-secret"}
INPUTS = {"mysql_root_password": "R00t_secret", "mysql_user_password": "Us3r_secret", "check_urls": False}


def key(vault, number=1):
    """Return a vault registration key; another number is another key of the same vault."""
    return f"<RSVaultAsrCreds><ResourceName>{vault}</ResourceName><Cert>{number:030d}{vault}</Cert></RSVaultAsrCreds>"


class World:
    """A Site Recovery with some vaults, and an internet that is reached from everywhere."""

    def __init__(self):
        self.keys = {key("first"), key("first", 2), key("second")}
        self.servers = []
        self.appliances = []
        self.internet = {**packages.downloads(), NEWER: packages.program("unified-setup-package", "9.62.0.0")}

    def connects(self, _source, _target, _port):
        return True

    def powered_on(self, _address):
        return True

    def download(self, url):
        return self.internet.get(url)

    def register_configuration_server(self, vault_credentials_xml, host, _passphrase):
        if vault_credentials_xml.decode().strip() not in self.keys:
            raise RegistrationRefused("KeyInvalid", "The key is of no vault.")
        self.servers.append((vault_credentials_xml.decode().strip(), host.agent_version))

    def appliance_installed(self, host):
        self.appliances.append(host.host_name)


class Server:
    """One server of the lab and the way to it."""

    def __init__(self, flavour, directory, clock):
        description = HostDescription(
            host_id="0a0a0a0a-0000-4000-8000-000000000001",
            host_name="SERVER-1",
            addresses=("10.20.0.10",),
            os_type="Windows",
            os_name="",
            disks=(HostDisk("disk0", 80 * 2**30, boot=True), HostDisk("disk1", 640 * 2**30, boot=False)),
            bios_id="0b0b0b0b-0000-4000-8000-000000000001",
            mac="02:00:0a:14:01:0b",
            firmware="BIOS",
            cores=16,
            memory_mb=32768,
            agent_version=None,
        )
        self.world = World()
        self.host = Host(HostSpec("server-1", flavour, description), directory, self.world, LabClock())
        self.clock = clock
        self.exchanges = []
        self.spoil = {}
        self.kind = "configuration_server" if flavour == "2016" else "replication_appliance"
        self.inputs = INPUTS | {"vault_credentials": key("first")} if flavour == "2016" else {"check_urls": False}

    def send(self, exchange):
        self.exchanges.append(exchange)
        self.spoil.get(exchange.name, lambda: None)()
        result = run_line(self.host, exchange.command, exchange.stdin)
        now = self.host.utc_now()
        said = result.err.encode()
        errors = _parse_clixml(said).decode() if said.startswith(b"#< CLIXML") else result.err
        return Answer(result.out, errors, result.code, now, now)

    def bring(self, **want):
        """Bring the server to what is wanted; return the names of the round trips that were no look at it."""
        begun = len(self.exchanges)
        profile = profiles.make(self.kind, Os.WINDOWS, "server-1", self.inputs | want)
        prepare.prepare(profile, self.send, self.clock, keep=lambda _priors: None)
        return [exchange.name for exchange in self.exchanges[begun:] if exchange.name != "probe"]

    @property
    def versions(self):
        """The versions that the server's installers left."""
        return {self.host.registry.text(product, "Version") for product in (CS_PRODUCT, AGENT_PRODUCT)}

    @property
    def vault(self):
        """The vault that the server is registered with."""
        return self.host.registry.text(REGISTRATION, "ResourceName")


@pytest.fixture
def server(tmp_path, clock):
    return Server("2016", tmp_path / "cs", clock)


@pytest.fixture
def appliance(tmp_path, clock):
    return Server("2022", tmp_path / "ra", clock)


def newer(version="9.62.0.0"):
    return {"installer": {"url": NEWER, "version": version}}


def test_a_configuration_server_is_installed_once(server):
    assert server.bring() == [f"download {SETUP}", "run Unified Setup"]
    assert server.world.servers == [(key("first"), "9.59.0.0")]
    assert server.bring() == []


def test_an_upgrade_is_noticed_made_and_not_made_twice(server):
    server.bring()
    assert server.bring(**newer()) == [f"download {NEWER}", "run Unified Setup"]
    assert server.versions == {"9.62.0.0"}
    assert len(server.world.servers) == 1
    assert server.bring(**newer()) == []


def test_an_upgrade_goes_on_when_only_a_part_is_of_the_new_version(server):
    server.bring()
    server.host.registry.write(AGENT_PRODUCT, {"Version": "9.62.0.0", "Product_Version": "9.62.0.0"})
    assert "run Unified Setup" in server.bring(**newer())


def test_an_upgrade_accepts_the_licence_where_it_replaces_mysql(server):
    server.bring()
    server.host.registry.create(MYSQL_5_5)
    server.bring(**newer())
    assert server.versions == {"9.62.0.0"}


def test_an_upgrade_needs_no_passwords(server):
    server.bring()
    none = {"mysql_root_password": "", "mysql_user_password": "", "vault_credentials": ""}
    server.bring(**none, **newer())
    assert server.versions == {"9.62.0.0"}


def test_a_new_key_of_the_same_vault_registers_again_once(server):
    server.bring()
    again = {"register_again": "same_vault", "vault_credentials": key("first", 2)}
    assert server.bring(**again) == ["register the server"]
    assert server.world.servers[-1] == (key("first", 2), "9.59.0.0")
    assert server.bring(**again) == []


def test_another_registration_and_an_upgrade_are_made_in_one_run(server):
    server.bring()
    again = {"register_again": "same_vault", "vault_credentials": key("first", 2)}
    assert server.bring(**again, **newer()) == ["register the server", f"download {NEWER}", "run Unified Setup"]


def test_a_refused_registration_is_not_taken_for_one(server):
    server.bring()
    again = {"register_again": "same_vault", "vault_credentials": key("first", 3)}
    for _ in range(2):
        with pytest.raises(SetupError, match="register failed with exit code 1") as refused:
            server.bring(**again)
        assert "did not accept the registration key" in refused.value.cause
    assert server.vault == "first"
    assert server.host.files.text(text.WORK_DIRECTORY + r"\Vault.VaultCredentials") is None


def test_a_server_moves_to_another_vault(server):
    server.bring()
    assert server.bring(register_again="other_vault", vault_credentials=key("second")) == ["register the server"]
    assert server.vault == "second"
    assert not server.host.registry.has(server_probe.KEPT_REGISTRATION)


def test_the_old_registration_comes_back_when_the_new_vault_refuses(server):
    server.bring()
    with pytest.raises(SetupError):
        server.bring(register_again="other_vault", vault_credentials=key("third"))
    assert server.vault == "first"
    assert server.host.services.is_running("dra")
    assert server.bring() == []


def test_a_registration_is_not_taken_away_where_no_other_can_be_made(server):
    server.bring()
    server.host.files.remove(CONFIGURATOR)
    with pytest.raises(SetupError, match="exit code 9009"):
        server.bring(register_again="other_vault", vault_credentials=key("second"))
    assert server.vault == "first"


@pytest.mark.parametrize(
    ("want", "vault"),
    [({}, "first"), ({"register_again": "other_vault", "vault_credentials": key("second")}, "second")],
)
def test_a_run_that_broke_off_between_two_vaults_is_gone_on_with(server, want, vault):
    server.bring()
    server.host.registry.write(server_probe.KEPT_REGISTRATION, {"HostName": "SERVER-1", "ResourceName": "first"})
    server.host.registry.remove(REGISTRATION)
    server.bring(**want)
    assert server.vault == vault
    assert not server.host.registry.has(server_probe.KEPT_REGISTRATION)


def test_the_proxy_of_a_server_is_used_for_download_setup_and_another_registration(server):
    apply_fault(server.host, {"proxy": ONLY_WAY})
    with pytest.raises(SetupError, match="could not download"):
        server.bring()
    server.bring(proxy=ONLY_WAY)
    again = {"register_again": "same_vault", "vault_credentials": key("first", 2)}
    assert server.bring(proxy=ONLY_WAY, **again) == ["register the server"]
    assert server.host.registry.text(dr_configurator.AGENT_PROXY, "Server") == "http://10.20.0.5"


def test_a_proxy_s_password_travels_as_content_and_opens_the_way(server):
    apply_fault(server.host, {"proxy": ONLY_WAY | LOGIN})
    wrong = ONLY_WAY | LOGIN | {"password": "Wrong-secret"}
    with pytest.raises(SetupError, match="407") as refused:
        server.bring(proxy=wrong)
    assert "Wrong-secret" not in str(refused.value.as_dict())
    server.bring(proxy=ONLY_WAY | LOGIN)
    for exchange in server.exchanges:
        count, *rows = exchange.stdin.decode().splitlines()
        assert not any(LOGIN["password"] in row for row in (exchange.command, *rows[: int(count)]))


def test_a_proxy_file_in_the_wrong_form_is_refused_with_the_option_that_changes_it(server):
    apply_fault(server.host, {"proxy": ONLY_WAY, "proxy_file_form": "published_source"})
    with pytest.raises(SetupError, match="exit code 2") as refused:
        server.bring(proxy=ONLY_WAY)
    assert "proxy.file_form" in refused.value.remedy
    server.bring(proxy=ONLY_WAY | {"file_form": "published_source"})
    assert server.vault == "first"


def test_another_registration_behind_a_proxy_with_a_password_is_left_to_a_person(server):
    server.bring()
    want = {"register_again": "same_vault", "vault_credentials": key("first", 2), "proxy": ONLY_WAY | LOGIN}
    with pytest.raises(SetupError) as refused:
        server.bring(**want)
    assert refused.value.code == "ProxyNotSupported"
    assert "cspsconfigtool.exe" in refused.value.remedy


@pytest.mark.parametrize("content", [packages.program("unified-setup-package"), None])
def test_a_setup_on_the_host_with_another_digest_is_not_run(server, content):
    path = r"D:\setup.exe"
    if content:
        server.host.files.write(path, content)
    with pytest.raises(SetupError):
        server.bring(installer={"path": path, "sha256": "ab" * 32})
    assert server.world.servers == []
    assert [exchange.name for exchange in server.exchanges] == ["probe", f"check {path}", "clean up"]


def test_a_setup_on_the_host_with_the_given_digest_is_run(server):
    content = packages.program("unified-setup-package")
    server.host.files.write(r"D:\setup.exe", content)
    pinned = {"path": r"D:\setup.exe", "sha256": hashlib.sha256(content).hexdigest()}
    assert server.bring(installer=pinned) == [r"check D:\setup.exe", "run Unified Setup"]


def test_an_archive_on_the_host_with_another_digest_is_not_unpacked(appliance):
    appliance.host.files.write(r"E:\appliance.zip", packages.appliance_zip())
    with pytest.raises(SetupError, match="SHA-256"):
        appliance.bring(installer={"path": r"E:\appliance.zip", "sha256": "ab" * 32})
    assert appliance.world.appliances == []


@pytest.mark.parametrize("folder", ["", "DRAppliance/", "a/b/"])
def test_the_appliance_s_script_is_found_wherever_the_archive_holds_it(appliance, folder):
    appliance.world.internet[ARCHIVE] = packages.appliance_zip(folder)
    appliance.bring()
    assert appliance.world.appliances == ["SERVER-1"]


@pytest.mark.parametrize(
    ("archive", "message"),
    [
        (packages.appliance_zip(kind="throwing-script"), "install failed with exit code 1"),
        (packages.appliance_zip().replace(b"DRInstaller.ps1", b"ReadmeFirst.ps1"), "holds no DRInstaller.ps1"),
        (b"<html>", "extract failed with exit code 1"),
    ],
)
def test_an_appliance_that_was_not_installed_is_said_at_once(appliance, archive, message):
    appliance.world.internet[ARCHIVE] = archive
    with pytest.raises(SetupError, match=message):
        appliance.bring()
    assert appliance.exchanges[-1].name == "read the logs"


def test_a_program_that_is_missing_after_the_unpacking_is_no_success_of_the_unpacking(server):
    server.world.internet[SETUP] = packages.program("mobility-package")
    with pytest.raises(SetupError, match="install failed with exit code 9009"):
        server.bring()


def test_no_ordinary_user_can_have_made_the_working_directory(server):
    planted = {text.WORK_DIRECTORY + r"\setup\UNIFIEDSETUP.EXE": "MZ"}
    with pytest.raises(ValueError, match="only administrators"):
        apply_fault(server.host, {"planted": planted})
    server.bring()
    with pytest.raises(ValueError, match="only administrators"):
        apply_fault(server.host, {"planted": planted})


def test_a_text_ends_where_its_directory_cannot_be_made_private(server):
    protect = text.make_private_directory("C:\\not-there")[1:]
    said = server.send(text.exchange("x", protect, "echo 'after'"))
    assert said.exit_code == text.NOT_PRIVATE
    assert "after" not in said.stdout
    assert windows_installer.judge_installation(said).code == "WorkDirectoryNotPrivate"
