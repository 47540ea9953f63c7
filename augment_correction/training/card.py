"""`README.md` of a trained adapter or model: what it was made from, how good it was, how to serve it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CARD = """\
---
base_model: {model}
library_name: {library}
pipeline_tag: text-generation
tags: [{tags}]
---
# {title}

{trained}, stopped after step
{steps:,} of {planned_steps:,}: {stopped}. This is step {best_step}.

| | before | this step |
|---|---|---|
{losses}

Base model `{base_model}`, data `{data_hash}`, began with {began}.

## Serve

{serve}
The chat template is the one it was trained with.

## Settings

```json
{config}
```
"""

ADAPTER = """\
    vllm serve {model} --enable-lora --max-lora-rank {lora_r} --lora-modules correction={folder} \\
        --chat-template {folder}/chat_template.jinja

or merge it first and serve the folder:

    python -m augment_correction merge {folder} --output MERGED && vllm serve MERGED
"""
WHOLE = """\
    vllm serve {folder}
"""


def card(summary: Mapping[str, Any], folder: Path) -> str:
    data, config = summary["data"], summary["config"]
    losses, best = summary["eval_loss"], summary["best_step"]
    rows = [
        ("held-out loss", losses.get(0), losses.get(best)),
        ("retention loss, change", 0.0, summary["retention_rise"].get(best)),
    ]
    told = [
        f"| {name} | {before:.4f} | {now:.4f} |" for name, before, now in rows if before is not None and now is not None
    ]
    whole, model = config["method"] == "sdft_paper", config["model"]
    return CARD.format(
        model=model,
        library="transformers" if whole else "peft",
        tags=", ".join(
            ["self-correction", *([] if whole else ["lora"]), *([] if config["method"] == "sft" else ["sdft"])]
        ),
        title=f"{model}, self-distilled" if whole else f"A LoRA adapter for {model}",
        trained=_trained(config["method"], data),
        serve=(WHOLE if whole else ADAPTER).format(model=model, lora_r=config["lora_r"], folder=folder),
        steps=summary["steps"],
        planned_steps=summary["planned_steps"],
        stopped=summary["stopped"],
        best_step=best,
        losses="\n".join(told) or "| nothing was held out | | |",
        base_model=summary["decided"]["base_model"],
        data_hash=summary["decided"]["data"],
        began=f"the adapter `{parent}`" if (parent := summary["decided"]["adapter"]) else "the base model",
        config=json.dumps(config, indent=1),
    )


def _trained(method: str, data: Mapping[str, Any]) -> str:
    rows = data["train_rows"]
    if method != "sft":
        return f"Self-distilled on {rows:,} questions, whose context the teacher alone saw"
    tokens = f"{data['trained_tokens']:,} tokens trained, {data['masked_tokens']:,} masked"
    return f"Trained on {rows:,} conversations ({tokens})"
