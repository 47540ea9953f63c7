"""A trainer and a gate that do as the files of a folder tell them: python fakes.py train|gate CONTROL ...

`hold` there: the training waits until it is gone. `exit_codes`: those of its next starts, one a line. `verdict`: the
gate's, `report` what it leaves. Every start is a line of `starts`. SIGINT writes a checkpoint and exits 130, unless `deaf` is there.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType


def main(what: str, control_dir: str, *flags: str) -> int:
    """Also called in the tests' own process, where nothing has to be waited for or signalled (`world.Prompt`)."""
    control = Path(control_dir)
    options = dict(zip(flags[::2], flags[1::2], strict=True))
    with (control / "starts").open("a") as file:
        file.write(json.dumps({"what": what, "pid": os.getpid(), **options}) + "\n")
    print(f"{what} began", flush=True)
    return train(control, Path(options["--output_dir"])) if what == "train" else gate(control, options["--out"])


def end_at_signals(control: Path, out: Path) -> None:
    def checkpoint(number: int, frame: FrameType | None) -> None:
        if (control / "deaf").exists():
            return
        (out / "checkpoint-1").mkdir(exist_ok=True)
        (out / "checkpoint-1" / "state").write_text("1")
        os._exit(130)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, checkpoint)


def train(control: Path, out: Path) -> int:
    if __name__ == "__main__":
        end_at_signals(control, out)
    (control / "ready").touch()
    while (control / "hold").exists():
        time.sleep(0.02)
    codes = (control / "exit_codes").read_text().split() if (control / "exit_codes").exists() else []
    if codes:
        (control / "exit_codes").write_text("\n".join(codes[1:]))
        print(f"the fake ends with {codes[0]}", flush=True)
        if codes[0] != "0":
            return int(codes[0])
    (out / "final").mkdir(exist_ok=True)
    (out / "final" / "adapter_config.json").write_text("{}")
    return 0


def gate(control: Path, out: str) -> int:
    report = Path(out) / "evaluation" / "evaluation.json"
    report.parent.mkdir(exist_ok=True)
    told = control / "report"
    report.write_text(told.read_text() if told.exists() else '{"accuracy": 0.5}')
    return int((control / "verdict").read_text()) if (control / "verdict").exists() else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
