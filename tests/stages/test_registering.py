"""Stages and checks of the user's own, registered by a call."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any, Literal

import pytest

from augment_correction.declarations import CheckSpec, StageDeclaration
from augment_correction.errors import ConfigError, ExitCode, PluginFailure, Reject
from augment_correction.pipeline import Pipeline
from augment_correction.plan import make_plan
from augment_correction.records import Record
from augment_correction.stages import (
    BoundStage,
    CheckInput,
    CheckResult,
    StageContext,
    Tools,
    register_check,
    register_stage,
    with_fields,
)
from augment_correction.stages.checks import run_checks
from tests.cli.program import program
from tests.projects import MadeProject

pytestmark = pytest.mark.usefixtures("registered_for_now")


class Shorten(StageDeclaration):
    """Keep the first sentence of a field, and reject what has no second one."""

    stage: Literal["shorten"] = "shorten"
    field: str

    @property
    def reads(self) -> tuple[str, ...]:
        return (self.field,)


class FirstSentence:
    def __init__(self, stage: Shorten, context: StageContext) -> None:
        self.field = stage.field

    async def __call__(self, record: Record, tools: Tools) -> Sequence[Record]:
        first, *others = str(record.fields[self.field]).split(". ")
        if not others:
            raise Reject("one_sentence", f"{self.field} has one sentence")
        return [with_fields(record, {self.field: first + "."})]


def no_digits(given: CheckInput) -> CheckResult:
    for field, text in given.texts:
        if any(sign.isdigit() for sign in text):
            return CheckResult(0.0, "digits", f"{field} holds digits; write numbers as words")
    return CheckResult(1.0)


PIPELINE = """
name: short
stages:
  - {stage: ask, name: write, model: large, prompt: write, fields: [initial_question, flawed_answer, correct_answer]}
  - {stage: shorten, name: first, field: FIELD}
  - stage: compose
    kind: plain
    turns:
      - {role: user, text: initial_question}
      - {role: assistant, text: flawed_answer, is: mistake}
      - {role: assistant, text: correct_answer, is: correction}
"""
PROMPT = "{% user %}Ask about it and answer. <passage>{{ passage }}</passage>{% enduser %}"


@pytest.fixture
def own(tmp_path: Path) -> MadeProject:
    project = MadeProject(tmp_path)
    project.write("prompts/write.jinja", PROMPT)
    project.write("pipelines/short.yaml", PIPELINE.replace("FIELD", "correct_answer"))
    project.facts(range(6))
    return project


def test_a_stage_of_ones_own_is_named_in_yaml_and_resumes(own: MadeProject) -> None:
    register_stage(Shorten, FirstSentence)
    made = own.run(pipeline="short")
    assert made.exit_code is ExitCode.DONE and made.kept == 6
    assert all(len(turns_of(row)) == 3 and ". " not in turns_of(row)[-1] for row in own.dataset())
    before, paid = own.dataset(), own.tokens("large")["requests"]
    assert own.again().kept == 6
    assert own.tokens("large")["requests"] == paid == 6
    assert own.dataset() == before


def turns_of(row: dict[str, Any]) -> list[str]:
    """The messages of a row, without the template's own text."""
    text = "".join(segment["text"] for segment in row["segments"])
    return [turn.partition("\n")[2].removesuffix("<|im_end|>\n") for turn in text.split("<|im_start|>")[1:]]


def test_a_reject_of_ones_own_is_counted_and_written(own: MadeProject) -> None:
    register_stage(Shorten, FirstSentence)
    own.write("pipelines/short.yaml", PIPELINE.replace("FIELD", "initial_question"))
    made = own.run(pipeline="short")
    assert made.counts["reasons"] == {"first/one_sentence": 6}
    assert {row["detail"] for row in own.rejected()} == {"initial_question has one sentence"}


