"""A conversation with the model that is to be corrected, and the detector beside it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from augment_correction.config_files import with_environment_keys
from augment_correction.corrections.config import CHATTING, TARGET, ChatConfig
from augment_correction.corrections.correction import Evidence, Statement
from augment_correction.corrections.detecting import PROMPT as DETECT
from augment_correction.corrections.detecting import Detected, detect
from augment_correction.corrections.documents import passages_of
from augment_correction.corrections.evidence import PROMPT as EVIDENCE
from augment_correction.corrections.evidence import Witness
from augment_correction.corrections.transcripts import TranscriptFile
from augment_correction.documents import counting
from augment_correction.errors import UserError
from augment_correction.llm.opening import open_models
from augment_correction.llm.session import Session, database_of
from augment_correction.llm.streaming import Listener, heard_by
from augment_correction.parsing import final_answer
from augment_correction.prompts import PromptLibrary
from augment_correction.records import Message
from augment_correction.sampling import Sampling
from augment_correction.store import RunFolder

T = TypeVar("T")
SAMPLING = Sampling(temperature=0.7, max_tokens=1024)
Notice = Callable[[str], None]


class Chat:
    """`open_chat` makes one. Every call is journaled in the chat's own folder and counted like those of a run."""

    def __init__(self, config: ChatConfig, session: Session, models: Any, transcript: TranscriptFile) -> None:
        library = PromptLibrary(config.project, (config.path.prompts, config.path.default_prompts))
        self._config, self._session, self._models = config, session, models
        self._model = models[TARGET]
        self._detecting = library.load(DETECT)
        self._weighing = library.load(EVIDENCE)
        self._witness: Witness | None = None
        self._draws = 0
        self._sampling = SAMPLING.merged(config.sampling.get(CHATTING)).sent()
        self.transcript = transcript
        system = config.corrections.system_prompt
        self._opening = (Message("system", system),) if system else ()
        self.said = transcript.messages()

    async def reply(self, text: str, listener: Listener) -> str:
        """What the model says to `text`, after all that was said before; `listener` hears it as it comes. Both are in the
        transcript when this returns.

        Raises: what the model's `complete` raises; UserError where its reply is reasoning alone.
        """
        asked = Message("user", text)
        request = self._model.request((*self._opening, *self.said, asked), self._sampling, {}, "text")
        with heard_by(listener):
            completion = await self._model.complete(
                replace(request, sample=self._draws) if self._draws else request, "chat"
            )
        answer = final_answer(completion.text)
        if not answer:
            raise UserError(
                "the model gave no answer after its reasoning", hint="/retry, or raise sampling.chat.max_tokens"
            )
        said = (asked, Message("assistant", answer))
        self.transcript.add(*said)
        self.said += said
        return answer

    async def detect(self, text: str) -> Detected:
        """Whether `text`, said next, corrects what was said before."""
        return await detect(self._models[self._config.detector], self._detecting, self.said, text)

    async def weigh(self, said: Statement) -> list[Evidence]:
        """What speaks for a correction and against it."""
        if self._witness is None:
            passages = await passages_of(self._config, self._session.notice)
            model = self._models[self._config.detector]
            self._witness = Witness(model, self._weighing, passages, self._config.detects_itself)
        return await self._witness.evidence(said)

    def reset(self) -> None:
        self.transcript.begin_anew()
        self.said = []

    def asked_again(self) -> str | None:
        """Takes the last question and its answer back, and returns the question; None where nothing was asked. The same words
        then are another draw."""
        if len(self.said) < 2:
            return None
        *before, asked, _ = self.said
        self._draws += 1
        self.transcript.begin_anew(*before)
        self.said = before
        return asked.content

    def spent(self) -> Sequence[tuple[str, dict[str, Any]]]:
        roles = dict.fromkeys((TARGET, self._config.detector))
        return [(role, self._session.ledger.as_json(role)) for role in roles]


class Loop:
    """An event loop in a thread of its own, so that the terminal's thread may wait for a person and be interrupted."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="chat", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Its result. Ctrl-C cancels it and is raised."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except KeyboardInterrupt:
            future.cancel()
            raise

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@contextmanager
def open_chat(config: ChatConfig, folder: Path, transcript: Path | None, notice: Notice) -> Iterator[tuple[Chat, Loop]]:
    """A chat whose journal is in `folder`; `transcript` is where it is written, unset a file in that folder.

    Raises: what opening a model raises; InputError where another chat is in the folder, or the transcript is none.
    """
    config = with_environment_keys(config)
    run, loop, stack = RunFolder(folder), Loop(), AsyncExitStack()
    try:
        with run.held(), database_of(run) as database:
            roles = tuple(dict.fromkeys((TARGET, config.detector)))
            session = Session.on(
                database, config, roles, run.logs, counting(notice=notice), _loading(notice), notice
            )  # fmt: skip
            try:
                models = loop.run(stack.enter_async_context(open_models(config, roles, session)))
                yield Chat(config, session, models, TranscriptFile(transcript or folder / "transcript.jsonl")), loop
            finally:
                loop.run(stack.aclose())
                loop.run(database.flush())
    finally:
        loop.close()


def _loading(notice: Notice) -> Callable[[str, int, int], None]:
    """Says once what is loaded, and not each step of it."""
    told: set[str] = set()

    def report(what: str, done: int, total: int) -> None:
        if what and what not in told:
            told.add(what)
            notice(what)

    return report
