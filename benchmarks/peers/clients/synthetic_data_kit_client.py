"""The batches of Meta's synthetic-data-kit, as its generators send them. Arguments as in aiohttp_loop.py."""

import json
import sys
from pathlib import Path

from synthetic_data_kit.models.llm_client import LLMClient

prompts, base_url, at_once, _ = sys.argv[1:]
messages = [json.loads(line)["messages"] for line in Path(prompts).read_text().splitlines()]
client = LLMClient(provider="api-endpoint", api_base=base_url, api_key="none", model_name="bench")
replies = client.batch_completion(messages, temperature=0.0, max_tokens=600, batch_size=int(at_once))
print(sum(bool(reply) and not reply.startswith("ERROR") for reply in replies))
