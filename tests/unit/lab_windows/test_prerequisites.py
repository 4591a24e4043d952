"""What the lab's installers complain about before they begin, one thing at a time."""

import pytest

from asr_lab.hosts.windows.installers import prerequisites as need
from asr_lab.hosts.windows.state import MUI, SESSION_MANAGER

NLS = r"HKLM\SYSTEM\CurrentControlSet\Control\Nls\Language"
CULTURE = r"HKCU\Control Panel\International"
UPDATES = r"HKLM\SOFTWARE\Microsoft\Updates"


@pytest.mark.parametrize(
    ("key", "values", "told"),
    [
        (NLS, {"InstallLanguage": "0407"}, "InstallLanguage is 0407"),
        (MUI, {"PreferredUILanguages": ["de-DE"]}, "UI culture of the user is not English (en-*): de-DE"),
        (CULTURE, {"LocaleName": "fr-FR"}, "culture of the user is not English (en-*): fr-FR"),
    ],
)
def test_each_part_of_the_locale_must_be_english(host, key, values, told):
    assert list(need.operating_system(host, ("2012r2",))) == []
    host.registry.write(key, values)
    (complaint,) = need.operating_system(host, ("2012r2",))
    assert told in complaint


@pytest.mark.parametrize(("key", "values"), [(NLS, {"InstallLanguage": "0809"}), (CULTURE, {"LocaleName": "en-GB"})])
def test_british_english_is_good_for_one_of_the_installers(host, key, values):
    host.registry.write(key, values)
    assert list(need.operating_system(host, ("2012r2",))) == []
    assert len(list(need.operating_system(host, ("2012r2",), american=True))) == 1


@pytest.mark.parametrize(
    ("key", "values", "pending"),
    [
        (SESSION_MANAGER, {"PendingFileRenameOperations": [r"\??\C:\x", ""]}, True),
        (UPDATES, {"UpdateExeVolatile": 1}, True),
        (UPDATES, {"UpdateExeVolatile": 0}, False),
        (UPDATES, {"UpdateExeVolatile": "0"}, False),
    ],
)
def test_a_pending_restart_is_seen_by_two_signs(host, key, values, pending):
    assert list(need.restart(host)) == []
    host.registry.write(key, values)
    assert bool(list(need.restart(host))) is pending


@pytest.mark.parametrize(("path", "refused"), [("C:\\", True), ("c:", True), ("C:\\ASR", False), ("D:\\", False)])
def test_the_root_of_the_system_drive_is_refused(path, refused):
    assert bool(list(need.location(path))) is refused
