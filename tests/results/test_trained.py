from __future__ import annotations

from pathlib import Path

import orjson

from augment_correction.results.trained import training_rows
from augment_correction.selection.guard import Guard

HELLO = {"role": "user", "content": "Hello."}


def test_rows_of_a_file_are_known_by_their_place_and_compared_in_every_turn(tmp_path: Path) -> None:
    guard = Guard()
    guard.add_item({"id": "1", "question": "When was the bridge over the Aller opened?"})
    later = {"role": "user", "content": "And when was the bridge over the Aller opened?!"}
    same = "when was the bridge over the aller OPENED"
    rows = [{"id": 1, "messages": [HELLO]}, {"messages": [HELLO, later]}, {"segments": [{"text": f"<s>{same}</s>"}]}]
    path = tmp_path / "trained.jsonl"
    path.write_bytes(b"\n".join(map(orjson.dumps, rows)))
    found = [guard.overlap(each) for each in training_rows(tmp_path)]
    assert [each and (each.conversation, each.by) for each in found] == [
        None, (f"{path}:2", "near"), (f"{path}:3", "question"),
    ]  # fmt: skip
    guard.add_item({"id": "2", "question": "Hello"})
    assert guard.overlap(next(training_rows(path))), "what is added later is looked for, too"
