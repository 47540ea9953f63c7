"""By hand: answers of a model, rows of them, and whether it helped."""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import pytest
import yaml

from augment_correction.config import RunConfig
from augment_correction.errors import InputError
from augment_correction.failures import Failure, Verdict
from augment_correction.llm.metered import MeteredModel
from augment_correction.models import ModelConfig
from augment_correction.monitor.impact import Retest, _impact, as_json, measure
from augment_correction.monitor.items import read_items
from augment_correction.monitor.keeping import MonitorStore
from augment_correction.monitor.making import make_rows
from augment_correction.monitor.manual import answer, from_answers
from augment_correction.monitor.sorting import RawReply, Sorter
from augment_correction.records import Completion, Request
from augment_correction.rows import Item
from augment_correction.usage import Usage
from tests.monitor.making import rows, write_lines

MODES: tuple[Literal["hf", "vllm"], ...] = ("hf", "vllm")
QA: list[dict[str, Any]] = [
    {"question": "What is 2+2?", "reference": "4"},
    {"prompt": "What is the capital of France?", "response": "Paris."},
    {"messages": [{"role": "user", "content": "Who wrote Faust?"}, {"role": "assistant", "content": "Johann Goethe."}]},
    {"instruction": "Why is the sky blue?", "golden": "Because air scatters blue light more than red light."},
]
SAID = {
    "What is 2+2?": "5",
    "capital of France": "Paris",
    "Who wrote Faust?": "Friedrich Schiller.",
    "sky blue": "It mirrors the sea.",
}


def config(root: Path, said: dict[str, str], **api: Any) -> RunConfig:
    rules = [{"contains": asked, "text": text} for asked, text in said.items()]
    (root / "script.yaml").write_text(yaml.safe_dump({"rules": rules}))
    models = {"target_model": "tiny", "target_mode": "scripted", "target_script": str(root / "script.yaml"), **api}
    return RunConfig.model_validate(
        {"pipeline": "from_failures", "api": models, "path": {"input_dir": str(root), "output_dir": str(root)}}
    )


@pytest.fixture
def qa(tmp_path: Path) -> Path:
    return write_lines(tmp_path / "qa.jsonl", QA)


def test_every_spelling_of_a_question_is_read(qa: Path, tmp_path: Path) -> None:
    items = read_items(qa)
    assert [(item.question, item.reference) for item in items[:3]] == [
        ("What is 2+2?", "4"), ("What is the capital of France?", "Paris."), ("Who wrote Faust?", "Johann Goethe.")
    ]  # fmt: skip
    with pytest.raises(InputError, match=r"bad.jsonl:2:1 has no reference"):
        read_items(write_lines(tmp_path / "bad.jsonl", [QA[0], {"question": "Alone?"}]))


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"messages": 5}, "bad.jsonl:1:2: messages is not a list of messages"),
        ({"messages": ["a"]}, "bad.jsonl:1:2: message 1 of 'messages' is 'a', not an object"),
        ({"messages": [{"role": "user", "content": None}]}, "bad.jsonl:1:2: what the user says is not a text: None"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "what the user says is not a text"),
        ({"question": {"text": "Who?"}, "reference": "She."}, "bad.jsonl:1:2: question is not a text: {'text'"),
    ],
)
def test_what_cannot_be_asked_is_named(tmp_path: Path, row: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=re.escape(told)):
        read_items(write_lines(tmp_path / "bad.jsonl", [row]))


def test_content_in_parts_is_their_text(tmp_path: Path) -> None:
    said = [
        {"role": "user", "content": [{"type": "text", "text": "Who"}, "is she?"]},
        {"role": "assistant", "content": 5},
    ]
    assert read_items(write_lines(tmp_path / "parts.jsonl", [{"messages": said}])) == [Item("Who\nis she?", "5")]


def test_of_two_references_the_first_counts_and_the_other_is_told(tmp_path: Path) -> None:
    said: list[str] = []
    twice = [QA[0], QA[0], {"question": "What is 2+2?", "reference": "four"}]
    assert read_items(write_lines(tmp_path / "qa.jsonl", twice), said.append) == [Item("What is 2+2?", "4")]
    assert len(said) == 1 and "qa.jsonl:3 asks what" in said[0] and said[0].endswith("qa.jsonl:1 asks")


