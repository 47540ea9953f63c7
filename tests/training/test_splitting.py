from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from augment_correction.records import Conversation, Turn
from augment_correction.training.splitting import held_out


def asked(question: str, number: int, **known: Any) -> Conversation:
    turns = (Turn("user", question, False), Turn("assistant", f"answer {number}", True))
    return Conversation(str(number), "plain", turns, False, known)


def of_document(document: str, number: int, question: str = "") -> Conversation:
    places = ({"source": document, "document_id": document},)
    return asked(question or f"Q {number}", number, chunk_id=f"{document} {number}", places=places)


@given(st.lists(st.integers(0, 30), min_size=10, max_size=80), st.integers(0, 5))
def test_a_question_is_never_on_both_sides(questions: list[int], seed: int) -> None:
    rows = [asked(f"Q {'  ' * (n % 2)}{q}" if n % 3 else f"q {q}", n) for n, q in enumerate(questions)]
    apart, _ = held_out(rows, 0.2, seed)
    assert len(apart) <= round(len(rows) * 0.2)
    assert not {questions[n] for n in apart} & {q for n, q in enumerate(questions) if n not in apart}


def test_documents_are_held_apart_whole() -> None:
    rows = [of_document(f"d{n % 20}", n) for n in range(100)]
    apart, by = held_out(rows, 0.1, 1)
    assert len(apart) == 10 and by == "document and question"
    assert {n % 20 for n in apart}.isdisjoint(n % 20 for n in range(100) if n not in apart)


def test_a_question_that_two_documents_ask_joins_them() -> None:
    rows = [of_document(f"d{n // 2}", n, "the same" if n in (1, 2) else "") for n in range(40)]
    for seed in range(20):
        apart, _ = held_out(rows, 0.2, seed)
        assert len({0, 1, 2, 3} & apart) in (0, 4)


def test_one_large_document_is_split_by_passages() -> None:
    apart, by = held_out([of_document("only", n) for n in range(50)], 0.1, 1)
    assert len(apart) == 5 and by == "passage and question"


def test_the_draw_is_the_same_again_and_another_by_another_seed() -> None:
    rows = [asked(f"Q {n}", n) for n in range(100)]
    assert held_out(rows, 0.1, 1) == held_out(rows, 0.1, 1)
    assert held_out(rows, 0.1, 1) != held_out(rows, 0.1, 2)


def test_fewer_than_two_rows_tell_nothing() -> None:
    assert held_out([asked(f"Q {n}", n) for n in range(10)], 0.1, 1) == (set(), "")
