"""The collections are the ones that requirements.yml pins, wherever they came from."""

import importlib.util
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SPEC = importlib.util.spec_from_file_location("get_collections", ROOT / "scripts" / "get_collections.py")
get_collections = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(get_collections)


def test_installed_collections_have_exactly_the_pinned_versions():
    required = get_collections.required()
    assert required
    assert {name: get_collections.installed(name) for name in required} == required


def test_the_bundle_is_not_kept():
    kept = [path.name for path in (ROOT / "collections" / "ansible_collections").iterdir()]
    assert sorted(kept) == sorted({"asr", *(name.split(".")[0] for name in get_collections.required())})
