"""What goes in: tokenizers, documents made to break masks, and a run of ours for each case."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from augment_correction.config import load_config
from augment_correction.export import ChatTemplate, ExportSource, Tokenizer, export, load_tokenizer, verify_dataset
from augment_correction.records import Conversation, Turn, content_id
from augment_correction.results.finished import open_run
from augment_correction.results.reexport import run_conversations, run_template
from augment_correction.runner import run
from augment_correction.store import RunFolder

ROWS = 60
TEMPLATE, LOSS = "system.prompt_template", "system.loss_on"


@dataclass(frozen=True)
class Case:
    """One run of ours with one tokenizer."""

    name: str
    tokenizer: str
    settings: tuple[str, ...] = ()
    joints: tuple[str, ...] = (" ", "\n")
    """Between a mistake and its correction in the same message; SentencePiece takes no cut at a line break."""


# A header that ends in a line break: SentencePiece writes a space before whatever a segment begins with.
NEWLINES = "{{ bos_token }}{% for m in messages %}{{ '[' + m.role + ']\\n' + m.content + '</s>\\n' }}{% endfor %}"
CASES = (
    Case("qwen-like", "qwen"),
    Case("qwen-like, Augmentoolkit's template", "qwen", (f"{TEMPLATE}=augmentoolkit", f"{LOSS}=correction_only")),
    Case("llama-3-like", "llama"),
    Case("sentencepiece-like", "mistral", joints=(" ",)),
    Case("sentencepiece-like, line breaks", "mistral", (f"{TEMPLATE}={json.dumps(NEWLINES)}",)),
    Case("SmolLM2 (real)", "smollm2"),
    Case("Qwen2.5 (real)", "qwen2.5", (f"{LOSS}=correction_only",)),
    Case("Mistral 7B v0.1 (real)", "mistral-7b", (f"{LOSS}=correction_only",), joints=(" ",)),
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


@dataclass(frozen=True)
class Made:
    """What a run of ours left, with every third conversation made one whose answer corrects itself: the conversations,
    the template and tokenizer of its rows, its config for Axolotl."""

    case: Case
    folder: Path
    conversations: list[Conversation]
    template: ChatTemplate
    tokenizer: Tokenizer
    config: dict[str, Any]
    seams: bool


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


def make(root: Path, case: Case) -> Made:
    folder, model = root / "runs" / case.name.replace(" ", "_"), root / "models" / case.tokenizer
    scripted = {"model": "scripted", "mode": "scripted", "script": str(root / "script.yaml")}
    config = {
        "pipeline": "correction",
        "api": {"small": scripted, "large": scripted},
        "path": {"input_dir": str(root / "inputs"), "output_dir": str(folder)},
        "system": {"chunk_size": 400, "prompt_template": "tokenizer", "tokenizer": str(model)},
        "checks": {"language": False},  # the scripted model answers in English, whatever the passage
        "training": {"base_model": str(model), "output_dir": str(folder / "lora"), "sequence_len": 1024},
        "output": {"formats": ["axolotl_chat", "trl", "sharegpt", "openai", "hf"]},
    }
    file = folder.with_suffix(".yaml")
    file.parent.mkdir(exist_ok=True)
    file.write_text(yaml.safe_dump(config))
    result = run(load_config(file, case.settings))
    assert result.verification is not None, result.notices
    assert result.exit_code == 0, (case.name, result.stopped, result.verification.problems)
    with open_run(folder) as made:
        conversations, template = list(run_conversations(made)), run_template(made)
    for index in range(0, len(conversations), 3):
        joint = case.joints[index % len(case.joints)]
        conversations[index] = self_noticed(conversations[index], joint)
    spelled, tokenizer = RunFolder(folder), load_tokenizer(str(model), root)
    names = ["axolotl", *(path.name for path in (folder / "exports").iterdir())]
    list(export(names, ExportSource(lambda: iter(conversations), template, tokenizer), spelled))
    proof = verify_dataset(spelled.dataset, conversations, template, tokenizer, 1024)
    assert set(proof.failing) <= {"seam"}, (case.name, proof.problems)
    return Made(
        case, folder, conversations, template, tokenizer,
        yaml.safe_load((folder / "axolotl_lora.yaml").read_text()), "seam" in proof.failing,
    )  # fmt: skip


def self_noticed(made: Conversation, joint: str) -> Conversation:
    """The question, and the mistake and its correction in one answer."""
    question, mistake, _, correction = made.turns
    text = f"{mistake.text}{joint}{correction.text}"
    answer = Turn("assistant", text, True, masked=len(mistake.text))
    return Conversation(content_id(text), "self_noticed", (question, answer), made.train_scaffold)
