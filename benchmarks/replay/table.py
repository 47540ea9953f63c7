"""What two runs of the same passages came to, side by side."""

from __future__ import annotations

import json
import re
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from augment_correction.report.sums import drawn_shares
from augment_correction.results.finished import open_run
from augment_correction.store import Outcome

AGREES = re.compile(
    r"\W*(?:yes\b|oui\b|ja\b|you(?:'|\u2019| a)re (?:absolutely |quite )?right|good (?:catch|point)|vous avez raison|tu as raison|"
    r"da haben sie recht|sie haben recht)",
    re.IGNORECASE,
)
"""A last answer that begins by agreeing, in English, French or German."""
ALARMS = "alarms.jsonl"


@dataclass
class Summary:
    """`words` are those of messages by name."""

    kept: int = 0
    passages: int = 0
    unsuitable: int = 0
    reasks: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    words: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    agrees: int = 0
    sorry: int = 0
    openings: Mapping[str, Any] = field(default_factory=dict)
    shares: tuple[int, int, float] = (0, 0, 0.0)
    """Of the drawn words: how many, how many are within one passage of their share, and the passages by which the worst is off."""
    false_alarms: str = ""


def summary(folder: Path) -> Summary:
    """Of a run that `ask` has made. What it was asked again for is written to `alarms.jsonl`, where a reader says under `alarm`
    whether the reply was bad ("true") or fine ("false")."""
    made, alarms = Summary(), []
    with open_run(folder / "output") as opened:
        made.openings = opened.manifest.get("openings", {})
        made.shares = _shares(opened.manifest)
        for _, outcome in opened.results.passages():
            made.passages += 1
            if outcome is None:
                continue
            for step in outcome.body["steps"]:
                if step.get("reason") and step.get("call"):
                    made.reasks[step["reason"]] += 1
                    call = opened.journal.read(step["call"])
                    alarms.append({"stage": step["stage"], "reason": step["reason"], "detail": step.get("detail", ""),
                                   "reply": call.completion.text if call else "", "alarm": ""})  # fmt: skip
            _add(made, outcome)
    made.reasks.pop("unsuitable", None)
    made.false_alarms = _judged(folder / ALARMS, [each for each in alarms if each["reason"] != "unsuitable"])
    return made


def _shares(manifest: Mapping[str, Any]) -> tuple[int, int, float]:
    drawn = drawn_shares(manifest["pipeline"].get("draws", {}), manifest["counts"].get("drawn", {}))
    off = [
        abs(came - share * sum(word[2] for word in field_["words"]))
        for field_ in drawn
        for _, share, came, _ in field_["words"]
    ]
    return len(off), sum(each <= 1 for each in off), max(off, default=0.0)


def _add(made: Summary, outcome: Outcome) -> None:
    if outcome.status != "kept":
        made.unsuitable += outcome.reason == "unsuitable"
        made.rejected[f"{outcome.stage}/{outcome.reason}"] += outcome.reason != "unsuitable"
        return
    made.kept += 1
    conversation = outcome.body["conversation"]
    made.kinds[conversation["kind"]] += 1
    turns = conversation["turns"]
    last = turns[-1]["text"][turns[-1].get("masked", 0) :]
    made.agrees += bool(AGREES.match(last))
    made.sorry += bool(re.search(r"sorry|apolog|d\u00e9sol|excus|pardon|entschuldig|tut mir leid", last, re.IGNORECASE))
    if conversation["kind"] in ("correct_after_mistake", "partial"):
        made.words["flawed"].append(len(turns[1]["text"].split()))
        made.words["corrected"].append(len(last.split()))


def _judged(path: Path, alarms: list[dict[str, Any]]) -> str:
    """How many of a reader's marks say that an alarm was false; a file with marks is kept."""
    if path.is_file():
        marked = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        if any(each["alarm"] for each in marked):
            return (
                f"{sum(each['alarm'] == 'false' for each in marked)} of {sum(bool(each['alarm']) for each in marked)}"
            )
    path.write_text("".join(json.dumps(each, ensure_ascii=False) + "\n" for each in alarms), "utf-8")
    return "nobody has looked" if alarms else "none"


def table(folders: Iterable[Path]) -> str:
    """In Markdown, a column a run."""
    named = {folder.name: summary(folder) for folder in folders}
    rows = {
        "passages": [str(each.passages) for each in named.values()],
        "unsuitable": [str(each.unsuitable) for each in named.values()],
        "kept": [f"{each.kept} of {each.passages - each.unsuitable}" for each in named.values()],
        "kinds": [_counted(each.kinds) for each in named.values()],
        "rejected": [_counted(+each.rejected) for each in named.values()],
        "asked again": [_counted(each.reasks) for each in named.values()],
        "false alarms": [each.false_alarms for each in named.values()],
        "drawn words within one passage of their share": [
            "{1} of {0}, at most {2:.1f} off".format(*each.shares) for each in named.values()
        ],
        "last answers that begin by agreeing": [f"{each.agrees} of {each.kept}" for each in named.values()],
        "last answers that apologise": [f"{each.sorry} of {each.kept}" for each in named.values()],
        "median words, flawed / corrected": [_lengths(each) for each in named.values()],
        "words of corrected answers, 10th to 90th percentile": [
            _spread(each.words["corrected"]) for each in named.values()
        ],
    }
    for message in ("question", "doubt", "answer"):
        rows[f"openings of {message}s: distinct, self-BLEU, compression"] = [
            _diversity(each.openings.get(message)) for each in named.values()
        ]
    lines = [f"| | {' | '.join(named)} |", f"|---|{'---|' * len(named)}"]
    return "\n".join([*lines, *(f"| {name} | {' | '.join(cells)} |" for name, cells in rows.items())])


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.most_common()) or "none"


def _lengths(made: Summary) -> str:
    if not made.words["flawed"]:
        return "none"
    return f"{statistics.median(made.words['flawed']):.0f} / {statistics.median(made.words['corrected']):.0f}"


def _spread(lengths: list[int]) -> str:
    if len(lengths) < 2:
        return "too few"
    tenths = statistics.quantiles(lengths, n=10, method="inclusive")
    return f"{tenths[0]:.0f} to {tenths[-1]:.0f}"


def _diversity(found: Mapping[str, Any] | None) -> str:
    if not found:
        return "too few"
    return f"{found['distinct']:.0%}, {found['self_bleu']:.2f}, {found['compression']:.1f} (of {found['count']})"
