"""A run whose model is a folder: requests and replies are files, and two runs are compared."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks.replay.asking import ask
from benchmarks.replay.pairs import CHOICE, preference, sign_test, write_pairs
from benchmarks.replay.table import summary, table
from tests.servers import facts

SYSTEM = {"chunk_size": 200, "chunk_unit": "characters", "min_chunk": 10}
TAGS = re.compile(r"<(\w+)>\.\.\.</")


def reply_to(messages: list[dict[str, str]], opening: str) -> str:
    """What a model of few words says: it names the fact of the passage, or another one."""
    if "Verdict:" in messages[0]["content"]:
        return "Reason: It states a fact.\nVerdict: suitable"
    passage = messages[-1]["content"].partition("<passage>\n")[2].partition("\n</passage>")[0]
    number = re.findall(r"\d+", passage)[0]
    said = {
        "initial_question": f"What is known of the bridge that has to do with {number}?",
        "flawed_answer": "All of that is a legend of the shore, and none of it can be shown by any record.",
        "followup_confirmation": "I doubt that, to be honest.",
        "correct_answer": f"{opening} {passage.splitlines()[0]}",
        "standing_answer": f"{opening} {passage.splitlines()[0]} That is what the records have.",
    }
    asked = dict.fromkeys(TAGS.findall(messages[0]["content"]))
    return "\n".join(f"<{tag}>{said[tag]}</{tag}>" for tag in asked)


@contextmanager
def client(folder: Path, opening: str) -> Iterator[None]:
    """Answers whatever appears in the folder: it knows nothing but the files."""
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            for path in (folder / "requests").glob("*.json"):
                reply = folder / "replies" / f"{path.stem}.txt"
                if not reply.exists():
                    part = reply.with_suffix(".part")
                    part.write_text(reply_to(json.loads(path.read_text())["messages"], opening))
                    part.replace(reply)
            time.sleep(0.05)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@pytest.fixture(scope="module")
def two_runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    root = tmp_path_factory.mktemp("replay")
    documents = root / "documents"
    documents.mkdir()
    (documents / "facts.txt").write_text("\n\n".join(facts(range(30))))
    for name, opening in (("old", "You are right, I was wrong."), ("new", "The records settle it:")):
        with client(root / name, opening):
            assert ask(root / name, documents, 6, system=SYSTEM).kept == 6
    return root / "old", root / "new"


def test_any_client_plays_the_model_and_a_second_run_asks_nothing(two_runs: tuple[Path, Path]) -> None:
    old, _ = two_runs
    requests = sorted((old / "requests").glob("*.json"))
    assert len(requests) == 12, "a judgement and a conversation for each of six passages"
    documents = old.parent / "documents"
    assert ask(old, documents, 6, system=SYSTEM).kept == 6, "without a client"
    assert sorted((old / "requests").glob("*.json")) == requests


def test_the_table_tells_the_two_apart(two_runs: tuple[Path, Path]) -> None:
    old, new = two_runs
    before, after = summary(old), summary(new)
    assert (before.agrees, after.agrees) == (6, 0)
    assert (before.kept, before.passages, before.kinds) == (after.kept, after.passages, after.kinds), "the same draws"
    rows = table(two_runs).splitlines()
    assert rows[0] == "| | old | new |"
    assert "| last answers that begin by agreeing | 6 of 6 | 0 of 6 |" in rows


def test_a_reader_compares_without_knowing_which_is_which(two_runs: tuple[Path, Path], tmp_path: Path) -> None:
    assert write_pairs(*two_runs, tmp_path, 5, 1) == 5
    for number, path in enumerate(sorted(tmp_path.glob("*.md"))):
        text = path.read_text()
        first, second = text.split("# Conversation")[1:]
        assert ("You are right" in first) != ("You are right" in second)
        better = "0" if number == 0 else "1" if "You are right" in second else "2"
        path.write_text(text.replace(CHOICE, f"{CHOICE} {better}"))
    assert write_pairs(*two_runs, tmp_path, 5, 1) == 5, "marks stay"
    told = preference(tmp_path)
    assert "new 4" in told and "old 0" in told and "neither 1" in told
    assert told.endswith(f"{sign_test(4, 4):.3f}") and sign_test(4, 4) == 0.125
