"""`from-failures` and `demo`: rows made of a model's answers."""

from __future__ import annotations

from pathlib import Path
from tempfile import mkdtemp
from typing import Annotated

import typer

from augment_correction.cli import Overrides, app
from augment_correction.cli.answers import ConfigFile, asking_config

EXAMPLES = """
Example:

  python -m augment_correction from-failures --input qa.jsonl --answers answers.jsonl --output training.jsonl

Without a judge (--set api.judge_model=...) answers that words and numbers cannot tell right from wrong are left out.
"""


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
    from augment_correction.monitor.manual import code_counts, from_answers

    made, failures = from_answers(asking_config(config, overrides=overrides), source, answers, output, stand_by_share)
    stats = made["stats"]
    print(
        f"{stats['total_evals']} answers graded: {stats['correct_first_try']} right, {stats['needed_correction']} wrong; "
        f"{stats['undecided']} undecided, {stats['unanswered']} questions unanswered"
    )
    for code, count in code_counts(failures).most_common():
        print(f"  {count:>6}  {code}")
    told = ", ".join(f"{count} {name}" for name, count in made["breakdown"].items() if count)
    print(f"{made['num_examples']} rows ({told}) -> {output}")


@app.command(epilog="Example: python -m augment_correction demo")
def demo(
    folder: Annotated[
        Path | None, typer.Option("--to", help="Keep the files there; unset, a temporary folder.")
    ] = None,
) -> None:
    """Show the way from an answer to a row, step by step, with a model that only plays its part."""
    from augment_correction.monitor.demo import demonstrate

    for line in demonstrate(folder or Path(mkdtemp(prefix="augment_correction_demo_"))):
        print(line)
