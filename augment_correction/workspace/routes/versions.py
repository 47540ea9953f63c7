"""Versions of the model: train, look at the acceptance test's reasons, activate, roll back; and the jobs that make them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from fastapi import APIRouter
from fastapi.responses import Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from augment_correction.errors import AugmentCorrectionError
from augment_correction.workspace import audit, corrections, expecting, jobs, learning, progress, threads, versions
from augment_correction.workspace.entering import Entered
from augment_correction.workspace.here import Here, number_in
from augment_correction.workspace.problems import Conflict, Invalid, NotThere, Problem
from augment_correction.workspace.settings import Settings
from augment_correction.workspace.tables import CorrectionRow, Job, ModelVersion, User
from augment_correction.workspace.working import log_of, log_path

router = APIRouter(prefix="/o/{slug}")
PENDING = "It is being worked out."
SANDBOXED = "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'"
"""For a page that brings its own script: it runs as a stranger, without cookies and without a way out."""


@router.get("/versions")
def all_versions(here: Entered) -> Response:
    return _versions(here)


def _versions(here: Here, problem: Problem | None = None) -> Response:
    with here.read() as session:
        made = versions.all_versions(session)
        approved = corrections.approved(session)
        active = versions.active(session)
        history = versions.activations(session)
        people = _people(session, [each.who_id for each in history])
        trainings = [job for job in jobs.listed(session) if job.kind == "train"]
    open_jobs = [job for job in trainings if job.state in jobs.OPEN]
    last = next((job for job in trainings if job.state == "done" and learning.number_in(job)), None)
    learned, ids = set(made[0].corrections) if made else set(), {row.id for row in approved}
    expects = _expects(here, approved, last) if approved and not open_jobs else {}
    return here.page(
        "versions.html", status=problem.status if problem else 200, versions=made, active=active, approved=approved,
        fresh=len(ids - learned), gone=len(learned - ids), expects=expects, pending=PENDING in expects.values(), history=history, people=people,
        open_jobs=open_jobs, problem=problem, trainable=here.site.settings.trains,
        last=last, took=_took(last) if last else "", cost=progress.cost_of(progress.telling_lines(log_path(here.site.settings, last))) if last else None,
    )  # fmt: skip


def _expects(here: Here, approved: Sequence[CorrectionRow], last: Job | None) -> dict[str, str]:
    """What the next training would take, a line each; nothing for whom it is not to start."""
    if not here.may("versions.train") or not here.site.settings.trains:
        return {}
    try:
        made = here.site.expectations.of(here.organisation.id, approved)
    except AugmentCorrectionError as failure:
        return {"Cost": f"It cannot be estimated: {failure.message}"}
    time = expecting.time_of(last, len(approved))
    told = {"Time": f"{expecting.roughly(time)}, by the last training" if time else "known after the first training"}
    if made is None:
        return {"Cost": PENDING, **told}
    read, written = made.estimate.tokens_left
    asked = f"about {made.estimate.requests_left:,} requests, {read:,} tokens to read and {written:,} to write"
    return {
        "Rows to train": f"up to {made.rows:,}", "Wordings and demonstrations": asked, "Cost": expecting.cost_of_training(made), **told
    }  # fmt: skip


@router.post("/versions")
def train(here: Entered) -> Response:
    """The web process writes down what is wanted; a worker does it."""
    try:
        with here.write() as session:
            if not here.site.settings.trains:
                raise Conflict(
                    "This model cannot be trained here: the workspace must serve a Hugging Face model (LL_INFERENCE_BACKEND=local or vllm)."
                )
            approved = [row.id for row in corrections.approved(session)]
            if not approved:
                raise Conflict("No correction is approved yet, so that there is nothing to train.")
            job = jobs.queue(session, here.actor, here.organisation.id, "train", {"corrections": approved})
    except Problem as problem:
        return _versions(here, problem)
    return here.go(f"{here.root}/jobs/{job.id}", said="queued")


@router.get("/versions/{number}")
def show(here: Entered) -> Response:
    with here.read() as session:
        made = versions.version(session, _number(here))
        asked = select(CorrectionRow).where(CorrectionRow.id.in_(made.corrections))
        learned = list(session.execute(asked).scalars())
        active = versions.active(session)
    return here.page(
        "version.html", version=made, learned=learned, active=active, probes=probes_of(here.site.settings, made)
    )


@router.get("/versions/{number}/page")
def page(here: Entered) -> Response:
    """The evaluation's own page, with its pictures."""
    with here.read() as session:
        made = versions.version(session, _number(here))
    try:
        content = here.site.settings.placed(made.org_id, made.figures["page"]).read_bytes()
    except OSError:
        raise NotThere("The page of this version is no longer on this machine.") from None
    return Response(content, media_type="text/html; charset=utf-8", headers={"Content-Security-Policy": SANDBOXED})


