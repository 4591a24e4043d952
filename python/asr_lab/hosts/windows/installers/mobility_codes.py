"""Exit codes of the Mobility service's programs on Windows, by the enumeration that its publisher made known."""

from enum import IntEnum


class Exit(IntEnum):
    """How the installer, the configurator or AzureRcmCli ended."""

    OK = 0
    FAILED = 1
    BAD_COMMAND_LINE = 2
    BAD_ARGUMENT = 3
    BAD_LOCATION = 10
    UPGRADE_NOT_SUPPORTED = 11
    OTHER_SERVER = 13
    SERVER_OR_PASSPHRASE = 14
    DOWNGRADE = 15
    BAD_SOURCE_CONFIG = 19
    ALREADY_RUNNING = 41
    RESTART_PENDING = 62
    PLATFORM_CHANGE = 76
    FAILED_WITH_ERRORS = 97
    PREREQUISITE = 99
    BIOS_ID = 118
    REFUSED = 119
    LOGIN_FAILED = 128
    NO_CONFIG_INPUT = 130
    NOT_REGISTERED = 144
    NOT_INSTALLED = 1605
    SUCCESS_RESTART = 3010
