"""Datasets in the browser: documents are uploaded, a real run makes rows of them, people decide, the files follow."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from augment_correction.workspace import datasets, working
from augment_correction.workspace.tables import Job
from augment_correction.workspace.working import Worker, last_words, log_of
from tests.workspace.places import Person, Place

TEXT = (
    "The bridge of Ander has nine arches. It was built in 1911 by Ida Brandt. The stone came from the quarry of Talmar. "
    * 3
)
OTHER = (
    "The lighthouse of Vrede stands on the northern cape. It was lit in 1874 and burns gas since 1902. Its keeper is Jon. "
    * 3
)


@pytest.fixture
def place(open_place: Callable[..., Place], monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setattr(working, "POLL", 0.05)
    return open_place()


def upload(person: Person, *files: tuple[str, str], name: str = "Bridges") -> str:
    """The dataset's path."""
    sent = [("files", (file, text.encode(), "text/plain")) for file, text in files]
    person.post(person.at("/datasets"), {"name": name}, files=sent)
    return person.url


def made(place: Place, person: Person) -> str:
    path = upload(person, ("bridge.txt", TEXT), ("light.txt", OTHER))
    assert person.status == 200, person.text
    done(place, "estimate")
    person.post(f"{path}/start")
    done(place, "run")
    person.get(path)
    return path


def done(place: Place, kind: str) -> None:
    assert Worker(place.settings, place.site.database).work()
    with place.site.database.as_system() as session:
        job = session.execute(select(Job).order_by(Job.created.desc())).scalars().first()
    assert job and (job.kind, job.state) == (kind, "done"), f"{job.result}\n{log_of(place.settings, job)}"


