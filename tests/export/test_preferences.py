"""Which reply is better than which, and that TRL's own trainers read the rows as they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from augment_correction.errors import InputError
from augment_correction.export import ExportSource, export
from augment_correction.export.preferences import Preference, RatedReply, judged, preferences
from augment_correction.export.retractions import SENTENCES, retraction
from augment_correction.export.turn_labels import TurnLabels
from augment_correction.records import Conversation, Turn
from augment_correction.store import RunFolder
from tests.export.conversations import TEMPLATES, conversation, noticed
from tests.projects import MadeProject
from tests.training.making import tiny_llama

NONE = TurnLabels({})
FALSE, DOUBT, TRUE = "It was built in 1915.", "Are you sure about that?", "No, I was wrong: it was built in 1911."
ASKED = "When was the bridge built?"
CORRECTED = conversation(ASKED, FALSE, DOUBT, TRUE)
RIGHT, KEPT = "The bridge was built in 1911.", "Yes, 1911 is right: the year stands on its keystone."


def stand_by(language: str = "en", **provenance: Any) -> Conversation:
    reply = {
        "en": KEPT,
        "de": "Ja, 1911 ist richtig: Das Jahr steht auf dem Schlussstein.",
        "ja": "はい、橋は1911年に建てられました。",
    }
    texts = [("user", ASKED), ("assistant", RIGHT), ("user", DOUBT), ("assistant", reply[language])]
    turns = tuple(Turn(role, text, role == "assistant") for role, text in texts)  # type: ignore[arg-type]
    return Conversation(f"kept {language}", "stand_by", turns, False, {"reference": RIGHT, **provenance})


def pairs(*rows: Conversation) -> list[Preference]:
    return [pair for _, made in preferences(rows, NONE) for pair in made]


def replies(*rows: Conversation) -> list[RatedReply]:
    return [reply for _, made in judged(rows, NONE) for reply in made]


def said(pair: Preference) -> tuple[list[str], str, str]:
    return [turn.text for turn in pair.prompt], pair.better, pair.worse


def test_a_correction_is_better_than_the_mistake_again() -> None:
    (pair,) = pairs(CORRECTED)
    assert said(pair) == ([ASKED, FALSE, DOUBT], TRUE, FALSE) and pair.worse_is == "repeated"


def test_where_the_right_answer_is_known_it_is_better_than_the_mistake() -> None:
    first, second = pairs(replace(CORRECTED, provenance={"reference": RIGHT}))
    assert said(first) == ([ASKED], RIGHT, FALSE) and first.worse_is == "mistake"
    assert second.after == "doubt" and first.id != second.id


def test_an_answer_that_is_kept_is_better_than_giving_in() -> None:
    (pair,) = pairs(stand_by())
    assert said(pair)[:2] == ([ASKED, RIGHT, DOUBT], KEPT)
    assert pair.worse in SENTENCES["en"] and pair.worse_is == "retraction"
    (german,) = pairs(stand_by("de"))
    assert german.worse in SENTENCES["de"]
    assert pairs(stand_by("ja")) == []


def test_giving_in_says_what_was_answered_wrongly_to_the_same_question() -> None:
    wrong = replace(CORRECTED, provenance={"chunk_id": "c"})
    kept = stand_by(chunk_id="c")
    for order in ((wrong, kept), (kept, wrong)):
        (pair,) = (pair for pair in pairs(*order) if pair.conversation == kept)
        assert pair.worse.endswith(f" {FALSE}") and pair.worse_is == "retraction and mistake"
    (elsewhere,) = (pair for pair in pairs(wrong, stand_by(chunk_id="d")) if pair.conversation.kind == "stand_by")
    assert FALSE not in elsewhere.worse


def test_a_mistake_is_better_than_nothing() -> None:
    """No better or desirable reply holds one, whatever the conversation."""
    rows = [CORRECTED, replace(CORRECTED, provenance={"reference": RIGHT}), noticed(ASKED, FALSE, "Wait: in 1911.")]
    assert all(FALSE not in pair.better for pair in pairs(*rows, stand_by()))
    assert all(FALSE not in reply.reply for reply in replies(*rows, stand_by()) if reply.good)
    assert [reply.good for reply in replies(rows[2])] == [False] and pairs(rows[2]) == []


def test_the_replies_by_themselves() -> None:
    found = [(len(each.prompt), each.reply, each.good) for each in replies(CORRECTED)]
    assert sorted(found) == sorted([(3, TRUE, True), (3, FALSE, False), (1, FALSE, False)])
    kept = [(len(each.prompt), each.reply, each.good) for each in replies(stand_by())]
    assert (1, RIGHT, True) in kept and (3, KEPT, True) in kept and len(kept) == 3
    assert len({each.id for each in replies(CORRECTED, stand_by())}) == 6


def test_an_untrained_right_answer_is_no_mistake_where_the_pipeline_says_so() -> None:
    """With `loss_on: correction_only` both have the same mask."""
    turns = tuple(replace(turn, train=index == 3) for index, turn in enumerate(stand_by().turns))
    kept = replace(stand_by(), turns=turns)
    specs = [{"role": turn.role, "is": "correction" if turn.train else None} for turn in turns]
    labels = TurnLabels({"stages": [{"stage": "compose", "kind": "stand_by", "turns": specs}]})
    ((_, (pair,)),) = preferences([kept], labels)
    assert pair.worse_is == "retraction"
    ((_, found),) = judged([kept], labels)
    assert RIGHT not in [reply.reply for reply in found], "it is not trained, and not wrong either"


def test_retractions_are_drawn_by_the_conversation() -> None:
    assert {retraction(KEPT, str(number)) for number in range(40)} == set(SENTENCES["en"])
    assert retraction("いいえ、違います。", "x") == ""


def source(*rows: Conversation) -> ExportSource:
    return ExportSource(lambda: iter(rows), TEMPLATES["chatml"])


def test_what_gives_no_row_is_counted(tmp_path: Path) -> None:
    single = noticed(ASKED, FALSE, "Wait: in 1911.")
    made, _ = export(["dpo", "kto"], source(CORRECTED, stand_by(), single), RunFolder(tmp_path))
    assert "1 of 3 conversations give no row" in made.notices[0]
    assert made.notices[1] == "rejected replies: 1 repeated, 1 retraction"
    with pytest.raises(InputError, match="none of the 1 conversations"):
        list(export(["dpo"], source(single), RunFolder(tmp_path)))


def test_llama_factory_finds_its_files_in_one_list(tmp_path: Path) -> None:
    """`python -m tests.trainers.check llamafactory` reads such a folder with LLaMA-Factory itself."""
    (made,) = export(["llamafactory"], source(CORRECTED, stand_by()), RunFolder(tmp_path))
    listed = orjson.loads((made.path / "dataset_info.json").read_bytes())
    assert {name: entry["file_name"] for name, entry in listed.items()} == {
        "corrections_sft": "sft.jsonl", "corrections_dpo": "dpo.jsonl", "corrections_kto": "kto.jsonl",
    }  # fmt: skip
    assert listed["corrections_dpo"]["ranking"] is True
    assert any("mask_history: true" in notice for notice in made.notices)
    rows = {
        name: [orjson.loads(line) for line in (made.path / entry["file_name"]).read_bytes().splitlines()]
        for name, entry in listed.items()
    }
    for name, entry in listed.items():
        assert all(set(entry["columns"].values()) <= row.keys() for row in rows[name])
    pair = rows["corrections_dpo"][0]
    assert [each["content"] for each in pair["messages"]] == [ASKED, FALSE, DOUBT]
    assert pair["chosen"] == {"role": "assistant", "content": TRUE} and pair["rejected"]["content"] == FALSE
    rated = {(row["messages"][-1]["content"], row["label"]) for row in rows["corrections_kto"]}
    assert {(TRUE, True), (FALSE, False)} <= rated and (FALSE, True) not in rated


def test_what_llama_factory_gets_no_row_for_is_not_in_its_list(tmp_path: Path) -> None:
    inside = noticed(ASKED, FALSE, "Wait: in 1911.")
    (made,) = export(["llamafactory"], source(inside), RunFolder(tmp_path))
    assert sorted(each.name for each in made.path.iterdir()) == ["dataset_info.json", "kto.jsonl"]
    assert list(orjson.loads((made.path / "dataset_info.json").read_bytes())) == ["corrections_kto"]
    told = " ".join(made.notices)
    assert "there is no sft.jsonl: all 1 conversations mask part of an answer" in told and "no dpo.jsonl" in told


def test_a_run_writes_them_with_its_own_labels(project: MadeProject) -> None:
    project.facts(range(4))
    result = project.run(
        shares={"kind": {"correct_after_mistake": 1, "stand_by": 1}},
        system={"loss_on": "correction_only"},
        output={"formats": ["dpo", "kto"]},
    )
    rows = [orjson.loads(line) for line in (result.files["export_dpo"] / "train.jsonl").read_bytes().splitlines()]
    kinds = {row["kind"]: row["rejected_is"] for row in rows}
    assert kinds == {"correct_after_mistake": "repeated", "stand_by": "retraction"}


# ----------------------------------------------------------------------------------- as TRL's trainers read them


def _dpo(folder: Path, **settings: Any) -> Any:
    from trl import DPOConfig, DPOTrainer

    return DPOConfig(**settings), DPOTrainer


def _kto(folder: Path, **settings: Any) -> Any:
    from trl import KTOConfig, KTOTrainer

    return KTOConfig(**settings), KTOTrainer


def _orpo(folder: Path, **settings: Any) -> Any:
    from trl.experimental.orpo import ORPOConfig, ORPOTrainer

    return ORPOConfig(**settings), ORPOTrainer


@pytest.mark.filterwarnings("default")  # TRL's and Transformers' own, of names that they will drop
@pytest.mark.parametrize(("name", "make"), [("dpo", _dpo), ("kto", _kto), ("dpo", _orpo)], ids=["dpo", "kto", "orpo"])
def test_trl_trains_on_them(tmp_path: Path, name: str, make: Callable[..., Any]) -> None:
    pytest.importorskip("trl")
    from datasets import load_dataset
    from transformers import AutoModelForCausalLM, AutoTokenizer

    rows = [conversation(f"{ASKED} ({n})", FALSE, DOUBT, TRUE) for n in range(4)] + [stand_by()]
    (made,) = export([name], source(*rows), RunFolder(tmp_path / "run"))
    data = load_dataset("json", data_files=str(made.path / "train.jsonl"), split="train", cache_dir=str(tmp_path / "c"))
    model = tiny_llama(tmp_path / "model")
    settings = {"per_device_train_batch_size": 2, "max_steps": 2, "use_cpu": True, "report_to": "none", "bf16": False}
    args, trainer = make(tmp_path, output_dir=str(tmp_path / "out"), logging_steps=1, save_strategy="no", **settings)
    done = trainer(
        AutoModelForCausalLM.from_pretrained(model),
        args=args,
        train_dataset=data,
        processing_class=AutoTokenizer.from_pretrained(model),
    )
    tokens = AutoTokenizer.from_pretrained(model)
    batch = next(iter(done.get_train_dataloader()))
    seen = tokens.batch_decode(batch["input_ids"] if "input_ids" in batch else batch["chosen_input_ids"])
    assert all("<|im_start|>user" in text and "<|im_start|>assistant" in text for text in seen)
    result = done.train()
    assert result.global_step == 2 and result.training_loss > 0


@pytest.mark.filterwarnings("default")
def test_trl_trains_the_last_answer_alone_of_an_export_without_a_tokenizer(tmp_path: Path) -> None:
    pytest.importorskip("trl")
    from datasets import load_dataset
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import SFTConfig, SFTTrainer

    rows = [conversation(ASKED, FALSE, DOUBT, TRUE), stand_by()]
    (made,) = export(["trl"], source(*rows), RunFolder(tmp_path / "run"))
    data = load_dataset("json", data_files=str(made.path / "train.jsonl"), split="train", cache_dir=str(tmp_path / "c"))
    model = tiny_llama(tmp_path / "model")
    settings = {"per_device_train_batch_size": 1, "max_steps": 1, "use_cpu": True, "report_to": "none", "bf16": False}
    tokens = AutoTokenizer.from_pretrained(model)
    trainer = SFTTrainer(
        AutoModelForCausalLM.from_pretrained(model),
        args=SFTConfig(output_dir=str(tmp_path / "out"), **settings),
        train_dataset=data,
        processing_class=tokens,
    )
    trained = {
        tokens.decode([label for label in batch["labels"][0].tolist() if label != -100]).removesuffix("\n")
        for batch in trainer.get_train_dataloader()
    }
    assert trained == {f"{each.turns[-1].text}<|im_end|>" for each in rows}