@router.post("/versions/{number}/activate")
def activate(here: Entered) -> Response:
    try:
        with here.write() as session:
            versions.activate(session, here.actor, _number(here), here.organisation.id)
    except Conflict as problem:
        return _versions(here, problem)
    return here.go(f"{here.root}/versions", said="activated")


@router.post("/versions/rollback")
def roll_back(here: Entered) -> Response:
    try:
        with here.write() as session:
            versions.roll_back(session, here.actor, here.organisation.id)
    except Conflict as problem:
        return _versions(here, problem)
    return here.go(f"{here.root}/versions", said="rolled_back")


@router.post("/versions/compare")
def compare(here: Entered) -> Response:
    """Two versions, or one and the base model, on one question."""
    question = here.text("question", most=4000, missing="Ask something.")
    chosen = [_version(here, name) for name in ("one", "other")]
    with here.write() as session:
        threads.refuse_more(session, here.user.id, len(chosen))
        adapters = [versions.adapter_of(session, number) for number in chosen]
        made = versions.all_versions(session)
        audit.note(
            session, here.actor, threads.COMPARED, organisation=here.organisation.id, one=chosen[0], other=chosen[1]
        )
    try:
        answers = here.site.answering.ask_each(here.organisation.id, adapters, question)
    except AugmentCorrectionError as failure:
        return _versions(here, Conflict(failure.message))
    except TimeoutError:
        return _versions(here, Conflict("The model did not answer within two minutes."))
    shown = list(zip(chosen, answers, strict=True))
    return here.page("compare.html", question=question, answers=shown, versions=made)


def _version(here: Here, name: str) -> int | None:
    """Raises: Invalid."""
    text = here.text(name, most=9)
    if text and not text.isdecimal():
        raise Invalid("There is no such version.", field=name)
    return int(text) if text else None


def _number(here: Here) -> int:
    number = number_in(here.path("number"))
    if number is None:
        raise NotThere()
    return number


def probes_of(settings: Settings, made: ModelVersion) -> list[dict[str, Any]]:
    """A row for each kind of probe: its name, and the rates of the base and of the version in percent; empty where the evaluation's
    file is gone."""
    try:
        report = orjson.loads(settings.placed(made.org_id, made.figures["evaluation"]).read_bytes())
    except (OSError, ValueError, KeyError):
        return []
    kinds = (report.get("probes") or {}).get("kinds") or {}
    return [{"name": kind, "asked": told.get("asked"), **_rates(told)} for kind, told in kinds.items()]


def _rates(told: dict[str, Any]) -> dict[str, Any]:
    models = told.get("models") or {}
    return {name: _percent(models.get(name)) for name in ("base", "tuned")}


def _percent(figure: Any) -> str:
    found = figure.get("rate", figure) if isinstance(figure, dict) else None
    value = found.get("value") if isinstance(found, dict) else None
    return "" if value is None else f"{100 * value:.0f} %"


# -------------------------------------------------------------------------------------------------------- jobs


@router.get("/jobs")
def all_jobs(here: Entered) -> Response:
    with here.read() as session:
        listed = jobs.listed(session)
        people = _people(session, [each.author_id for each in listed])
    return here.page("jobs.html", jobs=listed, people=people)


@router.get("/jobs/{job}")
def show_job(here: Entered) -> Response:
    with here.read() as session:
        job = jobs.job(session, here.path("job"))
        people = _people(session, [job.author_id])
    running, told = job.state in jobs.OPEN, progress.telling_lines(log_path(here.site.settings, job))
    return here.page(
        "job.html", job=job, people=people, log=log_of(here.site.settings, job), running=running,
        steps=progress.steps_of(job.kind, told, running=job.state == "running"), curve=progress.curve_of(told), cost=progress.cost_of(told), took=_took(job), version=learning.number_in(job),
    )  # fmt: skip


def _took(job: Job) -> str:
    if not (job.began and job.ended):
        return ""
    seconds = int((job.ended - job.began).total_seconds())
    return f"took {seconds // 60} min {seconds % 60} s" if seconds >= 60 else f"took {seconds} s"


@router.post("/jobs/{job}/cancel")
def cancel(here: Entered) -> Response:
    with here.write() as session:
        job = jobs.cancel(session, here.actor, here.path("job"))
    return here.go(f"{here.root}/jobs/{job.id}", said="cancelled")


def _people(session: Session, ids: list[str]) -> dict[str, str]:
    return {user.id: user.name for user in session.execute(select(User).where(User.id.in_(set(ids)))).scalars()}
