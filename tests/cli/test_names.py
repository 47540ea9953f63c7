"""One thing has one name in every command, and one name means one thing; what was called otherwise goes on working."""

from __future__ import annotations

import ast
import importlib.util
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from augment_correction.cli.helping import SECTIONS
from tests.cli.program import program as call_program
from tests.pages import ROOT, Command, commands_in, every_command, mistakes, options, program

ARGUMENTS = {
    "ADAPTER": "the folder of an adapter",
    "CONFIG": "a config",
    "EMAIL": "an account",
    "FILE": "what is read",
    "FOLDER": "a folder that is written, or was by the command's counterpart",
    "ID": "the number of a correction",
    "JOB": "the number of a job",
    "NAME": "the name of a shipped file",
    "OUTPUT_DIR": "the output folder of a run",
    "VERSION": "the number of a version",
}
SHORT = {"-n": "--limit"}
EARLIER = """
answers --max-samples --limit
answers --max-new-tokens --max-tokens
copy --to --output
corrections queue --worker --worker-config
corrections train --batch --data
corrections train --report --output
demo --to --output
evaluate --model-path --model
evaluate --output-path --output
evaluate --test-dataset --gate
from-failures --initial-answers --answers
merge --base --model
monitor finish --data --data-dir
monitor impact --data --data-dir
monitor impact --samples --limit
monitor stats --data --data-dir
monitor stats --head --limit
preview --count --limit
review --by --author
train --gradient-accumulation-steps --gradient-accumulation
train --max-epochs --epochs
train --model-name --model
train --no-resume --fresh
train --output-dir --output
train --per-device-train-batch-size --batch-size
verify --show --id
"""
"""Command, what it was or is elsewhere called, what it is called: scripts of users have the names in the middle."""
OF_OTHER_PROGRAMS = {
    "axolotl": ("--auto-resume-from-checkpoints", "--num-processes"),
    "hf download": ("--include",),
    "lm_eval": ("--include_path", "--tasks", "--apply_chat_template"),
    "pip": ("--index-url", "--python"),
    "qpdf": ("--decrypt",),
    "vllm serve": (
        *("--chat-template", "--enable-lora", "--gpu-memory-utilization", "--lora-modules", "--max-lora-rank"),
        *("--max-model-len", "--served-model-name", "--tensor-parallel-size"),
    ),
}


def leaves(at: Any, *above: str) -> Iterator[tuple[str, Any]]:
    for name, each in at.commands.items():
        if hasattr(each, "commands"):
            yield from leaves(each, *above, name)
        else:
            yield " ".join((*above, name)), each


COMMANDS = dict(leaves(program()))


def test_the_help_shows_every_command_once() -> None:
    assert Counter(name for names in SECTIONS.values() for name in names) == Counter(list(program().commands))


def of_kind(command: Any, kind: str) -> list[Any]:
    return [each for each in command.params if each.param_type_name == kind and each.name != "help"]


def names_and_meanings() -> dict[str, str]:
    spec = importlib.util.spec_from_file_location("cli_page", ROOT / "docs" / "reference" / "cli_page.py")
    assert spec and spec.loader
    page = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(page)
    return dict(page.NAMES)


NAMES = names_and_meanings()


def shown() -> dict[str, list[tuple[str, Any]]]:
    found = defaultdict(list)
    for command, each in COMMANDS.items():
        for option in of_kind(each, "option"):
            for name in (*option.opts, *option.secondary_opts):
                found[name].append((command, option))
    return dict(found)


def test_every_option_has_a_name_of_the_table_and_every_name_is_an_options() -> None:
    where = {name: command for name, [(command, _), *_] in shown().items() if name.startswith("--")}
    assert {name: command for name, command in where.items() if name not in NAMES} == {}, (
        "is there a name for it in NAMES of docs/reference/cli_page.py? If not, add one"
    )
    assert sorted(set(NAMES) - set(where)) == []
    assert list(NAMES) == sorted(NAMES)
    assert len(set(NAMES.values())) == len(NAMES), "two names mean the same"


def test_one_letter_stands_for_one_name() -> None:
    for name, uses in shown().items():
        if not name.startswith("--"):
            assert {option.opts[-1] for _, option in uses} == {SHORT[name]}, name
    for short, long in SHORT.items():
        assert all(short in option.opts for _, option in shown()[long])


def kind(option: Any) -> str:
    if option.is_flag:
        return "flag"
    return "number" if re.search("int|float", str(option.type_descriptor.annotation)) else "text"


@pytest.mark.parametrize("name", NAMES)
def test_an_option_takes_the_same_in_every_command(name: str) -> None:
    kinds = defaultdict(list)
    for command, option in shown()[name]:
        kinds[kind(option)].append(command)
    assert len(kinds) == 1, dict(kinds)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_argument_has_a_name_of_the_table(command: str) -> None:
    assert {each.metavar or each.name.upper() for each in of_kind(COMMANDS[command], "argument")} <= set(ARGUMENTS)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_config_is_the_argument_of_a_command_without_another_and_an_option_elsewhere(command: str) -> None:
    [*configs] = [each for each in COMMANDS[command].params if each.name == "config"]
    arguments = of_kind(COMMANDS[command], "argument")
    for each in configs:
        assert each.metavar == "CONFIG"
        assert each.param_type_name == ("argument" if arguments in ([], [each]) else "option")


