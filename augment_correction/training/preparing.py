"""Everything before the first step, without torch: rows as tokens, split and counted, and the schedule they allow."""

from __future__ import annotations

import hashlib
import importlib.util
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import orjson

from augment_correction.errors import ConfigError, InputError, MissingExtra, installing
from augment_correction.export import ChatTemplate, Tokenizer, load_tokenizer
from augment_correction.export.labelled import TokenRow, token_rows
from augment_correction.export.segments import answer_end
from augment_correction.failures import Problem
from augment_correction.llm.hf_weights import model_folder, weights_id
from augment_correction.records import Conversation, Turn, content_id
from augment_correction.text import read_text
from augment_correction.training.config import TrainConfig
from augment_correction.training.demonstrations import Demonstration, longest_prompts
from augment_correction.training.endings import prove_endings
from augment_correction.training.gathering import Gathered, gather, kept_only, problem_of, retention
from augment_correction.training.parent import UNKNOWN_BASE, refuse_other_base, shaped
from augment_correction.training.schedule import Schedule, schedule, whole_steps
from augment_correction.training.splitting import held_out

REFUSED = "were left out because the chat template refuses them"
OTHER_TEMPLATE = "change the row, or set another chat_template"


class NothingLeft(InputError):
    """`gathered` knows why, row by row."""

    def __init__(self, gathered: Gathered, message: str, hint: str) -> None:
        super().__init__(message, hint=hint)
        self.gathered = gathered


@dataclass(frozen=True)
class Side:
    """Conversations beside their tokens."""

    conversations: Sequence[Conversation]
    rows: Sequence[TokenRow]

    @property
    def trained(self) -> int:
        return sum(row.trained for row in self.rows)

    @property
    def masked(self) -> int:
        return sum(len(row.ids) for row in self.rows) - self.trained


@dataclass(frozen=True)
class Prepared:
    """`folder` holds the base model; `base` names it by its weights, `adapter` both with the adapter to go on from.
    `ending` rows teach the model to stop."""

    config: TrainConfig
    folder: Path
    base: str
    adapter: str | None
    template: ChatTemplate
    tokenizer: Tokenizer
    gathered: Gathered
    train: Side
    held_out: Side
    retention: Side
    ending: int
    schedule: Schedule
    apart_by: str
    notices: list[str] = field(default_factory=list)

    @property
    def end_token(self) -> str | None:
        """The end of a turn where it is one control token of the model: what a server must stop at."""
        ending = answer_end(self.template).strip()
        return ending if self.tokenizer.is_special(ending) else None

    @cached_property
    def data_hash(self) -> str:
        digest = hashlib.sha256()
        for side in (self.train, self.held_out):
            digest.update(len(side.rows).to_bytes(8, "big"))
            for row in side.rows:
                digest.update(len(row.ids).to_bytes(8, "big") + row.ids.tobytes() + row.labels.tobytes())
        for each in self.demonstrations:
            digest.update(content_id(*(f"{message.role} {message.content}" for message in each.teacher)).encode())
        return digest.hexdigest()[:20]

    @property
    def demonstrations(self) -> list[Demonstration]:
        """Those of the trained rows, in their order; none where nothing is distilled."""
        known = self.gathered.demonstrations
        return [known[each.id] for each in self.train.conversations if each.id in known]

    @cached_property
    def decided(self) -> Mapping[str, Any]:
        """What two trainings must share for one to go on from the other's checkpoint."""
        names = ("epochs", "learning_rate", "warmup_share", "lora_r", "lora_alpha", "lora_dropout", "precision", "seed")
        chosen = {name: getattr(self.config, name) for name in names}
        rows_per_step = self.config.batch_size * self.config.gradient_accumulation
        return {
            "base_model": self.base,
            "adapter": self.adapter,
            "data": self.data_hash,
            "rows_per_step": rows_per_step,
            **chosen,
            **self._distilled,
        }

    @property
    def _distilled(self) -> dict[str, Any]:
        names = ("method", "max_completion_length") if self.config.distils else ()
        return {name: getattr(self.config, name) for name in names}


def prepare(config: TrainConfig) -> Prepared:
    """Raises: UserError where the model, the data or the numbers cannot be trained with."""
    place = config.project.resolve(config.model)
    folder = _folder(config, place)
    named = place if place.is_dir() else config.model
    notices = config.warnings()
    parent = config.parent
    if parent:
        config = shaped(config, parent)
        if not refuse_other_base(parent, named, "set model to that one, or train without adapter"):
            notices.append(UNKNOWN_BASE)
    tokenizer = load_tokenizer(str(folder), folder)
    kept_back = retention(config)
    gathered = gather(config, kept_back)
    template = _template(config, tokenizer, gathered)
    if template.dated:
        notices.append(f"{template.dated}, in training as when it is served: the saved template writes that date")
    refuse_untracked(config)
    longest, remedy = _longest(config, folder)
    if longest < config.max_length:
        notices.append(f"the model takes {longest:,} tokens: max_length {config.max_length:,} is lowered to that")
        config = config.model_copy(update={"max_length": longest})
    made = list(token_rows(gathered.conversations, template, tokenizer))
    lengths = _lengths(config, gathered, made, template, tokenizer)
    rows = _fitting(gathered, made, lengths, longest, remedy, notices)
    guard = _guarding(kept_back, template, tokenizer, longest, notices)
    split = _split(config, gathered.conversations, rows, template, notices)
    return Prepared(
        folder=folder,
        base=weights_id(named),
        adapter=weights_id(named, parent) if parent else None,
        template=template,
        tokenizer=tokenizer,
        gathered=gathered,
        retention=guard,
        **split,
    )


