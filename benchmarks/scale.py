"""What a run costs as it grows: `python -m benchmarks.scale [--sizes 1000 10000 100000]`.

The scripted model answers, so that nothing but our own work is measured (and the model's own: it writes its replies
from templates and counts tokens). Each size runs twice, each time in a process of its own: once from nothing, once
again over what it has finished. CPU is user + system of that process; the reader is the process beside it that cuts
documents into passages. Files are bytes on disk per passage, so that linear growth shows as a flat column.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

GROUPS = ("journal.sqlite", "debug_outputs", "report_data", "report.html", "axolotl_correction_conversations.json")
SUBJECTS = (
    "The harbour",
    "A miller",
    "The river Tessel",
    "The signal tower",
    "Her engine",
    "The old canal",
    "A glacier",
)
VERBS = ("was built", "lay idle", "was measured", "changed hands", "froze over", "was described", "fell silent")
PLACES = ("near the lower bridge", "in the valley of Orrin", "on the north shore", "behind the mill", "at the weir")
REASONS = (
    "because the salt trade had moved to the coast",
    "after the guild of masons had refused the contract",
    "although nobody in the town had asked for it",
    "so that the keeper had to ring the bell by hand",
    "while the tide table of the harbour master was wrong by an hour",
)


def passages(count: int) -> Iterator[str]:
    """Short English, no two alike: about 60 tokens each. One in fifty is a table of contents, which is filtered."""
    rng = random.Random(count)
    for number in range(count):
        if number % 50 == 49:
            yield f"Table of contents of volume {number}. The harbour, page {number % 90}. The mill, page 97. Index."
            continue
        made = []
        for _ in range(3):
            parts = [rng.choice(words) for words in (SUBJECTS, VERBS, PLACES, REASONS)]
            made.append(f"{parts[0]} {parts[1]} {parts[2]} in {rng.randrange(1200, 1990)}, {parts[3]}.")
        yield f"Ledger {number} of the town says this. " + " ".join(made)


def prepare(folder: Path, count: int) -> None:
    (folder / "inputs").mkdir()
    with (folder / "inputs" / "passages.jsonl").open("w") as file:
        for text in passages(count):
            file.write(json.dumps({"text": text}) + "\n")
    roles = ("small", "large")
    config = {
        "pipeline": "correction",
        "api": {f"{role}_{key}": value for role in roles for key, value in (("mode", "scripted"), ("model", role))},
        "path": {"input_dir": "./inputs", "output_dir": "./out"},
        "system": {"prompt_template": "chatml"},
    }
    (folder / "config.yaml").write_text(json.dumps(config))


def run_once(folder: Path) -> None:
    """In a process of its own, for a clean peak and clean CPU times; prints them as JSON."""
    from augment_correction import load_config, run

    phases: Counter[str] = Counter()
    config = load_config(folder / "config.yaml")
    imported, begun = time.process_time(), time.monotonic()
    result = run(config, watch=_Phases(phases))
    own, reader = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    print(
        json.dumps(
            {
                "chunks": result.counts["chunks"],
                "kept": result.kept,
                "wall": time.monotonic() - begun,
                "cpu": time.process_time() - imported,
                "cpu_reader": reader.ru_utime + reader.ru_stime,
                "peak_mb": own.ru_maxrss / 1024,
                "peak_reader_mb": reader.ru_maxrss / 1024,
                **phases,
            }
        )
    )


class _Phases:
    """Enters as the run's display would; notes when the writing of files began."""

    def __init__(self, phases: Counter[str]) -> None:
        self._phases = phases

    def __call__(self, state: Any) -> _Phases:
        self._state = state
        phases, kind = self._phases, type(state)

        class Noting(kind):  # type: ignore[misc,valid-type]
            def __setattr__(self, name: str, value: Any) -> None:
                if name == "phase" and value == "writing":
                    phases["cpu_before_writing"] = time.process_time()  # type: ignore[assignment]
                    own = resource.getrusage(resource.RUSAGE_SELF)
                    phases["peak_before_writing_mb"] = own.ru_maxrss / 1024  # type: ignore[assignment]
                super().__setattr__(name, value)

        state.__class__ = Noting
        return self

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        self._phases["cpu_writing"] = time.process_time() - self._phases.pop("cpu_before_writing", 0)  # type: ignore[assignment]


def sizes_on_disk(output: Path) -> Counter[str]:
    """Bytes by group, all else under `other`."""
    sizes: Counter[str] = Counter()
    for folder, _, names in os.walk(output):
        for name in names:
            path = Path(folder, name)
            top = path.relative_to(output).parts[0]
            group = top if top in GROUPS else "journal.sqlite" if top.startswith("journal.") else "other"
            sizes[group] += path.stat().st_size
    return sizes


def measure(folder: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.scale", "--once", str(folder)]
    ended = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    made: dict[str, Any] = json.loads(ended.stdout.strip().splitlines()[-1])
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 10_000, 100_000])
    parser.add_argument("--folder", type=Path, help="where to work (default: the system's temporary folder)")
    parser.add_argument("--once", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.once:
        run_once(arguments.once)
        return
    print(
        f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; CPU in ms per passage, memory in MB, files in bytes"
    )
    heads = ("passages", "run", "CPU", "writing", "reader", "CPU s", "wall s", "peak", "before writing", "reader")
    print("  ".join(f"{head:>8}" for head in heads))
    files: dict[int, Counter[str]] = {}
    for size in arguments.sizes:
        with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
            prepare(Path(name), size)
            for kind in ("first", "resumed"):
                made = measure(Path(name))
                each = 1000 / made["chunks"]
                row = (
                    f"{made['chunks']}", kind, f"{made['cpu'] * each:.3f}", f"{made['cpu_writing'] * each:.3f}",
                    f"{made['cpu_reader'] * each:.3f}", f"{made['cpu']:.1f}", f"{made['wall']:.1f}",
                    f"{made['peak_mb']:.0f}", f"{made['peak_before_writing_mb']:.0f}", f"{made['peak_reader_mb']:.0f}",
                )  # fmt: skip
                print(
                    "  ".join(f"{cell:>{max(8, len(head))}}" for cell, head in zip(row, heads, strict=True)), flush=True
                )
            files[size] = sizes_on_disk(Path(name) / "out")
    print("\nbytes per passage  " + "  ".join(f"{size:>9}" for size in files))
    for group in (*GROUPS, "other"):
        cells = (f"{sizes[group] / size:>9.1f}" for size, sizes in files.items())
        print(f"{group.split('.')[0][:18]:<18} " + "  ".join(cells))


if __name__ == "__main__":
    main()
