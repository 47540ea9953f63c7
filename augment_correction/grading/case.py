"""An answer beside what is known of it. Whoever takes away the words of the reference, of the question and of plain
statements (`phrases.py`) sees what the answer says beyond them, and only an answer that says nothing beyond can be judged by
its words. So a denial, a doubt, a rival or a language that nobody has thought of makes a verdict unsure, never wrong."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property

from augment_correction.grading import phrases
from augment_correction.grading.choices import choosing
from augment_correction.grading.keys import Key, key_of, tokens
from augment_correction.grading.lexicon import NO, STOPWORDS, YES
from augment_correction.grading.text import sentences, stem, words
from augment_correction.text.scripts import HANGUL, UNSPACED

_RUN = re.compile(rf"[{UNSPACED}{HANGUL}]+")
_ELISION = re.compile(r"\b(?:l|d|c|qu|s|j|m|un|dell|nell|dall|all|sull)['’](?=\w{2})", re.IGNORECASE)
_SUFFIX = re.compile(r"(?<=\w)['’](?=(?:d[ıiuü]r|t[ıiuü]r)\b)", re.IGNORECASE)
_OPENING = re.compile(r"\W*([^\W\d_][^\s,.;:!–—、，。،।]*)\s?[,.;:!–—、，。،।]\s*(?=\S)")
_RIVAL = r"(?P<rival>[^,.;!?]+(?:[.,:]\d+[^,.;!?]*)*)"
_NOT_BUT = re.compile(rf"(?<![\w'’])(?:{phrases.NOT}) {_RIVAL},? (?:{phrases.BUT})(?= )", re.IGNORECASE)
_NOT_AT_THE_END = re.compile(
    rf"(?P<joined>,|(?<=\s)(?:{'|'.join(sorted(phrases.AND))})(?=\s))?[ ]*(?<![\w'’])(?:{phrases.NOT}) {_RIVAL}[.,;!]?\s*$",
    re.IGNORECASE,
)
_COLON = re.compile(r"(?<=\w):\s+|;\s+")
_CAPITAL = re.compile(r"(?<=[^\s.!?:\n] )[^\W\d_a-z][\w'’-]*")
_NAME = re.compile(r"[^\W\d_a-z][\w'’.-]*(?: [^\W\d_a-z][\w'’.-]*)*")
SAME_START, MAY_DIFFER = 5, 3
"""Letters that two forms of a word begin with, and by how many their lengths may differ ("capital", "capitale")."""
ALIKE = 0.6
"""How alike (difflib) two names may be before one may be another spelling of the other."""
AROUND_A_CHOICE = 3
"""So many words on both sides of an "or" in a question are what it offers."""


def read(text: str, known: Sequence[str] = ()) -> tuple[str, ...]:
    """Words in order as `text.words` has them; elided articles dropped ("l'Italie"), and scripts without spaces cut at the
    longest strings that are known, or else into their signs."""
    text = _SUFFIX.sub(" ", _ELISION.sub("", text))
    found: list[str] = []
    end = 0
    for run in _RUN.finditer(text):
        found += [*words(text[end : run.start()]), *_cut(run.group(), known)]
        end = run.end()
    return tuple("and" if word == "&" else word for word in (*found, *words(text[end:])))


def _cut(run: str, known: Sequence[str]) -> Iterator[str]:
    at = 0
    while at < len(run):
        here = next((each for each in known if run.startswith(each, at)), run[at])
        yield here
        at += len(here)


def _runs(text: str) -> list[str]:
    return _RUN.findall(text)


def _longest_first(them: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(them, key=lambda each: (-len(each), each)))


_FRAME_RUNS = frozenset(word for word in phrases.FRAME if _RUN.fullmatch(word))
_FRAME_LONGEST_FIRST = _longest_first(_FRAME_RUNS)


@dataclass(frozen=True)
class Case:
    answer: str
    reference: str
    question: str
    wrong: str
    doubted: bool = False
    """It was given after a doubt, to which a bare yes or no may refer."""

    @cached_property
    def key(self) -> Key:
        return key_of(self.reference, self.question, self.wrong)

    @cached_property
    def parts(self) -> list[str]:
        """The answer's statements, cut at colons and semicolons."""
        return [part for each in self.statements for part in _COLON.split(each) if words(part)]

    @cached_property
    def statements(self) -> list[str]:
        """The answer's sentences without the yes, no or "sure" that opens the answer and without rivals that are denied
        ("not Lyon but Paris")."""
        opening = _OPENING.match(self.answer)
        opens = opening and opening.group(1).casefold() in YES | NO | {"sure", "well", "okay", "ok"}
        said = self.answer[opening.end() :] if opening and opens else self.answer
        return [part for each in sentences(said) if words(part := self.without_rivals(each))]

    def without_rivals(self, sentence: str) -> str:
        """ "Ida, not Otto", "not Lyon but Paris" without the rival. Names, numbers, what the question offers and the known
        wrong answer are taken for rivals, and nothing that holds the reference's own words ("not New York")."""
        for pattern in (_NOT_BUT, _NOT_AT_THE_END):
            found = pattern.search(sentence)
            if found and self._is_rival(found["rival"]):
                rest = f"{sentence[: found.start()]} {sentence[found.end() :]}"
                # "Ida is not Otto" says another thing than "Ida, not Otto"
                joined = found.groupdict().get("joined", ",") or not self._holds_own(rest)
                sentence = rest if joined else sentence
        for sign in phrases.DENIED_RIVALS:
            found = re.search(sign, sentence)
            if found and self.reference.strip() not in found.group():
                sentence = sentence.replace(found.group(), " ")
        return sentence

    def _holds_own(self, text: str) -> bool:
        return {stem(word) for word in self.expected} <= {stem(word) for word in self.read(text)}

    def _is_rival(self, text: str) -> bool:
        capitals = {word for raw in re.findall(r"[^\W_a-zà-ÿ][\w.:'’-]*", text) for word in words(raw)}
        named = [word for word in self.beyond(text) if word not in phrases.POINTS]
        known = {word for word in named if word in self.offered or stem(word) in self.told_wrong or word in capitals}
        return bool(named) and known == set(named) and not self._holds_own(text)

    def read(self, text: str) -> tuple[str, ...]:
        return read(text, self._unspaced)

    @cached_property
    def expected(self) -> tuple[str, ...]:
        return read(self.reference, self._unspaced)

    @cached_property
    def told_wrong(self) -> frozenset[str]:
        """Tokens by which the known wrong answer can be told from the reference."""
        return frozenset(tokens(self.wrong) if self.wrong else ()).difference(
            tokens(self.reference), tokens(self.question)
        )

    @cached_property
    def chooses(self) -> bool:
        """The question offers what to choose from."""
        return bool(choosing(self.question)) or _holds(self.question, phrases.CHOOSING_SIGNS)

    @cached_property
    def asks_now(self) -> bool:
        """It is not answered by what was."""
        return bool(phrases.PRESENT & self._asked) and not phrases.PAST & self._asked

    @cached_property
    def denies(self) -> bool:
        """The question denies something, so that its words may turn an answer round."""
        return denied(self.question)

    def beyond(self, text: str, *also: frozenset[str], offered: bool = False) -> list[str]:
        """Words of `text` that nothing accounts for; `also`: further words that say nothing. What the question offers as
        a choice is accounted for only if `offered`."""
        free = phrases.FRAME | phrases.STATING | frozenset().union(*also)
        if self.asks_now:
            free -= phrases.PAST - {"var"}
        own = {stem(word) for word in self.expected}
        rivals = frozenset() if offered else self.offered
        return [
            word
            for word in self.read(text)
            if stem(word) not in own
            and ((word in rivals) or not (word in free or (self._was_asked(word, text) and not denied(word))))
        ]

    def extended(self, text: str, key: Sequence[str]) -> str:
        """A word with a capital that stands right before or after the key's words and makes another name of it."""
        said = words(text)
        capitals = {word for raw in _CAPITAL.findall(text) for word in words(raw)}
        for at in range(len(said) - len(key) + 1):
            if tuple(map(stem, said[at : at + len(key)])) == tuple(map(stem, key)):
                for beside, pair in ((at - 1, at - 1), (at + len(key), at + len(key) - 1)):
                    named = 0 <= beside < len(said) and said[beside] in capitals - set(self.expected) - phrases.FRAME
                    if named and _side_by_side(said[pair], said[pair + 1], text):
                        return said[beside]
        return ""

    def another_person(self) -> str:
        """A full name where a question after a person has another one, of which it shares nothing; "" where it has none.
        One word alone may be a surname, a title or a nickname of the same person."""
        if not phrases.WHO.intersection(self._asked) or not _full_name(self.reference):
            return ""
        other = self.beyond(self.answer, offered=True)
        [*names] = _NAME.findall(self.answer)
        name = next((each for each in names if list(words(each)) == other), "")
        alike = any(SequenceMatcher(None, mine, word).ratio() >= ALIKE for mine in other for word in self.expected)
        return name if len(other) > 1 and not alike else ""

    def turned(self, text: str, key: Sequence[str]) -> bool:
        """The key stands where the question has another ("Napoleon defeated Wellington." to "Who defeated Napoleon?"):
        behind a word of the question, or in front of one where the question says "by" and the answer does not."""
        said = self.read(text)
        at = next((at for at in range(len(said)) if stem(said[at]) == stem(key[0])), len(said))
        asked = {stem(word) for word in self._asked - phrases.FRAME - phrases.STATING}
        behind = at and _side_by_side(said[at - 1], said[at], text)
        if behind and stem(said[at - 1]) in asked and not phrases.OBJECT & self._asked:
            return not key[0][0].isdigit()
        after = said[at + len(key) : at + len(key) + 1]
        by = phrases.BY.intersection
        return bool(by(self._asked) and not by(said) and after and stem(after[0]) in asked)

    @cached_property
    def _asked(self) -> frozenset[str]:
        return frozenset(read(self.question))

    @cached_property
    def asked_stems(self) -> frozenset[str]:
        return frozenset(map(stem, self.read(self.question)))

    @cached_property
    def _unspaced(self) -> tuple[str, ...]:
        """Strings of scripts without spaces that are known, the longest first; the reference's before all others."""
        own = sorted(_runs(self.reference), key=len, reverse=True)
        asked = {
            run[start:end]
            for run in _runs(self.question)
            for start in range(len(run))
            for end in range(start + 2, min(len(run), start + 12) + 1)
        }
        return (*own, *(_longest_first(asked | _FRAME_RUNS) if asked else _FRAME_LONGEST_FIRST))

    @cached_property
    def offered(self) -> frozenset[str]:
        if not self.chooses:
            return frozenset()
        asked = words(self.question)
        places = [at for at, word in enumerate(asked) if word in choosing(self.question)]
        if not places:
            return self._asked
        """Words of the question that stand beside its "or", but for the reference's."""
        return (
            frozenset(
                word
                for at in places
                for word in asked[max(0, at - AROUND_A_CHOICE) : at + AROUND_A_CHOICE + 1]
                if stem(word) not in {stem(own) for own in self.expected}
            )
            - (phrases.FRAME - {"right", "true"})
            - STOPWORDS
        )

    @cached_property
    def offers_reference(self) -> bool:
        return bool(self.offered) and set(self.key.tokens) <= self.asked_stems

    def _was_asked(self, word: str, text: str) -> bool:
        if self.denies:
            return False
        if _RUN.fullmatch(word):
            return len(word) > 1 and any(word in run for run in _runs(self.question))
        if stem(word) in self.asked_stems:
            return True
        return word not in {raw.casefold() for raw in re.findall(r"\b[^\W\d_a-z]\w*", text)} and any(
            word[:SAME_START] == other[:SAME_START] and abs(len(word) - len(other)) <= MAY_DIFFER
            for other in self._asked
            if len(word) >= SAME_START and not any(map(str.isdigit, word))
        )


def _side_by_side(one: str, other: str, text: str) -> bool:
    """No comma or dash parts the two words."""
    return bool(re.search(rf"{re.escape(one)}\s+[\"*_“«]*{re.escape(other)}", text.casefold()))


def _full_name(text: str) -> bool:
    return len(text.split()) > 1 and bool(_NAME.fullmatch(text.strip(" .")))


def denied(text: str) -> bool:
    """Something in it says no, in one of some thirty languages."""
    found = words(text)
    return (
        bool(phrases.DENIALS.intersection(found))
        or any(word.endswith("n't") or word.startswith("n'") for word in found)
        or _holds(text, phrases.DENYING_SIGNS)
    )


def _holds(text: str, signs: Sequence[str]) -> bool:
    return any(sign in text for sign in signs)
