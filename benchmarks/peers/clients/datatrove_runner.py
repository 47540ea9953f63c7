"""datatrove's InferenceRunner with its checkpoints and its cache of requests. Arguments as in aiohttp_loop.py."""

import json
import sys
from pathlib import Path

from datatrove.data import Document
from datatrove.pipeline.inference.run_inference import InferenceConfig, InferenceRunner
from datatrove.pipeline.writers import JsonlWriter

prompts, base_url, at_once, folder = sys.argv[1:]
documents = [
    Document(text="", id=str(number), metadata={"body": json.loads(line)})
    for number, line in enumerate(Path(prompts).read_text().splitlines())
]


async def rollout(document, generate):
    body = document.metadata["body"]
    return (await generate({name: body[name] for name in ("messages", "max_tokens", "temperature")})).text


InferenceRunner(
    rollout_fn=rollout,
    config=InferenceConfig(
        server_type="endpoint", endpoint_url=base_url.removesuffix("/v1"), model_name_or_path="bench",
        max_concurrent_generations=int(at_once), max_concurrent_documents=int(at_once),
    ),
    output_writer=JsonlWriter(f"{folder}/out", output_filename="${rank}_${chunk_index}.jsonl", compression=None),
    checkpoints_local_dir=f"{folder}/checkpoints",
).run(iter(documents))  # fmt: skip
print(sum(len(file.read_text().splitlines()) for file in Path(folder, "out").iterdir()))
