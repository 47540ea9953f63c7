"""Whether another trainer trains of each row what the run's mask says.

    python -m tests.trainers.check llamafactory --python VENV/bin/python --exports OUTPUT_DIR/exports --model FOLDER

`VENV` is an environment in which that trainer is installed (docs/guides/export.md names the versions that were tried); the exports are
`openai`, `sharegpt` and `trl`, the last with that model's tokenizer, and for LLaMA-Factory `llamafactory`, `dpo` and `kto`. Exit code 1 where a reader that should keep the mask does not.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path

MARKS = re.compile(r"<\|im_(?:start|end)\|>(?:assistant\n)?|\s+")
FREE = {"openai, torchtune's own transform"}
"""Readers that are known to train the mistakes; the documents warn of them."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trainer", choices=("llamafactory", "torchtune", "unsloth"))
    parser.add_argument("--python", type=Path, required=True)
    parser.add_argument("--exports", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    given = parser.parse_args()
    ran = subprocess.run(
        [given.python, Path(__file__).with_name("inside.py"), given.trainer, given.exports.resolve(), given.model.resolve()],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    expected, failed = wanted(given.exports), False
    for name, rows in json.loads(ran.stdout.strip().splitlines()[-1]).items():
        if ": " in name:
            should = replies(given.exports, name)
            right = sum(same(*each) for each in zip(rows, should, strict=False))
            print(
                f"{given.trainer}: {name}: {right} of {len(should)} replies as they are written, {len(rows)} rows read"
            )
            failed |= not right == len(should) == len(rows)
            continue
        counts = {
            mask: sum(same(*each) for each in zip(rows, texts, strict=True))
            for mask, texts in expected.items()
            if len(texts) == len(rows)
        }
        told = ", ".join(f"{count} {mask}" for mask, count in counts.items()) or "as labels"
        print(f"{given.trainer}: {name}: {len(rows)} rows read; trained: {told}")
        failed |= name not in FREE and bool(counts) and max(counts.values()) < len(rows)
    return int(failed)


def wanted(exports: Path) -> dict[str, list[str]]:
    """What each row should train: every answer that the mask trains, or the last one alone."""
    lines = (exports / "openai/conversations.jsonl").read_text("utf-8").splitlines()
    answers = [[each for each in json.loads(line)["messages"] if each["role"] == "assistant"] for line in lines]
    return {
        "as the mask says": ["".join(each["content"] for each in row if each["weight"]) for row in answers],
        "the last answer": [row[-1]["content"] for row in answers],
    }


def replies(exports: Path, name: str) -> list[str]:
    """The better (`chosen`, `True`) or worse replies of `dpo` or `kto`, whose rows TRL reads."""
    kind, side = name.removeprefix("llamafactory, ").split(": ")
    rows = map(json.loads, (exports / kind / "train.jsonl").read_text("utf-8").splitlines())
    if kind == "dpo":
        return [row[side][0]["content"] for row in rows]
    return [row["completion"][0]["content"] for row in rows if str(row["label"]) == side]


def same(trained: str, text: str) -> bool:
    """But for spaces and the marks of ChatML."""
    return MARKS.sub("", trained) == MARKS.sub("", text)


if __name__ == "__main__":
    sys.exit(main())
