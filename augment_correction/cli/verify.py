"""`verify`: the loss mask proven to the token."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from augment_correction.cli import app
from augment_correction.errors import ExitCode
from augment_correction.terminal import say

if TYPE_CHECKING:
    from augment_correction.export.proofs import ProofRow
    from augment_correction.export.tokenizer import Tokenizer
    from augment_correction.export.verify import Verification
    from augment_correction.export.verify_files import FileProof

EXAMPLES = """
Examples:

  python -m augment_correction verify outputs/correction --tokenizer Qwen/Qwen2.5-7B-Instruct

  python -m augment_correction verify outputs/correction --tokenizer ~/models/llama --id 3f2a

Exit codes: 0 everything is right, 2 the folder or the tokenizer cannot be used, 3 a row or a file is wrong.
"""


@app.command(epilog=EXAMPLES)
def verify(
    folder: Annotated[Path, typer.Argument(help="The output folder of a run.", metavar="OUTPUT_DIR")],
    tokenizer: Annotated[
        str | None,
        typer.Option(
            "--tokenizer",
            help="A folder with tokenizer.json, or a model id in the Hugging Face cache. Default: the tokenizer of the config.",
        ),
    ] = None,
    id_: Annotated[
        str | None,
        typer.Option(
            "--id",
            "--show",
            help="Print the tokens of this row, trained and masked ones in two colours: its id, or the beginning of its id.",
        ),
    ] = None,
) -> None:
    """Check token by token that each row trains exactly the intended tokens, and name the row and place where not. Axolotl configs
    and exports in the folder are compared with the run as well."""
    from augment_correction.results.finished import open_run
    from augment_correction.results.reexport import find_row, verify_run

    with open_run(folder) as made:
        if id_ is not None:
            _print_tokens(*find_row(made, tokenizer, id_))
            return
        proof = verify_run(made, tokenizer)
    for line in verification_lines(proof):
        say(line)
    raise typer.Exit(int(ExitCode.REJECTS if proof.wrong else ExitCode.DONE))


def verification_lines(proof: Verification) -> list[str]:
    """The outcome for a person; `run` prints the same."""
    from augment_correction.export.proofs import REMEDIES

    lines = [
        f"{proof.rows:,} rows with the tokenizer of {proof.tokenizer}: {proof.trained:,} tokens trained, "
        f"{proof.masked:,} masked, the longest row {proof.longest:,}"
    ]
    if proof.widened:
        lines.append(
            f"  {proof.widened:,} tokens of the chat template are masked so that every segment ends at a token boundary"
        )
    lines += [f"  note: {notice}" for notice in proof.notices]
    if proof.too_long:
        lines.append(f"  {proof.too_long:,} rows are longer than training.max_length ({proof.sequence_len:,})")
        lines += [f"    row {row} ({id_}): {tokens:,} tokens" for row, id_, tokens in proof.long_rows]
        lines.append(
            "    remedy: raise training.max_length; Axolotl stops at such a row (excess_length_strategy: raise)"
        )
    for name, count in proof.failing.items():
        if not proof.harmful(name):
            lines.append(
                f"  {name}: {count:,} rows cannot be split into segments at token boundaries; the Axolotl configs tokenize them as a whole"
            )
            continue
        lines.append(f"  WRONG ({name}): {count:,} of {proof.rows:,} rows")
        lines += [
            f"    row {each.row} ({each.id}), character {each.start}: {each.detail}; near {each.excerpt!r}"
            for each in proof.problems
            if each.proof == name
        ]
        lines.append(f"    remedy: {REMEDIES[name]}")
    if not proof.failing:
        lines.append("  every row is right: segment boundaries, mask, BOS, end of turn, control tokens")
    for file in proof.files:
        lines += _file_lines(file)
    return lines


def _file_lines(file: FileProof) -> Iterator[str]:
    """An Axolotl config or an export."""
    if file.skipped:
        yield f"{file.path}: NOT compared with the run: {file.skipped}"
        return
    if not file.failing:
        yield f"{file.path}: " + (f"{file.rows:,} rows agree with the run" if file.rows else file.unchanged)
        return
    yield f"{file.path}:"
    for kind, count in file.failing.items():
        yield f"  WRONG ({kind})" + (f": {count:,} of {file.rows:,} rows" if kind in ("mask", "text") else "")
        for each in file.faults:
            if each.kind == kind:
                place = f"row {each.row} ({each.id}): " if each.id else f"row {each.row}: " if each.row else ""
                yield f"    {place}{each.detail}"
    yield f"    remedy: {file.remedy}"


def _print_tokens(row: ProofRow, tokenizer: Tokenizer) -> None:
    from rich.text import Text

    from augment_correction.console import Terminal
    from augment_correction.export.proofs import prove, token_view

    console = Terminal(highlight=False)
    view = Text()
    for index, (text, trained) in enumerate(token_view(row, tokenizer)):
        shades = ("black on green", "black on bright_green") if trained else ("white on red", "white on bright_red")
        shown = text.replace("\r", "␍").replace("\t", "␉").replace("\n", "␊")
        view.append(shown, shades[index % 2])
        if "\n" in text:
            view.append("\n")
    console.print(
        Text.assemble(
            f"row {row.number}, {row.conversation.id}: {len(row.joined)} tokens; ",
            ("trained", "black on green"),
            " ",
            ("masked", "white on red"),
        )
    )
    console.print(view, soft_wrap=True)
    for problem in prove(row, tokenizer):
        say(f"WRONG ({problem.proof}), character {problem.start}: {problem.detail}")
