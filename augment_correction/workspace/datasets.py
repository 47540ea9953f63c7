"""Datasets of an organisation: documents that were uploaded, a run over them, and what people decided about its rows.

A dataset is a folder (`inputs`, `output`, `run.yaml`) and the jobs that name it; the decisions are the run's own `decisions.jsonl`."""

from __future__ import annotations

import itertools
import re
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import orjson
import yaml
from sqlalchemy import select
from sqlalchemy.orm import Session

from augment_correction.documents import is_read
from augment_correction.documents.formats import READERS
from augment_correction.errors import InputError
from augment_correction.folders import new_file, private_folder
from augment_correction.records import Conversation
from augment_correction.results.decisions import Decisions, ReviewDecision, ReviewState
from augment_correction.results.finished import open_run, read_conversations
from augment_correction.store import RunFolder
from augment_correction.store.folder import atomic_write
from augment_correction.workspace.configs import base_model
from augment_correction.workspace.problems import Conflict, Invalid, NotThere
from augment_correction.workspace.settings import VLLM_KEY, Settings
from augment_correction.workspace.tables import Job

RUN, ESTIMATE = "run", "estimate"
KINDS = (RUN, ESTIMATE)
"""Of jobs: first what it would take is told, then it is made."""
MOST_FILES = 20
A_PAGE = 20
INPUTS = "inputs"
_UNREAD, _NO_PASSAGE = re.compile(r"^note: not read: (.*)$", re.MULTILINE), "no passage was found"
_ID = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class Row:
    """A conversation, where it is from, and what was decided about it."""

    conversation: Conversation
    passage: str
    source: str
    standing: ReviewState | None


def folder_of(settings: Settings, organisation: str, dataset: str) -> Path:
    """Raises: NotThere for what is no id."""
    if not _ID.fullmatch(dataset):
        raise NotThere()
    return settings.organisation_folder(organisation) / "datasets" / dataset


def is_upload(path: Path) -> bool:
    """Of a path in the storage folder: whether a person has named the file, and what it is."""
    return path.parts[0:1] == ("organisations",) and path.parts[2:3] == ("datasets",) and path.parts[4:5] == (INPUTS,)


def listed(session: Session) -> dict[str, Job]:
    """The latest job of each dataset, by its id; the latest first."""
    asked = select(Job).where(Job.kind.in_(KINDS)).order_by(Job.created.desc())
    found: dict[str, Job] = {}
    for job in session.execute(asked).scalars():
        found.setdefault(job.about["dataset"], job)
    return found


def dataset(session: Session, id_: str) -> Job:
    """Its latest job.

    Raises: NotThere; the folder of another organisation has no job here."""
    found = listed(session).get(id_)
    if found is None:
        raise NotThere()
    return found


# ------------------------------------------------------------------------------------------------------ making


def upload(folder: Path, files: Iterable[tuple[str, BinaryIO]]) -> list[str]:
    """Under names that are harmless, in `inputs`.

    Raises: Invalid for a format that is not read, and where there is none."""
    named = [(name, file) for name, file in files if name]
    given = list(zip(_apart([safe_name(name) for name, _ in named]), [file for _, file in named], strict=True))
    if not given or len(given) > MOST_FILES:
        raise Invalid(f"Choose 1 to {MOST_FILES} files.", field="files")
    for name, _ in given:
        if name.lower().endswith(".gz") or not is_read(Path(name).suffix.lower()):
            raise Invalid(
                f"{name}: this format is not supported. Supported are: {', '.join(sorted(READERS))}.", field="files"
            )
    private_folder(folder / INPUTS)
    for name, file in given:
        with new_file(folder / INPUTS / name) as written:
            shutil.copyfileobj(file, written)
    return [name for name, _ in given]


@contextmanager
def or_nothing(folder: Path) -> Iterator[None]:
    """What was uploaded in vain leaves nothing behind: no dataset would ever name it."""
    try:
        yield
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def safe_name(name: str) -> str:
    """The last part of a path, of letters, digits, dots, hyphens and underscores, no hidden one, and short enough for every file system."""
    last = Path(re.sub(r"[^\w.-]+", "_", re.split(r"[\\/]", name)[-1]).lstrip("."))
    stem, suffix = (_cut(part, most) for part, most in ((last.stem, 150), (last.suffix, 40)))
    return f"{stem}{suffix}" or "file"


def _cut(text: str, most: int) -> str:
    """To so many bytes."""
    return text.encode()[:most].decode(errors="ignore")


def _apart(names: list[str]) -> list[str]:
    """Two files of the same name, from two folders, are two; some file systems know no capitals."""
    made: list[str] = []
    for name in names:
        free = (f"{Path(name).stem}-{number}{Path(name).suffix}" for number in itertools.count(2))
        taken = {each.casefold() for each in made}
        made.append(next(each for each in itertools.chain([name], free) if each.casefold() not in taken))
    return made