def without(prepared: Prepared, dropped: Mapping[str, Problem], said: Mapping[str, str]) -> Prepared:
    """Without the conversations of these ids, split and planned anew. `said` is by id the answer that a conversation ends with in
    place of its own: by that the held-out rows are compared.

    Raises: NothingLeft.
    """
    gathered, kept = prepared.gathered, list[int]()
    for index, each in enumerate(gathered.conversations):
        if each.id in dropped:
            gathered.drop(index, dropped[each.id])
        else:
            kept.append(index)
    kept_only(gathered, kept)
    if not kept:
        raise _nothing_left(gathered)
    ended = [_ending_with(each, said.get(each.id)) for each in gathered.conversations]
    known = {
        each.id: row for side in (prepared.train, prepared.held_out)
        for each, row in zip(side.conversations, side.rows, strict=True)
    }  # fmt: skip
    made = token_rows(ended, prepared.template, prepared.tokenizer)
    rows = [row if isinstance(row, TokenRow) else known[each.id] for each, row in zip(ended, made, strict=True)]
    notices = [each for each in prepared.notices if each not in prepared.schedule.notices]
    return replace(prepared, **_split(prepared.config, ended, rows, prepared.template, notices))


def _ending_with(conversation: Conversation, answer: str | None) -> Conversation:
    if not answer:
        return conversation
    return replace(conversation, turns=(*conversation.turns[:-1], Turn("assistant", answer, train=True)))


def _split(
    config: TrainConfig,
    conversations: Sequence[Conversation],
    rows: Sequence[TokenRow],
    template: ChatTemplate,
    notices: list[str],
) -> dict[str, Any]:
    """What of `Prepared` follows from the rows."""
    apart, by = held_out(conversations, config.validation_split, config.seed)
    train = _side(conversations, rows, (index for index in range(len(rows)) if index not in apart))
    dev = _side(conversations, rows, sorted(apart))
    if config.monitor and not dev.rows:
        raise ConfigError(
            "the monitor needs evaluations, but no row is held out for them",
            hint=f"set validation_split so that two of the {len(rows):,} rows are: {2 / len(rows):.2g}",
        )
    ending = prove_endings(train.rows, template)
    if ending < len(train.rows):
        silent = len(train.rows) - ending
        notices.append(f"{silent:,} of {len(train.rows):,} rows do not end on a trained end of turn")
    if config.distils:
        config = whole_steps(config, len(train.rows), notices)
    plan = schedule(config, len(train.rows), evaluated=bool(dev.rows))
    return {
        "config": config, "train": train, "held_out": dev, "ending": ending, "schedule": plan, "apart_by": by,
        "notices": [*notices, *plan.notices],
    }  # fmt: skip


def refuse_untracked(config: TrainConfig) -> None:
    """Raises: InputError where the tracker that the config names is not installed."""
    if config.track != "tensorboard" and importlib.util.find_spec(config.track) is None:
        raise InputError(
            f"track: {config.track} needs that package, and it is not installed", hint=f"pip install {config.track}"
        )


def _folder(config: TrainConfig, place: Path) -> Path:
    try:
        return model_folder(place if place.is_dir() else config.model)
    except MissingExtra:  # the package that knows the cache
        raise InputError(
            f"no model at {place} (no config.json there)",
            hint=f"give its folder; to look up a model id: {installing('train')}",
        ) from None


def _template(config: TrainConfig, tokenizer: Tokenizer, gathered: Gathered) -> ChatTemplate:
    """Raises: ConfigError where it is not there."""
    wanted, own = config.chat_template, tokenizer.chat_template
    bos = tokenizer.bos_token if tokenizer.writes_bos else ""
    learnt = config.parent / "chat_template.jinja" if config.parent else None
    if learnt and learnt.is_file() and wanted == "auto":
        return ChatTemplate("the adapter's chat template", read_text(learnt), bos, tokenizer.eos_token)
    if own and wanted in ("auto", "model"):
        return ChatTemplate("the base model's chat template", own, bos, tokenizer.eos_token)
    if len(gathered.templates) == 1 and wanted in ("auto", "run"):
        return gathered.templates[0]
    if wanted in ("auto", "model", "run"):
        what = "the base model has no chat template"
        if wanted != "model":
            several = "they were written with several" if gathered.templates else "none is in the data"
            what = f"the runs have no chat template to take: {several}" + (f", and {what}" if wanted == "auto" else "")
        raise ConfigError(what, hint="set chat_template to chatml, llama3 or a template of yours")
    path = config.project.find(f"the chat template '{wanted}'", [wanted, f"prompts/chat_templates/{wanted}.jinja"])
    return ChatTemplate(wanted, read_text(path).removesuffix("\n"), bos, tokenizer.eos_token)


