"""`monitor`: what the training-time monitor left, and whether training on it helped."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from augment_correction.cli import Json, Overrides, app
from augment_correction.cli.answers import (
    Adapter,
    BaseUrl,
    ConfigFile,
    Model,
    ModeOption,
    asking_config,
    print_paid,
)
from augment_correction.cli.helping import Commands
from augment_correction.folders import size_of
from augment_correction.terminal import say, tell

if TYPE_CHECKING:
    from augment_correction.monitor.impact import Impact
    from augment_correction.monitor.keeping import MonitorStore

monitor = Commands(
    name="monitor",
    help="Show what the monitor of a training collected, and test whether training on it helped.",
    epilog="Example: python -m augment_correction monitor stats",
)
app.add_typer(monitor)

Data = Annotated[
    Path,
    typer.Option(
        "--data-dir", "--data", help="The folder in which the monitor collects, the `data_dir` of its config."
    ),
]
DEFAULT = Path("data/self_correction")


@monitor.command(epilog="Example: python -m augment_correction monitor stats --json | jq .files[-1].stats")
def stats(
    data: Data = DEFAULT,
    limit: Annotated[
        int, typer.Option("-n", "--limit", "--head", min=0, help="Print at most this many rows of the newest file.")
    ] = 0,
    as_json: Json = False,
) -> None:
    """Show what the monitor has made so far: files of rows, wrong answers that wait in the buffer, and their error codes."""
    from augment_correction.monitor.keeping import MonitorStore
    from augment_correction.monitor.manual import preview
    from augment_correction.monitor.stats import collect

    seen = collect(_keep(MonitorStore(data)))
    if as_json:
        say(json.dumps(seen.as_json(), indent=1, ensure_ascii=False))
        return
    for batch, made in seen.files:
        told = ", ".join(f"{count} {name}" for name, count in made["breakdown"].items() if count) or made.get("why", "")
        size = size_of(batch.rows) or 0
        say(f"{batch.rows}  {size:,} bytes  {made['num_examples']} rows ({told})  queued: {made['queued'] or 'no'}")
    for stem in seen.open:
        say(f"{stem}: not written yet; `monitor finish` writes it")
    if seen.files:
        say(", ".join(f"{name} {value}" for name, value in seen.files[-1][1]["stats"].items()))
    waiting = ", ".join(f"{count} {verdict}" for verdict, count in seen.buffered.items()) or "nothing"
    say(f"buffer: {waiting} ({seen.examples} examples); undecided {seen.undecided}")
    for code, count in seen.codes.most_common():
        say(f"  {count:>6}  {code}")
    written = [batch.rows for batch, made in seen.files if made["num_examples"]]
    for row in preview(written[-1], limit) if written else ():
        say(json.dumps(row, ensure_ascii=False))


@monitor.command(epilog="Example: python -m augment_correction monitor finish --data-dir data/self_correction")
def finish(
    data: Data = DEFAULT,
    everything: Annotated[
        bool, typer.Option("--all", help="Also write a file from the buffer, however few examples it holds.")
    ] = False,
) -> None:
    """Write the dataset files that an interrupted training left unfinished. The monitor itself calls this command."""
    from augment_correction.monitor.keeping import MonitorStore
    from augment_correction.monitor.making import decide
    from augment_correction.monitor.making import finish as make
    from augment_correction.monitor.report import made_lines

    keep = _keep(MonitorStore(data.resolve()))
    if everything:
        with keep.held():
            if keep.examples():
                decide(keep, datetime.now())
            else:
                say("every wrong answer in the buffer is already in a file")
    for made in make(keep):
        say(made_lines(made))


@monitor.command(epilog="Example: python -m augment_correction monitor impact --model ./model --adapter lora/final")
def impact(
    data: Data = DEFAULT,
    model: Model = None,
    mode: ModeOption = None,
    adapter: Adapter = None,
    base_url: BaseUrl = None,
    limit: Annotated[
        int,
        typer.Option(
            "-n", "--limit", "--samples", min=1, help="Ask at most this many questions of each pattern and batch."
        ),
    ] = 10,
    output: Annotated[
        Path | None,
        typer.Option("--output", help="Where to write a copy of the result, which is kept in impact/ of --data-dir."),
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Start a new re-test instead of resuming an unfinished one.")
    ] = False,
    config: ConfigFile = "failures",
    overrides: Overrides = None,
) -> None:
    """Ask questions of past batches again, and call each batch improved or regressed if accuracy changed by 5 points, else neutral.

    A mark with a question mark behind it may be chance: McNemar's exact p, in the table, is 0.05 or more.
    """
    from augment_correction.monitor.impact import Retest, as_json, measure
    from augment_correction.monitor.keeping import MonitorStore
    from augment_correction.store.json_files import write_json

    loaded = asking_config(config, model, mode, adapter, base_url, overrides)
    keep = _keep(MonitorStore(data))
    retest = Retest.of(data / "impact", datetime.now(), fresh=fresh)
    made, paid = measure(loaded, keep, limit, retest, tell)
    for path in filter(None, (output, retest.result)):  # with the last one it is finished
        write_json(path, as_json(made, paid["name"]))
    _print_impacts(made)
    if paid["old"]:
        say(
            f"{paid['old']} answers were reused from the unfinished re-test in {retest.folder}; use --fresh to ask again"
        )
    print_paid(paid)
    say(f"  {output or retest.result}")


def _keep(keep: MonitorStore) -> MonitorStore:
    """Raises: InputError where no monitor has been."""
    from augment_correction.errors import InputError

    if not keep.root.is_dir():
        raise InputError(
            f"{keep.root} is not the data folder of a monitor",
            hint="name the `data_dir` of the monitor: --data-dir FOLDER",
        )
    return keep


def _print_impacts(impacts: list[Impact]) -> None:
    from augment_correction.cli.tables import print_table

    names = ("graded", "before", "now", "repaired", "broken", "undecided", "p")
    rows = []
    for each in impacts:
        counts = (each.asked, each.before, each.after, each.repaired, each.broken, each.undecided, f"{each.p:.3f}")
        rows.append((each.batch if each.pattern == "all" else f"  {each.pattern}", *counts, each.mark))
    print_table(("right answers by pattern", *names, ""), rows, right=names)
