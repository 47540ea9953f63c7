"""The store keeps every correction and all that happened to it."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augment_correction.corrections.correction import Evidence, Statement
from augment_correction.corrections.store import MOST, CorrectionStore
from augment_correction.errors import InputError

SAID = Statement("Who opened the museum?", "Otto Meier", "Ida Brandt", "No, that was Ida Brandt.")
AGAINST = Evidence("arithmetic", "contradicts", "2+2 is 4")


@pytest.fixture
def store(tmp_path: Path) -> CorrectionStore:
    return CorrectionStore(tmp_path / "deep" / "corrections.sqlite")


def test_a_correction_is_a_candidate_until_somebody_approves_it(store: CorrectionStore) -> None:
    made = store.add(SAID, author="ada", source="chat 1", chat=[{"role": "user", "content": "Who opened the museum?"}])
    assert (made.state, made.author, made.source, made.statement) == ("candidate", "ada", "chat 1", SAID)
    assert store.approve(made.id, "grace").state == "approved"
    assert [(event.who, event.what) for event in store.history(made.id)] == [("ada", "created"), ("grace", "approved")]


def test_what_it_hands_on_is_a_failure_of_a_user(store: CorrectionStore) -> None:
    failure = store.add(SAID).failure()
    assert (failure.origin, failure.verdict, failure.critique) == ("user", "wrong", SAID.message)
    assert (failure.question, failure.answer, failure.reference) == (SAID.question, SAID.wrong, SAID.right)


class TestStates:
    def test_an_edit_of_an_approved_one_must_be_approved_again_and_keeps_what_stood_there(
        self, store: CorrectionStore
    ) -> None:
        made = store.approve(store.add(SAID).id)
        edited = store.edit(made.id, Statement(SAID.question, SAID.wrong, "Ida Brand"), "ada")
        assert (edited.state, edited.statement.right) == ("candidate", "Ida Brand")
        assert store.history(made.id)[-1].detail["before"]["right"] == "Ida Brandt"
        assert edited.key != made.key

    def test_withdrawn_and_rejected_ones_stay(self, store: CorrectionStore) -> None:
        first, second = store.add(SAID), store.add(Statement("Who closed it?", "Ida", "Otto"))
        store.withdraw(store.approve(first.id).id, "a mistake")
        store.reject(second.id, "an opinion")
        assert [each.state for each in store.all()] == ["withdrawn", "rejected"]
        assert store.all("approved") == []
        assert store.approve(first.id).state == "approved"

    def test_steps_that_make_no_sense_are_refused(self, store: CorrectionStore) -> None:
        made = store.add(SAID)
        with pytest.raises(InputError, match="is candidate, and cannot become withdrawn"):
            store.withdraw(made.id)
        store.approve(made.id)
        with pytest.raises(InputError, match="is approved, and cannot become rejected"):
            store.reject(made.id, "no")
        with pytest.raises(InputError, match="there is no correction 7"):
            store.get(7)


class TestDoubts:
    def test_a_contradicted_one_needs_force_which_is_recorded(self, store: CorrectionStore) -> None:
        made = store.add(Statement("What is 2+2?", "4", "5"), evidence=[AGAINST])
        with pytest.raises(InputError, match="contradicted by arithmetic: 2\\+2 is 4") as refused:
            store.approve(made.id)
        assert "--force" in (refused.value.hint or "")
        assert store.approve(made.id, "ada", force=True).forced
        assert store.history(made.id)[-1].detail == {"forced": True}

    def test_two_truths_are_not_both_approved(self, store: CorrectionStore) -> None:
        one = store.add(SAID, author="ada")
        other = store.add(Statement("who opened the museum", "Otto Meier", "Carl Voss"), author="grace")
        store.approve(one.id)
        with pytest.raises(InputError, match="'Carl Voss', and correction 1, which is approved, says 'Ida Brandt'"):
            store.approve(other.id)
        store.withdraw(one.id)
        assert store.approve(other.id).state == "approved"

    def test_the_same_truth_twice_is_no_contradiction(self, store: CorrectionStore) -> None:
        for author in ("ada", "grace"):
            store.approve(store.add(Statement(SAID.question, SAID.wrong, "ida brandt"), author=author).id)
        assert len(store.all("approved")) == 2

    @pytest.mark.parametrize(
        ("said", "told"),
        [
            (Statement("", "a", "b"), "needs its question"),
            (Statement("q", " ", "b"), "needs its wrong"),
            (Statement("q", "a", ""), "needs its right"),
            (Statement("q" * (MOST + 1), "a", "b"), "the question has 4,001 characters"),
            (Statement("q", "The Rhine", "the Rhine."), "are the same"),
        ],
    )
    def test_what_nobody_could_learn_from_is_refused(self, store: CorrectionStore, said: Statement, told: str) -> None:
        with pytest.raises(InputError, match=told):
            store.add(said)
        assert store.all() == []


def test_a_message_that_is_found_again_is_the_same_correction(store: CorrectionStore) -> None:
    first = store.add(SAID, origin="remark")
    store.reject(first.id, "an opinion")
    assert store.add(SAID, origin="remark").state == "rejected"
    assert len(store.all()) == 1


def test_threads_may_share_it(store: CorrectionStore) -> None:
    def add(number: int) -> None:
        store.approve(store.add(Statement(f"Question {number}?", "a", "b")).id)

    threads = [threading.Thread(target=add, args=[number]) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.all("approved")) == 12


def test_a_folder_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be used"):
        CorrectionStore(tmp_path / "file" / "corrections.sqlite").all()


@given(st.text(min_size=1, max_size=200), st.text(min_size=1, max_size=200))
def test_any_text_comes_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, question: str, message: str) -> None:
    store = CorrectionStore(tmp_path_factory.mktemp("store") / "corrections.sqlite")
    said = Statement(question.replace("\x00", ""), "Otto", "Ida", message)
    if not said.question.strip():
        return
    try:
        made = store.add(said)
    except UnicodeEncodeError:
        return
    assert made.statement.question == said.question.strip() and store.get(made.id) == made
