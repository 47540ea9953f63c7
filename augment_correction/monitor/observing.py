"""One training as its monitor sees it, without torch: which questions come next, what became of the answers, and when a
file is due. `live.py` ties it to a trainer."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime
from typing import Any

from augment_correction.errors import InputError
from augment_correction.failures import Failure
from augment_correction.monitor.budget import Budget
from augment_correction.monitor.config import MonitorConfig
from augment_correction.monitor.items import draw, read_items, refuse_overlap
from augment_correction.monitor.keeping import MonitorStore
from augment_correction.monitor.making import decide
from augment_correction.monitor.report import block, scalars
from augment_correction.monitor.sorting import RawReply, Sorter
from augment_correction.rows import Item
from augment_correction.selection.gate import gate_file
from augment_correction.store.json_files import write_json
from augment_correction.store.room import no_room

Generate = Callable[[Sequence[Item], float], Sequence[RawReply | None]]
"""Answers of the model as it is now, within so many seconds: None for one that did not come to its end in time."""
Say = Callable[[str], None]
Log = Callable[[dict[str, float]], None]
PATIENCE_SECONDS = 600.0
"""How long the end of a training waits for room on a full disk."""
ROOM_SECONDS = 5.0


class Observer:
    """`begin` once, `observe` at each evaluation, `end` once. `log` takes scalars."""

    def __init__(
        self,
        config: MonitorConfig,
        say: Say,
        log: Log,
        *,
        model: str = "",
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = datetime.now,
    ) -> None:
        self._config, self._say, self._log, self._model, self._now = config, say, log, model, now
        self._clock = clock
        self._keep = MonitorStore(config.data)
        self._sorter = Sorter(config, config.data / "judge")
        self._held = ExitStack()
        self._making = ThreadPoolExecutor(1, thread_name_prefix="self-correction")
        self._made: list[Future[None]] = []
        self._last_file = 0
        self._seen: int | None = None
        self._again = False
        self._asked = 0
        self._waiting: list[Failure] = []
        self.unjudged: Exception | None = None
        """Why the judge could not be asked at the last evaluation. What words had decided is kept all the same."""
        self.in_vain = 0
        """Evaluations in a row that such a judge left without any verdict."""

    def begin(self, step: int = 0) -> None:
        """Raises: UserError where the monitor's questions, or its folder, cannot be used."""
        config = self._config
        self._items = read_items(config.project.resolve(config.split), self._say)
        # Its own files come back as training data: that is what they are made for.
        own = {each.question for each in self._keep.filed()}
        refuse_overlap(self._items, map(config.project.resolve, config.training_data), "training data", own)
        refuse_overlap(self._items, [gate_file(config.project.resolve(each)) for each in config.gate], "held-out set")
        if not config.training_data and not config.gate:
            self._say(
                "monitor: neither training_data nor gate is set, so that the monitor cannot check whether its questions are trained, or "
                "what the model is measured with"
            )
        self._held.enter_context(self._keep.held())
        write_json(self._keep.plan, self._plan())
        self._used = self._keep.used()
        self._budget = Budget(config.max_share, config.eval_timeout_seconds, self._clock)
        self._last_file = step
        if self._keep.open_batches():
            self._make()

    def observe(self, step: int, last: int, generate: Generate) -> list[Failure]:
        """One evaluation. What is too dear for now is left out."""
        if step == self._seen or (self._config.eval_steps and step % self._config.eval_steps):
            return []
        self._seen = step  # a trainer with several evaluation sets tells of each
        self.unjudged = None
        found: list[Failure] = []
        with self._budget.spending():
            number = self._budget.items(self._config.num_eval_samples)
            self._asked += number
            if number:
                found = self._ask(self._draw(number), step, generate)
        self._log(scalars(found, self._budget.share))
        if found:
            self._say(block(step, last, found, self._budget.share))
        self._file(step)
        return found

    def _draw(self, number: int) -> list[Item]:
        drawn = draw(self._items, self._used, number, self._config.seed)
        if not self._again and any(self._used[item.key] for item in drawn):
            self._again = True
            self._say(
                f"monitor: all {len(self._items)} questions have been asked; they come again, and an answer that a file has "
                "already gives no further rows"
            )
        return drawn

    def _ask(self, items: Sequence[Item], step: int, generate: Generate) -> list[Failure]:
        began = self._clock()
        replies = generate(items, self._budget.seconds())
        asked = [(item, reply) for item, reply in zip(items, replies, strict=True) if reply is not None]
        self._budget.learn(len(items), len(asked), self._clock() - began)
        found = self._sorter.sort(asked, model=self._model, step=step, failed=self._without_judge)
        if any(each.verdict != "undecided" for each in found):
            self.in_vain = 0
        elif self.unjudged is not None:
            self.in_vain += 1
        if self._config.self_correction.enabled:
            self._waiting += found
            self._write_waiting()
        self._used.update(item.key for item in items)  # of those without an answer, too: others have their turn first
        return found

    def _write_waiting(self) -> bool:
        """False where the disk has no room for them: the answers wait in memory, and the training goes on."""
        try:
            self._keep.add(self._waiting)
        except OSError as failure:
            if not no_room(failure):
                raise
            self._say(
                f"monitor: {failure}: {len(self._waiting)} answers are kept in memory until there is free space on the disk of "
                f"{self._keep.root}"
            )
            return False
        self._waiting = []
        return True

    def _wait_for_room(self) -> None:
        """At the end of a training nothing comes after that could write them.

        Raises: InputError where there is still no room in the end.
        """
        until = self._clock() + PATIENCE_SECONDS
        while not self._write_waiting():
            if self._clock() >= until:
                raise InputError(
                    f"{len(self._waiting)} answers were lost because the disk of {self._keep.root} stayed full"
                )
            time.sleep(ROOM_SECONDS)

    def _without_judge(self, failure: Exception) -> None:
        self.unjudged = failure

    # ---------------------------------------------------------------------------------------------------- files

    def _file(self, step: int) -> None:
        """At the first evaluation in a new interval; where there is too little, in the next one."""
        due, every = self._config.self_correction, self._config.self_correction.generation_interval
        if not due.enabled or step // every <= self._last_file // every:
            return
        if self._waiting:
            return  # for room on the disk, which a file needs too
        if self._keep.examples() >= due.min_examples:
            self.close_buffer(step)
        self._last_file = step

    def close_buffer(self, step: int) -> None:
        """Decide a file of what there is, and have it made beside the training."""
        decide(self._keep, self._now(), step)
        self._make()

    def _plan(self) -> dict[str, Any]:
        """`max_tokens` and `system_prompt` are how it was asked, for whoever asks it again."""
        config = self._config
        return {
            "stand_by_share": config.self_correction.stand_by_share,
            "seed": config.seed,
            "queue": str(config.queue) if config.queue else None,
            "max_tokens": config.eval_max_tokens,
            "system_prompt": config.system_prompt,
        }

    def _make(self) -> None:
        self._made.append(self._making.submit(self._make_apart))

    def _make_apart(self) -> None:
        """In a process of its own: no event loop, thread or lock of ours is in the training's process, and what ends the
        training does not end it."""
        command = [sys.executable, "-m", "augment_correction", "monitor", "finish", "--data-dir", str(self._keep.root)]
        done = subprocess.run(
            command, cwd=self._config.project.root, start_new_session=True, capture_output=True, text=True, check=False
        )
        if done.stdout.strip():
            self._say(done.stdout.strip())
        if done.returncode:
            raise InputError(f"the file could not be written: {done.stderr.strip()[-2000:]}")

    def failed(self) -> list[BaseException]:
        """What went wrong beside the training since the last look."""
        ended = [each for each in self._made if each.done()]
        self._made = [each for each in self._made if each not in ended]
        return [failure for each in ended if (failure := each.exception())]

    def end(self, step: int | None = None) -> list[BaseException]:
        """Waits for the files. `step` is the last one of a training that came to its end: the buffer becomes a file if it
        holds enough, and else stays for the next training, as it does where the monitor ends before."""
        try:
            if self._waiting:
                self._wait_for_room()
            if step is not None and self._config.self_correction.enabled:
                self._file_the_rest(step)
        finally:
            self._making.shutdown()
            self._held.close()
        return self.failed()

    def _file_the_rest(self, step: int) -> None:
        if self._seen is not None and not self._asked:
            self._say(
                f"monitor: no question was asked: an answer takes longer than max_share {self._config.max_share:g} allows of so "
                "short a training (docs/guides/monitor.md)"
            )
        examples, enough = self._keep.examples(), self._config.self_correction.min_examples
        if examples >= enough:
            self.close_buffer(step)
        elif examples:
            self._say(
                f"monitor: {examples} examples wait in the buffer for the next training (min_examples {enough}); a file of "
                f"them now: augment_correction monitor finish --all --data-dir {self._keep.root}"
            )
