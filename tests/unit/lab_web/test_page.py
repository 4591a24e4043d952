"""The lab's web page: what it promises browsers, and what they make of it."""

import base64
import hashlib
import re
import urllib.request

import pytest

from asr_lab.arm.web_page import page

from .conftest import NAME_WITH_MARKUP, Tree


def inline(text, tag):
    return re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)


def hash_of(source):
    return "sha256-" + base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()


def test_the_policy_allows_exactly_the_style_and_the_script_of_the_page():
    text, policy = page.page()
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    [style], [script] = inline(text, "style"), inline(text, "script")
    assert rules["style-src"] == f"'{hash_of(style)}'"
    assert rules["script-src"] == f"'{hash_of(script)}'"
    assert rules["default-src"] == "'none'"
    assert rules["connect-src"] == "'self'"
    assert "unsafe" not in policy


def test_the_page_loads_nothing_from_elsewhere():
    elements = Tree(page.page()[0]).elements
    links = [value for _, given, _ in elements for name, value in given.items() if name in ("src", "href", "action")]
    assert [link for link in links if not link.startswith(("#", "data:", "/_lab/"))] == []
    assert not [given for _, given, _ in elements if "style" in given or any(name.startswith("on") for name in given)]


def test_the_page_has_a_table_with_headings_and_a_filter_for_every_section():
    tree = Tree(page.page()[0])
    sections = [given["id"] for tag, given, _ in tree.elements if tag == "section"]
    assert sections == ["vaults", "items", "jobs", "log", "hosts", "virtual_machines"]
    assert tree.texts("h2") == [section.title for section in page.SECTIONS]
    assert tree.texts("th") == [column.title for section in page.SECTIONS for column in section.columns]
    assert len([tag for tag, given, _ in tree.elements if given.get("type") == "search"]) == len(sections)


def test_the_page_is_served_with_its_policy_under_both_paths(serving):
    for path in ("/_lab", "/_lab/"):
        with urllib.request.urlopen(serving.url + path) as answer:
            assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
            assert answer.headers["Content-Security-Policy"] == page.page()[1]
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.read().decode() == page.page()[0]


def test_the_page_has_no_form_that_changes_the_lab():
    tree = Tree(page.page()[0])
    assert [tag for tag, given, _ in tree.elements if tag == "form" or given.get("type") == "submit"] == []
    [script] = inline(page.page()[0], "script")
    assert "method:" not in script


@pytest.fixture
def shown(browser, serving):
    return browser.dom(serving.url + "/_lab/")


def test_a_browser_shows_machines_jobs_log_hosts_and_the_virtual_time(shown):
    assert "2026-04-01 10:20:30" in shown.texts("span")
    rows = shown.texts("tr")
    assert any("web-0002" in row and "InitialReplicationInProgress" in row and "42 %" in row for row in rows)
    assert any("28031" in row for row in rows)
    assert any("10.20.1.11" in row for row in rows)
    assert [given["value"] for tag, given, _ in shown.elements if tag == "progress" and "value" in given]


def test_a_thousand_machines_come_in_pages(shown):
    assert "1\u201325 of 1200" in shown.texts("span", "where")
    assert len(shown.texts("tr")) < 100
    assert shown.texts("b")[1] == "1200"


def test_a_machine_whose_name_is_markup_is_shown_as_text(shown):
    assert NAME_WITH_MARKUP in shown.texts("td")
    assert shown.texts("title") == ["asr-migrate lab"]
    assert not [given for tag, given, _ in shown.elements if tag == "img"]


def test_the_newest_request_comes_first(shown):
    statuses = shown.texts("td", "status")
    assert statuses == ["404", "202"]


def test_only_the_newest_requests_are_asked_for(browser, serving):
    browser.dom(serving.url + "/_lab/")
    assert set(serving.asked) == {"/_lab/state", f"/_lab/log?last={page.LOG_LINES}"}


@pytest.mark.parametrize("dark", [False, True])
def test_a_picture_of_the_page_can_be_taken(browser, serving, dark):
    assert browser.picture(serving.url + "/_lab/", dark=dark).stat().st_size > 20_000
