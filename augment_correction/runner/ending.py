"""How a run came out: its exit code, why it stopped, what to do, and the figures of its files."""

from __future__ import annotations

import time

from augment_correction.documents import kinds
from augment_correction.errors import (
    AugmentCorrectionError,
    BudgetExhausted,
    ExitCode,
    Interrupted,
    ModelUnusable,
)
from augment_correction.ledger import Ledger, last_failure
from augment_correction.llm.metered import Halt
from augment_correction.plan import Plan
from augment_correction.results.classes import count_classes
from augment_correction.results.dataset import Written
from augment_correction.runner.state import Costs, RunResult, RunState
from augment_correction.store import Results

Ending = tuple[ExitCode, str | None, str | None]
"""(exit code, why it was stopped, what to do)"""


def result_of(plan: Plan, results: Results, ledger: Ledger, halt: Halt, state: RunState, made: Written) -> RunResult:
    counts = dict(made.counts)
    counts["pending"] = counts["chunks"] - results.settled()
    counts["openings"] = made.openings
    counts["classes"] = count_classes(plan.pipeline, results.rejects(), counts)
    code, stopped, hint = _ending(plan, counts, halt, last_failure(ledger.totals.values()))
    if code is ExitCode.DONE and made.wrong:
        code, stopped = ExitCode.REJECTS, "the loss mask of some rows is wrong for the tokenizer they are trained with"
        hint = "the lines above list rows, places and remedies"
    state.notices += made.notices
    return RunResult(
        folder=plan.folder.root,
        exit_code=code,
        counts=counts,
        tokens={role: ledger.as_json(role) for role in plan.roles},
        costs=_costs(results, ledger),
        seconds=time.monotonic() - state.started,
        files=made.files,
        verification=made.verification,
        notices=tuple(state.notices),
        stopped=stopped,
        hint=hint,
    )


def _costs(results: Results, ledger: Ledger) -> Costs:
    made = {end: ledger.cost_of(calls) for end, calls in results.paid().items()}
    return Costs(ledger.cost_of_this_run(), ledger.cost(), made["kept"], made["rejected"])


def early_ending(plan: Plan, passages: int, halt: Halt) -> Ending | None:
    """None where it was not stopped and there was something to do."""
    cause = halt.cause
    if isinstance(cause, AugmentCorrectionError):
        codes = {BudgetExhausted: ExitCode.BUDGET, Interrupted: ExitCode.INTERRUPTED, ModelUnusable: ExitCode.USER}
        return codes.get(type(cause), ExitCode.USER), cause.message, cause.hint
    if not passages:
        if not plan.config.path.input_dir:
            return ExitCode.USER, "no passage was given", None
        return ExitCode.USER, f"no passage was found in {plan.input_dir}", f"put documents there: {', '.join(kinds())}"
    return None


def _ending(plan: Plan, counts: dict[str, int], halt: Halt, failure: str) -> Ending:
    if early := early_ending(plan, counts["chunks"], halt):
        return early
    if not counts["kept"]:
        failed = (
            f"; {counts['failed']} of {counts['chunks']} failed, the last with {failure}"
            if failure and counts["failed"]
            else ""
        )
        return ExitCode.REJECTS, f"nothing was kept{failed}", "rejected.jsonl and debug_outputs/ show the reasons"
    share = (counts["rejected"] - counts["left_out"] + counts["failed"]) / counts["chunks"]
    if share > plan.config.limits.max_rejected:
        return (
            ExitCode.REJECTS,
            f"{share:.0%} of the passages were rejected or failed; limits.max_rejected allows "
            f"{plan.config.limits.max_rejected:.0%}",
            "rejected.jsonl lists the reasons",
        )
    return ExitCode.DONE, None, None
