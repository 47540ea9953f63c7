"""The arms of a round: which items their data are made from, and that they differ in nothing else."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from math import ceil

from augment_correction.evals.diversity import pairs, words
from augment_correction.experiment.areas import cosine, vectors
from augment_correction.experiment.config import RANDOM, TARGETED, ExperimentConfig
from augment_correction.experiment.operations import Example, Source
from augment_correction.experiment.sections import ErrorDrivenConfig
from augment_correction.experiment.weak import Looked, weights
from augment_correction.records import content_id

SPARE = 1.25


def sources(
    pool: Sequence[Looked],
    area: Mapping[str, str],
    weak: Sequence[str],
    config: ExperimentConfig,
    number: int,
    used: Mapping[str, int],
) -> dict[str, list[Source]]:
    """By arm, for round `number`. The targeted ones are weak items of weak areas; the control draws from the whole pool,
    whatever they are, and a quarter more of them: rows with the same number of tokens are chosen among what they give. `used` says how many variations of an item earlier rounds have asked for."""
    chosen = config.error_driven
    able = [each for each in pool if not each.bad_reference]
    fit = [each for each in able if each.weak and area[each.item.id] in weak]
    targeted = select(fit, chosen, config.seed + number)
    rng = random.Random(content_id(str(config.seed), "control", str(number)))
    drawn = sorted(rng.sample(able, min(ceil(len(targeted) * SPARE), len(able))), key=lambda each: each.item.id)
    return {
        TARGETED: _with_numbers(targeted, chosen, used),
        RANDOM: _with_numbers(drawn, chosen, used),
    }


def select(fit: Sequence[Looked], config: ErrorDrivenConfig, seed: int) -> list[Looked]:
    ordered = sorted(fit, key=lambda each: (-each.score, each.item.id))
    if config.select == "random":
        return random.Random(seed).sample(ordered, min(config.max_samples, len(ordered)))
    if config.select == "weakest" or len(ordered) <= config.max_samples:
        return ordered[: config.max_samples]
    return _apart(ordered, config.max_samples)


def _apart(ordered: Sequence[Looked], most: int) -> list[Looked]:
    """The weakest first, then by turns the one with the largest score times its distance to what was taken (maximal marginal
    relevance)."""
    made = vectors([f"{each.item.question} {each.item.reference}" for each in ordered])
    low = min(each.score for each in ordered)
    near = [0.0] * len(ordered)
    taken = [0]
    while len(taken) < most:
        last = made[taken[-1]]
        near = [max(before, cosine(last, vector)) for before, vector in zip(near, made, strict=True)]
        rest = [at for at in range(len(ordered)) if at not in taken]
        taken.append(max(rest, key=lambda at: (ordered[at].score - low + 1e-6) * (1 - near[at])))
    return [ordered[at] for at in taken]


def _with_numbers(looked: Sequence[Looked], config: ErrorDrivenConfig, used: Mapping[str, int]) -> list[Source]:
    """As many variations in all as `variations_per_error` for each: the largest remainders get what is left."""
    shares = [weight * config.variations_per_error for weight in weights(looked, even=config.weighting == "even")]
    counts = [int(share) for share in shares]
    missing = len(looked) * config.variations_per_error - sum(counts)
    for at in sorted(range(len(shares)), key=lambda at: (counts[at] - shares[at], at))[:missing]:
        counts[at] += 1
    return [Source(each, count, used.get(each.item.id, 0)) for each, count in zip(looked, counts, strict=True) if count]


def together(arms: Mapping[str, Sequence[Source]]) -> list[Source]:
    """Every item once, with as many variations as the arm that wants most: what both want is made once."""
    most: dict[str, Source] = {}
    for each in (source for held in arms.values() for source in held):
        known = most.get(each.item.id)
        if known is None or each.variations > known.variations:
            most[each.item.id] = each
    return list(most.values())


def of_arm(made: Sequence[Example], held: Sequence[Source]) -> list[Example]:
    wanted = {(source.item.id, number) for source in held for number in source.numbers}
    return [each for each in made if (each.source, each.number) in wanted]


def filtered(made: Sequence[Example], share: float, novelty: float) -> list[Example]:
    """The best supported share, and of those what is not a repetition of the ones before it; in their order."""
    place = {id(each): at for at, each in enumerate(made)}
    best = sorted(made, key=lambda each: (-each.support, place[id(each)]))[: max(1, round(share * len(made)))]
    kept, seen = [], set[tuple[str, ...]]()
    for each in sorted(best, key=lambda each: place[id(each)]):
        said = words(" ".join(turn.text for turn in each.conversation.turns))
        found = set(pairs(said))
        if not found or len(found - seen) >= novelty * len(found):
            kept.append(each)
            seen |= found
    return kept


def repeated(rows: Sequence[Example], tokens: int, epochs: float) -> float:
    """How many passes through `rows` train as many tokens as `epochs` passes through `tokens`."""
    own = sum(each.tokens for each in rows)
    return epochs * tokens / own if own else epochs