def write_config(settings: Settings, folder: Path) -> Path:
    """What `run` reads: the workspace's own model asks, in the words that fit its size."""
    model = base_model(settings)
    named = {name: getattr(model, name) for name in ("model", "mode", "base_url", "script")}
    if model.has_key:
        named["api_key"] = f"${{{VLLM_KEY}}}"  # its process has the variable, too, and no file has the key
    api = {f"{role}_{name}": value for role in ("small", "large") for name, value in named.items() if value}
    made = {
        "pipeline": "correction" if settings.backend == "openai" else "correction_small",
        "api": api,
        "path": {"input_dir": str(folder / INPUTS), "output_dir": str(folder / "output")},
        "system": {"chunk_size": 400, "seed": 42, "prompt_template": "chatml"},
    }
    path = folder / "run.yaml"
    with atomic_write(path) as file:
        file.write(yaml.safe_dump(made, allow_unicode=True).encode())
    return path


def command(settings: Settings, job: Job) -> list[str]:
    """The same folder goes on where it was: nothing is asked twice, and the files are written anew with what was decided."""
    config = write_config(settings, folder_of(settings, job.org_id, job.about["dataset"]))
    flags = ["--dry-run", "--json"] if job.kind == ESTIMATE else []
    return [sys.executable, "-m", "augment_correction", "run", str(config), *flags]


def unread(log: Path) -> str:
    """Why a run that found no text found none, document by document; empty where it found some."""
    try:
        said = log.read_text("utf-8", "replace")
    except OSError:
        return ""
    found = list(dict.fromkeys(_UNREAD.findall(said)))
    return f"No text was found in the documents. {'; '.join(found)}"[:500] if found and _NO_PASSAGE in said else ""


def result(settings: Settings, job: Job, log: Path) -> str:
    if job.kind == ESTIMATE:
        told = estimate_in(log)
        return f"Counted: {counted(told)}." if told else "The log shows more."
    output = folder_of(settings, job.org_id, job.about["dataset"]) / "output"
    made = sum(1 for _ in read_conversations(output))
    if not made:
        return "Nothing was kept; the log shows why."
    return "1 conversation is in the dataset." if made == 1 else f"{made:,} conversations are in the dataset."


def counted(told: Mapping[str, Any]) -> str:
    """What an estimate found, in words."""
    pairs = (("documents", "document"), ("passages", "passage"))
    return " with ".join(f"{told[many]:,} {one if told[many] == 1 else many}" for many, one in pairs)


def estimate_in(log: Path) -> dict[str, Any]:
    """What `run --dry-run --json` has printed; empty where it has not."""
    try:
        lines = [line for line in log.read_bytes().splitlines() if line.startswith(b"{")]
        return dict(orjson.loads(lines[-1])) if lines else {}
    except (OSError, ValueError):
        return {}


# --------------------------------------------------------------------------------------------------- reviewing


def rows(folder: Path) -> Iterator[Row]:
    """As the run made them, with what was decided since; none before it has begun."""
    output = RunFolder(folder / "output")
    if not output.journal.is_file():
        return
    decisions = Decisions(output.decisions)
    with open_run(output.root) as opened:
        for chunk, outcome in opened.results.conversations():
            conversation = outcome.conversation(chunk)
            source = str(chunk.places[0].get("source", "")) if chunk.places else ""
            yield Row(conversation, chunk.id, source, decisions.of(conversation.id))


def a_page(folder: Path, begin: int) -> tuple[list[Row], bool]:
    """Some rows from number `begin` on, and whether more follow."""
    found = list(itertools.islice(rows(folder), begin, begin + A_PAGE + 1))
    return found[:A_PAGE], len(found) > A_PAGE


def decide(folder: Path, who: str, conversation: str, action: str, reason: str) -> None:
    """Approve, reject, or take back what was decided.

    Raises: NotThere, Invalid."""
    if action not in ("approve", "reject", "undo"):
        raise Invalid("There is no such decision.")
    _add(folder, ReviewDecision(conversation, _row(folder, conversation).passage, action, by=who, reason=reason))  # type: ignore[arg-type]


def edit(folder: Path, who: str, conversation: str, texts: dict[int, str]) -> int:
    """Other texts for some turns; a mistake at a turn's beginning stays as it is, and masked. How many have changed.

    Raises: NotThere, Invalid."""
    row, changed = _row(folder, conversation), 0
    for number, text in texts.items():
        if not 0 <= number < len(row.conversation.turns):
            raise Invalid("The conversation has no such turn.")
        turn = row.conversation.turns[number]
        before = row.standing.edits[number].text if row.standing and number in row.standing.edits else turn.text
        whole = turn.text[: turn.masked] + text
        if whole == before:
            continue
        if not text.strip():
            raise Invalid("A turn cannot be empty. Reject the conversation instead.")
        _add(
            folder,
            ReviewDecision(conversation, row.passage, "edit", by=who, turn=number, text=whole, masked=turn.masked),
        )
        changed += 1
    return changed


def _add(folder: Path, decision: ReviewDecision) -> None:
    try:
        Decisions(RunFolder(folder / "output").decisions).add(decision)
    except InputError as failure:
        raise Conflict(failure.message) from None


def _row(folder: Path, conversation: str) -> Row:
    found = next((row for row in rows(folder) if row.conversation.id == conversation), None)
    if found is None:
        raise NotThere()
    return found


def text_of(row: Row, number: int) -> tuple[str, str]:
    """A turn's masked beginning and the rest, as they were edited last."""
    turn: Any = row.conversation.turns[number]
    edited = row.standing.edits.get(number) if row.standing else None
    text, masked = (edited.text or "", edited.masked) if edited else (turn.text, turn.masked)
    return text[:masked], text[masked:]
