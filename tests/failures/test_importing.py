from __future__ import annotations

from pathlib import Path

from augment_correction.failures import PIPELINE, conversations, only_failures, quiet_config, read_files
from tests.training.making import critiqued, failures, hard


def test_a_conversation_knows_its_file_and_line(tmp_path: Path) -> None:
    a = failures(tmp_path / "a.jsonl", [*critiqued([1]), {"instruction": "Q"}, *hard([2])])
    b = failures(tmp_path / "b.jsonl", [*hard([2]), {"messages": [{"role": "assistant", "content": "So."}]}])
    read = read_files([(a, None), (b, None)])
    made = conversations(read, quiet_config(PIPELINE, tmp_path / "made", 3))
    places = [(each.provenance["file"], each.provenance["line"], each.kind) for each, _ in made]
    assert places == [
        (str(a), 1, "correct_after_mistake"), (str(a), 3, "plain"), (str(b), 2, "messages"),
    ]  # fmt: skip
    assert [source.path for _, source in made] == [a, a, b]
    assert [(source.read, source.kept) for source in read.sources] == [(3, 2), (2, 1)]
    assert [(each.line, each.reason) for each in read.problems] == [(2, "missing_reference"), (1, "duplicate")]
    assert read.problems[1].detail == f"says the same as {a}:3"


def test_a_conversation_is_no_failure(tmp_path: Path) -> None:
    rows = [*hard([1]), {"messages": [{"role": "assistant", "content": "So."}]}]
    read = read_files([(failures(tmp_path / "a.jsonl", rows), None)])
    assert len(only_failures(read)) == 1
    assert read.sources[0].rejected == {"conversation": 1} and "--data" in read.problems[0].remedy
