from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks import replay
from benchmarks.replay.asking import ask
from benchmarks.replay.pairs import preference, write_pairs
from benchmarks.replay.table import table


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.replay",
        description=replay.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    asking = commands.add_parser("ask", help="a run whose models are files")
    asking.add_argument("folder", type=Path, help="where requests, replies and the run are")
    asking.add_argument("--input", type=Path, required=True, help="a folder of documents")
    asking.add_argument("-n", "--count", type=int, default=16, help="passages (default: %(default)s)")
    asking.add_argument("--at", metavar="REVISION", help="prompts and pipelines as git has them there")
    asking.add_argument("--config", type=Path, help="models of this config instead of files")
    asking.add_argument(
        "--checks",
        nargs="+",
        default=[],
        metavar="CHECK",
        help="of the pipeline, turned on: grounded, grounded_standing, reading",
    )
    asking.add_argument("--seed", type=int, default=42, help="of passages and draws (default: %(default)s)")
    asking.add_argument("--pipeline", default="correction", help="default: %(default)s")
    tables = commands.add_parser("table", help="runs side by side")
    tables.add_argument("folders", type=Path, nargs="+")
    pairs = commands.add_parser("pairs", help="conversations of two runs for a reader who does not know which is which")
    pairs.add_argument("one", type=Path)
    pairs.add_argument("other", type=Path)
    pairs.add_argument("folder", type=Path)
    pairs.add_argument("-n", "--count", type=int, default=40, help="default: %(default)s")
    pairs.add_argument("--seed", type=int, default=1, help="of the hidden order (default: %(default)s)")
    preferring = commands.add_parser("preference", help="what the reader preferred")
    preferring.add_argument("folder", type=Path)
    given = parser.parse_args()
    if given.command == "ask":
        result = ask(
            given.folder,
            given.input,
            given.count,
            revision=given.at,
            config=given.config,
            pipeline=given.pipeline,
            checks=given.checks,
            system={"seed": given.seed},
        )
        print(f"{result.kept} of {result.counts['chunks']} passages kept: {result.folder}")
        return int(result.exit_code)
    if given.command == "table":
        print(table(given.folders))
    elif given.command == "pairs":
        print(f"{write_pairs(given.one, given.other, given.folder, given.count, given.seed)} pairs in {given.folder}")
    else:
        print(preference(given.folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
