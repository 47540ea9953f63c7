"""How well a judge tells supported from unsupported, and contradicted from not: the faults that no free check can see.

    python -m benchmarks.grounded --work /tmp/grounded                      # the embedded model of 1.5 billion parameters
    python -m benchmarks.grounded --work /tmp/grounded --config mine.yaml --pipeline correction   # a config's judge, or large model

The cases are those of `benchmarks.checks`, with known faults; they go through the program's own `ground` stage, with the
prompt of a shipped pipeline. A command that was stopped goes on. With `--scripted` the judge always agrees: it proves the plumbing, and
shows what looking up its quotes catches by itself.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from augment_correction.config import load_config
from augment_correction.progress import live_display
from augment_correction.project import bundled
from augment_correction.runner import run
from benchmarks.checks import Case, build

SEEN = ("unsupported", "other_passage", "also_true", "paraphrase")
"""Faults that the check is there for."""
FIELDS = {
    "initial_question": "initial_question",
    "flawed_answer": "flawed_answer",
    "followup_confirmation": "followup_confirmation",
    "correct_answer": "correct_answer",
    "correct_answer_draft": "correct_answer",
}
"""What a prompt may read of a case, and where it stands there. Small models write an answer before the conversation, and
repeat it in the reply."""


def judged_by(pipeline: str) -> dict[str, Any]:
    """A pipeline that takes finished conversations and has a shipped one's `grounded` stage judge them."""
    shipped = yaml.safe_load((bundled() / f"pipelines/{pipeline}.yaml").read_text("utf-8"))
    stage = next(stage for stage in shipped["stages"] if stage.get("name") == "grounded")
    left_out = {True, "only", "doubt_says", "rest_right"}  # YAML reads the key `on` as True
    taken = {key: value for key, value in stage.items() if key not in left_out}
    composed = {
        "stage": "compose",
        "kind": "correct_after_mistake",
        "turns": [
            {"role": "user", "text": "initial_question"},
            {"role": "assistant", "text": "flawed_answer", "is": "mistake"},
            {"role": "user", "text": "followup_confirmation"},
            {"role": "assistant", "text": "correct_answer", "is": "correction"},
        ],
    }
    return {"name": "grounded_only", "takes": {name: name for name in FIELDS}, "stages": [taken, composed]}


def chosen_cases(each: int, good: int, seed: int) -> list[Case]:
    taken: Counter[str | None] = Counter()
    cases = []
    for case in build(seed):
        limit = good if case.fault is None else each if case.fault in SEEN else 0
        if taken[case.fault] < limit:
            taken[case.fault] += 1
            cases.append(case)
    return cases


def prepare(work: Path, cases: list[Case], config: Path | None, pipeline: str = "correction_small") -> Path:
    """A project with a document per case; identical passages are told apart by a number below them."""
    for folder in ("pipelines", "inputs"):
        (work / folder).mkdir(parents=True, exist_ok=True)
    rows = [
        {
            **{name: case.fields[field] for name, field in FIELDS.items()},
            "text": f"{case.fields['passage']}\n\n({number})",
        }
        for number, case in enumerate(cases, 1)
    ]
    (work / "inputs/cases.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (work / "pipelines/grounded_only.yaml").write_text(yaml.safe_dump(judged_by(pipeline), sort_keys=False))
    api = yaml.safe_load((config or bundled() / "configs/correction.yaml").read_text())["api"]
    made = {
        "pipeline": "grounded_only",
        "api": api,
        "path": {"input_dir": "inputs", "output_dir": "out"},
        "system": {"prompt_template": "chatml"},
    }
    path = work / "config.yaml"
    path.write_text(yaml.safe_dump(made))
    return path


def outcomes(work: Path) -> dict[int, str]:
    """What became of each case: `kept`, or the reason."""
    ends: dict[int, str] = defaultdict(lambda: "kept")
    for line in (work / "out/rejected.jsonl").read_text().splitlines():
        row = json.loads(line)
        ends[int(row["source"].rpartition("#L")[2])] = row["reason"]
    return ends


def table(cases: list[Case], ends: Mapping[int, str]) -> str:
    by_fault: dict[str, Counter[str]] = defaultdict(Counter)
    for number, case in enumerate(cases, 1):
        by_fault[case.fault or "good"][ends[number]] += 1
    reasons = ["kept", *sorted({reason for each in by_fault.values() for reason in each} - {"kept"})]
    lines = ["| cases | of | " + " | ".join(reasons) + " |", "| --- " * (len(reasons) + 2) + "|"]
    for name in ("good", *SEEN):
        counts = by_fault[name]
        lines.append(f"| {name} | {counts.total()} | " + " | ".join(str(counts[reason]) for reason in reasons) + " |")
    caught = sum(by_fault[name].total() - by_fault[name]["kept"] for name in SEEN)
    bad = sum(by_fault[name].total() for name in SEEN)
    wrong = by_fault["good"].total() - by_fault["good"]["kept"]
    precision = caught / (caught + wrong) if caught + wrong else 0.0
    lines.append(f"\nprecision {precision:.2f}, recall {caught / bad:.2f}: {caught} of {bad} faults dropped, and {wrong} of "
                 f"{by_fault['good'].total()} good rows")  # fmt: skip
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--config", type=Path, help="its `api` section is used")
    parser.add_argument(
        "--pipeline", default="correction_small", help="whose `grounded` stage judges (default: %(default)s)"
    )
    parser.add_argument("--each", type=int, default=23, help="cases of each fault")
    parser.add_argument("--good", type=int, default=77)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scripted", action="store_true")
    chosen = parser.parse_args()
    cases = chosen_cases(chosen.each, chosen.good, chosen.seed)
    path = prepare(chosen.work.resolve(), cases, chosen.config, chosen.pipeline)
    scripted: dict[str, Any] = {"model": "agrees", "mode": "scripted"}
    config = load_config(path, [f"api={{large: {json.dumps(scripted)}}}"] if chosen.scripted else [])
    result = run(config, watch=live_display)
    if result.counts["pending"]:
        raise SystemExit("stopped: the same command goes on")
    print(table(cases, outcomes(chosen.work)))
    print(f"{result.seconds:.0f} s, {result.tokens}")


if __name__ == "__main__":
    main()
