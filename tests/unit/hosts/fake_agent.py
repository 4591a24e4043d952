"""A package of the Mobility service for tests: its programs only write down how they were called."""

import shutil
import subprocess

from asr_migrate.hosts import linux_script

SHELLS = [shell for shell in ("dash", "bash") if shutil.which(shell)] or ["sh"]

INSTALL = """#!/bin/sh
echo "install $*" >>{calls}
mkdir -p {base}/Vx/bin
for program in UnifiedAgentConfigurator.sh ; do cp {tree}/configure {base}/Vx/bin/$program; done
cp {tree}/uninstall {base}/uninstall.sh
if [ {install} -eq 0 ] || [ {install} -eq 98 ]; then echo INSTALLATION_DIR={base}/Vx >{version}; fi
exit {install}
"""
CONFIGURE = """#!/bin/sh
echo "configure $*" >>{calls}
while [ $# -gt 0 ]; do case $1 in -P | -S) cat "$2" >>{calls} ;; esac; shift; done
exit {register}
"""
UNINSTALL = """#!/bin/sh
echo "uninstall $*" >>{calls}
rm -f {version}
exit {uninstall}
"""


class FakeAgent:
    """A package whose programs write down how they were called, and a host of files that the script may touch."""

    def __init__(self, directory, install=0, register=0, uninstall=0):
        self.directory = directory
        self.calls = directory / "calls"
        self.calls.touch()
        self.version = directory / ".vx_version"
        self.work = directory / "work"
        self.service = directory / "vxagent"
        fields = {
            **{"calls": self.calls, "base": directory / "ASR", "tree": directory / "tree", "version": self.version},
            **{"install": install, "register": register, "uninstall": uninstall},
        }
        tree = directory / "tree"
        tree.mkdir()
        for name, text in (("install", INSTALL), ("configure", CONFIGURE), ("uninstall", UNINSTALL)):
            (tree / name).write_text(text.format(**fields), encoding="utf-8")
            (tree / name).chmod(0o755)
        self.archive = directory / "UA.tar.gz"
        subprocess.run(["tar", "-czf", self.archive, "-C", tree, "install"], check=True)

    def run(self, shell, work, paths=None):
        """Run a work's script with its paths (and more ``paths``) turned to this host's; return what it printed."""
        script = work.script.replace("/usr/local/.vx_version", str(self.version))
        script = script.replace("/usr/local/ASR/Vx", str(self.directory / "ASR" / "Vx"))
        script = script.replace(linux_script.WORK_DIRECTORY, str(self.work)).replace("/etc/vxagent", str(self.service))
        for path, here in (paths or {}).items():
            script = script.replace(path, here)
        done = subprocess.run([shell], input="set -eu\n" + script, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        return done.stdout

    def said(self):
        return self.calls.read_text(encoding="utf-8").splitlines()
