"""`experiment`: find what a model is weak at, train on it, and find out whether that was the reason."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from augment_correction.cli import Json, Overrides, app
from augment_correction.cli.helping import Commands
from augment_correction.terminal import say, tell

if TYPE_CHECKING:
    from augment_correction.experiment.places import Places
    from augment_correction.experiment.running import ExperimentResult

DEFAULT = "configs/experiment.yaml"
ConfigFile = Annotated[str, typer.Argument(help="The config of the experiment.", metavar="CONFIG")]
Iterations = Annotated[int | None, typer.Option("--iterations", min=1, help="The number of rounds.")]
Control = Annotated[
    str | None,
    typer.Option(
        "--control",
        help="What the targeted training is compared with: control arms, separated by commas, for example random,items_only; or none.",
    ),
]
Seeds = Annotated[
    int | None, typer.Option("--seeds", min=1, help="The number of seeds with which each arm is trained.")
]

experiment = Commands(
    name="experiment",
    help="Find a model's weak areas, train on them and on a control, and test whether the targeted data made it better.",
    epilog="Example: python -m augment_correction experiment run configs/experiment.yaml",
)
app.add_typer(experiment)


@experiment.command(epilog="Example: python -m augment_correction experiment plan configs/experiment.yaml --seeds 3")
def plan(
    config: ConfigFile = DEFAULT,
    overrides: Overrides = None,
    iterations: Iterations = None,
    control: Control = None,
    seeds: Seeds = None,
) -> None:
    """Divide the questions into sets and seal these, so that a later change is noticed; print the smallest effect that they can detect,
    the number of requests and the cost. No model is asked."""
    from augment_correction.experiment.config import load_experiment
    from augment_correction.experiment.planning import plan_experiment
    from augment_correction.experiment.running import refuse
    from augment_correction.experiment.sealing import FILE, seal

    loaded = load_experiment(config, [*(overrides or []), *_flags(iterations, control, seeds)])
    refuse(loaded)
    made = plan_experiment(loaded)
    seal(loaded.output_dir, loaded, made.sets)
    say("\n".join(made.lines()))
    say(f"sealed: {loaded.output_dir / FILE}")


@experiment.command(
    epilog="""
Example: python -m augment_correction experiment run configs/experiment.yaml --iterations 5 --control random --seeds 3

