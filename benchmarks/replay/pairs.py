"""Which of two conversations about one passage a reader prefers, without knowing which prompts made it."""

from __future__ import annotations

import json
import math
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from augment_correction.records import Conversation
from augment_correction.results.finished import open_run

CHOICE = "Better (1, 2 or 0 for neither):"
KEY = "key.json"


def write_pairs(one: Path, other: Path, folder: Path, count: int, seed: int) -> int:
    """A file `NN.md` for each passage of which both runs kept a conversation of the same kind, the two in hidden order. Returns how
    many there are. Which is which stands in `key.json`; a file that a reader has marked is left as it is."""
    folder.mkdir(parents=True, exist_ok=True)
    first, second = _kept(one), _kept(other)
    rng = random.Random(seed)
    both = sorted(first.keys() & second.keys())
    rng.shuffle(both)
    key = {}
    for number, (id_, kind) in enumerate(both[:count], 1):
        shown = [(one.name, first[id_, kind]), (other.name, second[id_, kind])]
        rng.shuffle(shown)
        key[f"{number:02}"] = [name for name, _ in shown]
        path = folder / f"{number:02}.md"
        if not path.exists():
            parts = (f"# Conversation {place}\n\n{_told(made[1])}" for place, (_, made) in enumerate(shown, 1))
            path.write_text("\n".join([f"# Passage\n\n{shown[0][1][0]}\n", *parts, CHOICE, ""]), "utf-8")
    (folder / KEY).write_text(json.dumps(key, indent=1), "utf-8")
    return len(key)


def _kept(run: Path) -> dict[tuple[str, str], tuple[str, Conversation]]:
    with open_run(run / "output") as opened:
        return {
            (chunk.id, outcome.kind or ""): (chunk.text, outcome.conversation(chunk))
            for chunk, outcome in opened.results.outcomes("kept")
        }


def _told(conversation: Conversation) -> str:
    return "".join(f"**{turn.role}**: {turn.text}\n\n" for turn in conversation.turns)


def preference(folder: Path) -> str:
    """How often each run was preferred, with the probability of as clear a result by chance (two-sided sign test)."""
    wins: Counter[str] = Counter()
    for name, runs in json.loads((folder / KEY).read_text("utf-8")).items():
        text = (folder / f"{name}.md").read_text("utf-8")
        marks = [line.removeprefix(CHOICE).strip() for line in text.splitlines() if line.startswith(CHOICE)]
        for each in runs:
            wins.setdefault(each, 0)
        if marks[-1] in ("1", "2"):
            wins[runs[int(marks[-1]) - 1]] += 1
        else:
            wins["neither" if marks[-1] == "0" else "not looked at"] += 1
    decided = [count for name, count in wins.items() if name not in ("neither", "not looked at")]
    told = ", ".join(f"{name} {count}" for name, count in wins.items())
    return f"{told}; by chance as clear or clearer: {sign_test(max(decided, default=0), sum(decided)):.3f}"


def sign_test(wins: int, count: int) -> float:
    """Two-sided, exact."""
    return min(1.0, 2 * sum(_tail(wins, count)) / 2**count)


def _tail(wins: int, count: int) -> Iterator[int]:
    return (math.comb(count, each) for each in range(wins, count + 1))
