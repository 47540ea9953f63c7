"""Everything that can be found out about a run's config without a paid call."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import aclosing
from pathlib import Path, PurePath

from augment_correction.config import RunConfig, load_config
from augment_correction.config_files import require_keys
from augment_correction.declarations import KIND
from augment_correction.documents import ending_of, is_read, kinds, list_files
from augment_correction.documents.formats import file_and_place, remedy_of
from augment_correction.documents.notes import note_lines, unread_lines
from augment_correction.errors import AugmentCorrectionError
from augment_correction.folders import size_of
from augment_correction.pipeline_settings import at_key
from augment_correction.plan import Plan, make_checked_plan
from augment_correction.plugins import loaded
from augment_correction.records import ReadNote, UnreadInput
from augment_correction.remote.at_once import in_thread
from augment_correction.remote.mirror import Mirrored
from augment_correction.remote.storage import is_address
from augment_correction.runner.finding import Finding, note, small_gate, writable, wrong
from augment_correction.runner.model_checks import check_models
from augment_correction.runner.source import read_passages
from augment_correction.runner.transfers import check_place, mirror_of
from augment_correction.selection import Gate, read_gate
from augment_correction.selection.candidate import document_of

READ_BYTES = 20_000_000
"""An input up to this size is read: a few seconds. `run --dry-run` reads any."""
SHOWN = 8


async def check_run(path: str | Path, overrides: Sequence[str] = ()) -> list[Finding]:
    """Findings in the order a run would meet them; the later ones where the earlier allow it."""
    try:
        config = load_config(path, overrides)
    except AugmentCorrectionError as failure:
        return list(wrong(failure))
    findings = [Finding(True, f"config {path}"), *(note(notice) for notice in config.notices)]
    try:
        plan = make_checked_plan(config)
        told, fetched = await _at_addresses(config)
        findings += told
        if fetched is not None:
            plan = make_checked_plan(config, fetched=fetched)
    except AugmentCorrectionError as failure:
        return [*findings, *wrong(failure), *_keys(config)]
    findings += (
        Finding(True, f"prompt {prompt.path}: reads {', '.join(sorted(prompt.variables | prompt.optional))}")
        for prompt in plan.prompts.values()
    )
    findings += _unread_draws(plan)
    findings.append(
        Finding(
            True,
            f"pipeline {plan.pipeline_file or plan.pipeline.name}: stages, fields and chat template are consistent",
        )
    )
    findings += (Finding(True, plugin) for plugin in loaded())
    findings.append(Finding(True, f"rows are written with {plan.template.name}"))
    here = fetched is not None or not is_address(config.path.input_dir)
    files = list_files(plan.input_dir) if here else []
    findings += _input(plan, files) if here else []
    findings.append(writable("output folder", plan.folder.root, "set path.output_dir"))
    if here:
        findings += [finding async for finding in _read(plan, (path for _, path in files))]
    return findings + await check_models(plan.config, plan.roles)


async def _at_addresses(config: RunConfig) -> tuple[list[Finding], Mirrored | None]:
    """What there is at the addresses that the config names; with the input's copy on this machine where it is small enough.

    Raises: UserError where one cannot be listed.
    """
    findings = []
    if copy_to := config.output.copy_to:
        with at_key(config, "output", "copy_to"):
            await in_thread(lambda stop: check_place(copy_to, stop))
        findings.append(Finding(True, f"what is made is copied to {copy_to}, which can be listed"))
    if not is_address(config.path.input_dir):
        return findings, None
    mirror = mirror_of(config.path.input_dir)
    with at_key(config, "path", "input_dir"):
        outlook = await in_thread(mirror.look)
    if outlook.size > READ_BYTES or outlook.unsized:
        size = f"{outlook.size / 1e6:,.0f} MB" + (
            f" and {outlook.unsized:,} of unknown size" if outlook.unsized else ""
        )
        told = f"{len(outlook.due):,} of {len(outlook.wanted):,} files are still to be fetched ({size})"
        return [
            *findings,
            note(f"{config.path.input_dir}: {told}, and were not read; `run --dry-run` fetches and reads them"),
        ], None
    with at_key(config, "path", "input_dir"):
        fetched = await in_thread(lambda stop: mirror.fetch(stop=stop))
    return [*findings, Finding(True, str(fetched))], fetched


def _unread_draws(plan: Plan) -> Iterator[Finding]:
    """A prompt may do without a word that it asks for by `is defined`: a misspelt draw would go unnoticed."""
    read = {KIND}.union(*(prompt.variables | prompt.optional for prompt in plan.prompts.values()))
    read = read.union(*(stage.reads for stage in plan.pipeline.stages))
    if unread := [name for name in plan.pipeline.draws if name not in read]:
        yield note(
            f"the pipeline draws {', '.join(unread)}, but no stage reads them for the chosen kinds of conversation"
        )


def _keys(config: RunConfig) -> Iterator[Finding]:
    """Of a config that is wrong elsewhere: whoever mends that should not be told of a missing key only then."""
    try:
        require_keys(config, config.by_role)
    except AugmentCorrectionError as failure:
        yield from wrong(failure)


def _input(plan: Plan, files: Sequence[tuple[str, Path]]) -> Iterator[Finding]:
    """Which files will be read, and which not."""
    read = [path for _, path in files if _is_known(path)]
    ignored = [name for name, path in files if not _is_known(path) and not path.is_dir()]
    what = "input file" if plan.input_dir.is_file() else "input folder"
    if read:
        yield Finding(True, f"{what} {plan.input_dir}: {_by_ending(read)}")
    else:
        yield Finding(
            False, f"{what} {plan.input_dir} holds none of {', '.join(kinds())}", "put documents into this folder"
        )
    if ignored:
        more = f" and {len(ignored) - SHOWN} more" if len(ignored) > SHOWN else ""
        yield Finding(
            True,
            f"note: {len(ignored)} files will not be read ({_by_ending(map(Path, ignored))}): "
            f"{', '.join(ignored[:SHOWN])}{more}",
            "; ".join([*_remedies(ignored), f"supported are {', '.join(kinds())}"]),
        )


def _remedies(ignored: Iterable[str]) -> list[str]:
    """For the most frequent kinds of file about which something can be done."""
    kinds_of = Counter(ending_of(PurePath(name)) for name in ignored)
    remedies = [
        f"{ending or 'without an ending'}: {remedy}"
        for ending, _ in kinds_of.most_common()
        if (remedy := remedy_of(ending))
    ]
    return remedies[:SHOWN]


def _is_of_other_kind(unread: UnreadInput) -> bool:
    """Whether `_input` has told it: a part of a document, or a pipe with the name of one, may be unsupported, too."""
    return unread.reason == "unsupported" and not _is_known(Path(file_and_place(unread.source)[0]))


def _is_known(path: Path) -> bool:
    return is_read(ending_of(path))


def _by_ending(paths: Iterable[Path]) -> str:
    endings = Counter(ending_of(path) or "without an ending" for path in paths)
    return ", ".join(f"{count} {ending}" for ending, count in sorted(endings.items()))


async def _read(plan: Plan, paths: Iterable[Path]) -> AsyncIterator[Finding]:
    """What reading the documents shows: files that cannot be read, how many passages there are, how large the held-out set can
    become."""
    if sum(size_of(path) or 0 for path in paths) > READ_BYTES:
        yield note("the input is large and was not read; `run --dry-run` reads it")
        return
    config = plan.config
    gate = Gate(config.system.seed, config.gate.share, read_gate(plan.folder.gate))
    passages, drawn = set[str](), set[str]()
    unread: list[UnreadInput] = []
    notes: list[ReadNote] = []
    try:
        async with aclosing(read_passages(plan)) as reads:
            async for read in reads:
                unread += [each for each in read.unread if not _is_of_other_kind(each)]
                notes += read.notes
                for passage in read.passages:
                    passages.add(passage.chunk.id)
                    place = {"source": passage.document.source, "document_id": passage.document.id}
                    if gate.draws(document_of(place)):
                        drawn.add(passage.chunk.id)
    except AugmentCorrectionError as failure:
        for finding in wrong(failure):
            yield finding
        return
    for line in unread_lines(unread, at_most=SHOWN):
        yield note(f"not read: {line}")
    for line in note_lines(notes):
        yield note(f"reading {line}")
    yield Finding(
        bool(passages),
        f"{len(passages)} passages",
        None if passages else "put documents that contain text into this folder",
    )
    if config.gate.share:
        most = max(len(drawn), len(gate))
        for finding in small_gate("the held-out set will hold at most", most, "raise gate.share, or add documents"):
            yield finding