class TestTheManualWay:
    def test_from_questions_to_rows(self, qa: Path, tmp_path: Path) -> None:
        made = config(tmp_path, SAID)
        answers, training = tmp_path / "answers.jsonl", tmp_path / "training.jsonl"
        paid = answer(made, qa, answers, {"temperature": 0}, None, None)
        assert paid["answered"] == 4 and paid["requests"] == 4
        assert rows(answers)[0] == {
            "prompt": "What is 2+2?", "answer": "5", "golden": "4", "model": "tiny", "finish_reason": "stop"
        }  # fmt: skip
        metadata, failures = from_answers(made, qa, answers, training, 1 / 3)
        assert [each.verdict for each in failures] == ["wrong", "right", "wrong", "undecided"]
        assert json.loads((tmp_path / "training.json").read_text()) == metadata
        assert metadata["breakdown"] == {
            "initial_attempts": 0, "self_evaluations": 3, "corrections": 2, "standard_qa": 2, "stand_by": 1
        }  # fmt: skip
        assert metadata["stats"]["undecided"] == 1 and len(rows(training)) == 8
        trained = [turn["content"] for row in rows(training) for turn in row["messages"] if turn["train"]]
        assert not {"5", "Friedrich Schiller."} & set(trained)

    def test_asked_again_nothing_is_asked(self, qa: Path, tmp_path: Path) -> None:
        answers = tmp_path / "answers.jsonl"
        answer(config(tmp_path, SAID), qa, answers, {"temperature": 0}, 2, None)
        assert len(rows(answers)) == 2
        paid = answer(config(tmp_path, SAID), qa, answers, {"temperature": 0}, None, None)
        assert paid["requests"] == 4 and len(rows(answers)) == 4

    def test_what_is_from_before_is_counted_and_can_be_asked_afresh(self, qa: Path, tmp_path: Path) -> None:
        answers = tmp_path / "answers.jsonl"
        old = [
            answer(config(tmp_path, said), qa, answers, {}, None, None, fresh=fresh)["old"]
            for said, fresh in (({}, False), (SAID, False), (SAID, True))
        ]
        assert old == [0, 4, 0] and rows(answers)[0]["answer"] == "5"
        assert len(list(tmp_path.glob("answers.journal.*"))) == 1

    @pytest.mark.parametrize("output", ["training.json", "qa.jsonl", "answers.jsonl", "./x/../answers.jsonl"])
    def test_nothing_is_written_over(self, qa: Path, tmp_path: Path, output: str) -> None:
        (tmp_path / "x").mkdir()
        answers = write_lines(tmp_path / "answers.jsonl", [{"prompt": "What is 2+2?", "answer": "5"}])
        before = answers.read_bytes(), qa.read_bytes()
        with pytest.raises(InputError):
            from_answers(config(tmp_path, SAID), qa, answers, tmp_path / output, 0)
        with pytest.raises(InputError, match="would be overwritten"):
            answer(config(tmp_path, SAID), qa, qa, {}, None, None)
        assert before == (answers.read_bytes(), qa.read_bytes()) and not (tmp_path / "training.json").exists()

    def test_a_number_is_an_answer_and_others_are_counted(self, qa: Path, tmp_path: Path) -> None:
        said: list[dict[str, Any]] = [
            {"prompt": "What is 2+2?", "answer": 5},
            {"prompt": "Capital of France?", "answer": "Lyon."},
        ]
        answers = write_lines(tmp_path / "answers.jsonl", said)
        made, failures = from_answers(config(tmp_path, SAID), qa, answers, tmp_path / "training.jsonl", 0)
        assert failures[0].answer == "5" and made["stats"]["unknown"] == 1 and made["stats"]["unanswered"] == 3
        with pytest.raises(InputError, match=r"other.jsonl:1:1 has no answer"):
            other = write_lines(tmp_path / "other.jsonl", [{"prompt": "What is 2+2?"}])
            from_answers(config(tmp_path, SAID), qa, other, tmp_path / "training.jsonl", 0)

    @pytest.mark.parametrize("share", [0, 1 / 3])
    def test_without_a_wrong_answer_it_says_that_there_is_none(self, qa: Path, tmp_path: Path, share: float) -> None:
        said = [{"prompt": "What is 2+2?", "answer": "4"}, {"prompt": "Why is the sky blue?", "answer": "The sea."}]
        answers = write_lines(tmp_path / "answers.jsonl", said)
        with pytest.raises(
            InputError, match="no training row can be made from 1 right and 1 undecided answers"
        ) as told:
            from_answers(config(tmp_path, SAID), qa, answers, tmp_path / "training.jsonl", share)
        assert "--set api.judge_model=" in str(told.value.hint)

    def test_a_judge_decides_what_words_cannot(self, qa: Path, tmp_path: Path) -> None:
        judge = {"judge_model": "judge", "judge_mode": "scripted"}
        made = config(tmp_path, {**SAID, "Answer: It mirrors": '{"reason": "Another cause.", "verdict": "wrong"}'})
        script = tmp_path / "judge.yaml"
        reply = '{"reason": "Another cause.", "verdict": "wrong"}'
        script.write_text(yaml.safe_dump({"rules": [{"contains": "Answer: It mirrors", "text": reply}]}))
        answer(made, qa, tmp_path / "answers.jsonl", {}, None, None)
        judged = config(tmp_path, SAID, **judge, judge_script=str(script))
        _, failures = from_answers(judged, qa, tmp_path / "answers.jsonl", tmp_path / "training.jsonl", 0)
        assert (failures[3].verdict, failures[3].why) == ("wrong", "judge: Another cause.")

    def test_answers_to_other_questions_are_refused(self, qa: Path, tmp_path: Path) -> None:
        other = write_lines(tmp_path / "other.jsonl", [{"prompt": "Something else?", "answer": "Yes."}])
        with pytest.raises(InputError, match="answers no question of"):
            from_answers(config(tmp_path, SAID), qa, other, tmp_path / "training.jsonl", 0)


