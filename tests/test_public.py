"""The names that a program imports: each is there, light to import, documented, and its example works as it is written."""

from __future__ import annotations

import ast
import doctest
import inspect
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import augment_correction
from augment_correction import (
    AskStage,
    ComposeStage,
    ConfigError,
    Document,
    ModelConfig,
    Pipeline,
    RunConfig,
    TurnSpec,
    load_pipeline,
    read_conversations,
    run,
)  # fmt: skip
from augment_correction.plan import make_plan
from augment_correction.project import bundled
from tests.evals.world import row
from tests.pages import ROOT
from tests.servers import ModelServer, facts
from tests.training.making import critiqued, failures

NAMES = [name for name in augment_correction.__all__ if name != "__version__"]
TRAINS = {"train", "TrainingResult", "LiveInferenceMonitor"}
ALSO = "import asyncio\nfrom pathlib import Path\nfrom random import Random\nfrom typing import Literal\n"
"""What the examples use beside the public names."""
PIPELINE = """
name: short_doubt
stages:
  - stage: chunk
  - {stage: ask, name: write, model: large, prompt: write, fields: [initial_question, flawed_answer, correct_answer]}
  - stage: compose
    kind: correct_after_mistake
    turns:
      - {role: user, text: initial_question}
      - {role: assistant, text: flawed_answer, is: mistake}
      - {role: assistant, text: correct_answer, is: correction}
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current folder with what the examples name."""
    (tmp_path / "inputs").mkdir()
    (tmp_path / "inputs" / "facts.jsonl").write_text(
        "".join(json.dumps({"text": each}) + "\n" for each in facts(range(3)))
    )
    shutil.copytree(bundled() / "configs", tmp_path / "configs")
    (tmp_path / "pipelines").mkdir()
    (tmp_path / "pipelines" / "short_doubt.yaml").write_text(PIPELINE)
    (tmp_path / "gate.jsonl").write_text("".join(json.dumps(row(number)) + "\n" for number in range(3)))
    failures(tmp_path / "failures.jsonl", critiqued(range(12)))
    shutil.copy(tmp_path / "gate.jsonl", tmp_path / "questions.jsonl")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def example_of(name: str, names: dict[str, object]) -> doctest.DocTest:
    told = inspect.getdoc(getattr(augment_correction, name)) or ""
    return doctest.DocTestParser().get_doctest(told, names, name, None, 0)


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")
@pytest.mark.usefixtures("registered_for_now")
@pytest.mark.parametrize("name", NAMES)
def test_the_example_of_every_name_works(name: str, place: Path, request: pytest.FixtureRequest) -> None:
    if name in TRAINS:
        pytest.importorskip("trl", reason="needs the extra train")
        request.getfixturevalue("one_torch_thread")
        shutil.copytree(request.getfixturevalue("tiny_model"), place / "model")
    given = NAMES if name in TRAINS else [each for each in NAMES if each not in TRAINS]
    names: dict[str, object] = {each: getattr(augment_correction, each) for each in given}
    exec(ALSO, names)
    example = example_of(name, names)
    assert example.examples, f"{name} has no example"
    said: list[str] = []
    ran = doctest.DocTestRunner(verbose=False).run(example, out=said.append)
    assert not ran.failed, "".join(said)


@pytest.mark.parametrize("name", NAMES)
def test_every_name_says_what_it_is_and_what_it_raises(name: str) -> None:
    found = getattr(augment_correction, name)
    told = inspect.getdoc(found) or ""
    assert len(told.partition(">>>")[0].split()) >= 5
    tree = ast.parse(inspect.getsource(found).lstrip())
    if inspect.isfunction(found) and any(isinstance(each, ast.Raise) for each in ast.walk(tree)):
        assert "Raises:" in told


def test_the_page_for_python_has_every_name() -> None:
    page = (ROOT / "docs" / "reference" / "python.md").read_text()
    assert sorted(re.findall(r"^### `(\w+)`$", page, re.MULTILINE)) == sorted(NAMES)


def test_the_import_loads_nothing_until_a_name_is_used() -> None:
    code = (
        "import sys, augment_correction\n"
        "assert not [name for name in sys.modules if name.startswith('augment_correction.')], 'eager'\n"
        "assert 'pydantic' not in sys.modules\n"
        "from augment_correction import Pipeline, RunConfig, TrainConfig, train, evaluate, run\n"
        "print([name for name in ('torch', 'transformers', 'ray', 'pandas', 'datasets', 'tiktoken') if name in sys.modules])"
    )
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert made.stdout.strip() == "[]"


def test_what_is_no_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Pipelines'"):
        augment_correction.Pipelines  # noqa: B018
    assert set(NAMES) <= set(dir(augment_correction))


def test_the_type_checkers_imports_are_the_lazy_ones() -> None:
    """One list would do, could a type checker read it."""
    tree = ast.parse((ROOT / "augment_correction" / "__init__.py").read_text())
    [block] = [each for each in tree.body if isinstance(each, ast.If)]
    seen = {
        name.name: (each.module or "").removeprefix("augment_correction.")
        for each in block.body
        if isinstance(each, ast.ImportFrom)
        for name in each.names
    }
    assert seen == augment_correction._HOME
    assert set(NAMES) == set(seen)


# --------------------------------------------------------------------------------- pipelines built in Python


def scripted(folder: Path, pipeline: Pipeline | str, **system: object) -> RunConfig:
    models = {role: {"model": role, "mode": "scripted"} for role in ("small", "large")}
    config = {"pipeline": pipeline, "api": models, "path": {"input_dir": "inputs", "output_dir": str(folder)}}
    return RunConfig.model_validate({**config, "system": {"prompt_template": "chatml", **system}})


