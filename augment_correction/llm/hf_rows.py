"""The rows of a batch in `mode: hf`: from messages to tokens, from logits to the next token, from tokens to a reply."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import jinja2
import orjson

from augment_correction.errors import InputError, RequestRefused
from augment_correction.ledger import UNBOUNDED_REPLY
from augment_correction.llm.hf_weights import NO_CODE, need
from augment_correction.records import Completion, Request
from augment_correction.usage import Usage

TAKEN = ("temperature", "top_p", "top_k", "min_p", "repetition_penalty", "max_tokens", "seed", "stop")


class ChatFormat:
    """A tokenizer with its chat template: the adapter's own where the training saved one beside it, else the model's.

    Raises: MissingExtra, InputError where it cannot be read or has no template.
    """

    def __init__(self, folder: Path, adapter: Path | None, template_arguments: Mapping[str, Any] | None = None) -> None:
        need("torch", "transformers", "peft")
        from transformers import AutoTokenizer

        home = adapter if adapter and (adapter / "tokenizer_config.json").is_file() else folder
        try:
            tokenizer = AutoTokenizer.from_pretrained(home, **NO_CODE)
        except Exception as failure:  # whatever its package meets in the files
            raise InputError(f"the tokenizer in {home} cannot be read: {words(failure)}") from None
        if not tokenizer.chat_template:
            raise InputError(
                f"the tokenizer in {home} has no chat template",
                hint=f"write the one that the model was trained with to {home / 'chat_template.jinja'}",
            )
        self._take(tokenizer, template_arguments)

    @classmethod
    def of(cls, tokenizer: Any, template_arguments: Mapping[str, Any] | None = None) -> ChatFormat:
        """Around a tokenizer with a chat template that is in memory already."""
        made = cls.__new__(cls)
        made._take(tokenizer, template_arguments)
        return made

    def _take(self, tokenizer: Any, template_arguments: Mapping[str, Any] | None) -> None:
        self._tokenizer = tokenizer
        self._arguments = dict(template_arguments or {})
        self.ends, self.end_text = self._end_of_turn()

    def ids(self, request: Request) -> list[int]:
        """Raises: RequestRefused where the template refuses these roles."""
        messages = [{"role": message.role, "content": message.content} for message in request.messages]
        try:
            text = self._render(messages, True)
        except (jinja2.TemplateError, TypeError, ValueError) as failure:
            raise RequestRefused(f"{request.model}: its chat template refuses: {words(failure)}") from None
        return self._ids(text)

    def text(self, ids: Sequence[int]) -> str:
        decoded: str = self._tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return decoded

    def _ids(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer(text, add_special_tokens=False)["input_ids"]
        return ids

    def _render(self, messages: list[dict[str, str]], prompt: bool) -> str:
        text: str = self._tokenizer.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=prompt, **self._arguments
        )
        return text

    def _end_of_turn(self) -> tuple[set[int], tuple[str, ...]]:
        """What the template writes after an assistant's message: a control token, else plain text that ends replies."""
        eos = self._tokenizer.eos_token_id
        ends = set() if eos is None else {int(eos)}
        chat = [{"role": "user", "content": "probe"}, {"role": "assistant", "content": "\ue000"}]
        try:
            rest = self._render(chat, False).rpartition("\ue000")[2]
        except (jinja2.TemplateError, TypeError, ValueError):
            return ends, ()
        first = self._ids(rest)[:1]
        if first and first[0] in self._tokenizer.added_tokens_decoder:
            return {*ends, first[0]}, ()
        return ends, (rest.rstrip(),) if rest.strip() else ()