def test_reasoning_is_no_part_of_an_answer() -> None:
    item = Item("What is 2+2?", "4")
    asked = [
        RawReply("<think>Is it 5? No.</think>4"),
        RawReply("<think>Is it 4?", "length"),
        RawReply("It is 4", "length"),
    ]
    seen = Sorter().sort([(item, reply) for reply in asked])
    assert [(each.verdict, each.answer) for each in seen] == [
        ("right", "4"),
        ("undecided", ""),
        ("undecided", "It is 4"),
    ]


def test_a_turn_that_was_not_ended_is_named() -> None:
    item = Item("What is 2+2?", "4")
    asked = [RawReply("5", ended=ended) for ended in (None, True, False)] + [RawReply("4", ended=False)]
    seen = Sorter().sort([(item, reply) for reply in asked])
    assert ["NO_EOS" in each.codes for each in seen] == [False, False, True, True]
    assert seen[3].verdict == "undecided"
    made = Completion("5", None, "length", Usage(1, 1))
    modes = {mode: RawReply.of(made, ModelConfig(model="m", mode=mode)).ended for mode in MODES}
    assert modes == {"hf": False, "vllm": None}


def test_an_evaluation_names_codes_only_where_the_user_has(tmp_path: Path) -> None:
    every = [Failure(f"What is {n}+{n}?", f"{2 * n}", f"{3 * n}", "wrong", ("TOO_BRIEF",)) for n in range(1, 25)]
    made = [
        row for row in make_rows(every, tmp_path, stand_by_share=0, seed=1) if row["kind"] == "self_evaluation_wrong"
    ]
    shown = ["TOO_BRIEF" in row["messages"][2]["content"] for row in made]
    assert shown == ["TOO_BRIEF" in row["messages"][3]["content"] for row in made] and {True, False} == set(shown)


