"""Datasets: upload documents, run the pipeline over them, read and decide about the rows, take the files along."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse, Response

from augment_correction.documents.formats import READERS
from augment_correction.errors import InputError
from augment_correction.store import RunFolder
from augment_correction.workspace import accounts, datasets, jobs, progress
from augment_correction.workspace.entering import Entered
from augment_correction.workspace.here import Here
from augment_correction.workspace.problems import Conflict, NotThere, Problem
from augment_correction.workspace.routes.versions import SANDBOXED
from augment_correction.workspace.tables import Job, new_id
from augment_correction.workspace.working import log_of, log_path

router = APIRouter(prefix="/o/{slug}/datasets")


@router.get("")
def all_datasets(here: Entered) -> Response:
    return _datasets(here)


def _datasets(here: Here, problem: Problem | None = None) -> Response:
    with here.read() as session:
        listed = datasets.listed(session)
    return here.page(
        "datasets.html", status=problem.status if problem else 200, datasets=listed, problem=problem,
        endings=", ".join(sorted(READERS)), name=here.form.get("name", ""),
    )  # fmt: skip


@router.post("")
def make(here: Entered) -> Response:
    id_ = new_id()
    folder = datasets.folder_of(here.site.settings, here.organisation.id, id_)
    try:
        name = accounts.name_of(here.text("name"), "dataset's name")
        files = datasets.upload(folder, [(each.filename or "", each.file) for each in here.files])
        with here.write() as session:
            about = {"dataset": id_, "name": name, "files": files}
            jobs.queue(session, here.actor, here.organisation.id, datasets.KIND, about)
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
        has_file=output.dataset.is_file(), has_report=(output.root / "report.html").is_file(), page_size=datasets.A_PAGE,
    )  # fmt: skip


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
    try:
        with here.write() as session:
            jobs.queue(session, here.actor, here.organisation.id, datasets.KIND, job.about)
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
