"""What was trained, in the places that the monitor may be told of."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from augment_correction.errors import InputError
from augment_correction.monitor.items import refuse_overlap
from augment_correction.rows import Item
from augment_correction.stages import neutral

QUESTION = "Which token ends a turn, <|im_end|> or [INST], in the template of the Elst?"
ITEM = Item(QUESTION, "the first")
SPELLINGS = {
    "segments": {"segments": [{"label": False, "text": f"<s>user\n{neutral(QUESTION)[:20]}"}, {"text": neutral(QUESTION)[20:]}]},
    "a later turn": {"messages": [{"role": "user", "content": each} for each in ("Hello.", QUESTION)]},
    "sharegpt": {"conversations": [{"from": "human", "value": neutral(QUESTION)}]},
}  # fmt: skip


@pytest.mark.parametrize("row", SPELLINGS.values(), ids=SPELLINGS)
def test_a_question_of_the_monitor_is_found_in_every_spelling(tmp_path: Path, row: object) -> None:
    (tmp_path / "trained.jsonl").write_bytes(orjson.dumps(row))
    for path in (tmp_path, tmp_path / "trained.jsonl"):
        with pytest.raises(
            InputError, match=r"in 1 rows of (.|\n)*trained\.jsonl:1: asks the question of the item 'Which"
        ):
            refuse_overlap([ITEM], [path], "training data")
    refuse_overlap([Item("Who keeps the bees of Halmstett?", "Carl")], [tmp_path], "training data")


@pytest.mark.parametrize("name", ["segments", "sharegpt"])
def test_its_own_question_comes_back_with_its_control_strings_made_harmless(tmp_path: Path, name: str) -> None:
    assert neutral(QUESTION) != QUESTION
    (tmp_path / "rows.jsonl").write_bytes(orjson.dumps(SPELLINGS[name]))
    refuse_overlap([ITEM], [tmp_path / "rows.jsonl"], "training data", {QUESTION})
    with pytest.raises(InputError, match="also occur in the training data"):
        refuse_overlap([ITEM], [tmp_path / "rows.jsonl"], "training data", {"Another?"})


def test_a_folder_without_any_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"rows at .* cannot be read"):
        refuse_overlap([ITEM], [tmp_path], "training data")
