"""What the free checks cost: CPU of all the checks that the pipeline `correction` runs on a conversation.

    python -m benchmarks.checks_cost [--conversations 300] [--words 90]

Passages of about 850 tokens, answers of `--words` words. A mistake differs from its correction in a number or in a name, as
mistakes do, so that no check can stop at the first word. Every conversation is another one: nothing is remembered from one
to the next but what the checks themselves keep. Also told is the time of one check alone, which has then to look at the
texts for itself: the parts add up to more than the whole.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Iterator, Sequence

from augment_correction.declarations import AskStage, CheckSpec
from augment_correction.pipeline import load_pipeline
from augment_correction.project import bundled
from augment_correction.stages.checks import run_checks

_NAMES = [
    "Adela Torrin",
    "Maren",
    "Port Vell",
    "Jonas Arle",
    "Halmstett",
    "Ines Corvo",
    "Lake Tessin",
    "Doctor Wendel",
    "Ostrava",
    "Bram Keller",
]
_PARTS = (
    "The {thing} of {name} was built in {year} by {other}, who had never worked in the {place} before.",
    "It is {number} metres high, and its {part} weighs about {large} tonnes, according to the owners of the {thing}.",
    "In {later} the {part} was replaced by a lighter one, which made the {thing} {few} times as quick for the same cost.",
    "Work was possible only from May to September, because the {place} is under water for the rest of the year.",
    "{other} wrote a book about it: {number} copies were printed, and none of them was sold outside of {name}.",
    "The keepers' families lived nearby; their children weren't taught to swim, although the shore is so near.",
    "When the wind comes from the north-west, more than half of the {part} has to be taken down within {few} hours.",
    "Since {later} a company from {name} owns the {thing}, and visitors pay {few} euros (children: {few} euros) to see it.",
)  # fmt: skip
_THINGS, _PLACES, _PIECES = (
    ("lighthouse", "bridge", "mill"),
    ("harbour", "valley", "estuary"),
    ("lamp", "wheel", "cable"),
)


def conversations(count: int, words: int, seed: int = 1) -> Iterator[dict[str, str]]:
    """Fields of a record as the stage that writes the conversation has them."""
    draw = random.Random(seed)
    for _ in range(count):
        passage = " ".join(_sentences(draw, 640))
        right = " ".join(_sentences(draw, words))
        year = str(draw.randrange(1500, 1790))
        right = f"It was finished in {year}. {right}"
        wrong = right.replace(year, str(int(year) + 9))
        yield {
            "passage": f"{passage} {right}",
            "initial_question": f"When was the {draw.choice(_THINGS)} of {draw.choice(_NAMES)} finished, and what became of it?",
            "flawed_answer": wrong,
            "followup_confirmation": "That does not sound right to me. Are you sure about the first date that you named?",
            "correct_answer": f"You are right to doubt that, I was mistaken about the date. {right}",
            "pushback": "neutral",
        }


def _sentences(draw: random.Random, words: int) -> Iterator[str]:
    written = 0
    while written < words:
        sentence = draw.choice(_PARTS).format(
            name=draw.choice(_NAMES), other=draw.choice(_NAMES), thing=draw.choice(_THINGS), place=draw.choice(_PLACES),
            part=draw.choice(_PIECES), year=draw.randrange(1600, 1900), later=draw.randrange(1900, 2020),
            number=draw.randrange(11, 99), large=f"{draw.randrange(1, 9)},{draw.randrange(100, 999)}", few=draw.randrange(2, 9),
        )  # fmt: skip
        written += len(sentence.split())
        yield sentence


def specs() -> tuple[CheckSpec, ...]:
    """The checks of a correction, as the shipped pipeline has them."""
    stages = load_pipeline(bundled() / "pipelines/correction.yaml").stages
    [stage] = [each for each in stages if isinstance(each, AskStage) and each.name == "masked_conversation"]
    return tuple(stage.checks)


def milliseconds(chosen: Sequence[CheckSpec], count: int, words: int, seed: int) -> float:
    """CPU per conversation. The first few, which load the language model and compile, are not counted."""
    first, *rest = conversations(count + 1, words, seed)
    run_checks(chosen, first)
    begun = time.thread_time()
    for fields in rest:
        run_checks(chosen, fields)
    return (time.thread_time() - begun) / count * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--conversations", type=int, default=300)
    parser.add_argument("--words", type=int, default=90)
    arguments = parser.parse_args()
    count, words = arguments.conversations, arguments.words
    for number, spec in enumerate(specs()):
        print(f"{spec.check:<14} {milliseconds([spec], count, words, 10 + number):.3f} ms")
    print(f"{'all together':<14} {milliseconds(specs(), count, words, 1):.3f} ms")


if __name__ == "__main__":
    main()
