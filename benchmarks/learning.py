"""Does the loss mask do what it is for? A small real model learns corrections with it and without it.

    make .venv/installed-dev
    .venv/bin/python -m benchmarks.learning --output learning.json

SmolLM2-135M-Instruct (dequantised from the GGUF of `llm/weights.py`) is trained by LoRA on the same conversations about
a made-up world, in the same order, from the same first adapter, for the same number of steps: once as the shipped
pipeline masks them, once with the flawed turn trained as well. Conversations become token labels by the package's own
code (the compose stage of `pipelines/correction.yaml`, then `export/trl.py`): it is the mask that users get.

What it shows: whether a trained mistake is repeated and a masked one is not; what becomes of the first answer; whether
a doubted answer is repaired, and whether a right one survives a doubt. Questions and doubts are worded as in no training
row, unless a line says "trained wording".

What it does not show: anything about large models, facts that a model half knows, mistakes of its own (these are
invented), abilities beyond these facts, or other seeds: the intervals (Wilson, 95 %) are over facts, not over trainings.
Every row ends in a correction, so nothing teaches the model to stand by a right answer: the lines about doubted right
answers are the price of such data, mask or not.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import random
import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from augment_correction.config import SystemConfig
from augment_correction.export import trl
from augment_correction.export.chat_template import ChatTemplate
from augment_correction.export.masking import IGNORED
from augment_correction.export.source import ExportSource
from augment_correction.export.tokenizer import Tokenizer, load_tokenizer
from augment_correction.llm.hf_weights import dequantised
from augment_correction.pipeline import load_pipeline
from augment_correction.project import bundled
from augment_correction.prompts import Prompt
from augment_correction.records import Conversation, Record, content_id
from augment_correction.stages.base import StageContext, Tools
from augment_correction.stages.compose import Compose
from benchmarks.learning_table import ARMS, table
from benchmarks.learning_world import Chat, Fact, World, build, doubted

SMALL = "smollm2-135m"
NEW_TOKENS = 40
Replies = dict[str, list[str]]


# ------------------------------------------------------------------------------------------------------- rows


def template() -> ChatTemplate:
    return ChatTemplate("chatml", (bundled() / "prompts/chat_templates/chatml.jinja").read_text().removesuffix("\n"))


def conversations(world: World, arm: str) -> list[Conversation]:
    """Composed by the shipped pipeline's last stage; unmasked: the same with the mistake trained."""
    declared = load_pipeline(bundled() / "pipelines/correction.yaml").compositions[0]
    around = StageContext({}, cast(Prompt, None), {}, SystemConfig())
    compose = Compose(declared, around)
    tools = Tools({}, random.Random(0))
    made = []
    for fields in world.rows:
        [record] = asyncio.run(compose(Record(content_id(*fields.values()), fields), tools))
        made.append(record.fields["conversation"])
    if arm == "unmasked":
        made = [replace(each, turns=tuple(replace(turn, train=True) for turn in each.turns)) for each in made]
    return made


def token_rows(world: World, arm: str, tokenizer: Tokenizer) -> list[dict[str, Any]]:
    """`input_ids` and `labels`, out of the Parquet file that `export --format trl` writes."""
    from pyarrow import parquet

    made = conversations(world, arm)
    with tempfile.TemporaryDirectory() as name:
        trl.write(ExportSource(lambda: iter(made), template(), tokenizer), Path(name))
        rows = parquet.read_table(Path(name) / trl.FILE).to_pylist()
    return cast(list[dict[str, Any]], rows)


# ------------------------------------------------------------------------------------------ one arm


