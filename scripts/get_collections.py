"""Install the collections of requirements.yml into collections/, from Galaxy or, without it, from the Python index.

The community package ``ansible`` on the Python index carries the collections as plain folders. Its wheel (54 MB) is
loaded into a temporary folder, only the collections we require are unpacked, and a version that is not exactly the
required one is an error.
"""

import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import yaml

BUNDLE = "ansible==12.3.0"
ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "collections"


def required() -> dict[str, str]:
    """Return {"namespace.name": "version"} as pinned in requirements.yml."""
    entries = yaml.safe_load((ROOT / "requirements.yml").read_text())["collections"]
    return {entry["name"]: entry["version"] for entry in entries}


def installed(name: str) -> str | None:
    """Return the version of the collection in collections/, or None."""
    manifest = TARGET / "ansible_collections" / Path(*name.split(".")) / "MANIFEST.json"
    if not manifest.exists():
        return None
    return str(json.loads(manifest.read_text())["collection_info"]["version"])


def missing() -> dict[str, str]:
    return {name: version for name, version in required().items() if installed(name) != version}


def from_galaxy() -> bool:
    galaxy = Path(sys.executable).with_name("ansible-galaxy")
    command = [galaxy, "collection", "install", "--timeout", "20", "-r", ROOT / "requirements.yml", "-p", TARGET]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.returncode == 0 and not missing()


def from_bundle() -> None:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, BUNDLE]
        subprocess.run(command, check=True)
        wheel = next(Path(folder).glob("*.whl"))
        prefixes = tuple(f"ansible_collections/{name.replace('.', '/')}/" for name in missing())
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(TARGET, [name for name in archive.namelist() if name.startswith(prefixes)])


def main() -> int:
    if not missing():
        return 0
    if not from_galaxy():
        print(f"Galaxy cannot be reached; taking the same collection versions from {BUNDLE} on the Python index.")
        from_bundle()
    if left := missing():
        found = {name: installed(name) for name in left}
        print(f"requirements.yml asks for {left}, but {BUNDLE} carries {found}; align the two.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
