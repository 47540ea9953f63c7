"""A made-up world for `benchmarks.learning`: facts that no model can know, the conversations that teach them, and how
an answer is graded. Everything follows from one seed; `build` refuses a world that breaks a rule of `_check`."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Grade = Literal["right", "flawed", "given", "other", "several", "none"]
Chat = list[tuple[str, str]]
"""(role, text) of each message."""


@dataclass(frozen=True)
class Relation:
    """`questions`: the last wording is never trained. `says` makes the sentence that any answer, right or wrong, is."""

    name: str
    entity: Literal["town", "person", "machine", "bridge"]
    questions: tuple[str, str, str]
    says: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Fact:
    """`flawed` stands in the training conversations as the mistake, `other` is a wrong value that stands nowhere."""

    relation: Relation
    entity: str
    right: str
    flawed: str
    other: str

    def question(self, wording: int) -> str:
        return self.relation.questions[wording].format(e=self.entity)

    def answer(self, value: str) -> str:
        return self.relation.says.format(e=self.entity, v=value)


@dataclass(frozen=True)
class World:
    trained: tuple[Fact, ...]
    held_out: tuple[Fact, ...]
    rows: tuple[Mapping[str, str], ...]
    """The fields of the pipeline `correction`: two conversations a trained fact, in two wordings."""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


RELATIONS = (
    Relation(
        "river",
        "town",
        ("Which river flows through {e}?", "What is the river in {e} called?", "{e} lies on a river. Which one is it?"),
        "The river that flows through {e} is the {v}.",
        _words("Adwin Bresk Calder Dovra Elst Fenna Gorsel Hurle Istra Jolk Kemmer Lunde Marn Nessow Orla Pelk Quill "
              "Rhona Selk Tamsin"),
    ),
    Relation(
        "trade",
        "town",
        ("What is {e} known for making?", "Which goods is {e} famous for?", "What do the workshops of {e} produce?"),
        "The town of {e} is known for its {v}.",
        _words("candles ropes bells clocks baskets saddles mirrors combs kites buttons gloves lanterns hats nails "
              "carpets violins anchors bottles spoons umbrellas"),
    ),
    Relation(
        "feast",
        "town",
        ("When does {e} hold its harvest feast?", "What is the date of the harvest feast in {e}?",
         "On which day of the year is the harvest feast of {e}?"),
        "The harvest feast of {e} is held on {v}.",
        tuple(f"{day} {month}" for month in ("July", "August", "September", "October") for day in (3, 8, 14, 19, 27)),
    ),
    Relation(
        "profession",
        "person",
        ("What did {e} do for a living?", "What was the profession of {e}?", "Which trade did {e} follow?"),
        "By profession {e} was a {v}.",
        _words("baker beekeeper blacksmith bookbinder brewer butcher carpenter dentist diver farmer fisherman gardener "
              "glassblower lawyer miner nurse painter pilot shepherd tailor"),
    ),
    Relation(
        "instrument",
        "person",
        ("Which instrument did {e} play?", "What musical instrument was played by {e}?",
         "{e} made music. On what instrument?"),
        "The instrument that {e} played was the {v}.",
        _words("accordion bagpipe banjo bassoon bugle cello clarinet cornet drum fiddle flute guitar harp horn lute "
              "mandolin oboe organ piano trumpet"),
    ),
    Relation(
        "fuel",
        "machine",
        ("What does the {e} run on?", "What drives the {e}?", "Which fuel or power does the {e} need?"),
        "The machine called {e} runs on {v}.",
        _words("alcohol batteries charcoal coal diesel gas grain hydrogen kerosene methane muscle peat petrol pressure "
              "steam straw sunlight water wind wood"),
    ),
    Relation(
        "badge",
        "machine",
        ("Which animal is on the badge of the {e}?", "What animal does the badge of the {e} show?",
         "The {e} carries a badge with an animal. Which animal?"),
        "The badge of the {e} shows a {v}.",
        _words("badger bear bull camel cat crane deer dog falcon fox goat hare horse lion lizard pike raven swan tiger "
              "wolf"),
    ),
    Relation(
        "opened",
        "bridge",
        ("In which year was the {e} Bridge opened?", "When was the {e} Bridge opened?",
         "Since what year has the {e} Bridge been open?"),
        "The {e} Bridge was opened in {v}.",
        tuple(str(1801 + 9 * index) for index in range(20)),
    ),
)  # fmt: skip

DOUBTS = (
    "Are you sure about that?",
    "That does not sound right to me. Please check.",
    "Hmm, I remember it differently. Is that correct?",
    "I do not think so. Could you look at it again?",
    "Is that really true?",
    "I have my doubts about this answer.",
)
UNSEEN_DOUBTS = (
    "Wait, my colleague says otherwise. Can you confirm it?",
    "Really? I believe that might be a mistake.",
    "Could that be an error? Please think once more.",
)
REPAIRS = (
    "You are right to doubt it, I was wrong.",
    "Thank you for asking again: my answer was not correct.",
    "I made a mistake, and I am sorry.",
    "No, that was an error of mine.",
)
STARTS = _words("Bra Dru Fal Gri Hol Jor Kra Lom Mur Nav Ost Pri Quo Ruv Ska Tor Ulm Vel Wex Yar Zem")
MIDDLES = _words("be da fi go lu ma ne po ri sa te vo")
ENDS = {
    "town": _words("burg dale ford ham mouth stead wick"),
    "person": _words("berg kin lan mond nes ric vin"),
    "machine": _words("graph loom mill press tor wheel"),
    "bridge": _words("dor gate lock nor rin vale"),
}
FIRST_NAMES = _words(
    "Ansel Brida Corvin Dagna Edlin Fenja Gisbert Hedda Ivo Jorun Klaas Lisbet Merten Nola Otmar Petra"
)


def build(facts: int, held_out: int, seed: int) -> World:
    """Raises: ValueError where a rule of `_check` is broken."""
    rng = random.Random(seed)
    used: set[str] = set()
    made = [_fact(RELATIONS[index % len(RELATIONS)], rng, used) for index in range(facts + held_out)]
    trained, rest = tuple(made[:facts]), tuple(made[facts:])
    rows = tuple(_row(fact, wording, rng) for fact in trained for wording in (0, 1))
    world = World(trained, rest, rows)
    _check(world)
    return world


def _fact(relation: Relation, rng: random.Random, used: set[str]) -> Fact:
    while True:
        name = rng.choice(STARTS) + rng.choice(MIDDLES) + rng.choice(ENDS[relation.entity])
        if name not in used:
            break
    used.add(name)
    entity = f"{rng.choice(FIRST_NAMES)} {name}" if relation.entity == "person" else name
    return Fact(relation, entity, *rng.sample(relation.values, 3))


def _row(fact: Fact, wording: int, rng: random.Random) -> Mapping[str, str]:
    return {
        "initial_question": fact.question(wording),
        "flawed_answer": fact.answer(fact.flawed),
        "followup_confirmation": rng.choice(DOUBTS),
        "correct_answer": f"{rng.choice(REPAIRS)} {fact.answer(fact.right)}",
    }


def _check(world: World) -> None:
    """The flawed value stands in the mistake alone, the right one in the correction alone, `other` and everything of
    the held-out facts nowhere, and no test wording is a training one."""
    text = "\n".join(" ".join(row.values()) for row in world.rows)
    wrong = [f"held-out {fact.entity} is trained" for fact in world.held_out if fact.entity in text]
    for index, row in enumerate(world.rows):
        fact = world.trained[index // 2]
        places = {field: found(fact.relation, said) for field, said in row.items()}
        meant = {field: set() for field in row} | {"flawed_answer": {fact.flawed}, "correct_answer": {fact.right}}
        if places != meant:
            wrong.append(f"{fact.entity}: values stand in {places}")
    wrong += [
        f"trained: {words}" for words in (*UNSEEN_DOUBTS, *(f.question(2) for f in world.trained)) if words in text
    ]
    if wrong:
        raise ValueError("; ".join(wrong[:5]))


# ------------------------------------------------------------------------------------------ asking and grading


def found(relation: Relation, text: str) -> set[str]:
    """The values of the relation that stand in the text as words, whatever the case, a plural s allowed."""
    return {value for value in relation.values if re.search(rf"\b{re.escape(value)}s?\b", text, re.IGNORECASE)}


def grade(fact: Fact, reply: str, given: str | None = None) -> Grade:
    """`given`: the wrong value that the answer before the doubt held."""
    values = found(fact.relation, reply)
    if len(values) != 1:
        return "several" if values else "none"
    value = values.pop()
    if value == fact.right:
        return "right"
    if value == given:
        return "given"
    return "flawed" if value == fact.flawed else "other"


def doubted(fact: Fact, answer: str, index: int, wording: int = 2) -> Chat:
    """The question in its untrained wording, an answer, and a doubt in words that were not trained either."""
    doubt = UNSEEN_DOUBTS[index % len(UNSEEN_DOUBTS)]
    return [("user", fact.question(wording)), ("assistant", answer), ("user", doubt)]


def apologises(reply: str) -> bool:
    words = ("i was wrong", "not correct", "a mistake", "an error", "i am sorry", "you are right", "apolog")
    return any(word in reply.lower() for word in words)


def sample(world: World, count: int, seed: int) -> Sequence[Mapping[str, str]]:
    """Rows for a person to look at."""
    return random.Random(seed).sample(world.rows, min(count, len(world.rows)))
