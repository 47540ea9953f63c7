"""Do the tests notice a small mistake in a module that decides? Mistakes are drawn, put in one by one, and tried.

    python -m benchmarks.mutate                             four mistakes in each module, and which were not noticed
    python -m benchmarks.mutate --module limiter --each 40  forty in one module
    python -m benchmarks.mutate --module limiter --line 84  every one of a line

A mistake is noticed where a test beside its module fails, or takes eight times as long as it took. Each is tried in a copy
of the tree; of the tests, only those that called the function run (all of them where none called it in the tests' own
process). Mistakes that change nothing anybody could see stand with their reason in equivalent_mutations.yaml, are not
tried, and are counted apart.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import tempfile
from pathlib import Path
from typing import NamedTuple

import yaml

from benchmarks.mutation_trials import Trial, results
from benchmarks.mutations import Mutation, mutations

ROOT = Path(__file__).parents[1]
EQUIVALENT = Path(__file__).with_name("equivalent_mutations.yaml")
TREE = ("augment_correction", "tests", "benchmarks", "pipelines", "configs", "prompts", "inputs", "docs")


class Group(NamedTuple):
    modules: str
    tests: str


GROUPS = {
    "masks": Group(
        "export/segments export/masking export/cutting",
        "export/test_masking export/test_segments export/test_cutting",
    ),
    "checks": Group(
        "stages/checks/* text/language stages/ground stages/quotes",
        "stages/test_checks* stages/test_ground stages/test_quotes",
    ),
    "calls": Group(
        "llm/metered llm/limiter llm/pace", "llm/test_metered llm/test_limiter* llm/test_pace llm/test_adapting"
    ),
    "money": Group("ledger", "test_ledger llm/test_metered"),
    "journal": Group("store/database store/journal", "store/test_database store/test_journal*"),
    "chunker": Group("documents/chunking", "documents/test_chunking"),
    "statistics": Group(
        "evals/significance evals/decision evals/looks grading/flips",
        "evals/test_significance evals/test_decision evals/test_looks evals/test_metrics grading/test_flips",
    ),
    "grader": Group("grading/*", "grading/test_*"),
    "worker": Group(
        "worker/jobs worker/rounds launching/slot worker/intake worker/entries worker/log",
        "worker/test_jobs worker/test_log worker/test_hostile worker/test_intake worker/test_rounds "
        "launching/test_slot",
    ),
    "config": Group("config", "test_config"),
    "sandboxes": Group(
        "sandbox prompts/* export/jinja_chat export/chat_template",
        "test_sandbox test_prompts export/test_chat_template",
    ),
}


def copied(to: Path) -> Path:
    without = shutil.ignore_patterns("__pycache__")
    for name in TREE:
        shutil.copytree(ROOT / name, to / name, ignore=without)
    for path in ROOT.glob("*.*"):
        if path.is_file():
            shutil.copy2(path, to)
    return to


def paths(tree: Path, names: str, under: str) -> list[Path]:
    return sorted({path for name in names.split() for path in (tree / under).glob(f"{name}.py")})


def equivalent(module: str) -> dict[tuple[str, str, str, int], str]:
    """The keys of the module's mistakes that change nothing that could be seen, and why."""
    found = yaml.safe_load(EQUIVALENT.read_text("utf-8"))
    return {
        (row, was, becomes, place[0] if place else 1): entry["why"]
        for entry in found
        if entry["module"] == module
        for row, was, becomes, *place in entry["mistakes"]
    }


def drawn(module: Path, tree: Path, told: argparse.Namespace) -> list[Mutation]:
    found = mutations(module.read_text("utf-8"))
    if told.line:
        return [each for each in found if each.line == told.line]
    return random.Random(f"{told.seed} {module.relative_to(tree)}").sample(found, min(told.each, len(found)))


class Count:
    def __init__(self) -> None:
        self.noticed = self.missed = self.equivalent = 0

    def __str__(self) -> str:
        tried = self.noticed + self.missed
        share = f"{100 * self.noticed / tried:.0f} %" if tried else "-"
        return f"{tried + self.equivalent} | {self.equivalent} | {self.noticed} of {tried} | {share} |"

    def __iadd__(self, other: Count) -> Count:
        self.noticed += other.noticed
        self.missed += other.missed
        self.equivalent += other.equivalent
        return self


def group_count(name: str, tree: Path, told: argparse.Namespace) -> Count:
    group, count = GROUPS[name], Count()
    trials = []
    for module in paths(tree, group.modules, "augment_correction"):
        known = equivalent(str(module.relative_to(tree / "augment_correction")))
        for mutation in drawn(module, tree, told) if told.module in str(module) else []:
            if mutation.key in known:
                count.equivalent += 1
            else:
                trials.append(Trial(module, mutation))
    for (module, mutation), seen in results(tree, trials, paths(tree, group.tests, "tests")) if trials else ():
        count.noticed += seen
        count.missed += not seen
        if not seen:
            place = f"{module.relative_to(tree / 'augment_correction')}:{mutation.line}"
            print(f"not noticed: {place}: {mutation.row} | {mutation.was} -> {mutation.becomes}", flush=True)
    return count


def main() -> None:
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    flags.add_argument("--each", type=int, default=4, help="mistakes drawn in each module (default: 4)")
    flags.add_argument("--seed", default="1", help="draws others (default: 1)")
    flags.add_argument("--module", default="", help="only modules with this in their path")
    flags.add_argument("--group", choices=GROUPS, help="only the modules of this row of the table")
    flags.add_argument("--line", type=int, help="every mistake of this line")
    told = flags.parse_args()
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    every, counts = Count(), {}
    with tempfile.TemporaryDirectory(prefix="mutate-") as folder:
        tree = copied(Path(folder).resolve() / "tree")
        for name in GROUPS:
            if not told.group or told.group == name:
                counts[name] = group_count(name, tree, told)
                every += counts[name]
    print("| modules | mistakes | change nothing | noticed | of the others |\n|---|---|---|---|---|")
    for name, count in {**counts, "all": every}.items():
        if name == "all" or count.noticed + count.missed + count.equivalent:
            print(f"| {name} | {count}")


if __name__ == "__main__":
    main()
