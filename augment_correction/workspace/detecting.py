"""Looks at what a user said: where it corrects the model, he is asked whether that is right."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool

from augment_correction.corrections.correction import Statement
from augment_correction.corrections.detecting import PROMPT as DETECT
from augment_correction.corrections.detecting import detect
from augment_correction.corrections.evidence import PROMPT as EVIDENCE
from augment_correction.corrections.evidence import Witness
from augment_correction.prompts import PromptLibrary
from augment_correction.records import Message
from augment_correction.workspace import corrections, threads
from augment_correction.workspace.answering import WantedReply
from augment_correction.workspace.database import Database
from augment_correction.workspace.serving import Opened
from augment_correction.workspace.tables import ChatMessage, Thread


class Detecting:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def __call__(self, opened: Opened, asked: WantedReply) -> None:
        """A chat is data to the detector: what stands in it can make a suggestion to its own author, and nothing else.

        Raises: what the model's `complete` raises."""
        before, corrected, text = await run_in_threadpool(self._said, asked)
        if corrected is None:
            return
        library = PromptLibrary(opened.config.project)
        found = await detect(opened.detector, library.load(DETECT), before, text)
        if found.said is None:
            return
        witness = Witness(opened.detector, library.load(EVIDENCE), (), opened.config.detects_itself)
        evidence = await witness.evidence(found.said)
        await run_in_threadpool(self._keep, asked, corrected, found.said, evidence)

    def _said(self, asked: WantedReply) -> tuple[list[Message], str | None, str]:
        """What was said before the last message of the user, the answer that it may correct, and the message."""
        with self._database.read(asked.organisation) as session:
            said = [each for each in threads.messages(session, asked.thread) if each.id != asked.message]
        if len(said) < 2 or said[-1].role != "user":
            return [], None, ""
        *earlier, last = said
        answers = [each for each in earlier if _is_answer(each)]
        before = [
            Message("assistant" if each.role == "assistant" else "user", each.text) for each in earlier if each.text
        ]
        return before, answers[-1].id if answers else None, last.text

    def _keep(self, asked: WantedReply, corrected: str, said: Statement, evidence: list) -> None:  # type: ignore[type-arg]
        with self._database.write(asked.organisation) as session:
            of = session.get(Thread, asked.thread)
            if of is not None:
                corrections.suggest(session, of, corrected, said, evidence)


def _is_answer(message: ChatMessage) -> bool:
    return message.role == "assistant" and bool(message.text)
