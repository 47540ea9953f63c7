"""In the place of a training, which takes minutes: it reads what it is handed, says what a training says, and leaves a version behind.

python training.py CONFIG SECONDS OUTCOME EXIT_CODE
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from augment_correction.corrections.config import load_chat
from augment_correction.corrections.versions import Version, Versions

STEPS = 6
KINDS = {"efficacy": (0.0, 1.0), "paraphrase": (0.1, 0.9), "neighbour": (0.96, 0.95), "pushback": (0.4, 0.8)}


def main(path: str, wait: str, outcome: str, code: int) -> None:
    config = load_chat(path)
    approved = config.store.all("approved")
    count = len(approved)
    print(
        f"began\nwriting: passages {count}/{count}, tokens in 9,862 out 9,252, 0.05 USD; wordings {count}", flush=True
    )
    for step in range(1, STEPS + 1):
        pause(wait, step)
        print(f"step {step} of {STEPS}: loss {4 / step:.3f}, grad norm 1.3", flush=True)
    if code not in (0, 3):
        print("error: the disk is full", flush=True)
        sys.exit(code)
    folder = config.folder / "rounds" / f"{len(Versions(config.folder).all()) + 1}"
    folder.mkdir(parents=True)
    kinds = {
        kind: {"asked": 20, "models": {"base": {"rate": {"value": base}}, "tuned": {"rate": {"value": tuned}}}}
        for kind, (base, tuned) in KINDS.items()
    }
    (folder / "evaluation.json").write_text(json.dumps({"probes": {"kinds": kinds}}))
    (folder / "evaluation.html").write_text("<!doctype html><title>Evaluation</title><p>Every question and answer")
    print("writing: questions 20/20, 0.01 USD", flush=True)
    made = Versions(config.folder).add(
        Version(
            0, None, "base", "sft", tuple(each.id for each in approved), f"hash{count}", str(folder / "adapter"),
            str(folder / "evaluation.json"), str(folder / "evaluation.html"), outcome, ("efficacy 95 %, wanted 90 %",), "2026-01-01",
        )
    )  # fmt: skip
    print(f"version {made.id}: {outcome.upper()}", flush=True)
    sys.exit(code)


def pause(wait: str, step: int) -> None:
    if wait.replace(".", "").isdecimal():
        time.sleep(float(wait) / STEPS)
        return
    while step > STEPS // 2 and not Path(wait).exists():
        time.sleep(0.05)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
