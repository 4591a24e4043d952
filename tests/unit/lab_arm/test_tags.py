"""Microsoft.Resources/tags/default: the tags of a vault and of other scopes, changed in place."""

import pytest

from asr_lab.arm.landing_zone import STORAGE_ACCOUNT, SUBSCRIPTION_ID


@pytest.fixture
def tags(ask):
    """Ask for the tags of the vault, or of another scope; return status and tags, or status and error code."""
    ask.make_vault()

    def call(method, body=None, scope=None):
        answer = ask(method, f"{scope or ask.vault}/providers/Microsoft.Resources/tags/default", body)
        body = answer.body or {}
        said = body["error"]["code"] if "error" in body else (body.get("properties") or {}).get("tags")
        return answer.status, said

    return call


def patch(operation, **tags):
    return {"operation": operation, "properties": {"tags": tags}}


def test_a_vault_without_tags_answers_none(tags):
    assert tags("GET") == (200, {})


def test_merging_adds_and_changes_and_leaves_the_others(tags, ask):
    tags("PUT", {"properties": {"tags": {"owner": "ann", "cost": "7"}}})
    assert tags("PATCH", patch("Merge", Owner="bob", lease="x")) == (200, {"owner": "bob", "cost": "7", "lease": "x"})
    assert ask("GET", ask.vault, version="2026-11-01").body["tags"] == {"owner": "bob", "cost": "7", "lease": "x"}


def test_replacing_leaves_only_what_was_given(tags):
    tags("PATCH", patch("Merge", a="1", b="2"))
    assert tags("PATCH", patch("Replace", b="3")) == (200, {"b": "3"})


@pytest.mark.parametrize(
    ("given", "left"), [("1", {"b": "2"}), ("", {"b": "2"}), (None, {"b": "2"}), ("9", {"a": "1", "b": "2"})]
)
def test_deleting_goes_by_name_or_by_name_and_value(tags, given, left):
    tags("PATCH", patch("Merge", a="1", b="2"))
    assert tags("PATCH", patch("Delete", A=given, c="x")) == (200, left)


def test_delete_takes_all_tags_off(tags):
    tags("PATCH", patch("Merge", a="1"))
    assert tags("DELETE") == (200, None)
    assert tags("GET") == (200, {})


def test_a_tag_of_the_vault_itself_is_seen_and_kept(tags, ask):
    ask("PATCH", ask.vault, {"tags": {"owner": "ann"}}, version="2026-11-01")
    assert tags("PATCH", patch("Merge", lease="x")) == (200, {"owner": "ann", "lease": "x"})


def test_reading_the_answer_does_not_lend_the_vaults_own_tags(tags, ask):
    tags("PATCH", patch("Merge", a="1"))
    ask("GET", f"{ask.vault}/providers/Microsoft.Resources/tags/default").body["properties"]["tags"]["a"] = "2"
    assert tags("GET") == (200, {"a": "1"})


def test_subscriptions_and_resource_groups_have_tags_too(tags, ask):
    for scope in (f"/subscriptions/{SUBSCRIPTION_ID}", ask.group):
        assert tags("PATCH", patch("Merge", a="1"), scope)[0] == 200
        assert tags("GET", scope=scope)[1]["a"] == "1"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"properties": {"tags": {"a": "1"}}}, "InvalidRequestContent"),
        (patch("Add", a="1"), "InvalidRequestContent"),
        ({"operation": "Merge", "tags": {"a": "1"}}, "InvalidRequestContent"),
        ({"operation": "Merge", "properties": {"tags": {"a": 1}}}, "InvalidRequestContent"),
        (patch("Merge", **{str(number): "" for number in range(51)}), "InvalidTagsCount"),
        (patch("Merge", **{"n" * 513: ""}), "InvalidTagName"),
        (patch("Merge", n="v" * 257), "InvalidTagValue"),
        (patch("Merge", **{"a/b": ""}), "InvalidTagNameCharacters"),
    ],
)
def test_what_azure_does_not_take_is_refused_and_changes_nothing(tags, body, code):
    tags("PATCH", patch("Merge", kept="1"))
    assert tags("PATCH", body) == (400, code)
    assert tags("GET") == (200, {"kept": "1"})


def test_as_many_and_as_long_as_allowed_are_taken(tags):
    most = {f"{number:0512}": "v" * 256 for number in range(50)}
    assert tags("PATCH", patch("Merge", **most)) == (200, most)


def test_names_are_shorter_on_a_storage_account(tags, ask):
    account = f"{ask.group}/providers/Microsoft.Storage/storageAccounts/{STORAGE_ACCOUNT}"
    assert tags("PATCH", patch("Merge", **{"n" * 129: ""}), account) == (400, "InvalidTagName")
    assert tags("PATCH", patch("Merge", **{"n" * 128: ""}), account)[0] == 200


def test_what_does_not_exist_or_takes_no_tags_is_refused(tags, ask):
    assert tags("GET", scope=ask.vault + "x") == (404, "ResourceNotFound")
    assert tags("GET", scope=f"{ask.vault}/replicationPolicies/p") == (404, "ResourceNotFound")
