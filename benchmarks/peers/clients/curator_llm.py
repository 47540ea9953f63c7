"""Bespoke curator's LLM, its limits per minute raised out of the way. Arguments as in aiohttp_loop.py."""

import importlib.util
import json
import os
import sys
from pathlib import Path

prompts, base_url, at_once, folder = sys.argv[1:]
# litellm, which curator needs, brings the vocabulary that curator's counter would load from the network.
tokenizers = Path(importlib.util.find_spec("litellm").origin).parent / "litellm_core_utils" / "tokenizers"
os.environ |= {
    "CURATOR_CACHE_DIR": f"{folder}/cache", "OPENAI_API_KEY": "none", "TELEMETRY_ENABLED": "0",
    "CURATOR_DISABLE_RICH_DISPLAY": "1", "TIKTOKEN_CACHE_DIR": str(tokenizers),
}  # fmt: skip

from bespokelabs import curator  # noqa: E402


class Answer(curator.LLM):
    def prompt(self, row):
        return json.loads(row["messages"])

    def parse(self, row, response):
        return {"reply": response}


rows = [{"messages": json.dumps(json.loads(line)["messages"])} for line in Path(prompts).read_text().splitlines()]
answer = Answer(
    model_name="gpt-4o-mini",
    backend="openai",
    generation_params={"temperature": 0.0, "max_tokens": 600},
    backend_params={
        "base_url": base_url, "max_concurrent_requests": int(at_once), "require_all_responses": False,
        "max_requests_per_minute": 10**7, "max_tokens_per_minute": 10**10,
    },
)  # fmt: skip
made = answer(rows)
print(len(getattr(made, "dataset", made)))