def rows_of(person: Person, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(person.get(f"{path}/file"))
    return found


def test_documents_become_rows_that_people_decide_about(place: Place) -> None:
    ada = place.owner()
    reviewer, member = place.join(ada, "reviewer"), place.join(ada, "member")
    path = made(place, reviewer)
    ids = re.findall(r'id="r([^"]+)"', reviewer.page)
    assert len(ids) == 2 and "masked" in reviewer.page and "bridge.txt" in reviewer.text
    assert len(rows_of(member, path)) == 2
    member.post(f"{path}/decide", {"row": ids[0], "action": "reject"})
    assert member.status == 403
    reviewer.post(f"{path}/decide", {"row": ids[0], "action": "reject", "reason": "dull"})
    turn = re.findall(r'name="turn_(\d+)"', reviewer.page.split(f'id="r{ids[1]}"')[1])
    reviewer.post(f"{path}/edit", {"row": ids[1], f"turn_{turn[-1]}": "Nine arches, and no more."})
    assert "dropped" in reviewer.text and "edited" in reviewer.text and "Nine arches, and no more." in reviewer.text
    reviewer.post(f"{path}/write")
    assert Worker(place.settings, place.site.database).work()
    written = rows_of(reviewer, path)
    assert len(written) == 1 and "Nine arches, and no more." in json.dumps(written)
    reviewer.post(f"{path}/decide", {"row": ids[0], "action": "undo"})
    reviewer.post(f"{path}/write")
    assert Worker(place.settings, place.site.database).work()
    assert len(rows_of(reviewer, path)) == 2
    report = reviewer.client.get(f"{path}/report")
    assert report.status_code == 200 and report.headers["content-security-policy"].startswith("sandbox")


def test_what_a_run_takes_is_told_before_it_is_started(place: Place) -> None:
    ada = place.owner()
    member = place.join(ada, "member")
    path = upload(ada, ("bridge.txt", TEXT), ("empty.txt", ""))
    ada.post(f"{path}/write")
    assert ada.status == 409 and "Start the run first" in ada.text
    assert "not started" in ada.get(ada.at("/datasets"))
    done(place, "estimate")
    ada.get(path)
    assert "To read 1 document with 1 passage" in ada.text and "Could not be read empty.txt" in ada.text
    assert re.search(r"about [1-9]\d* requests, [\d,]+ tokens to read and [\d,]+ to write Cost nothing", ada.text)
    assert "Time known after the first run" in ada.text and "Start" in ada.page
    assert not list(place.settings.storage.glob("organisations/*/datasets/*/output"))
    member.get(path)
    assert "What it takes" in member.text and f"{path}/start" not in member.page
    member.post(f"{path}/start")
    assert member.status == 403
    ada.post(f"{path}/start")
    assert "What it takes" not in ada.text
    done(place, "run")
    other = upload(ada, ("light.txt", OTHER), name="Lights")
    done(place, "estimate")
    ada.get(other)
    assert re.search(r"Time (about \d+|less than a) min(ute)?, by the last run", ada.text), ada.text


def test_what_is_no_document_is_refused(place: Place) -> None:
    ada = place.owner()
    upload(ada, ("evil.exe", "MZ"))
    assert ada.status == 422 and "format is not supported" in ada.text
    assert not list(place.settings.storage.glob("organisations/*/datasets/*"))
    ada.post(ada.at("/datasets"), {"name": "None"})
    assert ada.status == 422 and "Choose 1 to 20 files" in ada.text


@pytest.mark.parametrize(
    "name",
    [
        "../../../etc/passwd.txt",
        "..\\..\\x.txt",
        "/etc/x.txt",
        ".hidden.txt",
        "a b;c$(d).txt",
        "ä" * 300 + ".txt",
        "字" * 96 + ".txt",
        "yyyyy." + "x" * 99 + ".txt",
    ],
)
def test_a_files_name_leads_nowhere(name: str) -> None:
    safe = datasets.safe_name(name)
    assert (
        "/" not in safe
        and "\\" not in safe
        and not safe.startswith(".")
        and len(safe.encode()) <= 200
        and safe.endswith(".txt")
    )


def test_two_files_of_one_name_are_two(place: Place) -> None:
    ada = place.owner()
    path = upload(ada, ("one/bridge.txt", TEXT), ("other/Bridge.txt", OTHER), ("bridge.txt", "Third."))
    with place.site.database.as_system() as session:
        [job] = session.execute(select(Job)).scalars()
    folder = datasets.folder_of(place.settings, job.org_id, path.rpartition("/")[2]) / "inputs"
    assert job.about["files"] == ["bridge.txt", "Bridge-2.txt", "bridge-3.txt"]
    assert [(folder / name).read_text() for name in job.about["files"]] == [TEXT, OTHER, "Third."]


def test_an_upload_that_is_refused_leaves_nothing_behind(place: Place) -> None:
    ada = place.owner()
    path = upload(ada, ("bridge.txt", TEXT))
    upload(ada, ("light.txt", OTHER))
    assert ada.status == 409 and "Another one is running" in ada.text
    made_ = list((place.settings.storage / "organisations").glob("*/datasets/*"))
    assert [each.name for each in made_] == [path.rpartition("/")[2]]


def test_the_datasets_of_others_are_not_there(place: Place) -> None:
    ada, eve = place.owner(), place.owner("Other Ltd", "Eve")
    path = made(place, ada)
    row = re.findall(r'id="r([^"]+)"', ada.page)[0]
    foreign = path.replace(ada.slug, eve.slug)
    for page in ("", "/file", "/report"):
        eve.get(foreign + page)
        assert eve.status == 404, page
    for action in ("/decide", "/edit", "/start", "/write"):
        eve.post(foreign + action, {"row": row, "action": "reject"})
        assert eve.status == 404, action
    ada.get(path)
    assert "rejected" not in ada.text
    ada.post(f"{path}/decide", {"row": "nothing", "action": "reject"})
    assert ada.status == 404


def test_a_run_that_found_no_text_says_why_of_each_document(tmp_path: Path) -> None:
    log = tmp_path / "run.log"
    log.write_text(
        "note: not read: a.txt: the file is empty\nnote: not read: b.pdf: no text\nnote: not read: a.txt: the file is empty\n"
        "stopped: no passage was found in /srv/inputs\n  remedy: put documents there\n"
    )
    assert datasets.unread(log) == "No text was found in the documents. a.txt: the file is empty; b.pdf: no text"
    log.write_text("note: not read: a.txt: the file is empty\nerror: the disk is full\n")
    assert datasets.unread(log) == "" and last_words(log) == "error: the disk is full"
    log.write_text("stopped: the cap is reached\n  remedy: raise it\n")
    assert last_words(log) == "the cap is reached"