def test_a_pipeline_built_in_python_is_the_same_run_as_its_yaml(place: Path) -> None:
    from_yaml = load_pipeline(bundled() / "pipelines" / "correction.yaml")
    built = Pipeline(
        name=from_yaml.name,
        about=from_yaml.about,
        takes=from_yaml.takes,
        draws=from_yaml.draws,
        stages=tuple(type(stage)(**dict(stage)) for stage in from_yaml.stages),
    )
    first = run(scripted(place / "out", "correction"))
    paid = first.tokens["large"]["requests"]
    dataset = first.dataset
    assert dataset is not None
    before = dataset.read_bytes()
    again = run(scripted(place / "out", built))
    assert again.tokens["large"]["requests"] == paid > 0
    assert dataset.read_bytes() == before
    assert (
        make_plan(scripted(place / "out", built)).fingerprint()
        == make_plan(scripted(place / "out", "correction")).fingerprint()
    )
    manifest = json.loads((place / "out" / "run.json").read_text())
    assert manifest["config"]["pipeline"] == "correction" == manifest["pipeline"]["name"]


def own(prompt: str = "write") -> Pipeline:
    return Pipeline(
        name="own",
        stages=(
            AskStage(name="write", model="large", prompt=prompt, fields=("initial_question", "flawed_answer", "correct_answer")),
            ComposeStage(
                kind="correct_after_mistake",
                turns=(
                    TurnSpec(role="user", text="initial_question"),
                    TurnSpec(role="assistant", text="flawed_answer", is_="mistake"),
                    TurnSpec(role="assistant", text="correct_answer", is_="correction"),
                ),
            ),
        ),
    )  # fmt: skip


def test_one_of_ones_own_runs_resumes_and_streams(place: Path) -> None:
    (place / "prompts").mkdir()
    (place / "prompts" / "write.jinja").write_text("{% user %}Write. <passage>{{ passage }}</passage>{% enduser %}")
    result = run(scripted(place / "out", own()))
    assert result.kept == 3 and run(scripted(place / "out", own())).tokens["large"]["requests"] == 3
    made = list(result.conversations())
    assert [[turn.train for turn in each.turns] for each in made] == [[True, False, True]] * 3
    assert [each.id for each in made] == [each.id for each in read_conversations(place / "out")]
    stream = result.conversations()
    assert next(stream).id == made[0].id and inspect.isgenerator(stream)


def test_a_mistake_in_it_has_no_file_and_says_what_is_missing(place: Path) -> None:
    (place / "prompts").mkdir()
    (place / "prompts" / "write.jinja").write_text("{% user %}Write about nothing.{% enduser %}")
    with pytest.raises(ConfigError, match=r"write\.jinja: stage 'write': prompt 'write' reads neither the passage"):
        run(scripted(place / "out", own()))
    with pytest.raises(ValueError, match="should be a valid string"):
        scripted(place / "out", 3)  # type: ignore[arg-type]


def test_rows_are_handed_over_to_pandas_and_datasets(place: Path) -> None:
    pytest.importorskip("pandas", reason="needs the extra frames")
    pytest.importorskip("datasets", reason="needs the extra frames")
    result = run(scripted(place / "out", "correction"))
    frame, dataset = result.to_pandas(), result.to_dataset()
    assert list(frame.columns) == list(dataset.column_names) == ["id", "kind", "messages", "source", "title", "page"]
    assert len(frame) == len(dataset) == result.kept > 0
    assert frame["messages"][0] == dataset[0]["messages"]
    assert {"role", "content", "train", "masked"} == set(dataset[0]["messages"][0])
    assert str(frame["page"].dtype) == "Int64" and dataset.features["page"].dtype == "int64"


def test_documents_from_memory_are_cut_as_a_file_is(place: Path) -> None:
    text = "\n\n".join(facts(range(40)))
    shutil.rmtree(place / "inputs")
    (place / "inputs").mkdir()
    (place / "inputs" / "book.txt").write_text(text)
    cut = {"chunk_size": 400, "chunk_unit": "characters"}
    from_file = run(scripted(place / "out", "correction", **cut))
    given = run(
        scripted(place / "memory", "correction", **cut), passages=[Document.of(text, source="book.txt", title="book")]
    )
    assert given.counts["chunks"] == from_file.counts["chunks"] > 5
    assert [each.id for each in given.conversations()] == [each.id for each in from_file.conversations()]
    assert [each.kind for each in given.conversations()] == [each.kind for each in from_file.conversations()]
    assert given.tokens == from_file.tokens


def test_a_run_without_passages_or_an_input_folder_says_what_is_missing(place: Path) -> None:
    config = scripted(place / "out", "correction")
    config = config.model_copy(update={"path": config.path.model_copy(update={"input_dir": ""})})
    with pytest.raises(ConfigError, match=r"'path\.input_dir' is missing"):
        run(config)
    assert run(config, passages=[]).stopped == "no passage was given"


def test_a_key_of_the_environment_serves_a_config_built_in_python(
    place: Path, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = {role: ModelConfig(model=role, base_url=server.url) for role in ("small", "large")}
    config = scripted(place / "out", "correction").with_models(models)
    monkeypatch.setenv("LARGE_API_KEY", "sk-large-0123456789")
    monkeypatch.setenv("SMALL_API_KEY", "sk-small-0123456789")
    assert run(config).kept > 0
    assert {asked.headers["Authorization"] for asked in server.asked} == {
        "Bearer sk-large-0123456789", "Bearer sk-small-0123456789",
    }  # fmt: skip
