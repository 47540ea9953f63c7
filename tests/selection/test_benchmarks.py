"""What a benchmark and a conversation have in common, and what is wrong with a benchmark's file."""

from __future__ import annotations

import random
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augment_correction.errors import ConfigError
from augment_correction.selection import Benchmarks
from augment_correction.selection.benchmarks import words_of
from augment_correction.selection.texts import read_texts
from tests.selection.making import candidate

LONG = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"


def benchmarks(folder: Path, text: str, name: str = "bench.txt", ngram: int = 13) -> Benchmarks:
    (folder / name).write_text(text, "utf-8")
    return Benchmarks({name: folder / name}, ngram)


class TestShared:
    def test_words_in_a_row_in_any_turn(self, tmp_path: Path) -> None:
        made = benchmarks(tmp_path, f"Nothing here.\n\nAs said: {LONG}, and so on.")
        assert (
            made.left_out(candidate("Q?", answer="One, two; THREE four five six seven eight nine ten eleven.")) is None
        )
        left_out = made.left_out(candidate("Q?", answer=f"Zero {LONG.upper()} sixteen"))
        assert left_out and left_out.reason == "in_benchmark"
        assert left_out.detail == f'bench.txt, line 3: shares "{LONG}"'

    def test_a_short_item_only_as_a_whole(self, tmp_path: Path) -> None:
        made = benchmarks(tmp_path, "Who was the first keeper of Pell?\nToo short by far.")
        assert made.find(candidate("Tell me, who was the first keeper of Pell, please, if you know it at all?"))
        assert made.find(candidate("Tell me, who was the first keeper of the mill, please, if you know it?")) is None
        assert made.find(candidate("What, too short by far, is this, and who was it that made it?")) is None

    def test_a_question_that_is_nearly_the_same(self, tmp_path: Path) -> None:
        made = benchmarks(tmp_path, "What is gravity made of?")
        found = made.find(candidate("What is gravity made off?"))
        assert found and found.similarity and found.shared is None

    def test_writing_without_spaces(self, tmp_path: Path) -> None:
        made = benchmarks(tmp_path, "この橋は千七百年に石工の組合によって建てられました")
        assert made.find(candidate("質問", answer="実は、この橋は千七百年に石工の組合によって建てられた。"))
        assert words_of("橋は old bridge") == ["橋", "は", "old", "bridge"]

    @given(st.randoms(), st.integers(4, 9), st.integers(0, 12))
    def test_as_a_search_for_the_words_finds_it(
        self, tmp_path_factory: pytest.TempPathFactory, draw: random.Random, ngram: int, length: int
    ) -> None:
        item, answer = ([draw.choice("abcdef") for _ in range(number)] for number in (length, 30))
        made = benchmarks(tmp_path_factory.mktemp("b"), " ".join(item) + " .", ngram=ngram)
        needed = ngram if length >= ngram else length if length >= 6 else 99
        runs = {tuple(item[at : at + needed]) for at in range(length - needed + 1)}
        there = any(tuple(answer[at : at + needed]) in runs for at in range(30 - needed + 1))
        found = made.find(candidate("A question of quite another sort", answer=" ".join(answer)))
        assert bool(found) == there
        assert not found or f" {found.shared} " in f" {' '.join(answer)} "


class TestFiles:
    def test_every_string_of_every_format(self, tmp_path: Path) -> None:
        rows = [{"question": "Q1", "choices": ["a", "b"], "answer": 3}, {"question": "Q2", "meta": {"by": "x"}}]
        (tmp_path / "a.jsonl").write_bytes(b"\n".join(map(orjson.dumps, rows)))
        (tmp_path / "a.json").write_bytes(orjson.dumps({"data": rows}))
        (tmp_path / "a.csv").write_text('id,question\n1,"Q1, and\nmore"\n')
        (tmp_path / "a.txt").write_text("\ufefffirst\nsecond\n\nthird\n", "utf-8")
        read = {path.suffix: list(read_texts(path)) for path in tmp_path.iterdir()}
        assert read[".jsonl"] == [
            ("line 1 question", "Q1"), ("line 1 choices[0]", "a"), ("line 1 choices[1]", "b"),
            ("line 2 question", "Q2"), ("line 2 meta by", "x"),
        ]  # fmt: skip
        assert ("data[1] meta by", "x") in read[".json"]
        assert read[".csv"][2:] == [("line 3", "1"), ("line 3", "Q1, and\nmore")]
        assert read[".txt"] == [
            ("line 1", "first"),
            ("line 2", "second"),
            ("lines 1 to 2", "first second"),
            ("line 4", "third"),
        ]

    def test_what_was_compared(self, tmp_path: Path) -> None:
        made = benchmarks(tmp_path, LONG)
        made.left_out(candidate("Why?"))
        made.left_out(candidate(LONG))
        told = made.report()
        assert (told["compared"], told["runs"], told["files"]) == (2, 3, [{"file": "bench.txt", "texts": 1}])
        assert [(row["file"], row["place"], row["shared"]) for row in told["removed"]] == [
            ("bench.txt", "line 1", LONG)
        ]

    @pytest.mark.parametrize(
        ("name", "content", "message"),
        [
            ("a.jsonl", b'{"q": "x"}\n{"q": ', "after 'line 1 q'"),
            ("a.json", b"{", "after 'its start'"),
            ("a.txt", b"good\n" + bytes(range(8)) * 9, "control characters that no text has"),
            ("a.parquet", b"PAR1", r"'\.parquet' cannot be read"),
            ("missing.txt", None, "No such file"),
        ],
    )
    def test_what_cannot_be_read(self, tmp_path: Path, name: str, content: bytes | None, message: str) -> None:
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(ConfigError, match=message):
            list(read_texts(tmp_path / name))
