"""Whether a message is whole. A text may end without a full stop where it is a list item, a row of a table, code, a
number, a verse, a signature or a short answer; it may never end within a fence, a bracket, a quotation, or on a word that asks for another."""

from __future__ import annotations

import re

from augment_correction.stages.checks.contract import CheckInput, CheckResult, worst
from augment_correction.stages.checks.length import count_words
from augment_correction.text.fences import FENCE, without_code
from augment_correction.text.scripts import NO_FULL_STOP

SHORT = 6
"""Up to so many words without a mark are an answer in themselves: "Adela Torrin", "Between May and September"."""
_ENDS = ".!?。！？．؟۔।॥‽"
_CLOSING = " \t*_~`\"'”’“»«›)]}」』】）》"
_BRACKET = re.compile(r"[(\[{（【「『)\]}）】」』]")
_ITEM = re.compile(r"^[ \t]*(?:[-*+•–—―]|[A-Z]?\d{1,3} ?[.):-]|\[[^\]\n]{1,12}\])[ \t]+\S|^[ \t]*\|")
_CELLS = re.compile(r"\S[ \t]+\|[ \t]+\S|\S\t+\S")
_LABELLED = re.compile(r"^[^\W\d_][^:.!?\n]{0,40}[ \u00a0]?:[ \t]+\S")
_CODE_LINE = re.compile(
    r"^\s*(?:return|import|export|from|def|class|var|let|const|#include|using|public|else|end|\\[a-z]+)\b"
    r"|^\s*(?:SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|DROP|FROM|WHERE|JOIN|GROUP BY|ORDER BY|LIMIT)\b"
    r"|^\s*(?:\$ ?)?(?:echo|done|fi|esac|sudo|ls|find|grep|sed|awk|cat|cd|date|git|pip|npm|docker) [^.!?]*$"
    r"|^\s*[\w.]+ = \S|\w <- \S|^[^=(){}]*+[=(){}].*[;{}]$|^\s*</?[a-zA-Z][^>\n]*>$|\*/$"
)
_CALLED = re.compile(r"\w\(")
_FAREWELL = re.compile(
    r"^(?:(?:with |avec |mit )?(?:all |my |tout |toute |kind |kindest |best |warm |warmest |many |bien |meilleures |très )*"
    r"(?:regards|wishes|sincerely|faithfully|truly|yours|cheers|thanks|thank you|love|looking forward\b.*|"
    r"cordialement|salutations|amitiés|à vous|à toi|merci|mon amour|freundlichen grüßen|grüße|liebe grüße|viele grüße|gruß|"
    r"saludos|atentamente|un abrazo|gracias)\b[^.!?]{0,30})$",
    re.IGNORECASE,
)
_AND_SO_ON = re.compile(
    r"\b(?:etc|and so (?:on|forth)|usw|und so weiter|et ainsi de suite|y así sucesivamente)\W*$", re.IGNORECASE
)
LINES, LINE_WORDS = 3, 14
"""So many lines of at most so many words, none with a mark at its end, are a list or a verse."""
_UNFINISHED = """
    the a an and or but nor because although while which that whose of in on at by for from with into between than to
    as if is are was were be been has have had its their his her your my our not only about under over during through
    der die das den dem des ein eine einen einem einer und oder aber weil dass obwohl von mit für auf aus bei zu zum zur
    nach über unter durch ist sind war waren wurde wurden hat haben als
    el la los las un una unos unas y o pero porque aunque que de del en con por para sin sobre entre desde hasta es son era
    fue al su sus
    le les une des et ou mais parce du dans avec pour sur sous entre est sont était au aux ce cette ses leur
"""
_ASKS_FOR_MORE = frozenset(_UNFINISHED.split())
# Thai, Lao, Khmer and Tibetan sentences end without a mark.
_NO_MARK = re.compile(f"[{NO_FULL_STOP}]")


def complete(given: CheckInput) -> CheckResult:
    return worst(_whole(field, text.strip()) for field, text in given.texts)


def _whole(field: str, text: str) -> CheckResult:
    problem = _problem(text)
    if not problem:
        return CheckResult(1.0)
    return CheckResult(0.0, "cut_off", f"{field} {problem}. Write it to its end")


