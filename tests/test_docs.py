"""The documents say what the code does."""

from __future__ import annotations

import ast
import fnmatch
import importlib
import importlib.util
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from functools import partial
from pathlib import Path

import pytest

from augment_correction.config import load_config
from augment_correction.project import bundled
from augment_correction.report import writing
from augment_correction.report.shards import ShardWriter
from augment_correction.results.decisions import Decisions, ReviewDecision
from augment_correction.results.finished import read_conversations
from augment_correction.runner import run
from tests.cli.program import program as call_program
from tests.pages import (
    PAGES,
    ROOT,
    USED,
    WRITTEN_REFERENCE,
    Command,
    anchors,
    commands,
    every_command,
    fences,
    mistakes,
    named_files,
    names_here,
    options,
    program,
    shell_lines,
    spans,
)

OTHERS = ("axolotl", "vllm", "uv", "ray", "tensorboard", "hf", "pip", "make", "preprocess", "useradd")
"""Programs that are not ours."""
OTHER_PROGRAMS = ("--extra-index-url", "--index-url", "--api-key", "--enable-lora", "--lora-modules")
FOLDERS = ("augment_correction", "benchmarks", "configs", "docs", "inputs", "pipelines", "prompts", "tests")
ENDINGS = (".html", ".jinja", ".json", ".jsonl", ".log", ".md", ".py", ".sqlite", ".txt", ".yaml")
READERS = (
    "by_hand.py",
    "my_stages.py",
    "my_simplify.py",
    "my_rows.py",
    "tickets.jsonl",
    "my_readers.py",
    "test_my_stages.py",
    "mine.yaml",
    "filter.yaml",
    "fixed.yaml",
    "masked_conversation_generation.yaml",
)
"""Names of what a reader of the pages has or makes."""
COMPOSED = ("check.log", "train.log", "gate.log")
"""Names that the worker puts together from the phase of a job."""
NEW_FILES = (
    "inputs/examples/museum.wiki",
    "prompts/simplify.jinja",
    "pipelines/brief.yaml",
    "prompts/my_conversation.jinja",
    "pipelines/short_doubt.yaml",
    "augment_correction/_bundled/",
)
"""Made by the reader, and by the build of the wheel."""


def test_the_reference_is_what_the_classes_say() -> None:
    place = ROOT / "docs" / "reference" / "generate.py"
    spec = importlib.util.spec_from_file_location("generate", place)
    assert spec and spec.loader
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    assert {path.name for path in place.parent.glob("*.md")} == {*generate.PAGES, *generate.WRITTEN}
    for name, page in generate.PAGES.items():
        assert (place.parent / name).read_text() == page(), "run: python docs/reference/generate.py"


@pytest.mark.parametrize(
    "page", [*PAGES, *sorted((ROOT / "docs" / "reference").glob("*.md"))], ids=lambda path: path.name
)
def test_links_lead_somewhere(page: Path) -> None:
    for target, anchor in re.findall(r"\]\(([^)#\s]*)(?:#([^)]*))?\)", page.read_text()):
        if "://" in target:
            continue
        place = page.parent / target if target else page
        assert place.exists(), f"{page.name} links to {target}"
        if anchor:
            assert anchor in anchors(place), f"{page.name} links to {target}#{anchor}"


@pytest.mark.parametrize("page", USED, ids=lambda path: path.name)
def test_every_command_and_flag_exists(page: Path) -> None:
    assert [wrong for command in commands(page) for wrong in mistakes(command)] == []


def test_the_walk_finds_commands_and_their_mistakes() -> None:
    assert sum(len(commands(page)) for page in USED) > 50
    wrong = ["run mine.yaml --dry", "worker pauze", "export out --format opneai", "inspect out more", "train --modle x"]
    assert [bool(mistakes(Command("", text, tuple(text.split())))) for text in wrong] == [True] * len(wrong)