def test_what_it_reads_is_proven_before_a_token_is_paid(own: MadeProject) -> None:
    register_stage(Shorten, FirstSentence)
    own.write("pipelines/short.yaml", PIPELINE.replace("FIELD", "answer"))
    with pytest.raises(ConfigError, match="stage 'first' reads the field 'answer', which no earlier stage writes"):
        own.run(pipeline="short")


def test_its_mistakes_in_yaml_are_told_like_those_of_our_stages(own: MadeProject) -> None:
    register_stage(Shorten, FirstSentence)
    own.write("pipelines/short.yaml", PIPELINE.replace("field: FIELD", "feild: correct_answer"))
    with pytest.raises(ConfigError) as failure:
        own.run(pipeline="short")
    assert "did you mean 'field'?" in failure.value.message and "short.yaml:5" in failure.value.message


def test_a_check_of_ones_own(own: MadeProject) -> None:
    register_check("no_digits", no_digits)
    checked = "- {stage: check, name: words, checks: [{check: no_digits, fields: [FIELD]}]}"
    text = PIPELINE.replace("- {stage: shorten, name: first, field: FIELD}", checked)
    own.write("pipelines/short.yaml", text.replace("FIELD", "flawed_answer"))
    made = own.run(pipeline="short")
    assert made.counts["reasons"] == {"words/digits": 6}
    assert own.run(pipeline="short", checks={"no_digits": False}).kept == 6


def test_a_new_version_of_a_stage_decides_anew_and_asks_nothing_again(own: MadeProject) -> None:
    register_stage(Shorten, FirstSentence)
    own.run(pipeline="short")
    first = make_plan(own.load(pipeline="short")).fingerprint()
    register_stage(Shorten, Capitals, version="2")
    assert own.again().kept == 6
    assert make_plan(own.load(pipeline="short")).fingerprint() != first
    assert own.tokens("large")["requests"] == 6
    assert all(turns_of(row)[-1].isupper() for row in own.dataset())


class Capitals(FirstSentence):
    async def __call__(self, record: Record, tools: Tools) -> Sequence[Record]:
        return [with_fields(record, {self.field: str(record.fields[self.field]).upper()})]


class Judge(StageDeclaration):
    stage: Literal["judge"] = "judge"


class Nameless(StageDeclaration):
    pass


def test_ours_cannot_be_replaced() -> None:
    with pytest.raises(ValueError, match="'judge' is a stage of augment_correction"):
        register_stage(Judge, FirstSentence)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="Nameless needs a word of its own"):
        register_stage(Nameless, FirstSentence)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="'differ' is a check of augment_correction"):
        register_check("differ", no_digits)
    with pytest.raises(ValueError, match="lower-case words"):
        register_check("No digits", no_digits)


def test_a_stage_that_is_not_registered_is_refused() -> None:
    with pytest.raises(ValueError, match="Shorten is not registered"):
        Pipeline(name="short", stages=(Shorten(name="first", field="passage"),))
    with pytest.raises(ValueError, match="no check is named 'no_digits'"):
        CheckSpec(check="no_digits", fields=("answer",))


def test_an_unknown_check_is_one_mistake(own: MadeProject) -> None:
    checked = "- {stage: check, name: words, checks: [{check: no_digits, fields: [correct_answer]}]}"
    own.write("pipelines/short.yaml", PIPELINE.replace("- {stage: shorten, name: first, field: FIELD}", checked))
    with pytest.raises(ConfigError) as failure:
        own.run(pipeline="short")
    assert "no check is named 'no_digits' (known: differ," in failure.value.message
    with pytest.raises(ValueError, match="no check is named 'diffr': did you mean 'differ'"):
        CheckSpec(check="diffr", fields=("question", "answer"))
    with pytest.raises(ValueError, match="no stage is named 'compse': did you mean 'compose'"):
        Pipeline.model_validate({"name": "short", "stages": [{"stage": "compse"}]})
    assert "at least" not in failure.value.message and "2 mistakes" not in failure.value.message