def _longest(config: TrainConfig, folder: Path) -> tuple[int, str]:
    """The most tokens of a row, and what to do about longer ones: the model may take less than the config asks for."""
    known = _described(folder / "config.json")
    inner = known.get("text_config")
    most = known.get("max_position_embeddings") or (inner if isinstance(inner, dict) else {}).get(
        "max_position_embeddings"
    )
    if not isinstance(most, int) or most >= config.max_length:
        return config.max_length, "raise max_length"
    return most, "shorten the row: the model takes no more tokens"


def _described(path: Path) -> dict[str, Any]:
    try:
        found = orjson.loads(path.read_bytes())
    except ValueError as failure:
        raise InputError(f"{path} is not valid JSON: {failure}", hint="fetch the model again") from None
    if not isinstance(found, dict) or not isinstance(found.get("model_type"), str):
        raise InputError(f"{path} does not describe a model: it has no model_type", hint="fetch the model again")
    return found


def _lengths(
    config: TrainConfig,
    gathered: Gathered,
    rows: Sequence[TokenRow | ConfigError],
    template: ChatTemplate,
    tokenizer: Tokenizer,
) -> list[int]:
    """Tokens that the model must take of each row at once; 0 for one that the template refuses."""
    if not config.distils:
        return [len(row.ids) if isinstance(row, TokenRow) else 0 for row in rows]
    prompts = longest_prompts(gathered.conversations, gathered.demonstrations, template, tokenizer)
    return [prompt + config.max_completion_length if prompt else 0 for prompt in prompts]


def _fitting(
    gathered: Gathered,
    rows: list[TokenRow | ConfigError],
    lengths: Sequence[int],
    longest: int,
    remedy: str,
    notices: list[str],
) -> list[TokenRow]:
    """Without the rows that the template refuses, that are too long or that train nothing.

    Raises: NothingLeft.
    """
    kept: dict[int, TokenRow] = {}
    total, long, refused = len(rows), 0, 0
    for index, row in enumerate(rows):
        each = gathered.conversations[index]
        if isinstance(row, ConfigError):
            refused += 1
            gathered.drop(index, problem_of(each, "template_refuses", row.message, row.hint or OTHER_TEMPLATE))
        elif not lengths[index]:
            refused += 1
            detail = "the chat template refuses what the teacher would see"
            gathered.drop(index, problem_of(each, "template_refuses", detail, OTHER_TEMPLATE))
        elif lengths[index] > longest:
            long += 1
            detail = f"{lengths[index]:,} tokens, and max_length is {longest:,}"
            gathered.drop(index, problem_of(each, "too_long", detail, remedy))
        elif not row.trained:
            gathered.drop(index, problem_of(each, "nothing_trained", "every token is masked", ""))
        else:
            kept[index] = row
    if not kept:
        raise _nothing_left(gathered)
    kept_only(gathered, list(kept))
    for count, why in (
        (refused, REFUSED),
        (long, f"were left out because they are longer than {longest:,} tokens (rows are never cut)"),
    ):
        if count:
            notices.append(f"{count:,} of {total:,} rows ({count / total:.1%}) {why}")
    return list(kept.values())


def _nothing_left(gathered: Gathered) -> NothingLeft:
    reasons = sum((source.rejected for source in gathered.sources), start=Counter[str]())
    listed = ", ".join(f"{count:,} {reason}" for reason, count in reasons.most_common()) or "the runs hold none"
    first = next((f"{each.place}: {each.detail}; {each.remedy}" for each in gathered.problems), None)
    return NothingLeft(
        gathered,
        f"no row is left to train on: {listed}",
        first or "docs/guides/import-failures.md lists the fields that a row needs",
    )


def _guarding(
    guard: Sequence[Conversation], template: ChatTemplate, tokenizer: Tokenizer, longest: int, notices: list[str]
) -> Side:
    """The retention rows."""
    made = list(enumerate(token_rows(guard, template, tokenizer)))
    rows = {index: row for index, row in made if isinstance(row, TokenRow)}
    fit = [index for index, row in rows.items() if len(row.ids) <= longest]
    if len(rows) < len(made):
        notices.append(f"{len(made) - len(rows):,} retention rows {REFUSED}")
    if len(fit) < len(rows):
        notices.append(f"{len(rows) - len(fit):,} retention rows are longer than {longest:,} tokens: left out")
    return _side(guard, rows, fit)


def _side(
    conversations: Sequence[Conversation], rows: Sequence[TokenRow] | Mapping[int, TokenRow], indices: Iterable[int]
) -> Side:
    chosen = list(indices)
    return Side([conversations[index] for index in chosen], [rows[index] for index in chosen])
