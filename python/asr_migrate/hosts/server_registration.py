"""Another registration of a configuration server that is installed, by the Site Recovery provider's own program.

Unified Setup does not run twice over the same version. What registers a server, in setup and in cspsconfigtool.exe, is
``DRConfigurator.exe``; the proxy of the Recovery Services agent is set beside it.

Source: Site Recovery documentation, manage the configuration server (same vault, other vault) and Hyper-V provider
(command line of DRConfigurator.exe); Microsoft's published setup sources for the same command line in setup.
"""

from __future__ import annotations

from asr_migrate.domain.errors import AsrMigrateError, InputError, SetupError
from asr_migrate.hosts import server_probe, server_setup, server_setup_codes
from asr_migrate.hosts import windows_text as text
from asr_migrate.hosts.mobility_codes import Known
from asr_migrate.hosts.plan import Exchange
from asr_migrate.hosts.quoting import native, powershell
from asr_migrate.hosts.server_want import ConfigurationServerWant
from asr_migrate.hosts.windows_installer import judge_installation
from asr_migrate.hosts.windows_steps import Part, chain

PROGRAM = "C:\\Program Files\\Microsoft Azure Site Recovery Provider\\DRConfigurator.exe"
#: Where the registration with the old vault is kept until the one with the new vault stands.
KEPT = server_probe.KEPT_REGISTRATION
PROVIDER, AGENT = "dra", "obengine"

EXIT_CODES = {
    text.NOT_STARTED: Known(
        f"{PROGRAM} is not there: the Site Recovery provider is not whole.",
        "Install the provider again with the Unified Setup of the installed version (AzureSiteRecoveryProvider.exe), "
        "then run deploy_appliance again.",
    ),
}


def missing(want: ConfigurationServerWant) -> list[AsrMigrateError]:
    """Return an error for each input without which, or with which, the server cannot be registered again."""
    found: list[AsrMigrateError] = []
    if not want.vault_credentials.get_secret_value():
        found.append(
            InputError(
                "want vault_credentials",
                None,
                "is needed to register the configuration server again",
                remedy="Give another vault_credentials.",
            )
        )
    if want.proxy and want.proxy.user:
        found.append(
            SetupError(
                "want proxy: a server behind a proxy that asks for a password is not registered again from here",
                code="ProxyNotSupported",
                cause="DRConfigurator.exe takes the proxy's password in its command line, where others can read it.",
                remedy="Register it in cspsconfigtool.exe on the server (Vault Registration) with the key file, then "
                "set asr_appliance.register_again back to no.",
            )
        )
    return found


def run(want: ConfigurationServerWant, host_name: str) -> Exchange:
    """Return the round trip that registers the server with the vault of the given key.

    The file with the key is deleted again whatever happens, and the key is noted when the server is registered. With
    ``other_vault`` the old registration is copied before it is taken away, as the documentation asks, and put back when
    the new one fails.
    """
    moves = want.register_again == "other_vault"
    parts = [
        Part(text.section("look for DRConfigurator.exe", *_is_there())),
        *(_take_away() if moves else []),
        Part(text.section("register", *text.run(PROGRAM, *_arguments(want, host_name)))),
        Part([text.reg_delete(KEPT)] if moves else [], ()),
        *_agent_proxy(want),
        Part([server_probe.note(server_setup.KEY_NOTE, server_setup.key_digest(want)), *_start_provider()], ()),
    ]
    return text.exchange(
        "register the server",
        text.make_private_directory(text.WORK_DIRECTORY),
        text.delete_files(*server_setup.SECRET_FILES),
        text.write_content(server_setup.VAULT_FILE, 0),
        chain(parts, put_back_lines() if moves else []),
        text.delete_files(*server_setup.SECRET_FILES),
        contents=[server_setup.vault_file(want)],
        judge=judge_installation,
        logs=server_setup.read_logs(),
        explain=explain,
    )


def put_back() -> Exchange:
    """Return the round trip that puts back a registration which a run that broke off had taken away."""
    return text.exchange("put the registration back", put_back_lines())


def put_back_lines() -> list[str]:
    """Put the kept registration, if there is one, in the place of what a new one left, and start the provider."""
    copy = f"reg copy {native(KEPT, server_probe.REGISTRATION)} /s /f"
    forget = f"if ($LASTEXITCODE -eq 0) {{ {text.reg_delete(KEPT)} }}"
    back = (text.reg_delete(server_probe.REGISTRATION), copy, forget)
    return [text.reg_query(KEPT), "if ($LASTEXITCODE -eq 0) {", *back, "}", *_start_provider()]


def explain(error: AsrMigrateError, log: str) -> AsrMigrateError:
    """Return the failure of the registration with the cause that the program or its logs tell."""
    return server_setup_codes.explained("DRConfigurator.exe", "RegistrationFailed", error, log, EXIT_CODES)


def _arguments(want: ConfigurationServerWant, host_name: str) -> list[str]:
    made = ["/r", "/friendlyname", host_name, "/Credentials", server_setup.VAULT_FILE]
    if want.proxy:
        made += ["/proxyaddress", f"http://{want.proxy.address}", "/proxyport", str(want.proxy.port)]
    return made


def _is_there() -> list[str]:
    """Tell 0 when the program is there, so that nothing is taken away which it could not make again."""
    return [
        f"$global:LASTEXITCODE = {text.NOT_STARTED}",
        f"if ([IO.File]::Exists({powershell(PROGRAM)})) {{ $global:LASTEXITCODE = 0 }}",
        text.TELL_EXIT_CODE,
    ]


def _take_away() -> list[Part]:
    """Copy the registration and take it away; where a run before did so already there is only its copy."""
    copy = f"reg copy {native(server_probe.REGISTRATION, KEPT)} /s /f"
    keep = (
        text.reg_query(server_probe.REGISTRATION),
        f"if ($LASTEXITCODE -eq 0) {{ {copy} }}",
        *text.with_exit_code(text.reg_query(KEPT)),
    )
    return [
        Part(text.section("keep the registration", *keep)),
        Part([f"net stop {native(PROVIDER)}", text.reg_delete(server_probe.REGISTRATION)], ()),
    ]


def _agent_proxy(want: ConfigurationServerWant) -> list[Part]:
    """Set the proxy of the Recovery Services agent, a cmdlet's work, and start the agent anew."""
    if not want.proxy:
        return []
    cmdlet = (
        f"Set-OBMachineSetting -ProxyServer {powershell(f'http://{want.proxy.address}')} -ProxyPort {want.proxy.port}"
    )
    return [
        Part(
            text.section(
                "set the proxy of the agent",
                f"try {{ {cmdlet} -ErrorAction Stop | Out-Null; $global:LASTEXITCODE = 0 }} "
                "catch { $global:LASTEXITCODE = 1 }",
                text.TELL_EXIT_CODE,
            )
        ),
        Part([f"net stop {native(AGENT)}", f"net start {native(AGENT)}"], ()),
    ]


def _start_provider() -> list[str]:
    """Start the provider anew, so that it works with what is registered now."""
    return [f"net stop {native(PROVIDER)}", f"net start {native(PROVIDER)}"]
