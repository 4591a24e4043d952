"""The arithmetic of ``make bench``: what is extrapolated, what is judged, and what is drawn."""

import importlib
import sys
from pathlib import Path
from types import ModuleType

import pytest
from defusedxml.ElementTree import fromstring

BENCH = Path(__file__).parents[2] / "bench"


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCH))
    return importlib.import_module("engine_figures")


@pytest.fixture
def page(figures: ModuleType) -> ModuleType:
    return importlib.import_module("engine_page")


@pytest.fixture(autouse=True)
def _forget_the_modules():
    yield
    for name in ("engine_figures", "engine_page"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize(("writes", "floor_s"), [(0, 0), (200, 0), (201, 0.1), (1000, 80)])
def test_the_write_floor_is_what_the_token_bucket_gives(figures, writes, floor_s):
    assert figures.write_floor_s(writes) == pytest.approx(floor_s)


def test_a_sample_is_extrapolated_with_a_share_for_each_machine(figures):
    assert figures.scaled(3.0, 10, 1000) == 300.0
    assert figures.on_a_base(50.0, 150.0, 1000, 5000) == 550.0
    assert figures.per_machine_hour(1000, 1000, 30.0) == 120.0


def test_an_empty_sample_says_what_is_missing(figures):
    with pytest.raises(ValueError, match="how many machines were measured"):
        figures.scaled(1.0, 0, 10)


def test_growth_is_an_exponent_and_leaves_small_sizes_out(figures):
    assert figures.growth({10: 400.0, 100: 50.0, 1000: 500.0, 10000: 5000.0}) == pytest.approx(1.0)
    assert figures.growth({100: 1.0, 200: 4.0}) == pytest.approx(2.0)
    assert figures.growth({10: 1.0, 100: 5.0}) == 0.0


@pytest.mark.parametrize(("value", "verdict"), [(10.0, "PASS"), (10.1, "FAIL")])
def test_a_target_is_kept_up_to_its_limit(figures, value, verdict):
    row = figures.Row("reads", value, "", 10)
    assert row.verdict == verdict
    assert figures.Results(rows=[row]).missed == (verdict == "FAIL")


def test_a_measure_without_a_target_is_told_and_not_judged(figures):
    assert figures.Row("seconds", 1e9, "s", None).verdict == ""


def test_the_plot_is_svg_with_a_line_for_every_curve(figures, page):
    points = [figures.Point(size, 7, size / 1e4, size // 10, size / 100, 80 + size / 50) for size in (10, 100, 5000)]
    drawn = fromstring(page.svg(points))
    assert drawn.tag.endswith("svg")
    assert sum(element.tag.endswith("circle") for element in drawn.iter()) == 4 * len(points)


def test_the_page_tells_every_row_and_marks_what_was_missed(figures, page):
    rows = [figures.Row("a", 1.0, "s", 2.0, "~9 s", note="how it was done"), figures.Row("b", 3.0, "s", 2.0)]
    points = [figures.Point(10, 7, 0.1, 72, 0.2, 80)]
    text = page.page(figures.Results(rows=rows, points=points, machine="Measured", took_s=600))
    assert "| a | 1.0 s | <= 2 s | PASS | ~9 s | - |" in text
    assert "| b | 3.0 s | <= 2 s | FAIL | - | - |" in text
    assert "- **a**: how it was done" in text
    assert "| 10 | 7 | 0.100 s | 72 | 0.20 s | 80 MB |" in text