def _problem(text: str) -> str:
    if not re.search(r"\w", text):
        return "is empty"
    if len(FENCE.findall(text)) % 2:
        return "opens a code block and does not close it"
    prose = without_code(text).strip()
    if problem := _open_pair(prose):
        return problem
    return _bad_end(prose)


def _open_pair(prose: str) -> str:
    depth = 0
    for sign in _BRACKET.findall(prose):
        if sign in "([{（【「『":
            depth += 1
        else:  # "1)" closes nothing
            depth = max(0, depth - 1)
    if depth:
        return "opens a bracket and does not close it"
    if prose.replace('"""', "").count('"') % 2 and not re.search(r'\d"', prose):  # 5" is a length
        return "opens a quotation and does not close it"
    if len(re.findall("[„“”]", prose)) % 2 or prose.count("«") != prose.count("»"):
        return "opens a quotation and does not close it"
    return ""


def _bad_end(prose: str) -> str:
    last_line = prose.splitlines()[-1].strip()
    if prose.endswith(("`", "$", "|")):
        return ""
    end = prose.rstrip(_CLOSING)
    if not end or (end[-1] in _ENDS and not end.endswith("...")) or _AND_SO_ON.search(last_line):
        return ""
    if end.endswith(("...", "…")):
        return "breaks off with dots"
    if prose.startswith("#!") or _CODE_LINE.search(last_line) or _is_call(last_line) or _FAREWELL.match(last_line):
        return ""
    if end[-1] in ",;:–—-(/&+=、，；：،":
        return f'ends with "{end[-1]}"'
    words = re.findall(r"[^\W_]+", last_line)
    if words and words[-1].lower() in _ASKS_FOR_MORE and not words[-1].isupper():
        return f'ends with the word "{words[-1]}"'
    return "" if _needs_no_mark(prose, last_line, end) else "ends without a full stop"


def _is_call(line: str) -> bool:
    """It ends with brackets that a word opened, as in `run(job)`. They are looked for from the end: from each of 20,000 opening ones on, the
    line would be read to its end."""
    inside = line.rstrip(")")
    return inside != line and bool(_CALLED.search(inside, inside.rfind(")") + 1))


def _needs_no_mark(prose: str, last_line: str, end: str) -> bool:
    if not end[-1].isalnum() or _NO_MARK.search(end[-4:]) or re.search(r"\S\s*=\s*\S", last_line):
        return True
    if _ITEM.match(last_line):
        return not _other_items_end(prose)
    lines = [line.strip() for line in prose.splitlines() if line.strip()]
    if len(lines) > 1:
        return _is_row(last_line, lines[:-1]) or _is_signed(last_line, lines[-2]) or _is_verse(lines)
    if len(_CELLS.findall(last_line)) > 1:
        return True
    return (count_words(prose) <= SHORT and not re.search(r"[.!?。][\s”\"')]", prose)) or _is_enumeration(prose)


def _is_row(last: str, before: list[str]) -> bool:
    """Of a table, or of lines like "Monday: soup"."""
    return any(shape.search(last) and any(shape.search(line) for line in before) for shape in (_CELLS, _LABELLED))


def _is_signed(last: str, before: str) -> bool:
    """A name below "Kind regards,", or a place for one: "[your name]"; the value below "The output is:"."""
    return (bool(_FAREWELL.match(before) or before.endswith(":")) and count_words(last) <= SHORT) or bool(
        re.fullmatch(r"[\[(][^\])]+[\])]", last)
    )


def _is_verse(lines: list[str]) -> bool:
    ends = lines[-LINES:]
    return len(ends) == LINES and all(count_words(line) <= LINE_WORDS and line[-1] not in _ENDS for line in ends)


def _is_enumeration(prose: str) -> bool:
    """Dog, cat, bear, fish."""
    parts = prose.split(",")
    return len(parts) > LINES and all(0 < count_words(part) <= LINES for part in parts)


def _other_items_end(prose: str) -> bool:
    """Whether the items before the last all end with a mark, so that the last one must, too."""
    items = [line.rstrip().rstrip(_CLOSING) for line in prose.splitlines()[:-1] if _ITEM.match(line)]
    return bool(items) and all(item[-1:] in _ENDS for item in items)
