"""Between the workspace's tables and `corrections train`: what is approved is handed over, what was made is taken back."""

from __future__ import annotations

import re
import sys

from sqlalchemy import select
from sqlalchemy.orm import Session

from augment_correction.corrections.store import CorrectionStore
from augment_correction.corrections.versions import Version, Versions
from augment_correction.workspace.configs import learning_file
from augment_correction.workspace.corrections import statement_of
from augment_correction.workspace.database import Database
from augment_correction.workspace.settings import Settings
from augment_correction.workspace.tables import CorrectionRow, Job, ModelVersion
from augment_correction.workspace.versions import active

SOURCE = "workspace "

VERDICTS = {
    "accept": "the acceptance test accepts it. It can be activated.",
    "reject": "the acceptance test rejects it. What answers now stays.",
    "undecided": "the acceptance test cannot decide. What answers now stays.",
}


def hand_over(settings: Settings, database: Database, organisation: str) -> list[str]:
    """The command of a training, whose store of corrections now says what the table says.

    Raises: InputError where two approved corrections contradict each other."""
    with database.read(organisation) as session:
        rows = list(session.execute(select(CorrectionRow).where(CorrectionRow.confirmed)).scalars())
        now_active = active(session)
    folder = settings.organisation_folder(organisation) / "corrections"
    _sync(CorrectionStore(folder / "corrections.sqlite"), rows)
    versions = Versions(folder)
    known = versions.active()
    if (known.id if known else None) != now_active:
        versions.activate(now_active, "workspace", force=True)
    config = learning_file(settings, organisation)
    return [sys.executable, "-m", "augment_correction", "corrections", "train", str(config)]


def _sync(store: CorrectionStore, rows: list[CorrectionRow]) -> None:
    """First what is no longer approved, so that what took its place is no rival of it."""
    wanted = {f"{SOURCE}{row.id}": row for row in rows if row.state == "approved"}
    for each in store.all("approved"):
        row = wanted.get(each.source)
        if row is None or statement_of(row) != each.statement:
            store.withdraw(each.id, who="workspace")
    for source, row in wanted.items():
        made = store.add(statement_of(row), author=row.author_id, source=source, origin=row.id)
        if made.statement != statement_of(row):
            store.edit(made.id, statement_of(row), row.editor_id or row.author_id)
        store.approve(made.id, row.decider_id or "", force=True)


def harvest(settings: Settings, database: Database, job: Job) -> str:
    """Versions that the table does not have yet are written into it; what is to be said of the last one that came with this job, also
    where a worker before has written it and died."""
    organisation = job.org_id
    folder = settings.organisation_folder(organisation) / "corrections"
    store, made = CorrectionStore(folder / "corrections.sqlite"), Versions(folder).all()
    with database.write(organisation) as session:
        known = set(session.execute(select(ModelVersion.number)).scalars())
        for each in made:
            if each.id not in known:
                _add(session, store, each)
        session.flush()
        since = select(ModelVersion).where(ModelVersion.created >= (job.began or job.created))
        new = session.execute(since.order_by(ModelVersion.number.desc()).limit(1)).scalar_one_or_none()
    if new is None:
        return (
            "No new version was made: a version of exactly these corrections is there already, or the training found nothing "
            "better than the base model."
        )
    return f"Version {new.number}: {VERDICTS.get(new.outcome, new.outcome)}"


def number_in(job: Job) -> int | None:
    """Of the version that a training has made, as `harvest` told it."""
    found = re.match(r"Version (\d+): ", job.result)
    return int(found[1]) if found and job.kind == "train" else None


def _add(session: Session, store: CorrectionStore, made: Version) -> None:
    ids = [store.get(number).source.removeprefix(SOURCE) for number in made.corrections]
    session.add(
        ModelVersion(
            number=made.id, parent=made.parent, model=made.model, adapter=made.adapter, data=made.data[:64], corrections=ids,
            outcome=made.outcome, reasons=list(made.reasons), figures={"page": made.page, "evaluation": made.evaluation},
        )
    )  # fmt: skip
