"""Servers that are, or are to become, configuration servers, for the tests of them."""

from asr_migrate.domain.machine import Os
from asr_migrate.hosts import profiles
from asr_migrate.hosts.configuration_server import SERVICES

SECRETS = {
    "mysql_root_password": "R00t_pass!",
    "mysql_user_password": "Us3r_pass!",
    "vault_credentials": "<RSVaultAsrCreds/>",
}
WINDOWS_2016 = {"ProductName": "Windows Server 2016 Datacenter", "CurrentBuild": "14393", "InstallationType": "Server"}


def profile(**want):
    return profiles.make("configuration_server", Os.WINDOWS, "cs-1", SECRETS | {"check_urls": False} | want)


def setup_of(plan):
    """Return the round trip of a plan that runs Unified Setup."""
    return next(exchange for exchange in plan.exchanges if exchange.name == "run Unified Setup")


def fit_server(kit, **broken):
    """Return a server that setup can be run on; ``broken`` changes it."""
    whole = {
        "os": WINDOWS_2016,
        "installed": ("w32time",),
        "free_bytes": {"c:": 60 * 2**30, "d:": 700 * 2**30},
        "reached": {"127.0.0.1 443": "closed"},
    }
    return kit.windows(**(whole | broken))


def installed_server(kit, **broken):
    """Return a configuration server that runs; ``broken`` changes it."""
    states = {"w32time": 4} | dict.fromkeys(SERVICES, 4)
    return fit_server(kit, **({"states": states, "registered": True, "passphrase": "the-passphrase"} | broken))
