"""`answers`: what a model says to a file of questions."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from augment_correction.cli import Overrides, app
from augment_correction.terminal import say, tell

if TYPE_CHECKING:
    from augment_correction.config import RunConfig

EXAMPLES = """
Examples:

  python -m augment_correction answers --input qa.jsonl --output answers.jsonl --model ./model

  python -m augment_correction answers --input qa.jsonl --output answers.jsonl --model gpt-4o-mini --mode api

  python -m augment_correction from-failures --input qa.jsonl --answers answers.jsonl --output training.jsonl

A row of the input has a prompt (or question, instruction) and a response (or reference, answer, golden), or it has messages. The
same command given again asks only what was not answered yet. Give --fresh if another model is now served under the same name.
"""


class Mode(StrEnum):
    hf = "hf"
    api = "api"
    vllm = "vllm"
    embedded = "embedded"
    batch = "batch"
    scripted = "scripted"


Model = Annotated[
    str | None,
    typer.Option("--model", help="The model: a folder, a model id, or the name that the server uses for it."),
]
ModeOption = Annotated[
    Mode | None,
    typer.Option("--mode", help="How the model is run. Default: hf when --model is a folder, api with --base-url."),
]
Adapter = Annotated[
    str | None, typer.Option("--adapter", help="Only with --mode hf: the folder of a PEFT adapter for the model.")
]
BaseUrl = Annotated[str | None, typer.Option("--base-url", help="Only with --mode api: the base URL of the server.")]
ConfigFile = Annotated[
    str, typer.Argument(help="The config of a run, from which models and prices are taken.", metavar="CONFIG")
]


@app.command(epilog=EXAMPLES)
def answers(
    source: Annotated[Path, typer.Option("--input", help="A file of questions with reference answers (.jsonl).")],
    output: Annotated[
        Path, typer.Option("--output", help="The file of answers to write. The journal is kept beside it.")
    ],
    model: Model = None,
    mode: ModeOption = None,
    adapter: Adapter = None,
    base_url: BaseUrl = None,
    limit: Annotated[
        int | None,
        typer.Option("-n", "--limit", "--max-samples", min=1, help="Ask at most this many questions, the first ones."),
    ] = None,
    temperature: Annotated[float, typer.Option("--temperature", min=0, help="The sampling temperature.")] = 0.7,
    top_p: Annotated[
        float, typer.Option("--top-p", help="The share of probable tokens that an answer is drawn from.")
    ] = 0.9,
    max_tokens: Annotated[
        int, typer.Option("--max-tokens", "--max-new-tokens", help="The most tokens that one answer may have.")
    ] = 2048,
    system_prompt: Annotated[
        str | None, typer.Option("--system-prompt", help="The system prompt before every question.")
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Ask every question again. The old journal is renamed and kept.")
    ] = False,
    config: ConfigFile = "failures",
    overrides: Overrides = None,
) -> None:
    """Ask a model every question of a file once, and write the answers for `from-failures`."""
    from augment_correction.monitor.manual import answer

    loaded = asking_config(config, model, mode, adapter, base_url, overrides)
    sampling = {"temperature": temperature, "top_p": top_p, "max_tokens": max_tokens}
    paid = answer(loaded, source, output, sampling, limit, system_prompt, fresh=fresh, say=tell)
    say(f"{paid['answered']} answers, {paid['refused']} refused -> {output}")
    if paid["old"]:
        say(
            f"  {paid['old']} answers were reused from the journal; use --fresh if the model behind this name has changed"
        )
    print_paid(paid)


def asking_config(
    config: str,
    model: str | None = None,
    mode: Mode | None = None,
    adapter: str | None = None,
    base_url: str | None = None,
    overrides: list[str] | None = None,
) -> RunConfig:
    """Raises: ConfigError."""
    from augment_correction.config import load_config

    return load_config(config, [*(overrides or []), *asking_flags(model, mode, adapter, base_url)])


def asking_flags(model: str | None, mode: Mode | None, adapter: str | None, base_url: str | None) -> list[str]:
    """Who is asked, as overrides of a config."""
    if mode is None:
        if base_url:
            mode = Mode.api
        elif model and Path(model).is_dir():
            mode = Mode.hf
    paths = {"model": _here(model), "adapter": _here(adapter)}
    given = {**paths, "mode": mode and mode.value, "base_url": base_url}
    return [f"api.target_{name}={json.dumps(value)}" for name, value in given.items() if value is not None]


def _here(path: str | None) -> str | None:
    """A flag's path starts at the current folder, a config's at its project."""
    return str(Path(path).resolve()) if path and Path(path).exists() else path


def print_paid(paid: dict[str, object], what: str = "") -> None:
    from augment_correction.progress import money

    say(
        f"{f'{what} by ' if what else ''}{paid['name']}: {paid['requests']} requests in total, tokens in {paid['input_tokens']:,} "
        f"out {paid['output_tokens']:,}, {money(paid['total_cost'])}"  # type: ignore[arg-type]
    )