Exit codes: 0 the hypothesis is supported, 2 a mistake in the set-up, 3 it is not supported, undecided, or there is no weak area, 4
stopped at the spending cap, 130 interrupted.
"""
)
def run(
    config: ConfigFile = DEFAULT,
    overrides: Overrides = None,
    iterations: Iterations = None,
    control: Control = None,
    seeds: Seeds = None,
    sweep: Annotated[
        str | None,
        typer.Option(
            "--sweep",
            help="Run one experiment for each value of a key, for example error_driven.perplexity_threshold=30,50,70,100.",
        ),
    ] = None,
) -> None:
    """Run the experiment to its verdict. The same command resumes it, and nothing is asked or trained twice."""
    given = [*(overrides or []), *_flags(iterations, control, seeds)]
    raise typer.Exit(_swept(config, given, sweep) if sweep else int(_run(config, given).exit_code))


def _run(config: str, given: list[str]) -> ExperimentResult:
    from augment_correction.experiment.config import load_experiment
    from augment_correction.experiment.phase_report import PhaseReport
    from augment_correction.experiment.running import run_experiment
    from augment_correction.progress import live_display

    loaded = load_experiment(config, given)
    report = PhaseReport(_say_now, tell, loaded.weak_by, loaded.error_driven.perplexity_threshold)
    made = run_experiment(loaded, report, tell, live_display)
    for name, path in made.files.items():
        say(f"  {name:<18} {path}")
    return made


def _swept(config: str, given: list[str], sweep: str) -> int:
    """A value at which nothing is weak is a row of the table as well."""
    from augment_correction.cli.tables import print_table
    from augment_correction.experiment.course import NothingWeak
    from augment_correction.experiment.sweeping import HEAD, Sweep, row

    rows, codes = [], []
    for name, overrides in Sweep.parse(sweep).overrides(config, given):
        say(f"\n=== {name}")
        try:
            made = _run(config, overrides)
        except NothingWeak as failure:
            rows.append(row(name, None, failure.message))
            codes.append(int(failure.exit_code))
        else:
            rows.append(row(name, made.report or None, "asked and not trained"))
            codes.append(int(made.exit_code))
    say("")
    print_table(HEAD, rows)
    say(f"the significance level alpha was divided among {len(rows)} values")
    return min(codes)


@experiment.command(epilog="Example: python -m augment_correction experiment status configs/experiment.yaml --json")
def status(
    config: ConfigFile = DEFAULT,
    overrides: Overrides = None,
    as_json: Json = False,
) -> None:
    """Show the phase, the trainings, the current adapter and, at the end, the verdict."""
    from augment_correction.experiment.status import lines, snapshot

    seen = snapshot(_places(config, overrides))
    say(json.dumps(seen, indent=1, ensure_ascii=False) if as_json else "\n".join(lines(seen)))


@experiment.command(epilog="Example: python -m augment_correction experiment report configs/experiment.yaml")
def report(config: ConfigFile = DEFAULT, overrides: Overrides = None) -> None:
    """Write experiment.html of a finished experiment again and print the verdict."""
    from augment_correction.evals.decision import marked
    from augment_correction.experiment.running import drawn_again

    places = _places(config, overrides)
    made = drawn_again(places)
    for each in made["rounds"]:
        for reason in (*each["reasons"], *each["guards"]):
            say(f"  {marked(reason)}")
    say(f"HYPOTHESIS {made['hypothesis']['outcome']}\n  {made['hypothesis']['why']}\n  {places.page}")


@experiment.command(epilog="Example: python -m augment_correction experiment rollback configs/experiment.yaml")
def rollback(config: ConfigFile = DEFAULT, overrides: Overrides = None) -> None:
    """Make the adapter current again that was current before the last accepted round."""
    from augment_correction.experiment.current import roll_back

    back = roll_back(_places(config, overrides))
    say(
        f"current: {back['adapter']} (round {back['round']})"
        if back
        else "current: the student model without an adapter"
    )


@experiment.command(epilog="Example: python -m augment_correction experiment doctor")
def doctor(config: ConfigFile = DEFAULT, overrides: Overrides = None) -> None:
    """Check packages, memory, disk, models and the config, and train a tiny model for two steps. No model is asked."""
    from augment_correction.errors import ExitCode
    from augment_correction.experiment.doctor import examine

    findings = examine(config, overrides or [])
    for finding in findings:
        say(f"{'ok     ' if finding.ok else 'FAILED '}{finding.what}")
        if finding.remedy and not finding.ok:
            say(f"         remedy: {finding.remedy}")
    wrong = sum(not finding.ok for finding in findings)
    say(f"{wrong} of {len(findings)} checks failed" if wrong else "all good")
    raise typer.Exit(int(ExitCode.USER if wrong else ExitCode.DONE))


def _places(config: str, overrides: list[str] | None) -> Places:
    from augment_correction.experiment.config import load_experiment
    from augment_correction.experiment.places import Places

    return Places(load_experiment(config, overrides or []).output_dir)


def _say_now(line: str) -> None:
    """At once, also where it goes to a file: an experiment takes minutes to hours."""
    say(line)
    sys.stdout.flush()


def _flags(iterations: int | None, control: str | None, seeds: int | None) -> list[str]:
    from augment_correction.experiment.config import TARGETED, Arm

    arms = None
    if control is not None:
        named = [each.strip() for each in control.split(",") if each.strip() not in ("", "none")]
        controls = [each for each in get_args(Arm) if each != TARGETED]
        if unknown := [each for each in named if each not in controls]:
            raise typer.BadParameter(f"{unknown[0]!r} is none of {', '.join(controls)}, none", param_hint="--control")
        arms = f"[{', '.join(['targeted', *named])}]"
    known = {"iterations": iterations, "arms": arms, "seeds": seeds}
    return [f"{key}={value}" for key, value in known.items() if value is not None]
