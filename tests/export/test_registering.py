"""Export formats of the user's own: written by a run, exported later, compared by `verify`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from augment_correction.config import OutputConfig
from augment_correction.errors import InputError
from augment_correction.export import ExportSource, Tokenizer, register_export
from augment_correction.export.exporting import write_format
from augment_correction.export.verify_files import verify_export
from tests.export.conversations import TEMPLATES, conversation

pytestmark = pytest.mark.usefixtures("registered_for_now")
ROWS = [conversation("What is 5?", "No", "Are you sure?", "No, I was wrong: 5."), conversation("Who?", "O", "So?", "I")]


def write_turns(source: ExportSource, folder: Path) -> list[str]:
    with (folder / "turns.jsonl").open("w") as file:
        for each in source.conversations():
            turns = [{"text": turn.text, "train": turn.train} for turn in each.turns]
            print(json.dumps({"id": each.id, "turns": turns}), file=file)
    (folder / "README.md").write_text("turns of a run\n")
    return ["masks inside a message are left out"]


@pytest.fixture
def source(tokenizers: dict[str, Tokenizer]) -> ExportSource:
    return ExportSource(lambda: iter(ROWS), TEMPLATES["chatml"], tokenizers["qwen"])


def test_what_was_written_is_written_again_and_compared(
    tmp_path: Path, source: ExportSource, tokenizers: dict[str, Tokenizer]
) -> None:
    register_export("turns", write_turns)
    assert OutputConfig(formats=("openai", "turns")).formats == ("openai", "turns")
    assert write_format("turns", source, tmp_path) == ("masks inside a message are left out",)
    proof = verify_export("turns", tmp_path, source, tokenizers["qwen"])
    assert proof.rows == 2 and not proof.failing and not proof.skipped

    file = tmp_path / "turns.jsonl"
    right = file.read_text()
    file.write_text(right.replace('"No", "train": false', '"No", "train": true'))
    [fault] = verify_export("turns", tmp_path, source, tokenizers["qwen"]).faults
    assert (fault.kind, fault.row, fault.id) == ("mask", 1, ROWS[0].id)
    assert fault.detail == "turns[1].train is true, and the run's is false"
    for content, kind in (("", "rows"), (right + right, "rows"), ("{\n" + right.split("\n", 1)[1], "form")):
        file.write_text(content)
        assert verify_export("turns", tmp_path, source, tokenizers["qwen"]).failing == {kind: 1}
    file.write_text(right)
    (tmp_path / "README.md").write_text("something else")
    (tmp_path / "more.txt").write_text("")
    assert verify_export("turns", tmp_path, source, tokenizers["qwen"]).failing == {"text": 1, "rows": 1}
    file.unlink()
    assert "missing" in verify_export("turns", tmp_path, source, tokenizers["qwen"]).failing


def test_what_cannot_be_compared_is_said(
    tmp_path: Path, source: ExportSource, tokenizers: dict[str, Tokenizer]
) -> None:
    register_export("turns", write_turns, compare=False)
    assert "compare=False" in verify_export("turns", tmp_path, source, tokenizers["qwen"]).skipped
    skipped = verify_export("of_another", tmp_path, source, tokenizers["qwen"]).skipped
    assert skipped == "no export format is named 'of_another' here; install the plugin that brings it"


def test_a_mistake_in_it_names_the_format(tmp_path: Path, source: ExportSource) -> None:
    def fails(source: ExportSource, folder: Path) -> None:
        raise KeyError("nope")

    register_export("turns", fails)
    with pytest.raises(InputError, match=r"the export format 'turns' \(.*fails\) failed: KeyError: 'nope'"):
        write_format("turns", source, tmp_path)
    register_export("turns", lambda source, folder: "one notice")
    with pytest.raises(InputError, match="returned 'one notice': it returns a list of notices, or None"):
        write_format("turns", source, tmp_path)


def test_names() -> None:
    for ours in ("axolotl", "hf"):
        with pytest.raises(ValueError, match=f"'{ours}' is an export format of augment_correction"):
            register_export(ours, write_turns)
    with pytest.raises(ValueError, match="lower-case words"):
        register_export("../turns", write_turns)
    with pytest.raises(
        ValueError, match=r"no export format is named 'turns' .known: axolotl, .*install or import the plugin"
    ):
        OutputConfig(formats=("turns",))
