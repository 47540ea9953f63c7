"""An answer beside what is known of it. Whoever takes away the words of the reference, of the question and of plain
statements (`phrases.py`) sees what the answer says beyond them, and only an answer that says nothing beyond can be judged by
its words. So a denial, a doubt, a rival or a language that nobody has thought of makes a verdict unsure, never wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property, lru_cache

from augment_correction.grading import phrases
from augment_correction.grading.choices import beside_or, offers_a_choice
from augment_correction.grading.denials import denied, not_at_the_end, not_but
from augment_correction.grading.keys import Key, key_of, tokens
from augment_correction.grading.lexicon import NO, STOPWORDS, YES
from augment_correction.grading.reading import RUN, Pieces, longest_first, read, runs
from augment_correction.grading.text import sentences, stem, words

_OPENING = re.compile(r"\W*+([^\W\d_][^\s,.;:!–—、，。،।]*)\s?[,.;:!–—、，。،।]\s*(?=\S)")
_COLON = re.compile(r"(?<=\w):\s+|;\s+")
_CAPITAL = re.compile(r"(?<=[^\s.!?:\n] )[^\W\d_a-z][\w'’-]*")
_NAME = re.compile(r"[^\W\d_a-z][\w'’.-]*(?: [^\W\d_a-z][\w'’.-]*)*")
SAME_START, MAY_DIFFER = 5, 3
"""Letters that two forms of a word begin with, and by how many their lengths may differ ("capital", "capitale")."""
LONGEST_NAME = 12
"""Words of a person's name, with its titles; what is longer is no name."""
LONGEST_WORD = 100
"""Letters; longer ones are never told apart."""
ALIKE = 0.6
"""How alike (difflib) two names may be before one may be another spelling of the other."""