@dataclass(eq=False)
class GenerationTask:
    """`stop` is what ends the reply's text, `limit` its tokens, `future` where the reply goes; `say` is told its text so far."""

    request: Request
    speech: ChatFormat
    adapter: str | None
    future: Future[Completion] = field(default_factory=Future)
    ids: list[int] = field(default_factory=list)
    limit: int = 0
    say: Callable[[str], None] | None = None
    most: ClassVar[int] = 65_536
    """Prompts, padding and the longest replies of a batch, in tokens: 3.7 GB of cache for Qwen2.5-7B in bfloat16."""

    def measure(self, context: int | None) -> None:
        """Raises: RequestRefused where the template refuses it, or the model's context has no room for it."""
        self.ids = self.speech.ids(self.request)
        self.limit = self.request.sampling.get("max_tokens") or UNBOUNDED_REPLY
        if context is not None:
            self.limit = min(self.limit, context - len(self.ids))
        if self.limit < 1:
            raise RequestRefused(
                f"{self.request.model}: a prompt of {len(self.ids)} tokens leaves no room for a reply in the context window of {context}"
            )

    @property
    def stop(self) -> tuple[str, ...]:
        return (*self.request.sampling.get("stop", ()), *self.speech.end_text)

    @property
    def group(self) -> tuple[object, ...]:
        """Who may share a batch. With one limit for all, no row is carried beyond the model's context by another."""
        ways = {name: value for name, value in self.request.sampling.items() if name not in ("seed", "max_tokens")}
        return self.adapter, self.speech, self.limit, orjson.dumps(ways, option=orjson.OPT_SORT_KEYS)

    def completion(self, made: list[int], ends: set[int]) -> Completion:
        """Reads the row up to its first end. Tokens count as they were made: the end's own is one of them."""
        at = next((index for index, token in enumerate(made) if token in ends), None)
        text = self.speech.text(made[:at])
        cut = min((found for stop in self.stop if (found := text.find(stop)) >= 0), default=None)
        output = len(made) if at is None else at + 1
        reason = "length" if at is None and cut is None else "stop"
        return Completion(text[:cut], None, reason, Usage(len(self.ids), output))


def processors(batch: list[GenerationTask], length: int) -> list[Any]:
    """From logits to the next token, in Transformers' own order; the draw is ours, and what remains is its choice."""
    from transformers import (
        MinPLogitsWarper,
        RepetitionPenaltyLogitsProcessor,
        TemperatureLogitsWarper,
        TopKLogitsWarper,
        TopPLogitsWarper,
    )

    sampling = batch[0].request.sampling
    made: list[Any] = []
    if (penalty := sampling.get("repetition_penalty", 1)) != 1:
        made.append(RepetitionPenaltyLogitsProcessor(float(penalty)))
    if not sampling.get("temperature"):
        return made
    made.append(TemperatureLogitsWarper(float(sampling["temperature"])))
    if (most := sampling.get("top_k", 0)) > 0:
        made.append(TopKLogitsWarper(most))
    if (share := sampling.get("top_p", 1)) < 1:
        made.append(TopPLogitsWarper(float(share)))
    if (least := sampling.get("min_p", 0)) > 0:
        made.append(MinPLogitsWarper(float(least)))
    return [*made, SampleToken(batch, length)]


class SampleToken:
    """Leaves one token per row, drawn with the row's own random numbers: one for each step, whatever the batch is."""

    def __init__(self, batch: list[GenerationTask], length: int) -> None:
        import torch

        seeds = [int(job.request.key[:15], 16) for job in batch]
        self._length = length
        self._numbers = torch.stack([
            torch.rand(batch[0].limit, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
            for seed in seeds
        ])  # fmt: skip

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        import torch

        sums = scores.softmax(-1, dtype=torch.float64).cumsum(-1)
        numbers = self._numbers[:, input_ids.shape[1] - self._length, None].to(scores.device) * sums[:, -1:]
        chosen = torch.searchsorted(sums, numbers, right=True).clamp(max=scores.shape[-1] - 1)
        return torch.full_like(scores, -torch.inf).scatter(1, chosen, 0.0)


class Until:
    """Ends rows whose text holds a stop string, whose asker is gone, and all once `closed`; `lengths` says where."""

    def __init__(self, batch: list[GenerationTask], length: int, closed: threading.Event) -> None:
        self._batch, self._length, self._closed = batch, length, closed
        # A token is a byte at least, but for control tokens.
        self._tail = max((len(stop.encode()) for stop in batch[0].stop), default=0) + 8
        self.lengths: dict[int, int] = {}

    def __call__(self, input_ids: Any, scores: Any, **_: Any) -> Any:
        import torch

        made = input_ids.shape[1] - self._length
        for index, job in enumerate(self._batch):
            if job.say and index not in self.lengths:
                job.say(job.speech.text(input_ids[index][self._length :].tolist()))
            if index not in self.lengths and (
                self._closed.is_set() or job.future.cancelled() or (job.stop and self._stops(job, input_ids[index]))
            ):
                self.lengths[index] = made
        done = [index in self.lengths for index in range(len(self._batch))]
        return torch.tensor(done, device=input_ids.device)

    def _stops(self, job: GenerationTask, row: Any) -> bool:
        """The end of the text is looked at first: all of it at every step would take ever longer."""
        made = row[self._length :]
        return all(
            any(stop in text for stop in job.stop)
            for text in (job.speech.text(part.tolist()) for part in (made[-self._tail :], made))
        )


def words(failure: BaseException) -> str:
    first = next(iter(str(failure).strip().splitlines()), "")
    return f"{type(failure).__name__}: {first[:300]}"
