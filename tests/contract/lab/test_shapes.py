"""The comparison of shapes finds what it is for."""

import pytest

from asr_lab.contract import shapes


def compare(recorded, ours):
    return {(found.path, found.text) for found in shapes.differences(shapes.of(recorded), shapes.of(ours))}


@pytest.mark.parametrize(
    ("recorded", "ours", "difference"),
    [
        ({"a": 1}, {}, ("a", "is missing")),
        ({}, {"a": 1}, ("a", "was not recorded")),
        ({"a": "x"}, {"a": None}, ("a", "null instead of text")),
        ({"a": True}, {"a": "true"}, ("a", "text instead of truth value")),
        ({"a": [{"b": 1}]}, {"a": []}, ("a", "is empty, elements were recorded")),
        ({"a": [{"b": 1}, {"c": 2}]}, {"a": [{"b": 1}]}, ("a[].c", "is missing")),
        ({"a": {"b": [1]}}, {"a": {"b": ["1"]}}, ("a.b[]", "text instead of number")),
    ],
)
def test_a_difference_of_shape_is_named_with_its_path(recorded, ours, difference):
    assert compare(recorded, ours) == {difference}


def test_values_do_not_count_only_their_kinds():
    assert compare({"a": [{"b": 1.5, "c": None}]}, {"a": [{"b": 7, "c": None}, {"b": 8, "c": None}]}) == set()


def test_a_list_recorded_empty_says_nothing_about_its_elements():
    assert compare({"a": []}, {"a": [{"b": 1}]}) == set()


def test_a_sample_of_a_longer_list_must_be_found_in_it():
    recorded, ours = shapes.of({"rows": [{"a": None}]}), shapes.of({"rows": [{"a": None}, {"a": "x", "b": 1}]})
    assert not list(shapes.differences(recorded, ours, samples=("rows",)))
    assert list(shapes.differences(ours, recorded, samples=("rows",)))
