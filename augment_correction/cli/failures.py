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

The schema of each FILE is recognised by the names of its fields. Exit codes: 0 done, 2 a mistake in the set-up or no usable
row, 3 the pipeline kept nothing, 130 interrupted.
"""

EXAMPLES = """
Example:

  python -m augment_correction from-failures --input qa.jsonl --answers answers.jsonl --output training.jsonl

Answers that matching cannot grade are left out unless a judge model is set (--set api.judge_model=...).
"""


@app.command("import-failures", epilog=IMPORTING)
def import_failures(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Files of failures (.jsonl, or a .json list).", metavar="FILE")
    ] = None,
    self_critique_data: Annotated[
        list[Path] | None,
        typer.Option(
            "--self-critique-data",
            help="A file of rows with question, wrong output, corrected output and critique. Repeatable.",
        ),
    ] = None,
    hard_failures_data: Annotated[
        list[Path] | None,
        typer.Option(
            "--hard-failures-data", help="A file of rows with question, reference answer and category. Repeatable."
        ),
    ] = None,
    output: Annotated[Path, typer.Option("--output", help="The output folder of the run.")] = Path("outputs/curated"),
    config: Annotated[
        str,
        typer.Option(
            "--config", metavar="CONFIG", help="The config of a run, with prompt template, loss mask and base model."
        ),
    ] = "curated_failures",
    overrides: Overrides = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print which rows and fields can be used, and write nothing.")
    ] = False,
) -> None:
    """Make a dataset with a loss mask from curated failures, and report the fields found and each unusable row."""
    from augment_correction import runner
    from augment_correction.cli.run import print_summary
    from augment_correction.config import load_config
    from augment_correction.errors import InputError
    from augment_correction.failures import only_failures, passages_of, read_files
    from augment_correction.failures.report import source_lines, write_problems
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
        raise InputError(
            "import-failures needs a file of failures, and none was named",
            hint="import-failures FAILURES.jsonl (docs/guides/import-failures.md lists the fields that a row needs)",
        )
    say("\n".join(source_lines(read.sources, read.problems)))
    place = output.resolve()
    if not dry_run:
        write_problems(place / "import_rejected.jsonl", read.problems)
        say(f"  each unusable row is listed with its remedy in {place / 'import_rejected.jsonl'}")
    if not failures:
        raise InputError(
            "no row of the files can be imported",
            hint="docs/guides/import-failures.md lists the fields that a row needs",
        )
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
    source: Annotated[Path, typer.Option("--input", help="A file of questions with reference answers (.jsonl).")],
    answers: Annotated[Path, typer.Option("--answers", "--initial-answers", help="The file that `answers` wrote.")],
    output: Annotated[
        Path,
        typer.Option(
            "--output", help="The file of training rows to write. Its metadata and the run's folder are kept beside it."
        ),
    ],
    stand_by_share: Annotated[
        float,
        typer.Option(
            "--stand-by-share",
            min=0,
            max=0.9,
            help="The share of rows that stand by a right answer.",
            show_default="a third",
        ),
    ] = 1 / 3,
    config: ConfigFile = "failures",
    overrides: Overrides = None,
) -> None:
    """Grade a model's answers and make training rows: corrections, self-evaluations, and rows that stand by a right answer. Wrong
    answers are masked."""
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
        say(f"{stats['unknown']} answers were left out, because their questions are not in {source}")
    if stats["undecided"] and "judge" not in loaded.by_role:
        say(f"matching cannot grade the undecided answers; to have a model grade them: {JUDGED}")
    for code, count in code_counts(failures).most_common():
        say(f"  {count:>6}  {code}")
    told = ", ".join(f"{count} {name}" for name, count in made["breakdown"].items() if count)
    say(f"{made['num_examples']} rows ({told}) -> {output}")


@app.command(epilog="Example: python -m augment_correction demo")
def demo(
    folder: Annotated[
        Path | None, typer.Option("--output", "--to", help="The folder for the files. Default: a temporary folder.")
    ] = None,
) -> None:
    """Show step by step how an answer becomes a training row, with a scripted model: no key, no GPU, no download."""
    from augment_correction.monitor.demo import demonstrate

    for line in demonstrate(folder or Path(mkdtemp(prefix="augment_correction_demo_"))):
        say(line)
