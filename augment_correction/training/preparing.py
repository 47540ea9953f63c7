"""Everything before the first step, without torch: rows as tokens, split and counted, and the schedule they allow."""

from __future__ import annotations

import importlib.util
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from augment_correction.errors import ConfigError, InputError
from augment_correction.export import ChatTemplate, Tokenizer, load_tokenizer
from augment_correction.export.labelled import TokenRow, token_rows
from augment_correction.failures import RowProblem
from augment_correction.llm.hf_weights import weights_id
from augment_correction.records import Conversation, Turn
from augment_correction.training.base_model import folder_of, longest_row, template_of
from augment_correction.training.config import TrainConfig
from augment_correction.training.demonstrations import longest_prompts
from augment_correction.training.endings import prove_endings
from augment_correction.training.gathering import Gathered, gather, kept_only, problem_of, retention
from augment_correction.training.parent import UNKNOWN_BASE, refuse_other_base, shaped
from augment_correction.training.prepared import NothingLeft, Prepared, Side
from augment_correction.training.schedule import schedule, whole_steps
from augment_correction.training.splitting import held_out

REFUSED = "were left out because the chat template refuses them"
OTHER_TEMPLATE = "change the row, or set another chat_template"


def prepare(config: TrainConfig) -> Prepared:
    """Raises: UserError where the model, the data or the numbers cannot be trained with."""
    place = config.project.resolve(config.model)
    folder = folder_of(config, place)
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
    template = template_of(config, tokenizer, gathered)
    if template.dated:
        notices.append(f"{template.dated}, in training as when it is served: the saved template writes that date")
    refuse_untracked(config)
    longest, remedy = longest_row(config, folder)
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


def without(prepared: Prepared, dropped: Mapping[str, RowProblem], said: Mapping[str, str]) -> Prepared:
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
    left_out = Counter[str]()
    for index, (row, length) in enumerate(zip(rows, lengths, strict=True)):
        why = _unusable(row, length, longest, remedy)
        if why is not None:
            problem = problem_of(gathered.conversations[index], *why)
            left_out[problem.reason] += 1
            gathered.drop(index, problem)
        elif isinstance(row, TokenRow):
            kept[index] = row
    if not kept:
        raise _nothing_left(gathered)
    kept_only(gathered, list(kept))
    too_long = f"were left out because they are longer than {longest:,} tokens (rows are never cut)"
    for reason, said in (("template_refuses", REFUSED), ("too_long", too_long)):
        if count := left_out[reason]:
            notices.append(f"{count:,} of {len(rows):,} rows ({count / len(rows):.1%}) {said}")
    return list(kept.values())


def _unusable(row: TokenRow | ConfigError, length: int, longest: int, remedy: str) -> tuple[str, str, str] | None:
    """(reason, detail, remedy) of a row that cannot be trained."""
    if isinstance(row, ConfigError):
        return "template_refuses", row.message, row.hint or OTHER_TEMPLATE
    if not length:
        return "template_refuses", "the chat template refuses what the teacher would see", OTHER_TEMPLATE
    if length > longest:
        return "too_long", f"{length:,} tokens, and max_length is {longest:,}", remedy
    if not row.trained:
        return "nothing_trained", "every token is masked", ""
    return None


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
