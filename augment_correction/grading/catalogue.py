"""Every error code with what it means and from where on it is given; the numbers in `codes.py` are these."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Code:
    """`name` has an X where the code of an answer has a number."""

    name: str
    group: str
    meaning: str
    threshold: str
    example: str


# fmt: off
CATALOGUE: tuple[Code, ...] = (
    Code("PRIMARY_ANSWER_MISSING", "content", "what was asked for is not there",
         "empty, or no word and number of the reference's own", '"I do not know." for "Paris"'),
    Code("LENGTH_SHORT_BY_X_TOKENS", "length", "shorter than the reference",
         "more than 5 words, split at spaces", "LENGTH_SHORT_BY_9_TOKENS: 3 words for 12"),
    Code("LENGTH_LONG_BY_X_TOKENS", "length", "longer than the reference",
         "more than 5 words, split at spaces", "LENGTH_LONG_BY_9_TOKENS: 12 words for 3"),
    Code("TOO_BRIEF", "length", "much shorter than the reference",
         "under half its characters and over 50 fewer", "one word for two sentences"),
    Code("TOO_VERBOSE", "length", "much longer than the reference",
         "over twice its characters and over 50 more", "two sentences for one word"),
    Code("VERY_DIFFERENT_CONTENT", "content", "almost nothing in common",
         "similarity of the words in order under 30 %", '"a kind of bread" for "the river Seine"'),
    Code("SIMILARITY_X%", "content", "some of it in common",
         "30 to 59 %", "SIMILARITY_45%"),
    Code("CLOSE_BUT_INACCURATE", "content", "almost the reference, and not found right",
         "60 to 94 %; above, only where a number, name, negation or opposite differs", "one name exchanged"),
    Code("OFF_TOPIC_CONTENT", "content", "speaks of other things",
         "over half of 5 content words or more stand in neither reference nor question", "a poem for a date"),
    Code("MISSING_NUMBERS", "numbers", "no number where the reference has some",
         "none at all", '"long ago" for "in 1889"'),
    Code("NUMERIC_ERROR_MISSING_X_VALUES", "numbers", "values of the reference are not there",
         "one, compared by value with its sign", 'NUMERIC_ERROR_MISSING_1_VALUES: "5" for "-5"'),
    Code("NUMERIC_ERROR_EXTRA_X_VALUES", "numbers", "values that neither reference nor question has",
         "one, compared by value with its sign", 'NUMERIC_ERROR_EXTRA_1_VALUES: "5" for "-5"'),
    Code("STRUCTURE_SHOULD_BE_LIST", "structure", "prose where the reference is a list",
         "a list: two lines that start with a bullet or a number", "steps run together"),
    Code("STRUCTURE_SHOULD_BE_PROSE", "structure", "a list where the reference is prose",
         "a list: two lines that start with a bullet or a number", "bullets for a sentence"),
    Code("MISSING_CODE_BLOCK", "structure", "no fenced code where the reference has some",
         "a line that starts with ```", "a description of the function"),
    Code("UNEXPECTED_CODE_BLOCK", "structure", "fenced code where the reference has none",
         "a line that starts with ```", "a program for a number"),
    Code("FORMAT_SHOULD_BE_JSON", "structure", "no JSON where the reference is JSON",
         "no object or array, and none begun", '"name: Ada" for {"name": "Ada"}'),
    Code("INVALID_JSON", "structure", "begins as JSON and cannot be read",
         "starts with a brace, a bracket or a JSON fence", '{"name": "Ada"'),
    Code("MISSING_KEY_CONCEPTS_X_TERMS", "concepts", "content words of the reference are not there",
         "over 30 % of those that are not in the question", "MISSING_KEY_CONCEPTS_3_TERMS"),
    Code("INCOMPLETE", "ending", "stops in the middle",
         "ends in a comma, an open bracket or fence, or a word like 'the'", '"The capital of France is the"'),
    Code("TRUNCATED", "ending", "cut off by the limit of tokens",
         "the server's finish reason is length", "the last of 2048 tokens"),
    Code("NO_EOS", "ending", "never ended its turn",
         "no end-of-turn token was generated", "goes on as the user"),
)
# fmt: on

_PATTERNS = tuple(
    (re.compile(re.sub(r"(?<=_)X(?=_|%)", r"\\d+", code.name)), code) for code in CATALOGUE
)  # no name holds another sign that a regular expression would take as its own


def pattern_of(code: str) -> Code:
    """The entry of a code as an answer has it, for instance of LENGTH_SHORT_BY_6_TOKENS.

    Raises: ValueError for what is no code.
    """
    for pattern, entry in _PATTERNS:
        if pattern.fullmatch(code):
            return entry
    raise ValueError(f"{code!r} is no error code; there are {', '.join(entry.name for entry in CATALOGUE)}")
