"""How probable a model finds answers that are there already (teacher forcing: each token is judged after the given ones before
it). The tokens that count are those of the package's own mask, so that the mean is the loss which `train` would report.

A model in `mode: hf` and a server of vLLM's kind can tell; each call is in the journal like any other. A verdict of right or
wrong must never be read from it: models that score well under teacher forcing may say something else by themselves
(arXiv 2502.11177).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import orjson

from augment_correction.errors import ConfigError, InputError, RequestRefused
from augment_correction.export.chat_template import ChatTemplate, find_tokenizer
from augment_correction.export.labelled import TokenRow, token_rows
from augment_correction.export.masking import IGNORED
from augment_correction.export.tokenizer import Tokenizer, load_tokenizer
from augment_correction.llm.given_wire import REMEDY
from augment_correction.llm.metered import MeteredModel
from augment_correction.llm.session import all_home
from augment_correction.llm.vllm import served_model
from augment_correction.models import ModelConfig
from augment_correction.project import Project
from augment_correction.records import Conversation, GivenTokens, Message, Turn, content_id

ABLE = ("hf", "vllm", "api")
"""Modes that can tell; of the servers, those that have the endpoint."""
STAGE = "score"


@dataclass(frozen=True, slots=True)
class AnswerScore:
    """One answer under one model. `logprobs[i]` is the natural logarithm (in nats, at most 0) of the probability of `tokens[i]`
    after everything before it; both have one entry for each trained token, the end of the answer's turn included as the chat
    template writes it.

    >>> AnswerScore((5, 9), (-0.5, -1.5)).nll
    1.0
    """

    tokens: tuple[int, ...]
    logprobs: tuple[float, ...]

    @property
    def total(self) -> float:
        """Log-probability of the whole answer, in nats."""
        return math.fsum(self.logprobs)

    @property
    def nll(self) -> float:
        """Mean negative log-likelihood of a token, in nats."""
        return -self.total / len(self.logprobs)

    @property
    def perplexity(self) -> float:
        """The exponential of `nll`; infinite where it has no number."""
        return math.exp(self.nll) if self.nll < 700 else math.inf


@dataclass(frozen=True, slots=True)
class NotScored:
    """Why a conversation has no score: `template_refuses`, `nothing_trained`, or `refused` by the model (it is too long)."""

    reason: Literal["template_refuses", "nothing_trained", "refused"]
    detail: str


@dataclass(frozen=True)
class Scorer:
    """`model` as opened by `open_models`; the tokenizer and the chat template must be those that it reads with. `Scorer.of`
    finds them."""

    model: MeteredModel
    tokenizer: Tokenizer
    template: ChatTemplate

    @classmethod
    def of(cls, model: MeteredModel, project: Project, tokenizer: str | None = None) -> Scorer:
        """With the tokenizer and chat template of the model's own files, or of the folder or cached model id `tokenizer`.

        Raises: InputError where the model's mode cannot tell log-probabilities, or no tokenizer of it is on this machine;
        MissingExtra.
        """
        config = model.config
        if config.mode not in ABLE:
            raise InputError(
                f"{config.model}: mode {config.mode} gives no log-probabilities of a given answer", hint=REMEDY
            )
        place = tokenizer or _read_by(config, project)
        if find_tokenizer(place, project.root) is None:
            raise InputError(
                f"{config.model}: the tokens of an answer are unknown, because there is no tokenizer at {place}",
                hint=f"name the folder of the model's tokenizer, or fetch it: hf download {place} --include 'tokenizer*'",
            )
        loaded = load_tokenizer(place, project.root)
        if not loaded.chat_template:
            raise InputError(
                f"the tokenizer in {place} has no chat template", hint="write it to chat_template.jinja there"
            )
        bos = loaded.bos_token if loaded.writes_bos else ""
        template = ChatTemplate(f"the chat template of {place}", loaded.chat_template, bos, loaded.eos_token)
        return cls(model, loaded, template)

    async def score(self, conversations: Iterable[Conversation], stage: str = STAGE) -> list[AnswerScore | NotScored]:
        """One for each conversation, in their order: of all its trained tokens together. All are asked at once, as many in
        flight as the model's limits allow; in place of one that cannot be scored stands the reason.

        Raises: ModelUnusable where the server tells no log-probabilities, and what `MeteredModel.complete` raises else.
        """
        asked = list(conversations)
        rows = token_rows(asked, self.template, self.tokenizer)
        return await all_home(self._score(each, row, stage) for each, row in zip(asked, rows, strict=True))

    async def _score(
        self, conversation: Conversation, row: TokenRow | ConfigError, stage: str
    ) -> AnswerScore | NotScored:
        if isinstance(row, ConfigError):
            return NotScored("template_refuses", row.message)
        places = tuple(at for at, label in enumerate(row.labels) if at and label != IGNORED)
        if not places:
            return NotScored("nothing_trained", "every token is masked")
        messages = tuple(Message(turn.role, turn.text) for turn in conversation.turns)
        request = self.model.request(messages, {"max_tokens": 1}, {}, "text")
        given = GivenTokens(tuple(row.ids), places)
        try:
            completion = await self.model.complete(replace(request, given=given), stage)
        except RequestRefused as failure:
            return NotScored("refused", failure.message)
        return AnswerScore(tuple(given.ids[at] for at in places), tuple(orjson.loads(completion.text)))


def answered(asked: Sequence[Message], answer: str) -> Conversation:
    """A conversation whose only trained turn is `answer`, given after the messages `asked`: what `Scorer.score` takes.

    >>> [turn.train for turn in answered([Message("user", "When was it built?")], "In 1911.").turns]
    [False, True]
    """
    turns = [Turn(message.role, message.content, train=False) for message in asked]
    made = content_id(*(part for turn in turns for part in (turn.role, turn.text)), answer)
    return Conversation(made, "answered", (*turns, Turn("assistant", answer, train=True)), train_scaffold=False)


def _read_by(config: ModelConfig, project: Project) -> str:
    """Where the tokenizer of a model lies by itself."""
    adapter = project.resolve(config.adapter) if config.adapter else None
    if adapter and (adapter / "tokenizer_config.json").is_file():
        return str(adapter)
    return config.folder or served_model(config.model, config.arguments)
