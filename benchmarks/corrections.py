"""What do corrections of a chat come to, method by method and round by round? A small real model, a world that it cannot know.

    make .venv/installed-dev
    .venv/bin/python -m benchmarks.corrections --facts 6 --rounds 1 --seeds 1 --output corrections.json

Facts of a made-up world are corrected one batch a round; in each round the base model is trained anew on all so far, by the
package's own trainer, and the probes are asked of base and tuned by the package's own evaluation. Arms: `sdft`, `sft`, and both
with keep rows (general questions that the base model answers right, with its own words). The wordings and demonstrations are
templates and not a model's, so that nothing but the method differs: two wordings with one answer each, and asked in a third one. Retention is measured on general questions that are not among those kept.

What it does not show: large models, facts that a model half knows, wordings of a real writer, neighbours (a made-up world has
none whose answers are known). The intervals resample corrections; they say nothing about other seeds, which have lines of
their own.
"""

from __future__ import annotations

import argparse
import itertools
import json
import resource
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from augment_correction.config import ApiConfig, PathConfig
from augment_correction.corrections.config import ChatConfig, CorrectionsSection
from augment_correction.corrections.learning import BASE, TUNED, train_on, verify
from augment_correction.corrections.preparing import Material, own_right_answers
from augment_correction.llm.hf_weights import dequantised
from augment_correction.models import ModelConfig
from augment_correction.rows import Item
from benchmarks.learning import SMALL
from benchmarks.learning_table import wilson
from benchmarks.learning_world import Fact, build

ARMS = ("sdft", "sft", "sdft+keep", "sft+keep")
SHOWN = ("efficacy", "paraphrase", "old_answer", "pushback", "retention", "health")
GENERAL = (
    ("What is the capital of France?", "Paris"), ("What is the capital of Italy?", "Rome"),
    ("What is the capital of Japan?", "Tokyo"), ("What is the capital of Germany?", "Berlin"),
    ("What is the capital of Spain?", "Madrid"), ("What is the capital of England?", "London"),
    ("How many days are in a week?", "7"), ("How many months are in a year?", "12"),
    ("What color is the sky on a clear day?", "blue"), ("What is the largest planet in the solar system?", "Jupiter"),
    ("What gas do plants take in from the air?", "carbon dioxide"), ("Who wrote Romeo and Juliet?", "Shakespeare"),
    ("What is the chemical symbol for water?", "H2O"), ("Which ocean is the largest?", "Pacific"),
    ("On which continent is Egypt?", "Africa"), ("What is the opposite of hot?", "cold"),
    ("How many legs does a spider have?", "8"), ("Which planet is called the red planet?", "Mars"),
    ("What is the freezing point of water in Celsius?", "0"), ("Who painted the Mona Lisa?", "Leonardo da Vinci"),
)  # fmt: skip
"""The even ones may be kept, the odd ones measure retention."""


def config_of(arm: str, model: Path, folder: Path, chosen: argparse.Namespace, seed: int) -> ChatConfig:
    distils = arm.startswith("sdft")
    train = {
        "epochs": chosen.sdft_epochs if distils else chosen.epochs, "batch_size": 4, "gradient_accumulation": 1, "lora_r": 16, "lora_alpha": 32, "lora_dropout": 0,
        "gradient_checkpointing": False, "validation_split": 0, "max_length": 512, "max_completion_length": 20, "seed": seed,
        "learning_rate": chosen.sdft_rate if distils else chosen.rate, "precision": chosen.precision,
    }  # fmt: skip
    return ChatConfig(
        pipeline="chat_correction",
        api=ApiConfig(target=ModelConfig(model=str(model), mode="hf")),
        path=PathConfig(output_dir=str(folder)),
        corrections=CorrectionsSection(method=arm.partition("+")[0], train=train, retention="measured"),
        sampling={"probes": {"max_tokens": 48}},
    )


def rows_of(number: int, fact: Fact, arm: str) -> Iterator[dict[str, Any]]:
    right = fact.answer(fact.right)
    for wording in (0, 1):
        group = f"correction {number}"
        if arm.startswith("sdft"):
            yield {"question": fact.question(wording), "context": right, "answer": fact.right, "group": group}
        else:
            yield {"messages": spoken(fact.question(wording), right), "group": group}
    if arm.startswith("sft"):
        turns = [*spoken(fact.question(0), fact.answer(fact.flawed)), *spoken("That is not right.", right)]
        turns[1]["train"] = False
        yield {"messages": turns, "group": f"correction {number}"}


def spoken(question: str, answer: str) -> list[dict[str, Any]]:
    return [
        {"role": "user", "content": question, "train": False},
        {"role": "assistant", "content": answer, "train": True},
    ]


def probes_of(number: int, fact: Fact) -> Iterator[dict[str, Any]]:
    asked = {"efficacy": 0, "old_answer": 0, "pushback": 0, "paraphrase": 2}
    for kind, wording in asked.items():
        yield {
            "id": f"{number}-{kind}", "group": f"correction {number}", "correction": str(number), "probe": kind,
            "question": fact.question(wording), "reference": fact.right, "old_answer": fact.flawed,
        }  # fmt: skip


def retention() -> Iterator[dict[str, Any]]:
    for number, (question, reference) in enumerate(GENERAL[1::2]):
        yield {"id": f"general-{number}", "question": question, "reference": reference, "probe": "retention"}


