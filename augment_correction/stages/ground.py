from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, get_args

from augment_correction.declarations import DoubtSays, ErrorType, GroundStage
from augment_correction.errors import Reject
from augment_correction.grading import contrast, phrases
from augment_correction.grading.keys import tokens
from augment_correction.grading.numbers import find_numbers
from augment_correction.grading.text import words
from augment_correction.parsing import read_json, read_json_lists
from augment_correction.records import Record
from augment_correction.stages.base import StageContext, Tools, with_fields, with_scores
from augment_correction.stages.model_call import ModelCall, text_schema
from augment_correction.stages.quotes import find_quote

SUPPORT: Mapping[str, float] = {"yes": 1.0, "inferred": 1.0, "partly": 0.5, "no": 0.0}
"""`inferred`: said by no sentence of the passage, and it follows by a simple step. It counts, and stays with the row."""
NOTHING = "nothing"
"""What a judge answers where the passage says nothing against the mistake, or no quote at all. It is asked for words and not
for a yes: a model of 1.5 billion parameters named the right words every time, and said "no" to whether they contradict."""
QUOTES = ("evidence", "wrong_span", "right_span")
FINE = {"question": "good", "rest": "yes"}
"""What counts where a prompt of the user's own has the judge say nothing about it."""
Placed = Sequence[tuple[str, tuple[int, int]]]
"""Quotes, and from where to where each stands in a text, in the order in which they stand there."""


class Ground:
    """Keep the record if the passage supports the answer and stands against the mistake, by quotes that really stand
    there."""

    def __init__(self, stage: GroundStage, context: StageContext) -> None:
        self._stage = stage
        asked = tuple(
            name
            for name in stage.reply_fields
            if name not in ("first", "doubt") or name in context.prompts[stage.prompt].variables
        )
        self._choices = {name: words for name, words in _choices(stage).items() if name in asked}
        self._lists = tuple(name for name in QUOTES if name in asked)
        self._texts = tuple(name for name in asked if name not in QUOTES and name not in FINE)
        schema = text_schema(asked, **self._choices)
        if stage.reply == "list":
            quotes = {"type": "array", "items": {"type": "string"}}
            schema["properties"] |= dict.fromkeys(self._lists, quotes)
        self._call = ModelCall(stage, context, "json", schema)

    async def __call__(self, record: Record, tools: Tools) -> Sequence[Record]:
        named = dict.fromkeys(self._stage.given, "")
        named |= {name: str(record.fields.get(field, "")) for name, field in self._stage.named.items()}
        found = await self._call.ask(record, tools, lambda reply: self._read(reply, record, named), named)
        if problem := next(self._problems(found, record), None):
            raise problem
        found["doubt_says"] = found.get("doubt", NOTHING)
        fields = {name: found[name] for name in self._stage.writes}
        if self._stage.reply == "text":
            fields |= {name: fields[name][0] for name in (*QUOTES, "evidence_start") if name in fields}
        return [with_scores(with_fields(record, fields), {self._stage.name: SUPPORT[found["supported"]]})]

    def _problems(self, found: Mapping[str, Any], record: Record) -> Iterator[Reject]:
        """What the judge says against the conversation, the gravest first."""
        support = SUPPORT[found["supported"]]
        if found["question"] == "unclear":
            yield Reject("unclear_question", "without the passage nobody could tell what the question is about")
        if found["question"] == "unanswered":
            yield Reject("unanswered_question", "the passage does not answer the question")
        if SUPPORT[found.get("first", "yes")] < 1:
            yield Reject("unsupported_first", "the passage does not support the first answer, which should be right")
        if support < 1:
            yield Reject("unsupported", f"the passage does not {'fully ' if support else ''}support the answer")
        if found.get("right_span") == ():
            yield Reject("not_contradicted", "the passage says nothing against the answer that should be wrong")
        if found["rest"] == "no" and record.fields.get("kind") in self._stage.rest_right:
            yield Reject(
                "unsupported_rest", "more of the answer is wrong than should be: one half of it is to be right"
            )
        if found.get("doubt", NOTHING) not in self._expected(record):
            yield Reject("unfit_doubt", _unfit(found["doubt"]))

    def _expected(self, record: Record) -> Sequence[str]:
        """What the doubt of this record may say to be right."""
        for field, allowed in self._stage.doubt_says.items():
            if (expected := allowed.get(str(record.fields.get(field)))) is not None:
                return expected
        return (NOTHING, "wrong")

    def _read(self, reply: str, record: Record, named: Mapping[str, str]) -> tuple[dict[str, Any], Mapping[str, Any]]:
        """Raises: Reject where a quote does not stand where it should; that is asked again, and then it counts."""
        parsed: Mapping[str, Any]
        read: dict[str, Any]
        if self._stage.reply == "text":
            parsed = read_json(reply, self._stage.reply_fields)
            read = {**FINE, **parsed, **{name: (parsed[name],) for name in self._lists}}
        else:
            parsed = read_json_lists(reply, self._texts, self._lists)
            read = {**FINE, **parsed}
        for name, choices in self._choices.items():
            read[name] = read[name].strip(" .").lower()
            if read[name] not in choices:
                raise Reject("invalid_choice", f"{name} must be one of {', '.join(choices)}")
        if not named["doubt"]:
            read.pop("doubt", None)
        if next(self._problems({**read, "right_span": None}, record), None):  # then it has nothing to quote
            return read, parsed
        passage = str(record.fields["passage"])
        if self._stage.mistake:
            read["right_span"] = _against(read, passage, named["mistake"])
            if _numbers_at_stake(read) and contrast(" ".join(read["right_span"]), named["answer"]).numbers_removed:
                return read | {"supported": "no"}, parsed
        return read | _evidence(read, passage), parsed


