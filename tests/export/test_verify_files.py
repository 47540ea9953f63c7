"""Exports are compared with the conversations, and each change is named."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest

from augment_correction.export import ExportSource, Tokenizer
from augment_correction.export.exporting import write_format
from augment_correction.export.verify_files import FileProof, differences, verify_export
from augment_correction.export_formats import FORMATS
from augment_correction.records import Conversation
from tests.export.conversations import TEMPLATES, conversation, noticed

ROWS = [
    conversation("What is 5?", "No", "Are you sure?", "No, I was wrong: 5."),
    conversation("Who?", "Otto.", "Sure?", "No: Ida."),
    noticed("How warm?", "It is 90.", "Wait, it is 100."),
]
JSON_LINES = ("axolotl_chat", "openai", "sharegpt", "hf")
Rows = list[dict[str, Any]]


def source(rows: Sequence[Conversation], tokenizer: Tokenizer) -> ExportSource:
    return ExportSource(lambda: iter(rows), TEMPLATES["chatml"], tokenizer)


def written(name: str, folder: Path, tokenizer: Tokenizer, rows: Sequence[Conversation] = ROWS) -> FileProof:
    folder.mkdir()
    write_format(name, source(rows, tokenizer), folder)
    return verify_export(name, folder, source(rows, tokenizer), tokenizer)


def changed(proof: FileProof, name: str, change: Callable[[Rows], object], tokenizer: Tokenizer) -> FileProof:
    rows = [orjson.loads(line) for line in proof.path.read_bytes().splitlines()]
    change(rows)
    proof.path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    folder = proof.path.parent.parent if name == "hf" else proof.path.parent
    return verify_export(name, folder, source(ROWS, tokenizer), tokenizer)


@pytest.mark.parametrize("name", FORMATS)
def test_what_was_written_is_right(tmp_path: Path, tokenizers: dict[str, Tokenizer], name: str) -> None:
    proof = written(name, tmp_path / name, tokenizers["qwen"])
    assert not proof.failing, proof.faults
    rows = {"openai": 2, "sharegpt": 2, "dpo": 2, "kto": 7, "llamafactory": 2 + 2 + 7}.get(name, 3)
    assert proof.rows == rows, "what it cannot say is left out and not missed"


@pytest.mark.parametrize(
    ("name", "change", "place"),
    [
        ("axolotl_chat", lambda rows: rows[1]["messages"][1].update(train=True), "messages[1].train is true"),
        (
            "axolotl_chat",
            lambda rows: rows[1]["messages"][1]["content"][0].update(train=True),
            "messages[1].content[0].train is true",
        ),
        (
            "axolotl_chat",
            lambda rows: rows[1]["messages"][1]["content"][0].pop("train"),
            "messages[1].content[0].train is absent",
        ),
        ("axolotl_chat", lambda rows: rows[1]["messages"][3].update(train=False), "messages[3].train is false"),
        ("axolotl_chat", lambda rows: rows[1]["messages"][1].update(train="false"), 'train is "false"'),
        ("openai", lambda rows: rows[1]["messages"][1].update(weight=1), "messages[1].weight is 1"),
        ("openai", lambda rows: rows[1]["messages"][1].update(weight=False), "messages[1].weight is false"),
        ("sharegpt", lambda rows: rows[1]["conversations"][1].update(weight=1), "conversations[1].weight is 1"),
        ("hf", lambda rows: rows[1]["messages"][1].update(train=True), "messages[1].train is true"),
        ("hf", lambda rows: rows[2]["messages"][1].update(masked=0), "messages[1].masked is 0"),
    ],
)
def test_a_changed_mask_is_named(
    tmp_path: Path, tokenizers: dict[str, Tokenizer], name: str, change: Callable[[Rows], object], place: str
) -> None:
    proof = changed(written(name, tmp_path / name, tokenizers["qwen"]), name, change, tokenizers["qwen"])
    assert proof.failing == {"mask": 1}
    assert place in proof.faults[0].detail and proof.faults[0].row == (3 if "masked" in place else 2)
    assert proof.faults[0].id == ROWS[proof.faults[0].row - 1].id
    assert f"--format {name}" in proof.remedy


def test_every_mistake_trained_is_counted(tmp_path: Path, tokenizers: dict[str, Tokenizer]) -> None:
    def train_all(rows: Rows) -> None:
        for row in rows:
            for message in row["messages"]:
                message["train"] = True
                message["content"] = [{"type": part["type"], "text": part["text"]} for part in message["content"]]

    proof = written("axolotl_chat", tmp_path / "chat", tokenizers["qwen"])
    proof = changed(proof, "axolotl_chat", train_all, tokenizers["qwen"])
    assert proof.failing == {"mask": 3} and proof.rows == 3


@pytest.mark.parametrize("name", JSON_LINES)
def test_another_text_is_named(tmp_path: Path, tokenizers: dict[str, Tokenizer], name: str) -> None:
    def reword(rows: Rows) -> None:
        message = (rows[0].get("messages") or rows[0]["conversations"])[0]
        message["value" if "value" in message else "content"] = "Else?"

    proof = written(name, tmp_path / name, tokenizers["qwen"])
    proof = changed(proof, name, reword, tokenizers["qwen"])
    assert proof.failing == {"text": 1} and "Else?" in proof.faults[0].detail


@pytest.mark.parametrize("name", [*JSON_LINES, "dpo", "kto"])
def test_rows_that_are_wanting_or_too_many(tmp_path: Path, tokenizers: dict[str, Tokenizer], name: str) -> None:
    proof = written(name, tmp_path / name, tokenizers["qwen"])
    whole = proof.path.read_bytes()
    folder = tmp_path / name
    for content in (b"", whole.split(b"\n", 1)[0], whole.split(b"\n", 1)[1], whole + whole.split(b"\n", 1)[0]):
        proof.path.write_bytes(content)
        again = verify_export(name, folder, source(ROWS, tokenizers["qwen"]), tokenizers["qwen"])
        assert again.failing, content


def test_a_row_of_another_run_ends_the_comparison(tmp_path: Path, tokenizers: dict[str, Tokenizer]) -> None:
    proof = written("sharegpt", tmp_path / "s", tokenizers["qwen"])
    proof = changed(proof, "sharegpt", lambda rows: rows[0].update(id="other"), tokenizers["qwen"])
    assert proof.failing == {"rows": 1} and ROWS[0].id in proof.faults[0].detail


def test_a_pair_that_was_turned_round_is_named(tmp_path: Path, tokenizers: dict[str, Tokenizer]) -> None:
    def turn_round(rows: Rows) -> None:
        rows[1]["chosen"], rows[1]["rejected"] = rows[1]["rejected"], rows[1]["chosen"]

    proof = changed(written("dpo", tmp_path / "dpo", tokenizers["qwen"]), "dpo", turn_round, tokenizers["qwen"])
    assert proof.failing == {"text": 1} and proof.faults[0].row == 2 and "chosen" in proof.faults[0].detail


@pytest.mark.parametrize(
    ("file", "change", "kind"),
    [
        ("sft", lambda rows: rows[0]["messages"][0].update(content="Else?"), "text"),
        ("dpo", lambda rows: rows[0].update(chosen=rows[0]["rejected"]), "text"),
        ("kto", lambda rows: rows.pop(), "rows"),
    ],
)
def test_a_folder_of_several_files_is_compared_file_by_file(
    tmp_path: Path, tokenizers: dict[str, Tokenizer], file: str, change: Callable[[Rows], object], kind: str
) -> None:
    folder = tmp_path / "llamafactory"
    proof = written("llamafactory", folder, tokenizers["qwen"])
    proof.path = folder / f"{file}.jsonl"
    proof = changed(proof, "llamafactory", change, tokenizers["qwen"])
    assert proof.failing == {kind: 1}


def test_a_mistake_that_is_called_desirable_is_named(tmp_path: Path, tokenizers: dict[str, Tokenizer]) -> None:
    proof = written("kto", tmp_path / "kto", tokenizers["qwen"])
    proof = changed(proof, "kto", lambda rows: rows[1].update(label=True), tokenizers["qwen"])
    assert proof.failing == {"mask": 1} and "label is true" in proof.faults[0].detail


def test_lines_that_are_no_json_and_values_that_are_no_rows(tmp_path: Path, tokenizers: dict[str, Tokenizer]) -> None:
    proof = written("hf", tmp_path / "hf", tokenizers["qwen"])
    lines = proof.path.read_bytes().splitlines(keepends=True)
    proof.path.write_bytes(b"{cut\n" + b"".join(lines[1:]))
    again = verify_export("hf", tmp_path / "hf", source(ROWS, tokenizers["qwen"]), tokenizers["qwen"])
    assert again.failing == {"form": 1} and again.faults[0].row == 1
    proof.path.write_bytes(b"7\n" + b"".join(lines[1:]))
    again = verify_export("hf", tmp_path / "hf", source(ROWS, tokenizers["qwen"]), tokenizers["qwen"])
    assert again.failing == {"rows": 1}


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_that_is_gone(tmp_path: Path, tokenizers: dict[str, Tokenizer], name: str) -> None:
    (tmp_path / name).mkdir()
    proof = verify_export(name, tmp_path / name, source(ROWS, tokenizers["qwen"]), tokenizers["qwen"])
    assert proof.failing == {"missing": 4 if name == "llamafactory" else 1}


def test_a_mask_that_the_spelling_cannot_say_is_no_row_of_it(tmp_path: Path, tokenizers: dict[str, Tokenizer]) -> None:
    """Added by hand, it would train the mistake in it."""

    def add(rows: Rows) -> None:
        turns = [{"from": "human", "value": ROWS[2].turns[0].text, "weight": 1}]
        rows.append({"conversations": turns, "id": ROWS[2].id})

    proof = written("sharegpt", tmp_path / "s", tokenizers["qwen"])
    proof = changed(proof, "sharegpt", add, tokenizers["qwen"])
    assert proof.failing == {"mask": 1} and "masks part of an answer" in proof.faults[0].detail


class TestParquet:
    def change(self, path: Path, index: int, column: str, value: object) -> None:
        import pyarrow
        from pyarrow import parquet

        table = parquet.read_table(path)
        rows = table.to_pylist()
        rows[index][column] = value
        parquet.write_table(pyarrow.Table.from_pylist(rows, schema=table.schema), path)

    def test_labels(self, tmp_path: Path, tokenizers: dict[str, Tokenizer]) -> None:
        tokenizer, rows = tokenizers["qwen"], source(ROWS, tokenizers["qwen"])
        proof = written("trl", tmp_path / "trl", tokenizer)
        expected = tokenizer.ids(
            ["".join(f"<|im_start|>{turn.role}\n{turn.text}<|im_end|>\n" for turn in ROWS[1].turns)]
        )
        self.change(proof.path, 1, "labels", expected[0])
        again = verify_export("trl", tmp_path / "trl", rows, tokenizer)
        assert again.failing == {"mask": 1} and again.faults[0].row == 2
        assert "labels[" in again.faults[0].detail and "the run's is -100" in again.faults[0].detail

    def test_rows(self, tmp_path: Path, tokenizers: dict[str, Tokenizer]) -> None:
        tokenizer = tokenizers["qwen"]
        written("trl", tmp_path / "trl", tokenizer)
        for rows in (ROWS[:2], [*ROWS, conversation("Else?", "No", "Sure?", "Yes")], ROWS[::-1]):
            again = verify_export("trl", tmp_path / "trl", source(rows, tokenizer), tokenizer)
            assert again.failing == {"rows": 1}

    def test_another_tokenizer(self, tmp_path: Path, tokenizers: dict[str, Tokenizer]) -> None:
        written("trl", tmp_path / "trl", tokenizers["qwen"])
        again = verify_export("trl", tmp_path / "trl", source(ROWS, tokenizers["llama"]), tokenizers["llama"])
        assert again.failing.total() == 3


def test_true_is_not_one_and_nothing_is_not_null() -> None:
    assert list(differences({"a": [1]}, {"a": [1]})) == []
    assert [place for place, _, _ in differences({"a": True}, {"a": 1})] == ["a"]
    assert [place for place, _, _ in differences({"a": None}, {})] == ["a"]
    assert [place for place, _, _ in differences({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}, 4]})] == ["a[1].b", "a[2]"]