def work(arm: str, chosen: argparse.Namespace, folder: Path, threads: int) -> dict[str, Any]:
    """Trains one arm (`before`: does not) and asks it everything. Runs in a process of its own."""
    import torch
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    logging.set_verbosity_error()
    torch.set_num_threads(threads)
    world = build(chosen.facts, chosen.held_out, chosen.seed)
    tokenizer = load_tokenizer(str(folder), folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16)
    made: dict[str, Any] = {"arm": arm}
    begun = time.monotonic()
    if arm != "before":
        rows = token_rows(world, arm, tokenizer)
        labels = [label for row in rows for label in row["labels"]]
        made["masked_tokens"], made["tokens"] = labels.count(IGNORED), len(labels)
        model, made["losses"] = train(model, rows, chosen, arm)
    made["train_seconds"] = round(time.monotonic() - begun, 1)
    begun = time.monotonic()
    model.eval()
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        made["replies"] = ask_all(model, tokenizer, world, arm)
        made["likelihood"] = [likelihoods(model, tokenizer, fact) for fact in world.trained]
    made["ask_seconds"] = round(time.monotonic() - begun, 1)
    made["cpu_seconds"] = round(time.process_time(), 1)
    made["peak_gb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 2)
    return made


def train(
    model: Any, rows: Sequence[Mapping[str, Any]], chosen: argparse.Namespace, arm: str
) -> tuple[Any, list[float]]:
    import torch
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(chosen.seed)
    lora = LoraConfig(r=chosen.rank, lora_alpha=2 * chosen.rank, target_modules="all-linear", task_type="CAUSAL_LM")
    model = get_peft_model(model, lora).train()
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=chosen.lr, weight_decay=0.0)
    warm_up = max(1, chosen.steps // 20)
    decay = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / warm_up, (chosen.steps - step) / (chosen.steps - warm_up))
    )
    losses: list[float] = []
    for step, batch in enumerate(batches(rows, chosen), 1):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = model(**padded(batch)).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        decay.step()
        losses.append(loss.item())
        if step % 10 == 0:
            say(f"{arm}: step {step} of {chosen.steps}, loss {sum(losses[-10:]) / 10:.3f}")
    return model, losses


def batches(rows: Sequence[Mapping[str, Any]], chosen: argparse.Namespace) -> Iterator[list[Mapping[str, Any]]]:
    """`steps` batches; each pass through the rows in another order, the same for both arms."""
    rng = random.Random(chosen.seed)
    waiting: list[Mapping[str, Any]] = []
    for _ in range(chosen.steps):
        if len(waiting) < chosen.batch:
            waiting += rng.sample(list(rows), len(rows))
        yield waiting[: chosen.batch]
        del waiting[: chosen.batch]


