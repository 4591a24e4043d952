"""The pages of docs/ that are made from the code's own tables, and the links between all of them."""

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SPEC = importlib.util.spec_from_file_location("generate_docs", ROOT / "scripts" / "generate_docs.py")
generate = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(generate)

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def test_the_generated_pages_are_fresh():
    assert generate.stale() == [], "run scripts/generate_docs.py"


def test_the_lifecycle_page_names_every_stage_verb_and_goal():
    page = generate.lifecycle()
    for name in (*generate.Stage, *generate.VERBS, *generate.GOALS):
        assert f"`{name}`" in page


def test_the_runbook_has_every_error_and_every_rule():
    page = generate.runbook()
    for code in (*generate.catalogue(), *(rule.id for rule in generate.RULES)):
        assert f"| `{code}` |" in page


def test_the_operations_page_has_every_operation_of_the_sdk_and_why_some_are_not_simulated():
    page = generate.operations()
    for operation in generate.sdk_operations():
        assert f"## {operation.group}\n" in page
        assert f"| `{operation.name}` | `{operation.method} " in page
    assert "agentless migration" in page


def test_check_says_what_is_stale_and_writes_nothing(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(generate, "DOCS", tmp_path)
    assert generate.main(["--check"]) == 1
    assert "docs/lifecycle.md is stale" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


def test_writing_twice_writes_once(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(generate, "DOCS", tmp_path)
    assert generate.main([]) == 0
    assert capsys.readouterr().out.count("written") == len(generate.PAGES)
    assert generate.main([]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_relative_link_leads_somewhere(page):
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []
