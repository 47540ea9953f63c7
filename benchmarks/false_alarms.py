"""How often do the free checks fire on rows that are good?

    python -m benchmarks.false_alarms                          the conversations of benchmarks/data/good_rows.jsonl
    python -m benchmarks.false_alarms FILE [FILE ...]          and the answers of instruction sets: JSON or JSONL
    python -m benchmarks.false_alarms FILE --show              each alarm with its name, to be judged

The conversations go through the checks that `pipelines/correction.yaml` has for their kind. Of an instruction set (rows with
`instruction` and `output`, `instances`, or `messages`) every first answer goes through the checks that need no passage; the
question stands in for the passage of `language`. Rows with an `input` are left out: their question is about a text.
For `no_giveaway` each answer is doubted in several of the manners of `DOUBTS`, none of which says anything about a matter.

At last `no_giveaway` reads doubts that were written against it (benchmarks/data/giveaway_pairs.jsonl, English and French): half of them say what is
right in passing, half use words of the right answer for something else or propose another wrong answer.

Public sets hold bad answers, too: an alarm that a person looked at and found right is listed by its name in
benchmarks/data/alarms_judged.jsonl and is no false one. Rates have Wilson's interval of 95 %.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from augment_correction.declarations import AskStage, CheckSpec
from augment_correction.errors import Reject
from augment_correction.pipeline import load_pipeline
from augment_correction.project import bundled
from augment_correction.stages.checks import run_checks
from augment_correction.text.language import language_of
from benchmarks.learning_table import wilson

DATA = Path(__file__).parent / "data"
ROWS, JUDGED, PAIRS = DATA / "good_rows.jsonl", DATA / "alarms_judged.jsonl", DATA / "giveaway_pairs.jsonl"
ALONE = ("complete", "no_refusal", "no_tags", "no_links", "stands_alone", "length")
DOUBTS = {
    "English": (
        "Is that so? I had it the other way round in my notes.", "Could you double-check? Something about this bothers me.",
        "My flatmate laughed when I read your answer out.", "I'd be careful with that claim.", "What makes you say so?",
        "Not what the documentary said...", "That seems a bit too neat. Anything you left out?", "uh, you positive?",
        "With respect, I believe you have mixed something up.", "I looked it up in a book and got another result.",
        "Are all three of those details correct?", "Come on, that's nonsense.",
    ),
    "French": (
        "Tiens, j'aurais parié le contraire.", "Vous pouvez vérifier ? Quelque chose me gêne là-dedans.",
        "Ma collègue a rigolé quand je lui ai lu votre réponse.", "Je me méfierais de cette affirmation.",
        "Qu'est-ce qui vous fait dire cela ?", "ben non, c'est pas ça du tout", "Est-ce que les trois détails sont bons ?",
        "Avec tout le respect, je crois que vous confondez.", "J'ai regardé dans un livre, le résultat était différent.",
        "Ce serait trop simple, il doit manquer quelque chose.", "On m'a pourtant appris autre chose à l'école.", "N'importe quoi.",
    ),
    "German": (
        "Moment mal, da stimmt doch etwas nicht.", "Das habe ich anders gelernt.", "Bist du dir da ganz sicher?",
        "Meine Kollegin hat bei der Antwort gelacht.", "Könntest du das bitte noch einmal nachsehen?", "Woher weißt du das?",
    ),
    "Spanish": (
        "¿Seguro? A mí me contaron otra cosa.", "No me convence, ¿puedes revisarlo otra vez?", "Eso no puede ser del todo cierto.",
        "Mi profesora decía lo contrario.", "¿De dónde has sacado eso?", "Hay algo que no cuadra en la respuesta.",
    ),
}  # fmt: skip
"""By the language of the answer."""


class Alarm(NamedTuple):
    check: str
    origin: str
    detail: str
    text: str

    @property
    def name(self) -> str:
        return hashlib.sha256(f"{self.check}\n{self.text}".encode()).hexdigest()[:12]


class Counts:
    """Of one check and one set: how often it was asked, and its alarms."""

    def __init__(self) -> None:
        self.asked: Counter[tuple[str, str]] = Counter()
        self.alarms: list[Alarm] = []

    def ask(self, spec: CheckSpec, origin: str, fields: dict[str, str]) -> None:
        self.asked[spec.check, origin] += 1
        try:
            run_checks([spec], fields)
        except Reject as found:
            said = "\n".join(fields[name] for name in spec.fields)
            self.alarms.append(Alarm(spec.check, origin, found.detail, said))


def lines(path: Path) -> Iterator[dict[str, Any]]:
    text = path.read_text("utf-8")
    yield from json.loads(text) if text.lstrip().startswith("[") else map(json.loads, text.splitlines())


def answers(path: Path) -> Iterator[tuple[str, str]]:
    """(question, answer) of each row that is about no text of its own."""
    for row in lines(path):
        if messages := row.get("messages"):
            yield messages[0]["content"], messages[1]["content"]
            continue
        first = row["instances"][0] if "instances" in row else row
        if not first.get("input"):
            yield row["instruction"], str(first.get("output", first.get("response", "")))


def shipped_checks() -> dict[str, tuple[CheckSpec, ...]]:
    """By the kind of conversation."""
    stages = load_pipeline(bundled() / "pipelines/correction.yaml").stages
    return {kind: stage.checks for stage in stages if isinstance(stage, AskStage) for kind in stage.only}


def measured(files: Iterable[Path]) -> Counts:
    counts, checks = Counts(), shipped_checks()
    for row in lines(ROWS):
        for spec in checks[row["kind"]]:
            counts.ask(spec, ROWS.stem, row)
    for path in files:
        for question, answer in answers(path):
            fields = {"passage": question, "question": question, "answer": answer}
            for check in ALONE:
                counts.ask(CheckSpec(check=check, fields=("answer",)), path.stem, fields)
            counts.ask(CheckSpec(check="language", fields=("answer",)), path.stem, fields)
            for doubt in DOUBTS.get(language_of(answer), ()):
                doubted = {"doubt": doubt, "right": answer, "question": question, "passage": answer}
                counts.ask(CheckSpec(check="no_giveaway", fields=("doubt", "right", "question")), path.stem, doubted)
    return counts


def doubts_found() -> Counter[tuple[str, bool, bool]]:
    """How many of the written doubts there are by language, whether they give the answer away, and whether that is found."""
    [spec] = [CheckSpec(check="no_giveaway", fields=("doubt", "right", "flawed", "question"))]
    found: Counter[tuple[str, bool, bool]] = Counter()
    for row in lines(PAIRS):
        try:
            run_checks([spec], row)
        except Reject:
            found[row["language"], row["gives"], True] += 1
        else:
            found[row["language"], row["gives"], False] += 1
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--show", action="store_true", help="each alarm that nobody found right, with its name")
    chosen = parser.parse_args()
    counts = measured(chosen.files)
    right = {each["name"]: each["why"] for each in lines(JUDGED)}
    false = [alarm for alarm in counts.alarms if alarm.name not in right]
    if chosen.show:
        for alarm in false:
            print(json.dumps({"name": alarm.name, **alarm._asdict()}, ensure_ascii=False))
    alarms = Counter((alarm.check, alarm.origin) for alarm in counts.alarms)
    wrong = Counter((alarm.check, alarm.origin) for alarm in false)
    print("| check | rows of | asked | alarms | false | rate | 95 % interval |\n|---|---|---|---|---|---|---|")
    for place, asked in sorted(counts.asked.items()):
        low, high = wilson(wrong[place], asked)
        figures = f"{alarms[place]} | {wrong[place]} | {wrong[place] / asked:.2%} | {low:.2%} to {high:.2%}"
        print(f"| {' | '.join(place)} | {asked} | {figures} |")
    found = doubts_found()
    print("| written doubts | give it away | found | do not | false |\n|---|---|---|---|---|")
    for language in ("en", "fr"):
        gives, fine = ([found[language, kind, hit] for hit in (True, False)] for kind in (True, False))
        print(f"| {language} | {sum(gives)} | {gives[0]} | {sum(fine)} | {fine[0]} |")


if __name__ == "__main__":
    main()
