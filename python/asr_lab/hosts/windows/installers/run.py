"""Which of the lab's programs a file of a Windows host is, and running it."""

from collections.abc import Callable

from asr_lab.hosts.windows.installers import dr_configurator, dr_installer, mobility, packages, unified_setup
from asr_lab.hosts.windows.result import Result
from asr_lab.hosts.windows.state import Host

PROGRAMS: dict[str, Callable[[Host, str, list[str]], Result]] = {
    "unified-setup-package": unified_setup.extract,
    "unified-setup": unified_setup.setup,
    "dr-configurator": dr_configurator.configure,
    "genpassphrase": lambda host, _version, words: unified_setup.genpassphrase(host, words),
    "mobility-package": mobility.extract,
    "unified-agent": mobility.setup,
    "unified-agent-configurator": mobility.configure,
    "azure-rcm-cli": mobility.config_input,
    "dr-installer": dr_installer.run,
    "throwing-script": dr_installer.throw,
}


def run(host: Host, path: str, words: list[str]) -> Result | None:
    """Run the program in the file ``path`` with its arguments; None when the file is no program of the lab."""
    data = host.files.read(path)
    known = packages.identify(data) if data else None
    if known is None or known[0] not in PROGRAMS:
        return None
    kind, version = known
    return PROGRAMS[kind](host, version, words)
