"""`run`: the whole pipeline, or its estimate."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from augment_correction.cli import Config, Overrides, app
from augment_correction.terminal import say

if TYPE_CHECKING:
    from augment_correction.config import RunConfig
    from augment_correction.runner import RunResult, RunState
    from augment_correction.runner.state import Costs, Watch

EXAMPLES = """
Examples:

  python -m augment_correction run configs/correction.yaml

  python -m augment_correction run configs/correction_api.yaml --dry-run

  python -m augment_correction run mine.yaml --set system.use_subset=true --set system.subset_size=20

Exit codes: 0 done, 2 a mistake in the set-up, 3 nothing was kept or too much was rejected, 4 stopped at cost.max_usd,
130 interrupted. After 2, 4, 130 or a crash the same command resumes, and finished calls are not repeated.
"""


class Repeatable(StrEnum):
    filtered = "filtered"
    refused = "refused"
    truncated = "truncated"
    invalid = "invalid"


class EngineName(StrEnum):
    local = "local"
    ray = "ray"


@app.command(epilog=EXAMPLES)
def run(
    config: Config,
    overrides: Overrides = None,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Read and split the documents, print requests, tokens and cost. No model is asked."
        ),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="With --dry-run: print the estimate as one JSON document, for scripts.")
    ] = False,
    engine: Annotated[
        EngineName,
        typer.Option("--engine", help="Where the run takes place: local (this machine) or ray (a Ray cluster)."),
    ] = EngineName.local,
    ray_address: Annotated[
        str | None,
        typer.Option(
            "--ray-address",
            help="Only with --engine ray: auto, host:port, or local (starts a cluster). Default: RAY_ADDRESS, else local.",
        ),
    ] = None,
    retry_failed: Annotated[
        list[Repeatable] | None,
        typer.Option(
            "--retry-failed",
            help="Ask again about passages that were filtered out, that a model refused, or whose reply was truncated or "
            "invalid. Passages that ended in an error are always asked about again. Repeatable.",
        ),
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Serve a live page of the run on 127.0.0.1 and print its address.")
    ] = False,
) -> None:
    """Make a dataset of conversations from the documents that a config names."""
    if as_json and not dry_run:
        raise typer.BadParameter("it needs --dry-run", param_hint="--json")
    from augment_correction.config import load_config

    loaded = load_config(config, overrides or [])
    from augment_correction import runner
    from augment_correction.progress import live_display

    if dry_run:
        from augment_correction.cli.estimates import print_estimate

        made = asyncio.run(runner.estimate(loaded, watch=live_display))
        if as_json:
            say(json.dumps(made.as_json()))
        else:
            print_estimate(made)
        return
    result = runner.run(
        loaded,
        watch=_with_page(loaded) if watch else live_display,
        engine=engine.value,
        ray_address=ray_address,
        retry=retry_failed or (),
    )
    print_summary(result)
    raise typer.Exit(int(result.exit_code))


def _with_page(config: RunConfig) -> Watch:
    """The display of the terminal, and the page beside it."""
    from contextlib import contextmanager

    from augment_correction.progress import live_display
    from augment_correction.review.live import live_page

    @contextmanager
    def watched(state: RunState) -> Iterator[None]:
        with live_page(config, state, state.notices.append), live_display(state):
            yield

    return watched


def print_summary(result: RunResult) -> None:
    from augment_correction.progress import duration, money
    from augment_correction.text.excerpts import counted

    counts = result.counts
    say(
        f"{counted(counts['documents'], 'document')}, {counted(counts['chunks'], 'passage')} in {duration(result.seconds)}"
    )
    kinds = ", ".join(f"{count} {kind}" for kind, count in counts["kinds"].items())
    say(f"  kept      {counts['kept']}" + (f" ({kinds})" if len(counts["kinds"]) > 1 else ""))
    for name, each in counts["openings"].items():
        say(
            f"  {name + 's':<9} {each['distinct']:.0%} of {each['count']} have distinct openings, self-BLEU "
            f"{each['self_bleu']:.2f}, compression {each['compression']:.1f} (lower is more diverse)"
        )
    if counts["gate"]:
        say(f"  held out  {counts['gate']} (held-out set for `evaluate`, never trained: gate.jsonl)")
    say(f"  rejected  {counts['rejected']}")
    for reason, count in sorted(counts["reasons"].items(), key=lambda item: -item[1]):
        say(f"    {count:>6}  {reason}")
    if counts["failed"]:
        say(f"  failed    {counts['failed']} (the next run retries them)")
    if counts["pending"]:
        say(f"  pending   {counts['pending']}")
    classes = {name: count for name, count in counts["classes"].items() if count}
    named = (f"{count} {'held out' if name == 'gate' else name}" for name, count in classes.items())
    say(f"  in all    {sum(classes.values())} = {' + '.join(named)}")
    if counts["unread"]:
        say(f"  unread    {counts['unread']} files, pages or lines (listed in rejected.jsonl)")
    for role, tokens in result.tokens.items():
        say(
            f"  {role} model {tokens['name']}: {tokens['requests']} requests, {tokens['retries']} retries, "
            f"tokens in {tokens['input_tokens']:,} out {tokens['output_tokens']:,}, {money(tokens['total_cost'])}"
        )
    say("\n".join(_cost_lines(result.costs, counts["kept"] + counts["gate"])))
    say("files")
    width = max(map(len, result.files), default=0)
    for name, path in result.files.items():
        say(f"  {name:<{width}} {path}")
    _print_verification(result)
    if result.stopped:
        say(f"stopped: {result.stopped}")
    if result.hint:
        say(f"  remedy: {result.hint}")
    if result.stopped is None and "axolotl_config" in result.files:
        say("next, in an environment with Axolotl (docs/guides/axolotl.md):")
        for step in ("preprocess", "train"):
            say(f"  axolotl {step} {result.files['axolotl_config']}")


def _cost_lines(costs: Costs, kept: int) -> Iterator[str]:
    from augment_correction.progress import money

    if not costs.folder:  # unknown, or nothing: one word says it all
        yield f"  cost      {money(costs.folder)}"
        return
    yield f"  cost      {money(costs.run)} in this run, {money(costs.folder)} by all runs into this folder"
    each = f" ({money(costs.kept / kept)} each)" if costs.kept and kept else ""
    yield f"            {money(costs.kept)} for kept conversations{each}, {money(costs.rejected)} for rejected ones"
    if costs.other:
        yield f"            {money(costs.other)} for calls under other settings and for unfinished passages"


def _print_verification(result: RunResult) -> None:
    from augment_correction.cli.verify import verification_lines

    if result.verification is not None:
        say("mask")
        for line in verification_lines(result.verification):
            say(f"  {line}")