def parsed(command: str, *words: str) -> dict[str, Any]:
    each = COMMANDS[command]
    given, _, _ = each.make_parser(typer.Context(each)).parse_args(list(words))
    return {name: value for name, value in given.items() if isinstance(value, (str, list, bool))}


def words_of(command: str, old: str, new: str) -> tuple[list[str], list[str]]:
    [option] = [option for in_command, option in shown()[new] if in_command == command]
    value = [] if option.is_flag else ["7"]
    return [old, *value], [new, *value]


@pytest.mark.parametrize("line", EARLIER.strip().splitlines())
def test_an_earlier_name_says_the_same(line: str) -> None:
    *words, old, new = line.split()
    command = " ".join(words)
    before, now = words_of(command, old, new)
    assert parsed(command, *before) == parsed(command, *now) != {}
    assert old not in options(COMMANDS[command]), "no help, page or completion shows it"


def test_no_option_has_another_name_that_is_not_written_down_here() -> None:
    told = {tuple(line.rsplit(" ", 2)[:2]) for line in EARLIER.strip().splitlines()}
    found = {
        (command, name)
        for command, each in COMMANDS.items()
        for _, other in each.other_names
        for name in (*other.opts, *other.secondary_opts)
    }
    assert found == told


def test_another_name_belongs_to_one_name_and_is_none_of_the_table() -> None:
    belongs = defaultdict(set)
    for line in EARLIER.strip().splitlines():
        *_, old, new = line.split()
        belongs[old].add(new)
    assert {old: new for old, new in belongs.items() if len(new) > 1} == {}
    assert set(belongs) & set(NAMES) == {"--data", "--worker"}, "these mean something else where they are shown"


CONFIGURED = [name for name, each in COMMANDS.items() if any(one.name == "config" for one in of_kind(each, "argument"))]


@pytest.mark.parametrize("command", CONFIGURED)
def test_a_config_is_understood_as_an_option_everywhere(command: str) -> None:
    assert parsed(command, "--config", "mine.yaml") == parsed(command, "mine.yaml") == {"config": "mine.yaml"}
    assert parsed(command, "--config=mine.yaml") == {"config": "mine.yaml"}
    with pytest.raises(Exception, match="CONFIG is named twice"):
        parsed(command, "mine.yaml", "--config", "other.yaml")


def test_an_adapter_is_merged_by_either_spelling() -> None:
    assert parsed("merge", "final") == parsed("merge", "--adapter", "final") == {"adapter": "final"}
    assert len(CONFIGURED) > 20


def test_the_real_program_takes_a_config_as_an_option(tmp_path: Path) -> None:
    made = call_program("run", "--config", "nowhere.yaml", "--dry_run", cwd=tmp_path)
    assert made.code == 2 and "nowhere.yaml" in made.err and "config not found" in made.err
    made = call_program("run", "--config", cwd=tmp_path)
    assert made.code == 2 and "'--config' requires an argument" in made.err


@pytest.mark.parametrize(
    ("command", "wrong", "right"), [("train", "--outptu", "--output"), ("inspect", "--limt", "--limit")]
)
def test_a_misspelt_name_is_told_the_near_one(command: str, wrong: str, right: str) -> None:
    made = call_program(command, wrong, "x")
    assert made.code == 2 and right in made.err


def texts() -> list[tuple[str, str]]:
    """Whatever the program says, and the files that users edit."""
    found = []
    for path in sorted((ROOT / "augment_correction").rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        strings = [
            each.value for each in ast.walk(tree) if isinstance(each, ast.Constant) and isinstance(each.value, str)
        ]
        found += [(path.name, each) for each in strings]
    for folder in ("configs", "pipelines", "prompts"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".yaml", ".md", ".jinja", ".jsonl"):
                found.append((path.name, path.read_text("utf-8")))
    return found


def other_files() -> list[tuple[str, str]]:
    """Where commands stand besides messages, configs and the pages that tests/test_docs.py walks."""
    found = [path for path in ROOT.glob("*.md") if path.name != "CHANGELOG.md"]
    found += [*ROOT.glob("benchmarks/**/*.md"), *ROOT.glob("benchmarks/**/*.py"), *ROOT.glob("docs/guides/deploy/*")]
    found += [ROOT / "Makefile", ROOT / "inputs" / "README.md", ROOT / "outputs" / "README.md"]
    return [(path.name, path.read_text("utf-8")) for path in found if path.is_file()]


def test_every_command_that_a_message_or_a_file_names_is_one() -> None:
    seen, wrong = 0, []
    for place, text in [*texts(), *other_files()]:
        for words in commands_in(text):
            seen += 1
            wrong += mistakes(Command(place, " ".join(words), words))
    assert seen > 100 and wrong == []


def test_every_flag_that_a_message_or_a_config_names_is_shown_by_a_command() -> None:
    known = {name for command in every_command(program()) for name in options(command)}
    known |= {name for names in OF_OTHER_PROGRAMS.values() for name in names}
    told = defaultdict(set)
    for place, text in texts():
        for flag in re.findall(r"(?<![\w-])--[a-z][a-z_-]+", text) if " " in text else ():
            if flag not in known:
                told[flag].add(place)
    assert dict(told) == {}
