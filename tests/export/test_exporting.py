"""Every spelling says the same mask: what a reader of each gets back is what the conversation decided."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from augment_correction.errors import InputError
from augment_correction.export import ChatTemplate, ExportSource, Tokenizer, export
from augment_correction.export import openai as openai_module
from augment_correction.export.exporting import replaced_folder
from augment_correction.export_formats import FORMATS
from augment_correction.records import Conversation
from augment_correction.store import RunFolder
from tests.export.conversations import STRIPPED, TEMPLATES, conversation, noticed

Mask = list[tuple[str, str, int | None]]
"""(role, text, how many of its characters, from the first, are not trained); None where the spelling cannot say it."""
SPEAKERS = {"human": "user", "gpt": "assistant"}


def lines(file: Path) -> Iterator[Any]:
    return map(orjson.loads, file.read_bytes().splitlines())


def from_segments(run: RunFolder, tokenizer: Tokenizer) -> Iterator[Mask]:
    """The characters of the text by label; chatml has no other text in capitals or with these brackets."""
    for row in orjson.loads(run.dataset.read_bytes()):
        text = "".join(part["text"] for part in row["segments"])
        labels = [part["label"] for part in row["segments"] for _ in part["text"]]
        yield list(_turns(text, labels))


def _turns(text: str, labels: list[bool]) -> Iterator[tuple[str, str, int]]:
    position = 0
    while (start := text.find("<|im_start|>", position)) >= 0:
        head = text.index("\n", start)
        position = text.index("<|im_end|>\n", head)
        role, body = text[start + len("<|im_start|>") : head], slice(head + 1, position)
        ending = slice(position, position + len("<|im_end|>\n"))
        assert sorted(labels[body]) == labels[body] and set(labels[ending]) == {labels[position - 1]}
        yield role, text[body], labels[body].count(False)


def from_chat(run: RunFolder, tokenizer: Tokenizer) -> Iterator[Mask]:
    for row in lines(run.root / "exports" / "axolotl_chat" / "conversations.jsonl"):
        yield [(each["role"], *_joined(each["content"], each["train"])) for each in row["messages"]]


def _joined(parts: list[dict[str, Any]], train: bool) -> tuple[str, int]:
    """As Axolotl reads them, a flag at the message before those of its parts."""
    flags = [part.get("train", True) for part in parts]
    assert sorted(flags) == flags and flags[-1] == train
    masked = sum(len(part["text"]) for part in parts if not part.get("train", True))
    return "".join(part["text"] for part in parts), masked


def from_openai(run: RunFolder, tokenizer: Tokenizer) -> Iterator[Mask]:
    for row in lines(run.root / "exports" / "openai" / "conversations.jsonl"):
        assert set(row) == {"messages"}
        weights = [(each["role"], each["content"], each.get("weight")) for each in row["messages"]]
        yield [(role, text, None if weight is None else (1 - weight) * len(text)) for role, text, weight in weights]


def from_sharegpt(run: RunFolder, tokenizer: Tokenizer) -> Iterator[Mask]:
    for row in lines(run.root / "exports" / "sharegpt" / "conversations.jsonl"):
        turns = [(SPEAKERS[each["from"]], each["value"], each["weight"]) for each in row["conversations"]]
        yield [(role, text, (1 - weight) * len(text)) for role, text, weight in turns]


def from_hf(run: RunFolder, tokenizer: Tokenizer) -> Iterator[Mask]:
    for row in lines(run.root / "exports" / "hf" / "data" / "train.jsonl"):
        yield [
            (each["role"], each["content"], each["masked"] if each["train"] else len(each["content"]))
            for each in row["messages"]
        ]


def from_trl(run: RunFolder, tokenizer: Tokenizer) -> Iterator[Mask]:
    """Out of the tokens: decoded where they are trained and where they are not."""
    for row in parquet.read_table(run.root / "exports" / "trl" / "train.parquet").to_pylist():
        text = "".join(f"<|im_start|>{m['role']}\n{m['content']}<|im_end|>\n" for m in row["messages"])
        encoded = tokenizer.encode([text])[0]
        assert row["input_ids"] == encoded.ids and row["attention_mask"] == [1] * len(encoded.ids)
        labels = [False] * len(text)
        for start, end, label, token in zip(encoded.starts, encoded.ends, row["labels"], encoded.ids, strict=True):
            assert label in (token, -100)
            labels[start:end] = [label == token] * (end - start)
        yield list(_turns(text, labels))


READERS: dict[str, Callable[[RunFolder, Tokenizer], Iterator[Mask]]] = {
    "axolotl": from_segments,
    "axolotl_chat": from_chat,
    "openai": from_openai,
    "sharegpt": from_sharegpt,
    "hf": from_hf,
    "trl": from_trl,
}
ROWS = [
    conversation("What is 5?", "No", "Are you sure?", "No, I was wrong: 5."),
    conversation("Why?", "- a\n- b", "日本?", "🐝 5", correction_only=True),
]


def source(rows: list[Conversation], tokenizer: Tokenizer | None, template: str = "chatml") -> ExportSource:
    return ExportSource(lambda: iter(rows), TEMPLATES[template], tokenizer)


def test_every_spelling_is_read_back_here() -> None:
    assert set(READERS) == {"axolotl", *FORMATS} - {"dpo", "kto", "llamafactory"}, "no mask: test_preferences.py"


def test_every_spelling_masks_the_same_characters(
    tmp_path_factory: pytest.TempPathFactory, tokenizers: dict[str, Tokenizer]
) -> None:
    @settings(max_examples=25)
    @given(
        texts=st.lists(st.tuples(STRIPPED, STRIPPED, STRIPPED, STRIPPED), min_size=1, max_size=3), only=st.booleans()
    )
    def check(texts: list[tuple[str, str, str, str]], only: bool) -> None:
        texts = [four for four in texts if not any("<|im_" in each for each in four)]
        if not texts:
            return
        rows = [conversation(*four, correction_only=only) for four in texts] + [noticed(*four[:3]) for four in texts]
        run = RunFolder(tmp_path_factory.getbasetemp() / "round_trip")
        list(export(list(READERS), source(rows, tokenizers["qwen"]), run))
        for name, read in READERS.items():
            said = rows[: len(texts)] if name in ("openai", "sharegpt") else rows
            for row, found in zip(said, read(run, tokenizers["qwen"]), strict=True):
                assert [(role, text) for role, text, _ in found] == [(turn.role, turn.text) for turn in row.turns], name
                for turn, (_, _, masked) in zip(row.turns, found, strict=True):
                    assert masked in (turn.masked if turn.train else len(turn.text), None), name
                    assert masked is not None or (name == "openai" and turn.role == "user")

    check()


NOTICED = noticed("When does it boil?", "The queen lays at 90.", "Wait, that is wrong: at 100.")


@pytest.mark.parametrize("name", ["openai", "sharegpt", "trl", "axolotl_chat"])
def test_what_a_spelling_cannot_say_is_left_out_and_counted(tmp_path: Path, name: str) -> None:
    (made,) = export([name], source([*ROWS, NOTICED], None), RunFolder(tmp_path))
    file = next(made.path.glob("*.jsonl"))
    assert "1 of 3 conversations mask part of an answer, which" in made.notices[0]
    assert len(list(lines(file))) == 2 and b"90" not in file.read_bytes()
    good = file.read_bytes()
    with pytest.raises(InputError, match="all 1 conversations mask part of an answer"):
        list(export([name], source([NOTICED], None), RunFolder(tmp_path)))
    assert file.read_bytes() == good, "an earlier export stays"


@pytest.mark.parametrize(
    ("mistake", "joint", "found"),
    [
        ("The queen lays 90.", " ", True),
        ("Water is 90.", " ", False),  # "▁", "W" alone; in place the first of the two is the template's own space
        ("The queen lays\n90.", "\n\n", True),
    ],
)
def test_chat_holds_only_masks_that_axolotl_finds_again(
    tmp_path: Path, tokenizers: dict[str, Tokenizer], mistake: str, joint: str, found: bool
) -> None:
    rows = [ROWS[0], noticed("Hot?", mistake, "Wait: 100.", joint)]
    made = source(rows, tokenizers["mistral"], "inst (alternating, space before)")
    (done,) = export(["axolotl_chat"], made, RunFolder(tmp_path))
    assert len(list(lines(done.path / "conversations.jsonl"))) == 1 + found
    assert bool(done.notices) != found


def test_chat_leaves_out_a_token_of_the_mistake_that_axolotl_would_train(
    tmp_path: Path, tokenizers: dict[str, Tokenizer]
) -> None:
    """`'.\\n\\n'` reaches two characters beyond the cut, `'.\\n'` one."""
    rows = [noticed("Hot?", "It is 90.", "Wait: 100.", joint) for joint in ("\n\n", "\n")]
    (done,) = export(["axolotl_chat"], source(rows, tokenizers["qwen"]), RunFolder(tmp_path))
    assert [row["id"] for row in lines(done.path / "conversations.jsonl")] == [rows[1].id]
    assert "1 of 2" in done.notices[0]


def test_the_rows_say_kind_and_origin(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    list(export(["axolotl"], source([ROWS[0], NOTICED], None), run))
    rows = orjson.loads(run.dataset.read_bytes())
    assert [(row["id"], row["kind"], row["origin"]) for row in rows] == [
        (ROWS[0].id, "correct_after_mistake", ""),
        (NOTICED.id, "self_noticed", "invented"),
    ]


def test_a_failed_export_leaves_the_earlier_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = RunFolder(tmp_path)
    list(export(["openai"], source(ROWS, None), run))
    file = tmp_path / "exports" / "openai" / "conversations.jsonl"
    good = file.read_bytes()
    monkeypatch.setattr(openai_module, "SPELLING", replace(openai_module.SPELLING, row=lambda _: {"a": 1}["b"]))
    with pytest.raises(KeyError):
        list(export(["openai"], source(ROWS, None), run))
    assert file.read_bytes() == good
    assert [path.name for path in (tmp_path / "exports").iterdir()] == ["openai"]


def test_nothing_to_export_leaves_the_earlier_one(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    list(export(["hf"], source(ROWS, None), run))
    with pytest.raises(InputError, match="no conversations"):
        list(export(["hf", "axolotl"], source([], None), run))
    assert (tmp_path / "exports" / "hf" / "README.md").is_file()


def test_a_machine_that_stopped_between_the_renames(tmp_path: Path) -> None:
    (tmp_path / ".openai.old").mkdir()
    (tmp_path / ".openai.old" / "file").write_text("good")
    with pytest.raises(OSError, match="full"), replaced_folder(tmp_path / "openai"):
        raise OSError("full")
    assert (tmp_path / "openai" / "file").read_text() == "good"


def test_trl_without_a_tokenizer_never_trains_a_mistake(tmp_path: Path) -> None:
    """TRL reads no mask of messages; of `prompt` and `completion` it trains the completion."""
    (made,) = export(["trl"], source(ROWS, None), RunFolder(tmp_path))
    for row, each in zip(lines(made.path / "train.jsonl"), ROWS, strict=True):
        assert [m["content"] for m in row["prompt"] + row["completion"]] == [turn.text for turn in each.turns]
        assert [m["role"] for m in row["completion"]] == ["assistant"]
    assert "--tokenizer" in made.notices[0]


def test_rows_that_trl_would_cut_are_counted(tmp_path: Path, tokenizers: dict[str, Tokenizer]) -> None:
    rows = [*ROWS, conversation("Q", "No", "Sure?", "Yes. " * 1_100)]
    (made,) = export(["trl"], source(rows, tokenizers["qwen"]), RunFolder(tmp_path))
    assert made.notices == ("1 rows are longer than TRL's max_length of 1024, which cuts their end: set it",)


def test_chat_needs_an_end_of_turn_that_is_a_token(tmp_path: Path, tokenizers: dict[str, Tokenizer]) -> None:
    with pytest.raises(InputError, match="one control token of"):
        list(export(["axolotl_chat"], source(ROWS, tokenizers["qwen"], "augmentoolkit"), RunFolder(tmp_path)))


def test_the_keys_for_chat_name_the_final_place(tmp_path: Path) -> None:
    (made,) = export(["axolotl_chat"], source(ROWS, None), RunFolder(tmp_path))
    keys = yaml.safe_load((made.path / "axolotl_keys.yaml").read_text())
    assert Path(keys["datasets"][0]["path"]).is_file()
    assert keys["eot_tokens"] == ["<|im_end|>"]


def test_the_template_for_serving_writes_what_the_rows_have(tmp_path: Path) -> None:
    (made,) = export(["axolotl_chat"], source(ROWS, None, "llama3 (trims)"), RunFolder(tmp_path))
    served = yaml.safe_load((made.path / "axolotl_keys.yaml").read_text())["datasets"][0]["chat_template_jinja"]
    messages = [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}]
    # Whatever the trained model's tokenizer calls BOS and EOS.
    assert ChatTemplate("served", served, "X", "Y").render(messages) == TEMPLATES["llama3 (trims)"].render(messages)


def test_the_card_is_safe_against_its_documents(tmp_path: Path) -> None:
    documents = ({"title": "<script>|`", "source": "a\nb", "characters": 5},)
    made = ExportSource(lambda: iter(ROWS), TEMPLATES["chatml"], documents=lambda: documents)
    list(export(["hf"], made, RunFolder(tmp_path)))
    card = (tmp_path / "exports" / "hf" / "README.md").read_text()
    assert "<script>" not in card and "a b" in card
    assert yaml.safe_load(card.split("---")[1])["license"] == "unknown"


def test_the_dataset_made_again_changes_the_configs_cache(tmp_path: Path, tokenizers: dict[str, Tokenizer]) -> None:
    config = tmp_path / "axolotl_lora.yaml"
    config.write_text("dataset_prepared_path: /x/prepared/0123456789ab\n")
    list(export(["axolotl"], source(ROWS, tokenizers["qwen"]), RunFolder(tmp_path)))
    assert "0123456789ab" not in config.read_text() and "/x/prepared/" in config.read_text()