@pytest.mark.parametrize("page", USED, ids=lambda path: path.name)
def test_every_flag_in_the_running_text_is_somebodys(page: Path) -> None:
    ours = {name for command in every_command(program()) for name in options(command)}
    benchmarks = "".join(path.read_text() for path in (ROOT / "benchmarks").glob("*.py"))
    theirs = set(OTHER_PROGRAMS) | {word for words in shell_lines(page) if words[0] in OTHERS for word in words}
    for span in spans(page):
        for flag in re.findall(r"(?<![\w-])--[a-z][\w-]*", span):
            theirs_too = span.split()[0] in OTHERS or "benchmarks." in span or f'"{flag}"' in benchmarks
            assert flag in ours or flag in theirs or theirs_too, f"{page.name}: {span}"


def test_the_layers_of_the_page_on_architecture_are_those_that_are_enforced() -> None:
    block = (ROOT / "docs" / "architecture.md").read_text().split("## The package, by layer")[1].split("```")[1]
    told: list[set[str]] = []
    for line in filter(str.strip, (line[:43] for line in block.splitlines())):
        names = set(re.findall(r"\w+", line))
        if line.startswith("|"):
            told[-1] |= names
        else:
            told.append(names)
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    [layers] = [each["layers"] for each in contracts if each.get("exhaustive")]
    assert told == [set(re.findall(r"\w+", layer)) for layer in layers]


