"""Of questions that are nearly the same the first is kept, and two kinds about one question are no duplicates."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from augment_correction.selection import Candidate, Duplicates
from augment_correction.selection.similar import normal, similarity
from tests.selection.making import candidate

BRIDGE = "When was the old bridge over the river Aller finally opened to {}?"


def kept(candidates: list[Candidate], similar: float = 0.8, *, foreseen: bool = False) -> list[bool]:
    known = {each.chunk_id: each.conversation for each in candidates}
    rule = Duplicates(similar, lambda place: known[place.chunk_id], len(candidates) if foreseen else None)
    for each in candidates:
        rule.foresee(each)
    return [rule.left_out(each) is None for each in candidates]


def test_the_first_is_kept_and_named() -> None:
    first, second = candidate(BRIDGE.format("carts")), candidate(BRIDGE.format("cars"))
    rule = Duplicates(0.8, lambda _: first.conversation)
    assert rule.left_out(first) is None
    left_out = rule.left_out(second)
    assert left_out and left_out.reason == "duplicate"
    assert first.conversation.id in left_out.detail and "a.txt, page 3" in left_out.detail and "0.9" in left_out.detail


def test_one_means_the_same_words() -> None:
    asked = [BRIDGE.format("carts"), BRIDGE.format("cars"), BRIDGE.format("CARTS ").upper()]
    assert kept([candidate(text, passage=text) for text in asked], 1.0) == [True, True, False]


def test_two_kinds_of_one_question_are_no_duplicates_but_the_pair_of_another_passage_is() -> None:
    pair = [candidate("Who built it?", passage="P", kind=kind) for kind in ("correct", "stand_by")]
    again = [candidate("Who built it?", passage="Q", kind=kind) for kind in ("correct", "stand_by")]
    same = candidate("Who built it?", passage="P", kind="correct", answer="Another.")
    assert kept([*pair, *again, same]) == [True, True, False, False, False]


def test_questions_of_other_runs_are_there_already() -> None:
    other = candidate("Who built it?", passage="P")
    rule = Duplicates(0.8, lambda _: other.conversation)
    rule.remember(other, "outputs/earlier")
    left_out = rule.left_out(candidate("Who built it?", passage="Q"))
    assert left_out and "of outputs/earlier" in left_out.detail


@given(st.lists(st.sampled_from([BRIDGE.format(word) for word in ("carts", "cars", "coaches")] + ["Why?", "How?"])))
def test_no_two_that_are_kept_are_similar_and_every_other_has_one_that_is_kept(texts: list[str]) -> None:
    candidates = [candidate(text, passage=f"{number}") for number, text in enumerate(texts)]
    assert kept(candidates, foreseen=True) == kept(candidates)
    stay = [normal(text) for text, keep in zip(texts, kept(candidates), strict=True) if keep]
    assert all(similarity(one, other) < 0.8 for at, one in enumerate(stay) for other in stay[:at])
    assert all(any(similarity(normal(text), one) >= 0.8 for one in stay) for text in texts)