def _choices(stage: GroundStage) -> dict[str, list[str]]:
    """The words that each verdict may be. Prompts that ask for texts get those that they got ever since: the schema is
    part of a call's key in the journal."""
    types = list(get_args(ErrorType))
    if stage.reply == "text":
        old = [each for each in types if each != "negation"]
        return {"supported": ["yes", "partly", "no"], "error_type": old}
    return {
        "question": ["good", "unclear", "unanswered"],
        "supported": list(SUPPORT),
        "first": list(SUPPORT),
        "error_type": types,
        "rest": ["yes", "no"],
        "doubt": list(get_args(DoubtSays)),
    }


def _unfit(says: str) -> str:
    if says == "right":
        return "the doubt says what is right already, so that the answer has nothing left to find or to defend"
    return "the doubt says that something else is right than the passage, where the user should be right or say nothing"


def _quoted(quotes: Sequence[str]) -> tuple[str, ...]:
    return tuple(each for each in quotes if each.strip(" .").lower() != NOTHING)


def _against(read: Mapping[str, Any], passage: str, mistake: str) -> tuple[str, ...]:
    """The words of the passage that stand against the mistake. Where a number is wrong, numbers in them that the right answer
    lacks are against that one, too, whatever the judge says (`_read`)."""
    wrong, right = _quoted(read["wrong_span"]), _quoted(read["right_span"])
    if not right:
        return ()
    if not wrong:
        if read["error_type"] != "omission":
            raise Reject("no_span", "wrong_span names no words of the false answer. Copy those that are wrong")
        return tuple(each for each in right if find_quote(each, mistake) is None)
    for each in wrong:
        if find_quote(each, mistake) is None:
            raise Reject("no_span", f'wrong_span "{each}" does not stand in the false answer. Copy it word for word')
    for each in right:
        if find_quote(each, passage) is None:
            raise Reject("no_evidence", f'right_span "{each}" does not stand in the passage. Copy it word for word')
    false, true = " ".join(wrong), " ".join(right)
    turned_round = read["error_type"] == "reversal" and tokens(false) != tokens(true)
    exchanged = _exchanged(wrong, right) or _turned(wrong, right, mistake, passage)
    return right if turned_round or contrast(false, true).substance or exchanged else ()


def _exchanged(wrong: Sequence[str], right: Sequence[str]) -> bool:
    """Whether values have changed places ("250 g of water, 330 g of flour"): taken together, both sides say the same numbers."""
    if len(wrong) != len(right) or sorted(map(tokens, wrong)) == sorted(map(tokens, right)):
        return False
    return any(contrast(false, true).substance for false, true in zip(wrong, right, strict=True))


def _turned(wrong: Sequence[str], right: Sequence[str], mistake: str, passage: str) -> bool:
    """Whether the same names stand in another order, each in the other's place ("the fox eats the owl"), and not in two lists,
    whose order means nothing."""
    said, true = list(map(tokens, wrong)), list(map(tokens, right))
    if said == true or sorted(said) != sorted(true):
        return False
    first, second = _in_order(wrong, mistake), _in_order(right, passage)
    if [tokens(each) for each, _ in first] == [tokens(each) for each, _ in second]:
        return False
    return not (_is_list(first, mistake) or _is_list(second, passage))


def _in_order(quotes: Sequence[str], text: str) -> Placed:
    found = [(each, place) for each in quotes if (place := find_quote(each, text))]
    return sorted(found, key=lambda each: each[1])


def _is_list(found: Placed, text: str) -> bool:
    between = (text[one[1] : other[0]] for (_, one), (_, other) in pairwise(found))
    return all(phrases.AND.issuperset(words(each)) for each in between)


def _numbers_at_stake(read: Mapping[str, Any]) -> bool:
    """Whether a number was wrong or left out. The number of a catalogue beside a name that was wrong need not be said again."""
    wrong = _quoted(read["wrong_span"])
    return not wrong or bool(find_numbers(" ".join(wrong), words=True))


def _evidence(read: Mapping[str, Any], passage: str) -> dict[str, tuple[Any, ...]]:
    """The quotes that stand in the passage, and where. A small model writes the evidence in the answer's words; the words
    that decide against a mistake are evidence enough, and without a mistake every quote counts.

    Raises: Reject where one is missing.
    """
    quotes = _quoted(read["evidence"])
    places = [(each, place[0]) for each in quotes if (place := find_quote(each, passage))]
    against = read.get("right_span", ())
    if not places:
        places = [(each, place[0]) for each in against if (place := find_quote(each, passage))]
    if not places or (len(places) < len(quotes) and not against):
        missing = next((each for each in quotes if find_quote(each, passage) is None), "")
        raise Reject("no_evidence", f'the evidence "{missing}" does not stand in the passage. Copy it word for word')
    return {"evidence": tuple(each for each, _ in places), "evidence_start": tuple(start for _, start in places)}
