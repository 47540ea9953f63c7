"""Training by a worker, the gate, activation, rollback; jobs end once however often somebody is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from augment_correction.corrections.store import CorrectionStore
from augment_correction.launching.process_id import ProcessId
from augment_correction.workspace import jobs, learning, versions, working
from augment_correction.workspace.audit import Actor
from augment_correction.workspace.settings import Settings
from augment_correction.workspace.tables import (
    Activation,
    CorrectionRow,
    Job,
    ModelVersion,
    Organisation,
    User,
    now,
)
from augment_correction.workspace.working import Worker
from tests.workspace.places import Person, Place

TRAINING = Path(__file__).with_name("training.py")


@pytest.fixture
def trainable(
    open_place: Callable[..., Place], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., Place]:
    def open_(wait: float | Path = 0.0, outcome: str = "accept", code: int = 0) -> Place:
        real = learning.hand_over

        def command(settings: Settings, database: Any, organisation: str) -> list[str]:
            config = real(settings, database, organisation)[-1]
            return [sys.executable, str(TRAINING), config, str(wait), outcome, str(code)]

        monkeypatch.setattr(working, "hand_over", command)
        monkeypatch.setattr(working, "POLL", 0.05)
        return open_place(backend="local", model=str(tmp_path / "model"))

    return open_


def organisation_of(place: Place, person: Person) -> str:
    with place.site.database.as_system() as session:
        return session.execute(select(Organisation.id).where(Organisation.slug == person.slug)).scalar_one()


def approved(place: Place, person: Person, right: str = "Ida Brandt", question: str = "Who opened the museum?") -> str:
    with place.site.database.as_system(writes=True) as session:
        user = session.execute(select(User).where(User.email == person.email)).scalar_one()
        row = CorrectionRow(
            org_id=organisation_of(place, person), author_id=user.id, question=question, wrong="Otto Meier", right=right,
            evidence=[], state="approved",
        )  # fmt: skip
        session.add(row)
    return row.id


def made(place: Place, person: Person, number: int, outcome: str = "accept") -> None:
    with place.site.database.as_system(writes=True) as session:
        session.add(
            ModelVersion(
                org_id=organisation_of(place, person), number=number, parent=None, model="base", adapter=f"adapter{number}",
                data="h", corrections=[], outcome=outcome, reasons=["neighbour fell by 9 points"], figures={},
            )
        )  # fmt: skip


def all_of(place: Place, kind: type) -> list[Any]:
    with place.site.database.as_system() as session:
        return list(session.execute(select(kind)).scalars())


def test_what_is_approved_is_trained_judged_and_activated_by_a_person(trainable: Callable[..., Place]) -> None:
    place = trainable()
    ada = place.owner()
    row = approved(place, ada)
    ada.post(ada.at("/versions"))
    assert "queued" in ada.text
    assert Worker(place.settings, place.site.database).work()
    [job], [version] = all_of(place, Job), all_of(place, ModelVersion)
    assert (job.state, job.result) == ("done", "Version 1: the acceptance test accepts it. It can be activated.")
    assert (version.number, version.corrections, version.outcome) == (1, [row], "accept")
    ada.get(ada.at("/versions"))
    assert "The base model" in ada.text  # nothing is active by itself
    ada.post(ada.at("/versions/1/activate"))
    assert "Version 1" in ada.text.split("Answers now")[1][:20]
    assert "began" in ada.get(ada.at(f"/jobs/{job.id}"))
    assert "Who opened the museum?" in ada.get(ada.at("/versions/1"))
    ada.post(ada.at("/versions/rollback"))
    assert "The base model" in ada.text.split("Answers now")[1][:20]


@pytest.mark.parametrize("outcome", ["reject", "undecided"])
def test_what_the_gate_does_not_accept_is_not_activated_by_anybody(place: Place, outcome: str) -> None:
    ada = place.owner()
    made(place, ada, 1, outcome)
    assert "Activate" not in ada.get(ada.at("/versions/1"))
    ada.post(ada.at("/versions/1/activate"))
    assert ada.status == 409 and "neighbour fell" in ada.text
    assert not all_of(place, Activation)


def test_only_admins_train_activate_and_roll_back(place: Place) -> None:
    ada = place.owner()
    made(place, ada, 1)
    for role in ("member", "reviewer"):
        person = place.join(ada, role)
        for path in ("/versions", "/versions/1/activate", "/versions/rollback"):
            person.post(ada.at(path))
            assert person.status == 403
    admin = place.join(ada, "admin")
    admin.post(ada.at("/versions/1/activate"))
    assert admin.status == 200


def test_the_next_message_after_a_rollback_is_answered_by_what_was_active_before(place: Place) -> None:
    ada = place.owner()
    for number in (1, 2):
        made(place, ada, number)
        ada.post(ada.at(f"/versions/{number}/activate"))
    organisation = organisation_of(place, ada)

    def answers() -> int | None:
        with place.site.database.read(organisation) as session:
            return versions.active(session)

    assert answers() == 2
    ada.post(ada.at("/versions/rollback"))
    assert answers() == 1
    ada.post(ada.at("/versions/rollback"))
    assert answers() is None
    ada.post(ada.at("/versions/rollback"))
    assert ada.status == 409


def test_a_training_is_refused_where_nothing_can_be_learned(
    trainable: Callable[..., Place], open_place: Callable[..., Place]
) -> None:
    ada = trainable().owner()
    ada.post(ada.at("/versions"))
    assert ada.status == 409 and "nothing to train" in ada.text


def test_one_training_at_a_time(trainable: Callable[..., Place]) -> None:
    place = trainable()
    ada = place.owner()
    approved(place, ada)
    ada.post(ada.at("/versions"))
    ada.post(ada.at("/versions"))
    assert ada.status == 409 and len(all_of(place, Job)) == 1


def test_two_are_compared_on_a_question_by_those_who_review(place: Place) -> None:
    with place.live():
        ada = place.owner()
        made(place, ada, 1)
        member, eve = place.join(ada, "member"), place.owner("Other Ltd", "Eve")
        asked = {"one": "", "other": "1", "question": "Nine arches has the bridge. Who built it?"}
        ada.post(ada.at("/versions/compare"), asked)
        assert ada.status == 200 and "Version 1" in ada.text and "The base model" in ada.text
        ada.post(ada.at("/versions/compare"), {**asked, "other": "7"})
        assert ada.status == 404
        member.post(ada.at("/versions/compare"), asked)
        assert member.status == 403
        eve.post(eve.at("/versions/compare"), asked)
        assert eve.status == 404
        assert "versions.compared" in ada.get(ada.at("/audit"))


def test_a_dataset_need_not_wait_for_a_training(place: Place) -> None:
    ada = place.owner()
    organisation = organisation_of(place, ada)
    with place.site.database.as_system(writes=True) as session:
        actor = Actor(session.execute(select(User.id)).scalar_one())
        jobs.queue(session, actor, organisation, "train", {})
        wanted = jobs.queue(session, actor, organisation, "run", {"dataset": "0" * 16})
    with place.site.database.as_system(writes=True) as session:
        taken = jobs.take(session, "one", ("run",))
        assert taken is not None and taken.id == wanted.id
        assert jobs.take(session, "other", ("run",)) is None


def test_what_was_withdrawn_or_edited_is_learned_as_it_stands_now(trainable: Callable[..., Place]) -> None:
    place = trainable()
    ada = place.owner()
    one, other = approved(place, ada), approved(place, ada, "Canberra", "What is the capital?")
    organisation = organisation_of(place, ada)
    learning.hand_over(place.settings, place.site.database, organisation)
    with place.site.database.as_system(writes=True) as session:
        session.get_one(CorrectionRow, one).state = "withdrawn"
        session.get_one(CorrectionRow, other).right = "Canberra, since 1927"
    learning.hand_over(place.settings, place.site.database, organisation)
    store = CorrectionStore(place.settings.organisation_folder(organisation) / "corrections" / "corrections.sqlite")
    assert [each.statement.right for each in store.all("approved")] == ["Canberra, since 1927"]


def test_a_training_that_fails_says_why(trainable: Callable[..., Place]) -> None:
    place = trainable(code=1)
    ada = place.owner()
    approved(place, ada)
    ada.post(ada.at("/versions"))
    Worker(place.settings, place.site.database).work()
    [job] = all_of(place, Job)
    assert (job.state, job.result, job.tries) == ("failed", "error: the disk is full", 1)


WORKER = """
import sys
from pathlib import Path
from augment_correction.workspace import working
from augment_correction.workspace.database import Database
from tests.workspace.places import settings_in
working.POLL = 0.05
program, folder, url, model, go = sys.argv[1:]
working.hand_over = (lambda real: lambda *given: [sys.executable, program, real(*given)[-1], go, "accept", "0"])(working.hand_over)
settings = settings_in(Path(folder), url, backend="local", model=model)
working.Worker(settings, Database(url)).run()
"""


def test_a_worker_is_killed_and_the_training_goes_on_and_ends_once(
    trainable: Callable[..., Place], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = tmp_path / "go"
    place = trainable(wait=go)
    ada = place.owner()
    approved(place, ada)
    ada.post(ada.at("/versions"))
    given = [
        str(TRAINING),
        str(place.settings.storage),
        place.settings.database_url,
        place.settings.model,
        str(go),
    ]
    first = subprocess.Popen([sys.executable, "-c", WORKER, *given])
    _until(lambda: any(tmp_path.rglob("train_1.process")))
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    with place.site.database.as_system(writes=True) as session:
        session.execute(update(Job).values(beat=now() - 2 * jobs.LEASE))
    threading.Timer(0.5, go.touch).start()  # the other worker finds it under way
    assert Worker(place.settings, place.site.database).work()
    [job], made_ = all_of(place, Job), all_of(place, ModelVersion)
    assert (job.state, job.tries, len(made_)) == ("done", 1, 1)


def test_a_training_that_was_killed_is_begun_again_and_not_for_ever(
    trainable: Callable[..., Place], tmp_path: Path
) -> None:
    place = trainable(wait=60)
    ada = place.owner()
    approved(place, ada)
    ada.post(ada.at("/versions"))
    worker = Worker(place.settings, place.site.database)
    thread = threading.Thread(target=worker.work)
    thread.start()
    for number in range(1, jobs.MOST_TRIES + 1):
        process = ProcessId.read(_found(tmp_path, f"train_{number}.process"))
        assert process
        time.sleep(0.3)
        os.killpg(process.pid, signal.SIGKILL)
    thread.join(30)
    [job] = all_of(place, Job)
    assert (job.state, job.tries) == ("failed", jobs.MOST_TRIES) and "for an unknown reason" in job.result


def test_a_cancelled_training_ends_and_leaves_no_version(trainable: Callable[..., Place], tmp_path: Path) -> None:
    place = trainable(wait=60)
    ada = place.owner()
    approved(place, ada)
    ada.post(ada.at("/versions"))
    thread = threading.Thread(target=Worker(place.settings, place.site.database).work)
    thread.start()
    _until(lambda: any(tmp_path.rglob("train_1.process")))
    [job] = all_of(place, Job)
    ada.post(ada.at(f"/jobs/{job.id}/cancel"))
    thread.join(30)
    process = ProcessId.read(next(tmp_path.rglob("train_1.process")))
    assert process
    _until(lambda: not process.alive)
    assert all_of(place, Job)[0].state == "cancelled" and not all_of(place, ModelVersion)


def test_of_two_workers_one_gets_a_job_and_only_its_holder_ends_it(place: Place) -> None:
    ada = place.owner()
    organisation = organisation_of(place, ada)
    with place.site.database.as_system(writes=True) as session:
        actor = Actor(session.execute(select(User.id)).scalar_one())
        jobs.queue(session, actor, organisation, "train", {})
    with place.site.database.as_system(writes=True) as session:
        taken = jobs.take(session, "one")
    assert taken is not None
    with place.site.database.as_system(writes=True) as session:
        assert jobs.take(session, "other") is None
        assert not jobs.finish(session, taken.id, "other", "done", "")
        assert jobs.finish(session, taken.id, "one", "done", "")
        assert not jobs.finish(session, taken.id, "one", "failed", "")


def _found(folder: Path, name: str) -> Path:
    _until(lambda: any(folder.rglob(name)))
    return next(folder.rglob(name))


def _until(there: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < end
        time.sleep(0.05)
