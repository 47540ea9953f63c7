"""Before a training the page tells what it takes: rows, requests, money, time; and again when something has changed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from augment_correction.corrections.preparing import prepare
from augment_correction.errors import UserError
from augment_correction.workspace import expecting
from augment_correction.workspace.configs import chat_config, trained_model
from augment_correction.workspace.expecting import Expectations, around, corrections_of, roughly, time_of
from augment_correction.workspace.tables import CorrectionRow, Job, now
from tests.workspace.places import Place
from tests.workspace.test_versions import approved, organisation_of


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expecting, "PATIENCE", 60)


@pytest.fixture
def teaching(open_place: Callable[..., Place], tmp_path: Path) -> Place:
    """A local model is trained, and a model that is paid by tokens writes the wordings."""
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text('{"model_type": "llama", "vocab_size": 9}')
    (tmp_path / "model" / "model.safetensors").write_bytes((2).to_bytes(8, "little") + b"{}")
    return open_place(backend="local", model=str(tmp_path / "model"), teacher="gpt-4o-mini", learning=LEARNING)


LEARNING = {"num_prompt_variations": 2, "num_expert_demos_per_prompt": 2}


def rows_of(place: Place) -> list[CorrectionRow]:
    with place.site.database.as_system() as session:
        return list(session.execute(select(CorrectionRow)).scalars())


def test_who_may_train_sees_rows_requests_cost_and_time_before(teaching: Place) -> None:
    ada = teaching.owner()
    reviewer = teaching.join(ada, "reviewer")
    assert "What it takes" not in ada.get(ada.at("/versions"))  # nothing is approved yet
    approved(teaching, ada)
    approved(teaching, ada, "1874", "When was the lighthouse built?")
    ada.get(ada.at("/versions"))
    assert "Rows to train up to 12" in ada.text
    assert "about 20 requests" in ada.text  # by correction 5 of the writer, 2 more wordings, 3 answers of the model
    assert "Cost under $0.01" in ada.text
    assert "Time known after the first training" in ada.text
    began = now() - timedelta(hours=2)
    with teaching.site.database.as_system(writes=True) as session:
        session.add(
            Job(
                org_id=organisation_of(teaching, ada), kind="train", about={"corrections": ["one"]}, state="done", author_id=rows_of(teaching)[0].author_id,
                result="Version 1: the acceptance test says accept.", began=began, ended=began + timedelta(minutes=20),
            )
        )  # fmt: skip
    ada.get(ada.at("/versions"))
    assert "Time about 40 min, by the last training" in ada.text
    assert "What it takes" not in reviewer.get(ada.at("/versions"))


def test_what_was_prepared_before_is_not_asked_again(open_place: Callable[..., Place]) -> None:
    place = open_place(learning=LEARNING)
    ada = place.owner()
    approved(place, ada)
    organisation, rows = organisation_of(place, ada), rows_of(place)
    before = place.site.expectations.of(organisation, rows)
    assert before is not None and before.estimate.requests_left > 0
    config = chat_config(place.settings, organisation, trained_model(place.settings))
    prepare(config, corrections_of(config.folder, rows), config.folder / "round", None)
    after = place.site.expectations.of(organisation, rows)
    assert after is not None and (after.estimate.requests_left, after.rows) == (0, 6)


def test_a_slow_estimate_keeps_no_page_waiting_and_is_worked_out_once(
    teaching: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = teaching.owner()
    approved(teaching, ada)
    real, calls, go = expecting.expected, [], threading.Event()

    def failing(*given: object) -> object:
        calls.append(given)
        raise UserError("the tokenizer is away")

    made = Expectations(teaching.settings)
    organisation, rows = organisation_of(teaching, ada), rows_of(teaching)
    monkeypatch.setattr(expecting, "expected", failing)
    for _ in range(2):  # what failed is tried again
        with pytest.raises(UserError, match="tokenizer"):
            made.of(organisation, rows)
    assert len(calls) == 2
    monkeypatch.setattr(expecting, "expected", lambda *given: go.wait(60) and real(*given))
    monkeypatch.setattr(expecting, "PATIENCE", 0.01)
    ada.get(ada.at("/versions"))
    assert "Cost It is being worked out." in ada.text and 'id="takes" data-live' in ada.page
    go.set()
    monkeypatch.setattr(expecting, "PATIENCE", 60)
    ada.get(ada.at("/versions"))
    assert "Rows to train up to 6" in ada.text and "data-live" not in ada.page
    monkeypatch.setattr(expecting, "expected", failing)
    ada.get(ada.at("/versions"))
    assert "Rows to train up to 6" in ada.text, "it is known, and not worked out again"


def test_time_is_told_as_an_estimate_can() -> None:
    assert time_of(None, 3) is None and time_of(Job(about={}, began=now(), ended=now()), 3) is None
    costs = [around(0.001, 0.002), around(0.001, 0.5), around(1.234, None)]
    assert costs == ["under $0.01", "under $0.01, at most $0.50", "about $1.23"]
    spans = (timedelta(seconds=20), timedelta(minutes=59.6), timedelta(minutes=130))
    assert [roughly(each) for each in spans] == ["less than a minute", "about 1 h", "about 2 h 10 min"]