def test_the_modules_of_the_page_on_architecture_are_there() -> None:
    section = (ROOT / "docs" / "architecture.md").read_text().split("| package | modules |")[1].split("\n\n")[0]
    rows = [re.findall(r"`(\w+)`", line) for line in section.splitlines()[2:]]
    assert len(rows) > 10
    for package, *modules in rows:
        here = {each.stem for each in (ROOT / "augment_correction" / package).iterdir()}
        assert set(modules) <= here, f"{package} has no {sorted(set(modules) - here)}"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_target_of_make_and_every_benchmark_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for words in shell_lines(page):
        if words[0] == "make":
            assert {word for word in words[1:] if "=" not in word and word.islower()} <= targets, words
        if words[:2] == ["python", "-m"] and words[2].startswith("benchmarks."):
            place = ROOT / words[2].replace(".", "/")
            files = [place.with_suffix(".py"), *place.glob("*.py")]
            assert importlib.util.find_spec(words[2]) and (
                place.with_suffix(".py").is_file() or (place / "__main__.py").is_file()
            ), words
            text = "".join(path.read_text() for path in files if path.is_file())
            for flag in (word for word in words[3:] if word.startswith("--")):
                assert f'"{flag}"' in text, " ".join(words)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Names of all files and folders that a run with everything turned on leaves, relative to its folder, where another
    config had left its own there."""
    out = tmp_path_factory.mktemp("docs") / "out"
    everything = [
        *(f"path.output_dir={out}", f"path.input_dir={bundled() / 'inputs' / 'examples'}"),
        *("gate.share=0.5", "output.formats=[openai, trl, sharegpt, axolotl_chat]"),
        "meta_datagen.do_meta_datagen=true",
    ]
    config = str(bundled() / "configs" / "smoke.yaml")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writing, "ShardWriter", partial(ShardWriter, size=3000))
        run(load_config(config, [*everything, "system.loss_on=answers"]))
        assert run(load_config(config, everything)).kept
    Decisions(out / "decisions.jsonl").add(ReviewDecision("a conversation", "its passage", "approve"))
    return {str(path.relative_to(out)) for path in out.rglob("*")}


def test_the_readmes_table_of_files_is_what_a_run_leaves(written: set[str]) -> None:
    [table] = re.findall(r"^\| in the output folder.*?\n\n", PAGES[0].read_text(), re.DOTALL | re.MULTILINE)
    for row in table.strip().splitlines()[2:]:
        for name in re.findall(r"`([\w./-]+)`", row.split("|")[1]):
            assert name.rstrip("/") in written, f"README: a run leaves no {name}"
    assert {"report_data", "exports/openai"} <= written


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_file_that_is_named_exists(page: Path, written: set[str]) -> None:
    """In the repository, among what a run leaves, or as a name that the package itself writes or reads."""
    known = {Path(name).name for name in written}
    source = "\n".join(path.read_text() for path in (ROOT / "augment_correction").rglob("*.py"))
    for name in named_files(page):
        if name.split("/")[0] in FOLDERS and "mine" not in name and "OUTPUT" not in name:
            assert fnmatch.filter(names_here(), name.rstrip("/")) or name in NEW_FILES, (
                f"{page.name}: there is no {name}"
            )
        elif Path(name).suffix in ENDINGS and not set(name) & set("*<{ "):
            last = Path(name).name
            assert last in {*known, *names_here(), *READERS, *COMPOSED} or last in source, f"{page.name}: {name}"


def test_the_tutorials_own_pipeline_works_as_it_is_written(tmp_path: Path) -> None:
    page = ROOT / "docs" / "tutorial.md"
    [section] = re.findall(r"^## 6\. .*?(?=^## )", page.read_text(), re.DOTALL | re.MULTILINE)
    assert call_program("init", cwd=tmp_path).code == 0
    files = re.findall(
        r"`((?:prompts|pipelines|configs)/[\w./]+)`:\n\n```\w+\n(.*?)^```$", section, re.DOTALL | re.MULTILINE
    )
    assert [name for name, _ in files] == ["prompts/my_conversation.jinja", "pipelines/short_doubt.yaml"]
    for name, text in files:
        (tmp_path / name).write_text(text)
    lines = [line for line in section.splitlines() if line.startswith("python -m augment_correction ")]
    assert [shlex.split(line)[3] for line in lines] == ["check", "run"]
    for line in lines:
        made = call_program(*shlex.split(line)[3:], cwd=tmp_path)
        assert made.code == 0, f"{line}\n{made.out}{made.err}"
    assert json.loads((tmp_path / "outputs/short_doubt/axolotl_correction_conversations.json").read_text())


def test_the_plugins_of_the_page_for_extending_work_as_they_are_written(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "guides" / "extending.md").read_text()
    files = re.findall(
        r"`([\w./]+\.(?:py|yaml|jinja|jsonl|wiki))`:\n\n```\w*\n(.*?)^```$", page, re.DOTALL | re.MULTILINE
    )
    assert [name for name, _ in files] == [
        *("by_hand.py", "my_stages.py", "my_simplify.py", "prompts/simplify.jinja", "my_rows.py", "tickets.jsonl"),
        *("my_readers.py", "inputs/examples/museum.wiki", "pipelines/brief.yaml", "test_my_stages.py"),
    ]
    assert call_program("init", cwd=tmp_path).code == 0
    for name, text in files:
        (tmp_path / name).write_text(text)
    tests = (
        "import by_hand, test_my_stages as tests; [test() for name, test in vars(tests).items() if name[:5] == 'test_']"
    )
    made = subprocess.run([sys.executable, "-c", tests], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert made.returncode == 0 and "You are right to doubt it" in made.stdout, made.stderr
    [described] = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    [(group, points)] = tomllib.loads(described)["project"]["entry-points"].items()
    info = tmp_path / "my_stages-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my_stages\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{group}]\n" + "".join(f"{name} = {at}\n" for name, at in points.items()))
    lines = [line for line in page.splitlines() if line.startswith("python -m augment_correction ")]
    assert [shlex.split(line)[3] for line in lines] == ["import-failures", "check", "run"]
    for line in lines:
        ran = call_program(*shlex.split(line)[3:], cwd=tmp_path, PYTHONPATH=f"{tmp_path}:{os.environ['PYTHONPATH']}")
        assert ran.code == 0, f"{line}\n{ran.out}{ran.err}"
        assert " check " not in line or "plugin my_stages (my_stages 1.0)" in ran.out
    assert json.loads((tmp_path / "outputs/brief/axolotl_correction_conversations.json").read_text())
    for run_ in ("brief", "tickets"):
        plugins = json.loads((tmp_path / f"outputs/{run_}/run.json").read_text())["plugins"]
        assert plugins == dict.fromkeys(("my_stages", "my_simplify", "my_rows", "my_readers"), "my_stages 1.0")
    places = [place for made in read_conversations(tmp_path / "outputs/brief") for place in made.provenance["places"]]
    assert {"museum.wiki#page 1", "museum.wiki#page 2"} <= {place["source"] for place in places}
    [learned] = json.loads((tmp_path / "outputs/tickets/axolotl_correction_conversations.json").read_text())
    assert any("It closed in 1956." in part["text"] and part["label"] for part in learned["segments"])
    assert "is closed without a solution" in (tmp_path / "outputs/tickets/import_rejected.jsonl").read_text()
    [turns] = (tmp_path / "outputs/brief/exports/turns").iterdir()
    assert '"train": false' in turns.read_text()


@pytest.mark.parametrize("page", [*PAGES, *WRITTEN_REFERENCE], ids=lambda path: path.name)
def test_python_in_a_page_names_what_there_is(page: Path) -> None:
    for text in fences(page, "python"):
        compile(text, page.name, "exec")
        for line in ast.walk(ast.parse(text)):
            if isinstance(line, ast.ImportFrom) and f"{line.module}.py" not in READERS:
                module = importlib.import_module(str(line.module))
                assert all(hasattr(module, name.name) for name in line.names), ast.unparse(line)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_nothing_is_installed_from_an_index_that_does_not_have_it(page: Path) -> None:
    """Until there is a release, the package comes from a checkout."""
    assert not re.findall(r"pip install [^\n`]*augment[-_]correction", page.read_text())
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for named in re.findall(r"pip install [^\n`]*\[([\w,]+)\]", page.read_text()):
        assert set(named.split(",")) <= set(extras), f"{page.name}: no such extra: {named}"


def test_the_page_of_the_outputs_names_what_a_run_leaves(tmp_path: Path) -> None:
    page = (ROOT / "outputs" / "README.md").read_text()
    out = tmp_path / "out"
    config = load_config(
        ROOT / "configs" / "smoke.yaml",
        [f"path.output_dir={out}", "gate.share=0.4", "output.formats=[openai]", "meta_datagen.do_meta_datagen=true"],
    )
    run(config)
    assert len(list(out.iterdir())) > 12
    for path in out.iterdir():
        assert path.name in page, f"outputs/README.md does not name {path.name}"


def test_neither_import_nor_help_loads_anything_heavy() -> None:
    heavy = (
        "torch",
        "vllm",
        "ray",
        "fastapi",
        "transformers",
        "pypdf",
        "docx",
        "bpe_openai",
        "tiktoken",
        "openai",
        "httpx2",
        "requests",
        "aiohttp",
        "genai_prices",
    )
    code = (
        "import sys, io, contextlib\n"
        "import augment_correction\n"
        "from augment_correction.cli import main\n"
        "sys.argv = ['augment_correction', '--help']\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit): main()\n"
        f"print(','.join(name for name in {heavy!r} if name in sys.modules))"
    )
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert made.stdout.strip() == ""


def test_every_message_that_troubleshooting_explains_is_still_said() -> None:
    text = (ROOT / "docs" / "troubleshooting.md").read_text("utf-8")
    heads = re.findall(r"^(`[^\n]*`)\n: ", text, re.MULTILINE)
    messages = [message for head in heads for message in re.findall(r"`([^`]+)`", head)]
    # Long messages are several literals in the code.
    said = re.sub(
        r'"\s*f?"', "", "\n".join(path.read_text("utf-8") for path in (ROOT / "augment_correction").rglob("*.py"))
    )
    assert len(messages) > 12
    assert [message for message in messages if message not in said] == []


def test_the_site_has_every_page() -> None:
    site = (ROOT / "mkdocs.yml").read_text("utf-8")
    pages = {str(path.relative_to(ROOT / "docs")) for path in (ROOT / "docs").rglob("*.md")}
    assert set(re.findall(r": ([\w/-]+\.md)$", site, re.MULTILINE)) == pages
