"""`README.md` of a trained adapter: what it was made from, how good it was, how to serve it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CARD = """\
---
base_model: {model}
library_name: peft
pipeline_tag: text-generation
tags: [lora, self-correction]
---
# A LoRA adapter for {model}

Trained on {train_rows:,} conversations ({trained_tokens:,} tokens trained, {masked_tokens:,} masked), stopped after step
{steps:,} of {planned_steps:,}: {stopped}. This is step {best_step}.

| | before | this step |
|---|---|---|
{losses}

Base model `{base_model}`, data `{data_hash}`, began with {began}.

## Serve

    vllm serve {model} --enable-lora --max-lora-rank {lora_r} --lora-modules correction={folder} \\
        --chat-template {folder}/chat_template.jinja

or merge it first and serve the folder:

    python -m augment_correction merge {folder} --output MERGED && vllm serve MERGED

The chat template is the one it was trained with.

## Settings

```json
{config}
```
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
    return CARD.format(
        model=config["model"],
        train_rows=data["train_rows"],
        trained_tokens=data["trained_tokens"],
        masked_tokens=data["masked_tokens"],
        steps=summary["steps"],
        planned_steps=summary["planned_steps"],
        stopped=summary["stopped"],
        best_step=best,
        losses="\n".join(told) or "| nothing was held out | | |",
        base_model=summary["decided"]["base_model"],
        data_hash=summary["decided"]["data"],
        began=f"the adapter `{parent}`" if (parent := summary["decided"]["adapter"]) else "the base model",
        lora_r=config["lora_r"],
        folder=folder,
        config=json.dumps(config, indent=1),
    )
