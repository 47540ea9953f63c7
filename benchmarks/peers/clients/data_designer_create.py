"""NVIDIA's DataDesigner: the prompts as a seed dataset, one column of text. Arguments as in aiohttp_loop.py.

It has no place for a conversation in a row, so the messages before the last one are sent as one text with it.
"""

import json
import os
import sys
from pathlib import Path

prompts, base_url, at_once, folder = sys.argv[1:]
os.environ |= {"NEMO_TELEMETRY_ENABLED": "false", "DATA_DESIGNER_HOME": folder, "HOME": folder}

import data_designer.config as dd  # noqa: E402
import pandas as pd  # noqa: E402
from data_designer.interface import DataDesigner  # noqa: E402

bodies = [json.loads(line) for line in Path(prompts).read_text().splitlines()]
seeds = f"{folder}/seeds.parquet"
pd.DataFrame(
    {"prompt": ["\n\n".join(message["content"] for message in body["messages"]) for body in bodies]}
).to_parquet(seeds)
parameters = dd.ChatCompletionInferenceParams(temperature=0.0, max_tokens=600, max_parallel_requests=int(at_once))
model = dd.ModelConfig(alias="model", model="bench", provider="bench", inference_parameters=parameters)
config = dd.DataDesignerConfigBuilder(model_configs=[model])
config.with_seed_dataset(dd.LocalFileSeedSource(path=seeds))
config.add_column(dd.LLMTextColumnConfig(name="reply", model_alias="model", prompt="{{ prompt }}"))
provider = dd.ModelProvider(name="bench", endpoint=base_url, provider_type="openai", api_key="none")
designer = DataDesigner(model_providers=[provider], artifact_path=f"{folder}/artifacts")
print(len(designer.create(config, num_records=len(bodies)).load_dataset()))