_FRAME_RUNS = frozenset(word for word in phrases.FRAME if RUN.fullmatch(word))
_FRAME_LONGEST_FIRST = longest_first(_FRAME_RUNS)


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
        for find in (not_but, not_at_the_end):
            rival = find(sentence)
            if rival and self._is_rival(rival.said):
                rest = f"{sentence[: rival.start]} {sentence[rival.end :]}"
                # "Ida is not Otto" says another thing than "Ida, not Otto"
                sentence = rest if rival.joined or not self._holds_own(rest) else sentence
        for sign in phrases.DENIED_RIVALS:
            found = re.search(sign, sentence)
            if found and self.reference.strip() not in found.group():
                sentence = sentence.replace(found.group(), " ")
        return sentence

    def _holds_own(self, text: str) -> bool:
        return self.own_stems <= {stem(word) for word in self.read(text)}

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
    def own_words(self) -> frozenset[str]:
        return frozenset(self.expected)

    @cached_property
    def own_stems(self) -> frozenset[str]:
        return frozenset(map(stem, self.expected))

    @cached_property
    def is_sequence(self) -> bool:
        """A ratio or a score: nothing but numbers, whose order is what it says."""
        return len(self.expected) > 1 and all(word.lstrip("-").replace(".", "").isdigit() for word in self.expected)

    @cached_property
    def told_wrong(self) -> frozenset[str]:
        """Tokens by which the known wrong answer can be told from the reference."""
        return frozenset(tokens(self.wrong) if self.wrong else ()).difference(
            tokens(self.reference), tokens(self.question)
        )

    @cached_property
    def chooses(self) -> bool:
        """The question offers what to choose from."""
        return offers_a_choice(self.question)

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
        own = self.own_stems
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
        capitals = {word for raw in _CAPITAL.findall(text) for word in words(raw)} - self.own_words - phrases.FRAME
        for at in places_of([*map(stem, key)], [*map(stem, said)]) if capitals else ():
            for beside, pair in ((at - 1, at - 1), (at + len(key), at + len(key) - 1)):
                named = 0 <= beside < len(said) and said[beside] in capitals
                if named and _side_by_side(said[pair], said[pair + 1], text):
                    return said[beside]
        return ""

    def another_person(self) -> str:
        """A full name where a question after a person has another one, of which it shares nothing; "" where it has none.
        One word alone may be a surname, a title or a nickname of the same person."""
        if not phrases.WHO.intersection(self._asked) or not _full_name(self.reference):
            return ""
        other = self.beyond(self.answer, offered=True)
        if not 1 < len(other) <= LONGEST_NAME or len(self.expected) > LONGEST_NAME:
            return ""
        [*names] = _NAME.findall(self.answer)
        name = next((each for each in names if list(words(each)) == other), "")
        alike = name and any(_alike(mine, word) for mine in other for word in self.expected)
        return "" if alike else name

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
    def _asked_starts(self) -> dict[str, set[int]]:
        """By the beginnings of the question's words how long these are."""
        found: dict[str, set[int]] = {}
        for word in self._asked:
            found.setdefault(word[:SAME_START], set()).add(len(word))
        return found

    @cached_property
    def asked_stems(self) -> frozenset[str]:
        return frozenset(map(stem, self.read(self.question)))

    @cached_property
    def _unspaced(self) -> tuple[Pieces, ...]:
        """Strings of scripts without spaces that are known, the longest first; the reference's before all others."""
        own = longest_first(runs(self.reference))
        asked = self._asked_pieces
        return (*own, *(longest_first(asked | _FRAME_RUNS) if asked else _FRAME_LONGEST_FIRST))

    @cached_property
    def _asked_pieces(self) -> frozenset[str]:
        return frozenset(
            run[start:end]
            for run in runs(self.question)
            for start in range(len(run))
            for end in range(start + 2, min(len(run), start + 12) + 1)
        )

    @cached_property
    def _asked_runs(self) -> str:
        return "\n".join(runs(self.question))

    @cached_property
    def offered(self) -> frozenset[str]:
        """Words of the question that stand beside its "or", but for the reference's; all, where it offers a choice without one."""
        if not self.chooses:
            return frozenset()
        beside = beside_or(self.question)
        if not beside:
            return self._asked
        rivals = frozenset(word for word in beside if stem(word) not in self.own_stems)
        return rivals - (phrases.FRAME - {"right", "true"}) - STOPWORDS

    @cached_property
    def offers_reference(self) -> bool:
        return bool(self.offered) and set(self.key.tokens) <= self.asked_stems

    def _was_asked(self, word: str, text: str) -> bool:
        if self.denies:
            return False
        if RUN.fullmatch(word):
            return len(word) > 1 and (word in self._asked_pieces or word in self._asked_runs)
        if stem(word) in self.asked_stems:
            return True
        if len(word) < SAME_START or any(map(str.isdigit, word)) or word in _capitalised(text):
            return False
        return any(abs(len(word) - length) <= MAY_DIFFER for length in self._asked_starts.get(word[:SAME_START], ()))


@lru_cache(maxsize=64)  # each word of a statement is looked at
def _capitalised(text: str) -> frozenset[str]:
    return frozenset(raw.casefold() for raw in re.findall(r"\b[^\W\d_a-z]\w*", text))


def _alike(one: str, other: str) -> bool:
    if len(one) > LONGEST_WORD or len(other) > LONGEST_WORD:
        return True
    return SequenceMatcher(None, one, other).ratio() >= ALIKE


def places_of(few: Sequence[str], many: Sequence[str]) -> Iterator[int]:
    """Where in `many` the whole of `few` begins; each word of either is looked at twice at most (Knuth, Morris and Pratt, 1977)."""
    if not few:
        return
    back, matched = [0], 0
    for word in few[1:]:
        while matched and word != few[matched]:
            matched = back[matched - 1]
        matched += word == few[matched]
        back.append(matched)
    matched = 0
    for at, word in enumerate(many):
        while matched and (matched == len(few) or word != few[matched]):
            matched = back[matched - 1]
        matched += word == few[matched]
        if matched == len(few):
            yield at + 1 - len(few)


@lru_cache(maxsize=1024)  # one pair of words may stand thousands of times in a text
def _side_by_side(one: str, other: str, text: str) -> bool:
    """No comma or dash parts the two words."""
    return bool(re.search(rf"{re.escape(one)}\s+[\"*_“«]*{re.escape(other)}", text.casefold()))


def _full_name(text: str) -> bool:
    return len(text.split()) > 1 and bool(_NAME.fullmatch(text.strip(" .")))