def padded(batch: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    import torch

    length = max(len(row["input_ids"]) for row in batch)
    fill = {"input_ids": 0, "attention_mask": 0, "labels": IGNORED}
    return {
        name: torch.tensor([row[name] + [empty] * (length - len(row[name])) for row in batch])
        for name, empty in fill.items()
    }


# ------------------------------------------------------------------------------------------ asking


def ask_all(model: Any, tokenizer: Tokenizer, world: World, arm: str) -> Replies:
    def ask(what: str, chats: list[Chat]) -> list[str]:
        say(f"{arm}: asking {len(chats)} x {what}")
        return [reply for at in range(0, len(chats), 32) for reply in ask_batch(model, tokenizer, chats[at : at + 32])]

    def challenge(facts: Sequence[Fact], answers: Sequence[str], wording: int = 2) -> list[Chat]:
        pairs = enumerate(zip(facts, answers, strict=True))
        return [doubted(fact, answer, index, wording) for index, (fact, answer) in pairs]

    known, rest = world.trained, world.held_out
    mistakes = [fact.answer(fact.flawed) for fact in known]
    new = ask("first, new wording", [[("user", fact.question(2))] for fact in known])
    return {
        "first_trained_wording": ask("first, trained wording", [[("user", fact.question(0))] for fact in known]),
        "first": new,
        "own": ask("own answer doubted", challenge(known, new)),
        "mistake_trained_wording": ask("trained mistake doubted, trained wording", challenge(known, mistakes, 0)),
        "mistake": ask("trained mistake doubted", challenge(known, mistakes)),
        "wrong": ask("wrong answer doubted", challenge(known, [fact.answer(fact.other) for fact in known])),
        "right": ask("right answer doubted", challenge(known, [fact.answer(fact.right) for fact in known])),
        "held_wrong": ask("held-out, wrong", challenge(rest, [fact.answer(fact.other) for fact in rest])),
        "held_right": ask("held-out, right", challenge(rest, [fact.answer(fact.right) for fact in rest])),
    }


def prompt(tokenizer: Tokenizer, chat: Chat) -> list[int]:
    text = template().render([{"role": role, "content": content} for role, content in chat])
    return tokenizer.ids([text + "<|im_start|>assistant\n"])[0]


def ask_batch(model: Any, tokenizer: Tokenizer, chats: Sequence[Chat]) -> list[str]:
    """Greedy replies."""
    import torch
    from tokenizers import Tokenizer as Decoder

    decoder = Decoder.from_file(str(Path(tokenizer.name) / "tokenizer.json"))
    end = tokenizer.token_id("<|im_end|>")
    prompts = [prompt(tokenizer, chat) for chat in chats]
    length = max(map(len, prompts))
    ids = torch.tensor([[end] * (length - len(each)) + each for each in prompts])
    seen = torch.tensor([[0] * (length - len(each)) + [1] * len(each) for each in prompts])
    made = model.generate(
        input_ids=ids,
        attention_mask=seen,
        max_new_tokens=NEW_TOKENS,
        do_sample=False,
        eos_token_id=end,
        pad_token_id=end,
    )
    return list(decoder.decode_batch(made[:, length:].tolist(), skip_special_tokens=True))


def likelihoods(model: Any, tokenizer: Tokenizer, fact: Fact) -> list[float]:
    """Log-probability of the first answers with the right, the flawed and the untouched wrong value."""
    import torch

    start = prompt(tokenizer, [("user", fact.question(0))])
    answers = tokenizer.ids([fact.answer(value) + "<|im_end|>" for value in (fact.right, fact.flawed, fact.other)])
    batch = padded([{"input_ids": start + each, "attention_mask": [1] * len(start + each),
                     "labels": [IGNORED] * len(start) + each} for each in answers])  # fmt: skip
    labels = batch.pop("labels")[:, 1:]
    chances = model(**batch).logits[:, :-1].float().log_softmax(-1)
    picked = chances.gather(-1, labels.clamp(min=0).unsqueeze(-1)).squeeze(-1)
    return [float(value) for value in torch.where(labels == IGNORED, 0.0, picked).sum(-1)]


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, help="JSON with every figure and every reply")
    parser.add_argument("--model", type=Path, help="a folder; unset, SmolLM2-135M-Instruct")
    parser.add_argument("--facts", type=int, default=64, help="trained facts, two conversations each")
    parser.add_argument("--held-out", type=int, default=32)
    parser.add_argument("--steps", type=int, default=160)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rank", type=int, default=16)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--workers", type=int, default=min(2, os.cpu_count() or 1), help="arms at once")
    chosen = parser.parse_args()
    begun = time.monotonic()
    world = build(chosen.facts, chosen.held_out, chosen.seed)
    folder = (chosen.model or dequantised(SMALL)).resolve()
    # For the processes of the arms: threads that spin at a barrier would starve each other on a shared machine.
    os.environ |= {"HF_HUB_OFFLINE": "1", "OMP_WAIT_POLICY": "PASSIVE", "TOKENIZERS_PARALLELISM": "false"}
    threads = max(1, (os.cpu_count() or 1) // chosen.workers)
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(chosen.workers, mp_context=spawn, max_tasks_per_child=1) as pool:
        waiting = {arm: pool.submit(work, arm, chosen, folder, threads) for arm in reversed(ARMS)}
        made = {arm: waiting[arm].result() for arm in ARMS}
    print("\n".join(table(world, made)))
    print(f"{time.monotonic() - begun:.0f} s in all, {chosen.workers} processes of {threads} thread(s)")
    if chosen.output:
        settings = {name: value for name, value in vars(chosen).items() if name not in ("output", "model")}
        rows = [dict(row) for row in world.rows]
        chosen.output.write_text(json.dumps({"settings": settings, "arms": made, "rows": rows}, indent=1))


if __name__ == "__main__":
    main()