class TestImpact:
    """Two batches: the model of today repairs the first, and breaks what was right in the second."""

    @pytest.fixture
    def keep(self, tmp_path: Path) -> MonitorStore:
        keep = MonitorStore(tmp_path / "data")
        keep.root.mkdir()
        batches = {
            "self_correction_step5_20250101_000000": [
                Failure("What is 2+2?", "4", "5", "wrong", ("NUMERIC_ERROR_MISSING_1_VALUES",)),
                Failure(
                    "Who wrote Faust?", "Johann Goethe.", "Friedrich Schiller.", "wrong", ("VERY_DIFFERENT_CONTENT",)
                ),
            ],
            "self_correction_step9_20250102_000000": [
                Failure("How many legs has a spider?", "8", "8", "right"),
                Failure("Who wrote Emma?", "Jane Austen.", "Mary Shelley.", "wrong", ("VERY_DIFFERENT_CONTENT",)),
            ],
            "self_correction_step12_20250103_000000": [
                Failure("Who wrote Dune?", "Frank Herbert.", "Isaac Asimov.", "wrong")
            ],
        }
        for stem, failures in batches.items():
            keep.add(failures)
            keep.close_buffer(stem, {"timestamp": stem[-15:]})
        return keep

    def test_each_batch_is_marked(self, keep: MonitorStore, tmp_path: Path) -> None:
        today = {"2+2": "4", "Faust": "Johann Goethe.", "spider": "7", "Emma": "Mary Shelley.", "Dune": "Isaac Asimov."}
        made, paid = measure(config(tmp_path, today), keep, 10, Retest(tmp_path / "impact", "1"))
        batches = [each for each in made if each.pattern == "all"]
        assert [(each.asked, each.before, each.after, each.outcome) for each in batches] == [
            (2, 0, 2, "improved"), (2, 1, 0, "regressed"), (1, 0, 0, "neutral")
        ]  # fmt: skip
        assert (batches[0].repaired, batches[1].broken) == (2, 1) and paid["requests"] == 5
        patterns = {each.pattern: each.outcome for each in made[:3]}
        assert patterns["NUMERIC_ERROR_MISSING_X_VALUES"] == "improved"
        assert [(each.p, each.mark) for each in batches] == [(0.5, "improved?"), (1, "regressed?"), (1, "neutral")]

    @pytest.mark.parametrize(
        ("repaired", "broken", "p", "mark"),
        [(1, 0, 1, "improved?"), (5, 0, 0.0625, "improved?"), (6, 0, 0.03125, "improved"), (0, 6, 0.03125, "regressed"),
         (3, 3, 1, "neutral")],
    )  # fmt: skip
    def test_one_flip_of_ten_may_be_chance_and_is_marked_so(
        self, repaired: int, broken: int, p: float, mark: str
    ) -> None:
        verdicts: tuple[Verdict, ...] = ("right", "wrong")
        right, wrong = (Failure("Q?", "7", "7", verdict) for verdict in verdicts)
        same = [(wrong, wrong)] * (10 - repaired - broken)
        made = _impact("b", "all", [(wrong, right)] * repaired + [(right, wrong)] * broken + same)
        assert (made.asked, made.p, made.mark) == (10, p, mark)
        told = as_json([made], "tiny")
        assert told["alpha"] == 0.05 and told["impacts"][0]["p"] == p and told["impacts"][0]["mark"] == mark

    def test_some_of_each_pattern_are_asked(self, keep: MonitorStore, tmp_path: Path) -> None:
        keep.add([Failure(f"What is {n}+{n}?", f"{2 * n}", "0", "wrong", ("TOO_BRIEF",)) for n in range(1, 40)])
        keep.close_buffer("self_correction_step20_20250104_000000", {"timestamp": "20250104_000000"})
        made, _ = measure(config(tmp_path, {}), keep, 10, Retest(tmp_path / "impact", "1"))
        assert {each.asked + each.undecided for each in made if each.pattern == "TOO_BRIEF"} == {10}

    def test_a_model_that_was_trained_meanwhile_is_asked_anew(self, keep: MonitorStore, tmp_path: Path) -> None:
        """Served under the same name; but a re-test that was killed goes on."""
        root, began = tmp_path / "impact", datetime(2025, 1, 5)
        yesterday = Retest.of(root, began)
        measure(config(tmp_path, {"2+2": "5"}), keep, 10, yesterday)
        assert Retest.of(root, datetime(2025, 1, 6)) == yesterday
        assert Retest.of(root, datetime(2025, 1, 6), fresh=True) != yesterday
        _, paid = measure(config(tmp_path, {"2+2": "4"}), keep, 10, yesterday)
        assert (paid["requests"], paid["old"]) == (5, 5)
        yesterday.result.write_text("{}")
        today = Retest.of(root, datetime(2025, 1, 6))
        made, paid = measure(config(tmp_path, {"2+2": "4"}), keep, 10, today)
        assert made[0].repaired == 1 and (paid["requests"], paid["old"]) == (5, 0)
        assert (yesterday.folder / "journal.sqlite").is_file()

    def test_it_is_asked_as_the_batch_was(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        keep, said = MonitorStore(tmp_path / "data"), list[str]()
        asked: list[tuple[list[str], int]] = []
        keep.root.mkdir()
        ways: tuple[dict[str, Any], ...] = ({}, {"max_tokens": 64, "system_prompt": "Be brief."})
        for number, way in enumerate(ways):
            keep.add([Failure("Who wrote Dune?", "Frank Herbert.", "Isaac Asimov.", "wrong")])
            keep.close_buffer(f"batch{number}", {"timestamp": f"2025010{number}_000000", **way})

        async def complete(model: MeteredModel, request: Request, stage: str) -> Completion:
            asked.append(([each.content for each in request.messages], request.sampling["max_tokens"]))
            return Completion("Herbert.", None, "stop", Usage(1, 1))

        monkeypatch.setattr(MeteredModel, "complete", complete)
        measure(config(tmp_path, {}), keep, 10, Retest(tmp_path / "impact", "1"), said.append)
        assert sorted(asked) == [(["Be brief.", "Who wrote Dune?"], 64), (["Who wrote Dune?"], 2048)]
        assert len(said) == 1 and said[0].startswith("1 batches do not say how they were asked") and "batch0" in said[0]

    def test_without_a_batch_it_says_so(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="no batch"):
            measure(config(tmp_path, {}), MonitorStore(tmp_path), 10, Retest(tmp_path / "impact", "1"))