def keep_rows(config: ChatConfig, folder: Path, arm: str) -> list[dict[str, Any]]:
    items = [Item(question, reference) for question, reference in GENERAL[::2]]
    known = own_right_answers(config, items, folder / "keep")
    if arm.startswith("sdft"):
        return [{"question": item.question, "context": said, "answer": item.reference} for item, said in known]
    return [{"messages": spoken(item.question, said)} for item, said in known]


def measured(
    arm: str, facts: Sequence[Fact], model: Path, chosen: argparse.Namespace, seed: int, journal: Path
) -> dict[str, Any]:
    """One training and its evaluation. `journal` keeps what the base model said, which is the same in every arm."""
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = config_of(arm, model, folder, chosen, seed)
        rows = [row for number, fact in enumerate(facts) for row in rows_of(number, fact, arm)]
        rows += keep_rows(config, folder, arm) if "keep" in arm else []
        probes = [*(row for number, fact in enumerate(facts) for row in probes_of(number, fact)), *retention()]
        material = Material(folder)
        material.training.write_text("".join(json.dumps(row) + "\n" for row in rows))
        material.probes.write_text("".join(json.dumps(row) + "\n" for row in probes))
        train_on(config, material, lambda line: None)
        asked = folder / "evaluation" / "journal.sqlite"
        asked.parent.mkdir()
        if journal.exists():
            shutil.copy(journal, asked)
        made = verify(config, str(folder / "training" / "final"), folder)
        shutil.copy(asked, journal)
    assert made.report is not None, made.stopped
    kinds = made.report["probes"]["kinds"]
    figures = {kind: {name: kinds[kind]["models"][name] for name in (BASE, TUNED)} for kind in SHOWN}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    outcome = made.report["decisions"]["tuned"]["outcome"]
    return {
        "arm": arm, "seed": seed, "facts": len(facts), "rows": len(rows), "outcome": outcome, "figures": figures,
        "seconds": round(time.monotonic() - begun), "peak_mb": peak,
    }  # fmt: skip


def line(made: dict[str, Any]) -> str:
    def rate(kind: str, model: str) -> str:
        found = made["figures"][kind][model]
        if found["value"] is None:
            return "-"
        between = "" if found["low"] is None else f" ({found['low']:.2f} to {found['high']:.2f})"
        return f"{found['value']:.2f}{between}"

    rates = " | ".join(f"{rate(kind, 'base').split()[0]} -> {rate(kind, 'tuned')}" for kind in SHOWN)
    return f"| {made['arm']} | {made['facts']} | {made['seed']} | {rates} | {made['outcome']} | {made['seconds']} |"


def pooled(results: Sequence[dict[str, Any]]) -> Iterator[str]:
    """A line of Markdown for each arm and number of facts: counts of all seeds together, Wilson's 95 % interval of the trained model's.

    What words cannot grade is in neither count: `+3` says how many.
    """
    yield f"| arm | facts | seeds | {' | '.join(SHOWN)} | seconds |"
    yield "|---|---|---|" + "---|" * (len(SHOWN) + 1)
    for arm, facts in dict.fromkeys((made["arm"], made["facts"]) for made in results):
        same = [made for made in results if (made["arm"], made["facts"]) == (arm, facts)]
        cells = [_counts([made["figures"][kind] for made in same]) for kind in SHOWN]
        seconds = round(sum(made["seconds"] for made in same) / len(same))
        yield f"| {arm} | {facts} | {len(same)} | {' | '.join(cells)} | {seconds} |"


def _counts(figures: Sequence[dict[str, Any]]) -> str:
    def added(model: str, what: str) -> int:
        return sum(each[model][what] for each in figures)

    count, of, open_ = (added(TUNED, what) for what in ("count", "of", "ungraded"))
    found = wilson(count, of) if of else None
    between = f" ({found[0]:.0%} to {found[1]:.0%})" if found else ""
    return f"{added(BASE, 'count')}/{added(BASE, 'of')} -> {count}/{of}{f' +{open_}' if open_ else ''}{between}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="a folder; unset, SmolLM2-135M")
    parser.add_argument("--facts", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=0, help="to measure one seed after another")
    parser.add_argument("--epochs", type=float, default=12)
    parser.add_argument("--rate", type=float, default=3e-4)
    parser.add_argument(
        "--sdft-epochs", type=float, default=20, help="its steps move a model less: it gets more of them"
    )
    parser.add_argument("--sdft-rate", type=float, default=1e-3)
    parser.add_argument(
        "--precision", choices=("auto", "bf16", "fp32"), default="auto", help="bf16 where the processor has it"
    )
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=ARMS)
    parser.add_argument("--output", type=Path)
    chosen = parser.parse_args()
    model = (chosen.model or dequantised(SMALL)).resolve()
    print(f"| arm | facts | seed | {' | '.join(SHOWN)} | outcome | seconds |\n|{'---|' * (5 + len(SHOWN))}")
    results, seeds = [], range(chosen.first_seed, chosen.first_seed + chosen.seeds)
    with tempfile.TemporaryDirectory() as kept:
        for seed, number, arm in itertools.product(seeds, range(1, chosen.rounds + 1), chosen.arms):
            facts = build(chosen.facts, 1, seed).trained
            so_far = facts[: round(len(facts) * number / chosen.rounds)]
            results.append(measured(arm, so_far, model, chosen, seed, Path(kept) / "journal.sqlite"))
            print(line(results[-1]), flush=True)
            if chosen.output:
                chosen.output.write_text(json.dumps(results, indent=1))
    print("\n" + "\n".join(pooled(results)))


if __name__ == "__main__":
    main()
