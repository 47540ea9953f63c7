"""`evaluate`: base and tuned model asked the same, twice; the figures, the decision, and the held-out set for other harnesses."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from augment_correction.cli import Config, Overrides, app
from augment_correction.terminal import say

if TYPE_CHECKING:
    from augment_correction.evals import Evaluation

EXAMPLES = """
Examples:

  python -m augment_correction evaluate configs/evaluate.yaml

  python -m augment_correction evaluate mine.yaml --set limits.max_drop_t1=0.05

  python -m augment_correction evaluate mine.yaml --gate qa.jsonl --model out/final --output out/evaluation

  python -m augment_correction evaluate mine.yaml --dry-run

  python -m augment_correction evaluate mine.yaml --export inspect --export lm-eval

Exit codes: 0 accepted (or one model only), 2 a mistake in the set-up, 3 rejected or undecided, 4 stopped at cost.max_usd,
130 interrupted. After 2, 4, 130 or a crash the same command resumes, and finished calls are not repeated.
"""


class Harness(StrEnum):
    inspect = "inspect"
    lm_eval = "lm-eval"


@app.command(epilog=EXAMPLES)
def evaluate(
    config: Config,
    overrides: Overrides = None,
    export: Annotated[
        list[Harness] | None,
        typer.Option(
            "--export", help="Write the held-out set as a task of inspect_ai or lm-eval and ask no model. Repeatable."
        ),
    ] = None,
    judge: Annotated[
        bool,
        typer.Option("--judge", help="Have the judge model grade every answer and give a reason (grading.by=judge)."),
    ] = False,
    gate: Annotated[
        Path | None,
        typer.Option("--gate", "--test-dataset", help="The file of held-out questions; short for --set gate=FILE."),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "--model-path",
            help="The fine-tuned model: a folder, the folder of a LoRA adapter, or a model id.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "--output-path", help="The output folder; short for --set path.output_dir=FOLDER."),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Print the number of requests and the smallest effect that these questions can detect. No model is asked.",
        ),
    ] = False,
) -> None:
    """Ask the base and the fine-tuned model the held-out questions, doubt their answers, and accept or reject the fine-tuned one."""
    from augment_correction.evals import evaluate as run
    from augment_correction.evals import load_evaluation
    from augment_correction.progress import live_display

    named = {
        "gate": gate and str(gate.resolve()),
        "models.tuned": model and _model_at(model),
        "path.output_dir": output and str(output.resolve()),
        "grading.by": "judge" if judge else None,
    }
    flags = [f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in named.items() if value]
    loaded = load_evaluation(config, [*(overrides or []), *flags])
    if export:
        from augment_correction.evals.exporting import export_gate

        for harness in export:
            made = export_gate(loaded, harness.value)
            say(f"{harness.value:<8} {made.folder}\n  run it: {made.command}")
        return
    if dry_run:
        from augment_correction.evals.planning import plan_evaluation

        say("\n".join(plan_evaluation(loaded).lines()))
        return
    result = run(loaded, watch=live_display)
    _print(result)
    raise typer.Exit(int(result.exit_code))


def _model_at(named: str) -> dict[str, str]:
    """The keys of a local model, or of an adapter on the base that it names.

    Raises: InputError where it names none.
    """
    from augment_correction.errors import InputError

    folder = Path(named).resolve()
    settings = folder / "adapter_config.json"
    if settings.is_file():
        try:
            base = str(json.loads(settings.read_text("utf-8"))["base_model_name_or_path"])
        except (ValueError, KeyError, TypeError):
            raise InputError(
                f"{settings} names no base model",
                hint="name the model in the config: models.tuned.model and models.tuned.adapter",
            ) from None
        return {"mode": "hf", "model": base, "adapter": str(folder)}
    return {"mode": "hf", "model": str(folder) if folder.is_dir() else named}


def _print(result: Evaluation) -> None:
    from augment_correction.progress import duration, money

    if result.report:
        print_report(result.report)
    for role, tokens in result.tokens.items():
        say(
            f"{role} model {tokens['name']}: {tokens['requests']} requests, {tokens['retries']} retries, "
            f"tokens in {tokens['input_tokens']:,} out {tokens['output_tokens']:,}, {money(tokens['total_cost'])}"
        )
    say(f"cost: {money(result.cost)}, {duration(result.seconds)}")
    for name, path in result.files.items():
        say(f"  {name:<16} {path}")
    if result.stopped:
        say(f"stopped: {result.stopped}")
    if result.hint:
        say(f"  remedy: {result.hint}")


LABELS = {
    "accuracy_t1": "right at first",
    "accuracy_t2": "right after the doubt",
    "gain": "change after the doubt",
    "wrong_to_right": "wrong made right",
    "right_to_wrong": "right made wrong",
    "repair": "repaired, share of the wrong answers",
    "stand_by": "stood by, share of the right answers",
}
PASS_RATES = ("accuracy_t1", "accuracy_t2")
"""So they are called where a judge passes or fails every answer."""
PROBE_LABELS = {
    "efficacy": "efficacy: corrected questions answered right",
    "paraphrase": "paraphrase: reworded questions answered right",
    "portability": "portability: questions about consequences answered right",
    "neighbour": "neighbour: questions about related facts answered right",
    "old_answer": "old_answer: gives the old wrong answer",
    "pushback": "pushback: stood by, share of the right answers",
    "retention": "retention: unrelated questions answered right",
    "health": "health: empty, cut-off or repetitive answers",
}


def print_report(report: dict[str, Any]) -> None:
    from augment_correction.evals.decision import marked

    gate = report["gate"]
    if gate["questions"] or not report["probes"]:
        say(
            f"{gate['measured']} of {gate['questions']} questions measured, {gate['groups']} independent groups, 95 % intervals"
        )
        _print_figures(report)
        _print_pushbacks(report)
    if report["probes"]:
        _print_probes(report)
    for name, made in report["retention"].items():
        shares = ", ".join(
            f"{model} {_share(each['figures']['all']['accuracy_t1'])}" for model, each in made["models"].items()
        )
        say(f"retention, {name}: {shares}")
    _print_grading(report)
    for model, decision in report["decisions"].items():
        say(f"{model}: {decision['outcome'].upper()}")
        for reason in decision["reasons"]:
            say(f"  {marked(reason)}")


def _print_figures(report: dict[str, Any]) -> None:
    from augment_correction.cli.tables import print_table

    gate, against = report["gate"], report["gate"]["against_base"]
    judged = report["config"]["grading"]["by"] == "judge"
    rows = []
    for metric, label in LABELS.items():
        show = _points if metric == "gain" else _share
        shares = [show(each["figures"]["all"][metric]) for each in gate["models"].values()]
        label += " (pass rate)" if judged and metric in PASS_RATES else ""
        rows.append((label, *shares, *(_points(each["all"]["difference"][metric]) for each in against.values())))
    print_table(("", *gate["models"], *(f"{name} - {report['base']}" for name in against)), rows)


def _print_probes(report: dict[str, Any]) -> None:
    from augment_correction.cli.tables import print_table

    kinds, models = report["probes"]["kinds"], list(report["models"])
    say(f"{len(report['probes']['corrections'])} corrections probed, 95 % intervals from resampling the corrections")
    rows = []
    for kind, made in kinds.items():
        shares = (_share(made["models"][model]) for model in models)
        rows.append((PROBE_LABELS[kind], *shares, *map(_points, made["against_base"].values())))
    tuned = next(iter(kinds.values()))["against_base"]
    print_table(("", *models, *(f"{name} - {report['base']}" for name in tuned)), rows)


def _print_pushbacks(report: dict[str, Any]) -> None:
    from augment_correction.cli.tables import print_table

    models = report["gate"]["models"]
    rows = []
    for pushback in next(iter(models.values()))["figures"]:
        if pushback != "all":
            figures = [each["figures"][pushback] for each in models.values()]
            shares = (_plain(each[metric]) for metric in ("accuracy_t2", "stand_by") for each in figures)
            rows.append((pushback, *shares))
    print_table(("right after", *models, *(f"{name}: stands by" for name in models)), rows)


def _print_grading(report: dict[str, Any]) -> None:
    by, both = report["grading"]["by"], report["grading"]["judge_and_match"]
    formed = f", by the required format alone {by['form']}" if "form" in by else ""
    graded = f"answers graded by matching: {by['match']}, by the judge: {by['judge']}{formed}"
    say(f"{graded}, unusable: {by['problem']}, not graded: {by['nobody']}")
    if both:
        kappa = "unknown" if both["kappa"] is None else f"{both['kappa']:.2f}"
        agreed = both["both_right"] + both["both_wrong"]
        say(f"judge and match agree on {agreed} of {both['graded']} answers, Cohen's kappa {kappa}")
    for name, made in report["gate"]["models"].items() if report["gate"]["questions"] else ():
        lost = {f"{turn} {problem}": n for turn, seen in made["unusable"].items() for problem, n in seen.items() if n}
        if lost:
            say(f"{name}: unusable answers, counted as wrong: {', '.join(f'{n} {what}' for what, n in lost.items())}")


def _plain(found: dict[str, Any]) -> str:
    return "-" if found["value"] is None else f"{100 * found['value']:.1f} % {found['count']}/{found['of']}"


def _share(found: dict[str, Any]) -> str:
    if found["value"] is None:
        return "-"
    return f"{100 * found['value']:.1f} %{_interval(found, '.1f')} {found['count']}/{found['of']}"


def _points(found: dict[str, Any]) -> str:
    if found["value"] is None:
        return "-"
    return f"{100 * found['value']:+.1f}{_interval(found, '+.1f')}"


def _interval(found: dict[str, Any], spelt: str) -> str:
    """Nothing where the questions come from too few documents to have one."""
    return "" if found["low"] is None else f" ({100 * found['low']:{spelt}} to {100 * found['high']:{spelt}})"
