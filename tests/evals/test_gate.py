"""Questions from a run's gate or from anybody's JSON lines."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from augment_correction.errors import InputError
from augment_correction.evals.gate import read_items
from augment_correction.project import Project
from augment_correction.rows import Item


def write(folder: Path, *rows: object, name: str = "gate.jsonl") -> str:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    return name


@pytest.mark.parametrize("question", ["question", "instruction", "prompt"])
@pytest.mark.parametrize("reference", ["reference", "answer", "golden", "reference_answer"])
def test_every_spelling_is_read(tmp_path: Path, question: str, reference: str) -> None:
    (item,) = read_items(Project(tmp_path), [write(tmp_path, {question: "How many? ", reference: 7, "else": "x"})])
    assert (item.question, item.reference, item.group) == ("How many?", "7", item.id)


def test_a_run_s_folder_means_its_gate_and_files_are_laid_together(tmp_path: Path) -> None:
    rows = [{"id": "a", "group": "g", "question": "A?", "reference": "1", "flawed": "2", "passage": "p", "drawn": True}]
    write(tmp_path, *rows, name="run/gate.jsonl")
    other = write(tmp_path, *rows, {"question": "B?", "reference": "2"}, name="other.jsonl")
    items = read_items(Project(tmp_path), ["run", other])
    assert items[0] == Item("A?", "1", "", "a", "g", flawed="2", passage="p")
    assert [item.question for item in items] == ["A?", "B?"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"question": "A?"}], ":1:1 has no reference"),
        ([{"reference": "1"}], ":1:1 has no question"),
        ([{"question": "A?", "reference": "1"}, []], ":2:1 is a list instead of a JSON object"),
        ([], "holds no question"),
        ([{"id": "a", "question": "A?", "reference": "1"}, {"id": "a", "question": "B?", "reference": "1"}], ":2: another"),
    ],
)  # fmt: skip
def test_a_row_that_is_none_is_named(tmp_path: Path, rows: list[object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_items(Project(tmp_path), [write(tmp_path, *rows)])


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_byte_order_mark_is_passed_by_and_a_json_list_is_read(tmp_path: Path, mark: bytes) -> None:
    rows = [{"question": f"{name}?", "reference": "1"} for name in "AB"]
    (tmp_path / "lines.jsonl").write_bytes(mark + b"\n".join(map(orjson.dumps, rows)))
    (tmp_path / "list.json").write_bytes(mark + orjson.dumps(rows, option=orjson.OPT_INDENT_2))
    (tmp_path / "lines.json").write_bytes((tmp_path / "lines.jsonl").read_bytes())
    for name in ("lines.jsonl", "list.json", "lines.json"):
        assert [item.question for item in read_items(Project(tmp_path), [name])] == ["A?", "B?"]
    (tmp_path / "cut.json").write_bytes(mark + orjson.dumps(rows)[:-5])
    with pytest.raises(InputError, match=r"cut\.json:1 is not valid JSON"):
        read_items(Project(tmp_path), ["cut.json"])
    (tmp_path / "list.json").write_bytes(mark + orjson.dumps([*rows, 3]))
    with pytest.raises(InputError, match=r"list\.json:1:70 is a number instead of a JSON object"):
        read_items(Project(tmp_path), ["list.json"])


def test_a_run_without_a_gate_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(InputError) as failure:
        read_items(Project(tmp_path), ["."])
    assert failure.value.hint and "gate.share" in failure.value.hint


def test_a_context_is_asked_with_the_question_and_not_graded_with_it(tmp_path: Path) -> None:
    (tmp_path / "gate.jsonl").write_text(
        '{"question": "Which river?", "answer": "Elst", "context": "The Elst, the Marn."}\n'
    )
    (item,) = read_items(Project(tmp_path), ["gate.jsonl"])
    assert (item.asked, item.question) == ("The Elst, the Marn.\n\nWhich river?", "Which river?")
