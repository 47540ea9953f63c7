"""Model text to fields: drafts, negations, broken replies."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augment_correction.errors import Reject
from augment_correction.parsing import final_answer, read_json, read_json_lists, read_tags, read_verdict

FIELDS = ("initial_question", "flawed_answer", "followup_confirmation", "correct_answer")


def tagged(*values: str, names: tuple[str, ...] = FIELDS) -> str:
    return "\n".join(f"<{name}>{value}</{name}>" for name, value in zip(names, values, strict=True))


@pytest.mark.parametrize(
    ("reply", "kept"),
    [
        ("Suitable", True),
        ("Not suitable", False),
        ("unsuitable", False),
        ("This is not unsuitable.", True),
        ("There is no table of contents here, so the passage is suitable.", True),
        ("Step 3. It may look suitable at first.\nFinal Judgment: Unsuitable for educational questions.", False),
        ("Step 7. Final Judgment: Suitable for educational questions.", True),
        ("**Verdict:** **not suitable**", False),
        ("Verdict: Suitable", True),
        ("Reason: not only suitable but rich.\nVerdict: suitable", True),
        ("It isn't really suitable.", False),
        ("<think>unsuitable? no.</think>Verdict: suitable", True),
        ("the draft says suitable</think>\nunsuitable", False),
        ('{"reason": "an unsuitable heading, but facts", "verdict": "suitable"}', True),
        ('```json\n{"verdict": "UNSUITABLE", "reason": "a licence"}\n```', False),
        ("I first thought it was unsuitable. Reading on, it is suitable.", True),
    ],
)
def test_a_verdict_is_read_from_the_final_answer_with_its_negation(reply: str, kept: bool) -> None:
    assert read_verdict(reply, "suitable", "unsuitable")[0] is kept


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("", "no_answer"),
        ("<think>suitable", "no_answer"),
        ("<think>suitable</think>", "no_answer"),
        ("I cannot say.", "unclear_verdict"),
        ("Verdict: suitable or unsuitable", "unclear_verdict"),
    ],
)
def test_a_reply_without_a_clear_verdict_is_rejected_and_not_guessed(reply: str, reason: str) -> None:
    with pytest.raises(Reject) as rejection:
        read_verdict(reply, "suitable", "unsuitable")
    assert rejection.value.reason == reason


def test_the_reason_of_a_verdict_is_kept() -> None:
    assert read_verdict("Reason: only names.\nVerdict: unsuitable", "suitable", "unsuitable") == (False, "only names.")
    assert read_verdict('{"reason": "facts", "verdict": "suitable"}', "suitable", "unsuitable") == (True, "facts")


def test_the_last_complete_set_of_tags_counts() -> None:
    reply = (
        f"<think>{tagged('draft', 'draft', 'draft', 'draft')}</think>"
        f"{tagged('old', 'old', 'old', 'old')} Better: {tagged('q', 'f', 'u', 'c')}\n<initial_question>cut off"
    )
    assert read_tags(reply, FIELDS) == dict(zip(FIELDS, "qfuc", strict=True))


def test_a_missing_tag_is_named() -> None:
    with pytest.raises(Reject, match="correct_answer") as rejection:
        read_tags("<initial_question>q</initial_question><flawed_answer>f</flawed_answer>"
                  "<followup_confirmation>u</followup_confirmation><correct_answer>never closed", FIELDS)  # fmt: skip
    assert rejection.value.reason == "missing_field"


def test_an_empty_field_is_named() -> None:
    with pytest.raises(Reject, match="flawed_answer") as rejection:
        read_tags(tagged("q", "  ", "u", "c"), FIELDS)
    assert rejection.value.reason == "empty_field"


def test_json_is_found_in_prose_and_fences_and_the_last_complete_object_counts() -> None:
    reply = 'First {"a": "draft", "b": "draft"} then\n```json\n{"a": "1", "b": "two\nlines"}\n``` and {"a": "only"}'
    assert read_json(reply, ("a", "b")) == {"a": "1", "b": "two\nlines"}


@pytest.mark.parametrize(
    ("reply", "reason"), [("no json", "invalid_json"), ('{"a": 1}', "missing_field"), ('{"a": ""}', "empty_field")]
)
def test_json_without_the_field_is_rejected(reply: str, reason: str) -> None:
    with pytest.raises(Reject) as rejection:
        read_json(reply, ("a",))
    assert rejection.value.reason == reason


plain = st.text(alphabet=st.characters(exclude_characters="<>", exclude_categories=["Cs"]), min_size=1).filter(
    str.strip
)


@given(values=st.tuples(plain, plain, plain, plain), draft=plain)
def test_any_four_texts_come_back_from_tags_whatever_was_drafted(values: tuple[str, ...], draft: str) -> None:
    reply = f"<think>{tagged(draft, draft, draft, draft)}</think>{tagged(*values)}"
    assert read_tags(reply, FIELDS) == {name: value.strip() for name, value in zip(FIELDS, values, strict=True)}


@given(values=st.dictionaries(st.sampled_from(FIELDS), st.text().filter(str.strip), min_size=4))
def test_any_four_texts_come_back_from_json(values: dict[str, str]) -> None:
    reply = f"Here you are: {json.dumps(values)}"
    if "</think" in reply or "<think" in reply:
        return
    assert read_json(reply, FIELDS) == {name: values[name].strip() for name in FIELDS}


@given(st.text())
def test_nothing_makes_the_readers_crash(reply: str) -> None:
    final_answer(reply)
    for read in (
        lambda: read_tags(reply, FIELDS),
        lambda: read_json(reply, FIELDS),
        lambda: read_verdict(reply, "a", "b"),
    ):
        try:
            read()
        except Reject as rejection:
            assert rejection.reason


@pytest.mark.parametrize(
    ("reply", "found"),
    [
        ('{"a": "yes", "b": ["one ", "", "two"]}', {"a": "yes", "b": ("one", "two")}),
        ('{"a": "yes", "b": "one"}', {"a": "yes", "b": ("one",)}),
        ('{"a": " yes ", "b": [], "c": "also", "d": 3}', {"a": "yes", "b": (), "c": "also"}),
        ('{"a": "draft", "b": []} and then {"a": "yes", "b": ["one"]} {"a": "no"}', {"a": "yes", "b": ("one",)}),
    ],
)
def test_a_list_may_be_one_text(reply: str, found: dict[str, object]) -> None:
    assert read_json_lists(reply, ("a",), ("b",)) == found


@pytest.mark.parametrize(
    ("reply", "reason", "named"),
    [
        ("no", "invalid_json", "no JSON"),
        ('{"a": "yes"}', "missing_field", "usable b"),
        ('{"b": []}', "missing_field", "usable a"),
        ('{"a": "yes", "b": [1]}', "missing_field", "usable b"),
        ('{"a": " ", "b": []}', "empty_field", "a is empty"),
        ("", "no_answer", "empty"),
    ],
)
def test_what_a_reply_of_lists_lacks(reply: str, reason: str, named: str) -> None:
    with pytest.raises(Reject, match=named) as caught:
        read_json_lists(reply, ("a",), ("b",))
    assert caught.value.reason == reason