def test_words_are_for_a_check_that_reads_them() -> None:
    register_check("no_digits", no_digits)
    assert CheckSpec(check="no_digits", fields=("answer",), words=(1, 2)).words == (1, 2)
    with pytest.raises(ValueError, match="'no_links' reads no words"):
        CheckSpec(check="no_links", fields=("answer",), words=(1, 2))


# ------------------------------------------------------------------------------------------------ their mistakes


class Fails(FirstSentence):
    async def __call__(self, record: Record, tools: Tools) -> Sequence[Record]:
        return [with_fields(record, {self.field: record.fields["nope"]})]


class GivesNothing(FirstSentence):
    async def __call__(self, record: Record, tools: Tools) -> Sequence[Record]:
        return None  # type: ignore[return-value]


class NotAsync(FirstSentence):
    def __call__(self, record: Record, tools: Tools) -> Sequence[Record]:  # type: ignore[override]
        return [record]


class CannotBeBuilt(FirstSentence):
    def __init__(self, stage: Shorten, context: StageContext) -> None:
        self.words = stage.words  # type: ignore[attr-defined]


def test_a_mistake_in_a_stage_is_told_with_its_place_and_nothing_is_paid_twice(own: MadeProject) -> None:
    register_stage(Shorten, Fails)
    with pytest.raises(PluginFailure) as failure:
        own.run(pipeline="short")
    told = failure.value.message
    assert told.startswith("stage 'first' (shorten) failed on facts.jsonl") and failure.value.exit_code is ExitCode.USER
    assert f"KeyError: 'nope' ({__file__}:" in told
    register_stage(Shorten, GivesNothing)
    with pytest.raises(
        PluginFailure, match=r"stage 'first' .shorten. returned None on .*a stage returns a list of rec"
    ):
        own.again()
    register_stage(Shorten, CannotBeBuilt)
    with pytest.raises(PluginFailure, match=r"stage 'first' .shorten. cannot be built: AttributeError"):
        own.again()
    register_stage(Shorten, FirstSentence)
    assert own.again().kept == 6
    assert own.tokens("large")["requests"] == 6


def test_a_stage_that_does_not_write_what_it_declares_is_named(own: MadeProject) -> None:
    class Promises(Shorten):
        stage: Literal["promises"] = "promises"  # type: ignore[assignment]

        @property
        def writes(self) -> tuple[str, ...]:
            return ("summary",)

    register_stage(Promises, FirstSentence)
    own.write(
        "pipelines/short.yaml", PIPELINE.replace("stage: shorten", "stage: promises").replace("FIELD", "correct_answer")
    )
    told = r"stage 'first' .promises. declares that it writes 'summary', and returned a record without that field on facts\.jsonl"
    with pytest.raises(PluginFailure, match=told):
        own.run(pipeline="short")


async def test_a_stage_that_is_not_async_is_told_with_its_line() -> None:
    stage = NotAsync(Shorten(name="first", field="answer"), None)  # type: ignore[arg-type]
    bound = BoundStage("first", stage, word="shorten")  # type: ignore[arg-type]
    line = NotAsync.__call__.__code__.co_firstlineno
    with pytest.raises(PluginFailure) as failure:
        await bound.call(Record("id", {"source": "a.txt"}), Tools({}, Random(1)))
    told = failure.value.message
    assert told.startswith("stage 'first' (shorten) on a.txt: ") and f"`async def` ({__file__}:{line})" in told


async def test_a_bug_of_a_stage_of_ours_stays_a_bug_and_names_it() -> None:
    async def fails(record: Record, tools: Tools) -> Sequence[Record]:
        raise KeyError("nope")

    with pytest.raises(KeyError) as failure:
        await BoundStage("write", fails).call(Record("id", {"source": "a.txt"}), Tools({}, Random(1)))
    assert failure.value.__notes__ == ["in stage 'write' on a.txt"]


