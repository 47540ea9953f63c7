"""Datasets: upload documents, run the pipeline over them, read and decide about the rows, take the files along."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse, Response

from augment_correction.documents.formats import READERS
from augment_correction.errors import InputError
from augment_correction.store import RunFolder
from augment_correction.workspace import accounts, datasets, expecting, jobs, progress
from augment_correction.workspace.entering import Entered
from augment_correction.workspace.here import Here
from augment_correction.workspace.problems import Conflict, NotThere, Problem
from augment_correction.workspace.routes.versions import SANDBOXED
from augment_correction.workspace.settings import Settings
from augment_correction.workspace.shielding import MOST_UPLOADED
from augment_correction.workspace.tables import Job, new_id
from augment_correction.workspace.working import log_of, log_path

router = APIRouter(prefix="/o/{slug}/datasets")
MOST_NAMED = 5
"""Files that could not be read; the log names all."""


@router.get("")
def all_datasets(here: Entered) -> Response:
    return _datasets(here)


def _datasets(here: Here, problem: Problem | None = None) -> Response:
    with here.read() as session:
        listed = datasets.listed(session)
    busy = next((id_ for id_, job in listed.items() if job.kind == datasets.ESTIMATE and job.state in jobs.OPEN), "")
    return here.page(
        "datasets.html", status=problem.status if problem else 200, datasets=listed, problem=problem,
        endings=",".join(sorted(READERS)), name=here.form.get("name", ""), busy=busy, most=MOST_UPLOADED,
    )  # fmt: skip


@router.post("")
def make(here: Entered) -> Response:
    id_ = new_id()
    folder = datasets.folder_of(here.site.settings, here.organisation.id, id_)
    try:
        name = accounts.name_of(here.text("name"), "dataset's name")
        with datasets.or_nothing(folder):
            files = datasets.upload(folder, [(each.filename or "", each.file) for each in here.files])
            with here.write() as session:
                about = {"dataset": id_, "name": name, "files": files}
                jobs.queue(session, here.actor, here.organisation.id, datasets.ESTIMATE, about)
    except Problem as problem:
        return _datasets(here, problem)
    return here.go(f"{here.root}/datasets/{id_}")


def _folder(here: Here) -> tuple[Path, Job]:
    """Raises: NotThere; the database is asked first, so that no path is made of what it does not know."""
    with here.read() as session:
        job = datasets.dataset(session, here.path("dataset"))
    return datasets.folder_of(here.site.settings, here.organisation.id, here.path("dataset")), job


@router.get("/{dataset}")
def show(here: Entered) -> Response:
    return _show(here)


def _show(here: Here, problem: Problem | None = None) -> Response:
    folder, job = _folder(here)
    begin = here.number("from") or 0
    running = job.state in jobs.OPEN
    try:
        rows, more = ([], False) if running else datasets.a_page(folder, begin)
    except InputError as failure:
        rows, more, problem = [], False, Conflict(failure.message)
    output, told = RunFolder(folder / "output"), progress.telling_lines(log_path(here.site.settings, job))
    return here.page(
        "dataset.html", status=problem.status if problem else 200, job=job, rows=rows, more=more, begin=begin,
        running=running, log=log_of(here.site.settings, job, 6000), steps=progress.steps_of(job.kind, told, running=job.state == "running"), problem=problem, text_of=datasets.text_of,
        expects=_expects(here, job), has_file=output.dataset.is_file(), has_report=(output.root / "report.html").is_file(), page_size=datasets.A_PAGE,
    )  # fmt: skip


def _expects(here: Here, job: Job) -> dict[str, str]:
    """What a run would take, a line each; nothing where it has begun, or is not counted yet."""
    settings = here.site.settings
    made = datasets.estimate_in(log_path(settings, job)) if (job.kind, job.state) == (datasets.ESTIMATE, "done") else {}
    if not made:
        return {}
    with here.read() as session:
        earlier = [each for each in jobs.listed(session) if each.kind == datasets.RUN and each.state == "done"]
    left, unread = made["remaining"], [each["source"] for each in made["unread"]]
    asked = f"about {left['requests']:,} requests, {left['input_tokens']:,} tokens to read and {left['output_tokens']:,} to write"
    return {
        "To read": datasets.counted(made),
        **({"Could not be read": ", ".join(unread[:MOST_NAMED]) + (" and more" if len(unread) > MOST_NAMED else "")} if unread else {}),
        f"Asked of {settings.model}": asked,
        "Cost": expecting.cost_line(left["usd"], left["usd_at_most"], settings.model),
        "Time": _time(settings, made["passages"] - made["done"], earlier),
    }  # fmt: skip


def _time(settings: Settings, passages: int, earlier: Sequence[Job]) -> str:
    """As long for each passage as in the last run that asked about some."""
    for job in earlier:
        asked = progress.asked_in(progress.telling_lines(log_path(settings, job)))
        if asked > 0 and job.began and job.ended:
            return f"{expecting.roughly((job.ended - job.began) / asked * passages)}, by the last run"
    return "known after the first run"


@router.post("/{dataset}/start")
def start(here: Entered) -> Response:
    """A run, after its estimate was shown; or again what failed."""
    _, job = _folder(here)
    counted = job.kind == datasets.RUN or job.state == "done"
    return _queue(here, job, datasets.RUN if counted else datasets.ESTIMATE)


@router.post("/{dataset}/decide")
def decide(here: Entered) -> Response:
    folder, _ = _folder(here)
    row = here.text("row", most=64)
    datasets.decide(folder, here.user.id, row, here.text("action", most=16), here.text("reason", most=500))
    return _back(here, row)


@router.post("/{dataset}/edit")
def edit(here: Entered) -> Response:
    folder, _ = _folder(here)
    row = here.text("row", most=64)
    names = (name.removeprefix("turn_") for name in here.form if name.startswith("turn_"))
    texts = {int(name): here.text(f"turn_{name}") for name in names if name.isdecimal() and len(name) < 5}
    datasets.edit(folder, here.user.id, row, texts)
    return _back(here, row)


def _back(here: Here, row: str) -> Response:
    begin = here.text("from", most=8)
    place = f"{here.root}/datasets/{here.path('dataset')}"
    return here.go(f"{place}?from={begin}#r{row}" if begin.isdecimal() else f"{place}#r{row}")


@router.post("/{dataset}/write")
def write(here: Entered) -> Response:
    """The run again, in its folder: it asks nobody, and writes the files with what was decided."""
    _, job = _folder(here)
    if job.kind != datasets.RUN:
        return _show(here, Conflict("The dataset is not made yet. Start the run first."))
    return _queue(here, job, datasets.RUN)


def _queue(here: Here, job: Job, kind: str) -> Response:
    try:
        with here.write() as session:
            jobs.queue(session, here.actor, here.organisation.id, kind, job.about)
    except Conflict as problem:
        return _show(here, problem)
    return here.go(f"{here.root}/datasets/{here.path('dataset')}")


@router.get("/{dataset}/file")
def file(here: Entered) -> Response:
    folder, job = _folder(here)
    path = RunFolder(folder / "output").dataset
    if not path.is_file():
        raise NotThere("The run has written no dataset yet.")
    return FileResponse(path, media_type="application/json", filename=f"dataset-{job.about['dataset']}{path.suffix}")


@router.get("/{dataset}/report")
def report(here: Entered) -> Response:
    folder, _ = _folder(here)
    path = folder / "output" / "report.html"
    if not path.is_file():
        raise NotThere("The run has written no report yet.")
    return FileResponse(path, media_type="text/html", headers={"Content-Security-Policy": SANDBOXED})
