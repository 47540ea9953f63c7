"""What a run fetches from object storage before it reads, and copies there when it ends."""

from __future__ import annotations

import shlex
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import TypeVar

from augment_correction.config import RunConfig
from augment_correction.documents import ending_of, is_read
from augment_correction.documents.folder_settings import FILE as FOLDER_SETTINGS
from augment_correction.errors import ExitCode, InputError, Interrupted, UserError
from augment_correction.export.destinations import push_run
from augment_correction.llm.metered import Halt
from augment_correction.llm.session import interruptible
from augment_correction.pipeline_settings import at_key
from augment_correction.plan import Plan, make_checked_plan
from augment_correction.remote.at_once import Report, in_thread, silent, unless_stopped
from augment_correction.remote.mirror import Mirror, Mirrored
from augment_correction.remote.storage import Storage, is_address
from augment_correction.runner.state import RunResult, RunState

T = TypeVar("T")


def mirror_of(address: str) -> Mirror:
    """Of the documents there, and of the settings of their folders."""
    return Mirror(address, lambda name: name == FOLDER_SETTINGS or is_read(ending_of(Path(name))))


@asynccontextmanager
async def fetched(address: str, report: Report = silent) -> AsyncIterator[Mirrored]:
    """The documents of an address, on this machine, where no other process changes them until the context is left.

    Raises: UserError where it cannot be reached, or there is no room for them; Interrupted.
    """
    with ExitStack() as read:
        yield await _transferred(lambda stop: mirror_of(address).fetch(report, stop, read=read))


async def _transferred(work: Callable[[Event], T]) -> T:
    """Raises: Interrupted at Ctrl-C, and whatever `work` raises."""
    async with interruptible(Halt(), lambda: True, lambda _: None):
        return await in_thread(work)


@asynccontextmanager
async def with_input(plan: Plan, config: RunConfig, state: RunState, *, asks: bool = False) -> AsyncIterator[Plan]:
    """The plan that `config` gives when its documents are here, for the time that they are read: itself, but where they are at an
    address.

    Raises: UserError where they cannot be fetched, or what their folders say does not fit.
    """
    if not is_address(config.path.input_dir):
        yield plan
        return
    async with AsyncExitStack() as read:
        with at_key(config, "path", "input_dir"):
            there = await read.enter_async_context(fetched(config.path.input_dir, _report(state)))
        state.loading = None
        state.notices.append(str(there))
        yield make_checked_plan(config, asks=asks, fetched=there)


def check_place(address: str, stop: Event) -> None:
    """Raises: UserError where it cannot be asked; Stopped."""
    unless_stopped(lambda: Storage.at(address).check(), stop)


async def check_copy(plan: Plan, state: RunState) -> None:
    """Before anything is paid for.

    Raises: UserError where the address of `output.copy_to` cannot be asked.
    """
    if address := plan.config.output.copy_to:
        state.loading = f"looking at {address}", 0, 0
        with at_key(plan.config, "output", "copy_to"):
            await _transferred(lambda stop: check_place(address, stop))
        state.loading = None


async def with_copy(plan: Plan, state: RunState, result: RunResult) -> RunResult:
    """The result of the run when its files were copied to `output.copy_to`; where that failed, with the reason and the command that
    copies again. The files themselves are in the output folder either way."""
    address = plan.config.output.copy_to
    if not address:
        return result
    try:
        push = await _transferred(lambda stop: push_run(plan.folder, address, report=_report(state), stop=stop))
    except (UserError, Interrupted, OSError) as cause:
        failure = InputError(str(cause), hint="mend that") if isinstance(cause, OSError) else cause
        again = (
            f"python -m augment_correction export {shlex.quote(str(plan.folder.root))} --push {shlex.quote(address)}"
        )
        first = f"{failure.hint}, then " if isinstance(failure, UserError) else ""
        what, hint = f"the files were not copied: {failure.message}", f"{first}copy them: {again}"
        if result.exit_code is ExitCode.DONE:
            return replace(result, exit_code=failure.exit_code, stopped=what, hint=hint)
        state.notices.append(f"{what} ({hint})")
    else:
        told = f"copied to {push.url}: {push}" if push.url else f"nothing was copied to {push.to}: {push.withheld}"
        state.notices.append(told)
    finally:
        state.loading = None
    return replace(result, notices=tuple(state.notices))


def _report(state: RunState) -> Report:
    return lambda what, done, total: setattr(state, "loading", (what, done, total))
