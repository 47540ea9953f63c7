from __future__ import annotations

from pathlib import Path

from .files import notes, read


def run_folder(folder: Path) -> None:
    for name in (
        "journal.sqlite",
        "run.json",
        "report.html",
        "rejected.jsonl",
        "gate.jsonl",
        "small_model_tokens.json",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text('{"text": "of a run"}')
    for name in ("debug_outputs/a.md", "exports/openai/train.jsonl", "inputs/failures.jsonl"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text('{"text": "of a run"}')


def test_runs_are_never_input_wherever_they_lie(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a document")
    run_folder(tmp_path / "outputs" / "one")
    run_folder(tmp_path / "old run")
    (tmp_path / "old run" / "journal.sqlite").unlink()
    (tmp_path / "kept" / "debug_outputs").mkdir(parents=True)
    (tmp_path / "kept" / "debug_outputs" / "story.md").write_text("# A story")
    documents, unread = read(tmp_path)
    assert [document.source for document in documents] == ["a.txt"]
    assert not unread
    assert [(note.source, note.reason, note.count) for note in notes(tmp_path)] == [
        ("kept/debug_outputs", "own_output", 1),
        ("old run", "own_output", 8),
        ("outputs/one", "own_output", 9),
    ]


def test_documents_beside_the_files_of_a_run_are_read(tmp_path: Path) -> None:
    run_folder(tmp_path)
    (tmp_path / "a.txt").write_text("a document")
    (tmp_path / "part").mkdir()
    (tmp_path / "part" / "b.jsonl").write_text('{"text": "a row"}')
    sources = [document.source for document in read(tmp_path)[0]]
    assert sources == ["a.txt", "inputs/failures.jsonl#L1", "part/b.jsonl#L1"]
    assert [note.source for note in notes(tmp_path)] == ["."]


def test_a_file_that_only_has_a_runs_name_is_a_document(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text('{"text": "a run in the woods"}')
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "a.txt").write_text("a ship's log")
    assert [document.source for document in read(tmp_path)[0]] == ["logs/a.txt", "run.json#L1"]
