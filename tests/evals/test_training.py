"""A model is not measured by what it was trained on."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from augment_correction.errors import InputError
from augment_correction.evals.gate import Item
from augment_correction.evals.training import refuse_trained
from augment_correction.project import Project
from tests.projects import MadeProject

QUESTION = "Who opened the museum of Halmstett, and in which year did that happen?"
ITEM = Item("gate-1", "book", QUESTION, "Ida Brandt, in 1956")


def refused(folder: Path, *rows: object) -> str:
    (folder / "train.jsonl").write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    with pytest.raises(InputError) as failure:
        refuse_trained(Project(folder), ["train.jsonl"], [ITEM])
    assert failure.value.hint and "train again" in failure.value.hint
    return failure.value.message


def test_the_same_question_and_one_that_is_nearly_it_are_refused_by_name(tmp_path: Path) -> None:
    message = refused(
        tmp_path,
        {"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": QUESTION.upper()}]},
        {"conversations": [{"from": "human", "value": QUESTION.replace("that happen", "it happen")}]},
        {"id": "gate-1", "question": "Something else entirely, about bees and honey?"},
        {"question": "What do bees eat in the winter, when no flower is open?"},
    )
    assert message.startswith("3 rows of train.jsonl")
    assert "train.jsonl:1: asks the question of the item gate-1" in message
    assert "train.jsonl:2: similarity 0." in message
    assert "it is the item gate-1" in message


def test_what_a_run_wrote_is_read_from_its_folder(project: MadeProject) -> None:
    (text,) = project.facts(range(1))
    project.run()
    items = [Item("x", "x", "What stands in that passage?", "y", passage=text)]
    with pytest.raises(InputError, match="made from the passage of the item x"):
        refuse_trained(Project(project.root), ["out"], items)
    refuse_trained(Project(project.root), ["out"], [ITEM])


@pytest.mark.parametrize(("name", "text", "message"), [
    ("train.txt", "x", "cannot be read"), ("train.jsonl", "{", "is no JSON"), ("train.jsonl", '{"text": "x"}', "no words"),
])  # fmt: skip
def test_what_cannot_be_read_is_no_proof_of_anything(tmp_path: Path, name: str, text: str, message: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=message):
        refuse_trained(Project(tmp_path), [name], [ITEM])