@pytest.mark.parametrize(
    ("returned", "told"),
    [
        (CheckResult(1.5), "the score is a number from 0 to 1"),
        (CheckResult(True), "the score is a number from 0 to 1"),
        (CheckResult(float("nan")), "the score is a number from 0 to 1"),
        (CheckResult(0.0, None), "the reason and the detail are texts"),  # type: ignore[arg-type]
        (None, "returned None: a check returns a CheckResult"),
        (True, "returned True: a check returns a CheckResult"),
    ],
)
def test_what_a_check_may_not_return(returned: Any, told: str) -> None:
    register_check("odd", lambda given: returned)
    with pytest.raises(PluginFailure, match="check 'odd' .*" + told):
        run_checks([CheckSpec(check="odd", fields=("answer",))], {"answer": "Nine."})


def test_a_check_that_fails_is_named_with_stage_and_source(own: MadeProject) -> None:
    register_check("odd", lambda given: CheckResult(1 / 0))
    checked = "- {stage: check, name: words, checks: [{check: odd, fields: [correct_answer]}]}"
    own.write("pipelines/short.yaml", PIPELINE.replace("- {stage: shorten, name: first, field: FIELD}", checked))
    with pytest.raises(PluginFailure, match=r"stage 'words' on facts.jsonl.*check 'odd' .*failed: ZeroDivisionError"):
        own.run(pipeline="short")


def test_without_a_reason_the_checks_name_is_one() -> None:
    register_check("odd", lambda given: CheckResult(0.0))
    with pytest.raises(Reject) as reject:
        run_checks([CheckSpec(check="odd", fields=("answer",))], {"answer": "Nine."})
    assert reject.value.reason == "odd"


# ---------------------------------------------------------------------------------------------------- plugins

PLUGIN = """
from typing import Literal
from augment_correction import StageDeclaration, register_stage, with_fields

class Shorten(StageDeclaration):
    stage: Literal["shorten"] = "shorten"
    field: str

class FirstSentence:
    def __init__(self, stage, context):
        self.field = stage.field

    async def __call__(self, record, tools):
        return [with_fields(record, {self.field: record.fields[self.field].split(". ")[0]})]

register_stage(Shorten, FirstSentence)
"""


def install(folder: Path, text: str) -> str:
    """A distribution that names its module as a plugin, and the PYTHONPATH on which it is found."""
    (folder / "shorten-1.0.dist-info").mkdir(parents=True)
    (folder / "shorten-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: shorten\nVersion: 1.0\n")
    (folder / "shorten-1.0.dist-info" / "entry_points.txt").write_text(
        "[augment_correction.plugins]\nshorten = shorten_stage\n"
    )
    (folder / "shorten_stage.py").write_text(text)
    return os.pathsep.join([str(folder), os.environ["PYTHONPATH"]])


def test_an_installed_packages_stage_is_found_by_the_command(own: MadeProject, tmp_path: Path) -> None:
    config = own.config(pipeline="short")
    path = install(tmp_path / "site", PLUGIN)
    made = program("run", str(config), PYTHONPATH=path)
    assert made.code == 0, made.err
    assert len(own.dataset()) == 6
    assert json.loads((own.output / "run.json").read_text())["plugins"] == {"shorten": "shorten 1.0"}


def test_a_plugin_that_cannot_be_imported_is_named(own: MadeProject, tmp_path: Path) -> None:
    config = own.config(pipeline="short")
    path = install(tmp_path / "site", "import nothing_of_that_name")
    made = program("run", str(config), PYTHONPATH=path)
    assert made.code == 2
    assert "the plugin 'shorten' of shorten cannot be imported (shorten_stage): ModuleNotFoundError" in made.err
    assert "Traceback" not in made.err


def test_without_the_plugin_the_word_is_unknown(own: MadeProject) -> None:
    made = program("run", str(own.config(pipeline="short")))
    assert made.code == 2
    assert "no stage is named 'shorten' (known: chunk," in made.err and "install or import the plugin" in made.err
