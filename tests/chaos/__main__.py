"""`python -m tests.chaos [--short] [--seed N] [--only WORDS]`: breaks real runs in every way we could think of, and
prints what became of them. Ends with 1 where anything was lost, paid twice without need, or came out otherwise."""

from __future__ import annotations

import argparse
import os
import sys
import time

from tests.chaos.suite import run_suite
from tests.guard import sitecustomize as guard


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--short", action="store_true", help="the form that runs with all other tests")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="only faults whose name holds these words")
    arguments = parser.parse_args()
    places = [os.path.dirname(guard.__file__), os.environ.get("PYTHONPATH", "")]  # noqa: PTH120
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, places))  # no process reaches more than this machine
    began = time.monotonic()
    text, broken = run_suite(
        short=arguments.short, seed=arguments.seed, only=arguments.only, say=lambda line: print(line, file=sys.stderr)
    )
    print(text)
    print(f"{time.monotonic() - began:.0f} s, {len(broken)} broken, seed {arguments.seed}")
    for name, why in broken.items():
        print(f"\nBROKEN: {name}\n{why}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
