"""Exit codes, error names and log texts of the Mobility service's installers: each has a cause and a remedy."""

import pytest

from asr_migrate.domain.machine import Os
from asr_migrate.hosts import mobility_codes as codes

#: every exit code of the facts about Linux that is a failure
LINUX = [
    *(1, 2, 3, 11, 13, 14, 15, 44, 56, 76, 93, 95, 96, 97, 98, 99, 110, 111, 115, 116, 118, 119, 126, 128, 129, 144),
    *(148, 149, 152, 156, 159, 160, 161, 162, 163, 164, 175, 179, 180, 208),
]
WINDOWS = [1, 2, 13, 14, 15, 41, 42, 62, 97, 99, 119, 128, 511, 512, 517, 806, 1603, 1618]


@pytest.mark.parametrize(
    ("family", "code"), [*((Os.LINUX, code) for code in LINUX), *((Os.WINDOWS, code) for code in WINDOWS)]
)
def test_every_documented_exit_code_has_a_cause_and_a_remedy(family, code):
    known = codes.of_code(family, code)
    assert known.cause.endswith(".")
    assert known.remedy


@pytest.mark.parametrize("code", [120, 133, 147])
def test_the_codes_of_a_modernized_registration_share_a_row(code):
    assert codes.of_code(Os.LINUX, code) == codes.table().registration
    assert codes.of_code(Os.WINDOWS, code) is None


@pytest.mark.parametrize("code", [None, 0, 77])
def test_a_code_that_nobody_documented_is_not_explained(code):
    assert codes.of_code(Os.LINUX, code) is None


def test_a_number_behind_an_error_name_is_left_out():
    known = codes.of_errors_file('"error_name":"ASRMobilityServiceInstallerMSIInstallationFailure_1603"')
    assert "Windows Installer" in known.cause


def test_the_last_known_error_name_counts():
    text = '"ASRMobilityServiceLvmPackageMissing" "ASRMobilityServiceKernelNotSupported" "ASRMobilityServiceUnheardOf"'
    assert "kernel" in codes.of_errors_file(text).cause


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("Failed: VSS provider 0x80070430, exit 517", "marked for deletion"),
        ("result -2147023170", "antivirus"),
        ("0x8007041F", "database is locked"),
        ("0x8004E00F", "DCOM"),
        ("error 95309 on the host", "different disks"),
        ("error 95320", "device name"),
        ("MachineWithSameBiosIdAndFqdnAlreadyExists", "same BIOS id"),
        ("post request: (35) SSL connect error", "proxy"),
        ("post request: (60)", "certificate"),
        ("ACS50008", "clocks"),
        ("Reason=>NULL", "usable name or address"),
        ("InvalidChannelIntegrityKeyToken", "key is not accepted"),
    ],
)
def test_a_log_tells_its_reason(text, cause):
    assert cause in codes.of_text(text).cause


def test_the_errors_file_wins_over_what_was_said_and_that_over_the_exit_code():
    log = (
        '{"Errors":[{"error_name":"ASRMobilityServiceKernelNotSupported","default_message":"Kernel 4.1 is not known"}]}'
    )
    assert "kernel" in codes.explain(Os.LINUX, "install", 97, "the passphrase is wrong", log).cause
    assert "passphrase" in codes.explain(Os.LINUX, "register", 14, "the passphrase is wrong", "").cause
    assert "TCP 443" in codes.explain(Os.LINUX, "register", 14, "", "").cause


def test_a_failure_quotes_the_installer_s_last_words():
    log = '{"Errors":[{"error_name":"ASRMobilityServiceX","default_message":"Kernel 4.1 is not known"}]}'
    error = codes.explain(Os.LINUX, "install", 97, "", log)
    assert error.message == "the Mobility service: install failed with exit code 97: Kernel 4.1 is not known"
    assert codes.explain(Os.LINUX, "install", None, "", "").message.endswith("exit code unknown")
