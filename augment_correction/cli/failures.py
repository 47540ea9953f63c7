"""`import-failures`, `from-failures` and `demo`: rows made of what a model got wrong."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import mkdtemp
from typing import Annotated

import typer

from augment_correction.cli import Overrides, app
from augment_correction.cli.answers import ConfigFile, asking_config
from augment_correction.terminal import say, tell

IMPORTING = """
Examples:

  python -m augment_correction import-failures failures.jsonl --dry-run

  python -m augment_correction import-failures --self-critique-data train.jsonl --hard-failures-data hard.jsonl --output outputs/curated

Rows of files without a flag are told apart by their columns. Exit codes: 0 done, 2 a mistake in the set-up or no usable
row, 3 the pipeline kept nothing, 130 interrupted.
"""

EXAMPLES = """
Example:

  python -m augment_correction from-failures --input qa.jsonl --answers answers.jsonl --output training.jsonl

Without a judge (--set api.judge_model=...) answers that words and numbers cannot tell right from wrong are left out.
"""


@app.command("import-failures", epilog=IMPORTING)
def import_failures(
    files: Annotated[list[Path] | None, typer.Argument(help="Files of failures (.jsonl, or a .json list).")] = None,
    self_critique_data: Annotated[
        list[Path] | None,
        typer.Option(
            "--self-critique-data", help="Rows of question, bad output, corrected output, critique. Repeatable."
        ),
    ] = None,
    hard_failures_data: Annotated[
        list[Path] | None,
        typer.Option("--hard-failures-data", help="Rows of question, reference answer, category. Repeatable."),
    ] = None,
    output: Annotated[Path, typer.Option("--output", help="The run's folder.")] = Path("outputs/curated"),
    config: Annotated[str, typer.Option("--config", help="Template, mask, base model.")] = "curated_failures",
    overrides: Overrides = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say which rows and fields can be used; make nothing.")
    ] = False,
) -> None:
    """Make a dataset of curated failures: which fields they have, what is wrong with which line, and rows with a mask."""
    from augment_correction import runner
    from augment_correction.cli.run import print_summary
    from augment_correction.config import load_config
    from augment_correction.errors import InputError
    from augment_correction.failures import only_failures, passages_of, read_files
    from augment_correction.failures.telling import source_lines, write_problems
    from augment_correction.progress import live_display

    read = read_files(
        [
            *((path, None) for path in files or ()),
            *((path, 1) for path in self_critique_data or ()),
            *((path, 2) for path in hard_failures_data or ()),
        ]
    )
    failures = only_failures(read)
    if not read.sources:
        raise InputError("no file is named", hint="import-failures FAILURES.jsonl (docs/failures.md: what a row needs)")
    say("\n".join(source_lines(read.sources, read.problems)))
    place = output.resolve()
    if not dry_run:
        write_problems(place / "import_rejected.jsonl", read.problems)
        say(f"  every row that cannot be used, with its remedy: {place / 'import_rejected.jsonl'}")
    if not failures:
        raise InputError("there is no failure to import", hint="docs/failures.md: what a row needs")
    if dry_run:
        return
    paths = [f"path.{name}={json.dumps(str(place))}" for name in ("input_dir", "output_dir")]
    loaded = load_config(config, [*(overrides or []), *paths])
    result = runner.run(loaded, watch=live_display, passages=passages_of(failures))
    print_summary(result)
    say(f"or here:\n  python -m augment_correction train --model MODEL --data {place}")
    raise typer.Exit(int(result.exit_code))


@app.command("from-failures", epilog=EXAMPLES)
def from_failures(
    source: Annotated[Path, typer.Option("--input", help="Questions with their references (.jsonl).")],
    answers: Annotated[Path, typer.Option("--answers", "--initial-answers", help="What `answers` wrote.")],
    output: Annotated[Path, typer.Option("--output", help="The rows; their metadata and the run lie beside it.")],
    stand_by_share: Annotated[
        float, typer.Option("--stand-by-share", min=0, max=0.9, help="Of the rows, those about right answers.")
    ] = 1 / 3,
    config: ConfigFile = "failures",
    overrides: Overrides = None,
) -> None:
    """Grade answers and make rows of them: corrections, self-evaluations, stand-by rows. A wrong answer is never trained."""
    from augment_correction.monitor.making import JUDGED
    from augment_correction.monitor.manual import code_counts, from_answers

    loaded = asking_config(config, overrides=overrides)
    made, failures = from_answers(loaded, source, answers, output, stand_by_share, tell)
    stats = made["stats"]
    say(
        f"{stats['total_evals']} answers graded: {stats['correct_first_try']} right, {stats['needed_correction']} wrong; "
        f"{stats['undecided']} undecided, {stats['unanswered']} questions unanswered"
    )
    if stats["unknown"]:
        say(f"{stats['unknown']} answers are to questions that are not in {source}, and left out")
    if stats["undecided"] and "judge" not in loaded.by_role:
        say(f"words and numbers cannot tell the undecided ones; to have a model judge them: {JUDGED}")
    for code, count in code_counts(failures).most_common():
        say(f"  {count:>6}  {code}")
    told = ", ".join(f"{count} {name}" for name, count in made["breakdown"].items() if count)
    say(f"{made['num_examples']} rows ({told}) -> {output}")


@app.command(epilog="Example: python -m augment_correction demo")
def demo(
    folder: Annotated[
        Path | None, typer.Option("--to", help="Keep the files there; unset, a temporary folder.")
    ] = None,
) -> None:
    """Show the way from an answer to a row, step by step, with a model that only plays its part."""
    from augment_correction.monitor.demo import demonstrate

    for line in demonstrate(folder or Path(mkdtemp(prefix="augment_correction_demo_"))):
        say(line)
