"""What the selection of a run costs: `python -m benchmarks.selection [--rows 100000] [--runs 1000000]`.

Makes a journal of that many kept conversations (a question of 15 words and three answers of 50, all random, one question
in ten nearly the same as an earlier one, 200 documents) and a benchmark of that many runs of 13 words, and applies every
rule at once. Memory is what the process grows by at its peak, beside the journal's own page cache.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from augment_correction.project import Project
from augment_correction.records import Chunk, Conversation, Turn, content_id
from augment_correction.results.selecting import select
from augment_correction.store import Database, Outcome, Results, RunFolder
from augment_correction.store.results import SCHEMA

LETTERS = "abcdefghijklmnoprstuvwy"


def texts(rng: random.Random) -> Any:
    words = ["".join(rng.choice(LETTERS) for _ in range(rng.randint(2, 9))) for _ in range(20_000)]
    return lambda count: " ".join(rng.choices(words, k=count))


async def prepare(folder: Path, rows: int) -> Database:
    rng = random.Random(1)
    text, asked = texts(rng), ["What is it?"]
    database = Database(folder / "journal.sqlite", SCHEMA)
    results = Results(database, "plan")
    await results.begin()
    for number in range(rows):
        passage = f"{number} {text(60)}"
        chunk = Chunk(content_id(passage), f"doc{number % 200}", number, passage, 0, 9, 60)
        question = f"What is {text(12)}?" if rng.random() > 0.1 else f"{rng.choice(asked)} now"
        asked.append(question)
        turns = [Turn("user", question, True), Turn("assistant", text(50), False), Turn("assistant", text(50), True)]
        made = Conversation(content_id(passage, "c"), rng.choice("aaab"), tuple(turns), True, {"error_type": "date"})
        source = f"document {number % 200}.txt"
        results.write(results.add_place(number, chunk, source, source), results.add_chunk(number, chunk))
        results.add_outcomes([Outcome(chunk.id, 0, "kept", None, None, {"conversation": made, "steps": []})])
        if number % 20_000 == 0:
            await database.flush()
    await database.flush()
    return database


def benchmark(path: Path, runs: int) -> None:
    text = texts(random.Random(2))
    path.write_text("".join(json.dumps({"question": text(62)}) + "\n" for _ in range(runs // 50)))


def resident() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / 1e6


def plan(folder: Path, **wanted: Any) -> Any:
    """As much of one as a selection looks at."""
    selection = {"duplicates": None, "across": (), "benchmarks": (), "benchmark_ngram": 13, "at_most": {}}
    config = SimpleNamespace(
        system=SimpleNamespace(seed=1),
        gate=SimpleNamespace(share=wanted.pop("share", 0.0)),
        selection=SimpleNamespace(**selection | wanted),
        output=SimpleNamespace(formats=()),
        project=Project(folder),
    )
    return SimpleNamespace(config=config, folder=RunFolder(folder), pipeline=SimpleNamespace(compositions=()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=1_000_000, help="runs of words of the benchmark")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        database = asyncio.run(prepare(folder, arguments.rows))
        benchmark(folder / "bench.jsonl", arguments.runs)
        print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; {arguments.rows:,} rows")
        cases: dict[str, dict[str, Any]] = {
            "nothing": {},
            "duplicates": {"duplicates": 0.8},
            "gate": {"share": 0.05},
            "balance": {"at_most": {"document": 0.006, "kind": 0.5}},
            "benchmark": {"benchmarks": ("bench.jsonl",)},
        }
        cases["all"] = {key: value for case in cases.values() for key, value in case.items()}
        results = Results(database, "plan")
        for case, wanted in cases.items():
            (folder / "gate.jsonl").unlink(missing_ok=True)
            Path("/proc/self/clear_refs").write_text("5")  # resets the peak
            before, begun, used = resident(), time.monotonic(), time.process_time()
            select(plan(folder, **dict(wanted)), results)
            peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
            counts = results.counts()
            print(
                f"{case:<11} {time.monotonic() - begun:6.1f} s  {time.process_time() - used:6.1f} s CPU"
                f"  {int(peak.split()[1]) / 1e3 - before:6.0f} MB  kept {counts['kept']}, gate {counts['gate']}, "
                f"{counts['reasons']}",
                flush=True,
            )
        database.close()


if __name__ == "__main__":
    main()
