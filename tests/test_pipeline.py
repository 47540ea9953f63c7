"""Pipelines as data: shapes that are refused, and wiring proven before the first token."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from augment_correction.errors import ConfigError
from augment_correction.pipeline import Pipeline, load_pipeline
from augment_correction.project import bundled

GOOD = """
name: mine
stages:
  - stage: chunk
  - {stage: judge, name: filter, model: small, prompt: filter}
  - {stage: ask, name: make, model: large, prompt: make, fields: [q, a]}
  - stage: compose
    kind: plain
    turns: [{role: user, text: q}, {role: assistant, text: a, is: correction}]
"""


def load(tmp_path: Path, text: str) -> Pipeline:
    path = tmp_path / "pipeline.yaml"
    path.write_text(text)
    return load_pipeline(path)


def test_yaml_is_only_a_spelling_of_the_python_object(tmp_path: Path) -> None:
    made = load(tmp_path, GOOD)
    assert Pipeline.model_validate(made.model_dump(by_alias=True)) == made
    assert made.roles == ("small", "large")


@pytest.mark.parametrize(
    ("change", "message", "line"),
    [
        (("prompt: filter", "promt: filter"), "unknown key 'stages.1.judge.promt'", 5),
        (("name: make", "name: filter"), "two stages are named filter", None),
        (("stage: compose\n    kind", "stage: composse\n    kind"), "composse", 7),
        (("model: large", "model: huge"), "'stages.2.ask.model'", 6),
    ],
)
def test_a_wrong_stage_is_told_with_its_line(
    tmp_path: Path, change: tuple[str, str], message: str, line: int | None
) -> None:
    with pytest.raises(ConfigError) as failure:
        load(tmp_path, GOOD.replace(*change))
    assert message in str(failure.value)
    if line:
        assert failure.value.line == line


def test_an_unknown_key_of_a_stage_asks_did_you_mean(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as failure:
        load(tmp_path, GOOD.replace("fields:", "feilds:"))
    assert "did you mean 'fields'?" in failure.value.message


def test_a_field_must_be_written_before_it_is_read(tmp_path: Path) -> None:
    made = load(tmp_path, GOOD.replace("text: a,", "text: answer,"))
    problems = list(made.check_wiring({"filter": frozenset({"passage", "q"}), "make": frozenset({"passage"})}))
    assert problems[0].message.startswith("stage 'filter': prompt 'filter' reads q, which no earlier stage writes")
    assert (problems[0].prompt, problems[0].variable) == ("filter", "q")
    assert problems[1].message == "stage 'compose' reads the field 'answer', which no earlier stage writes"
    assert problems[1].prompt is None


class TestFedByThePassage:
    def problems(self, tmp_path: Path, **variables: set[str]) -> list[str]:
        made = load(tmp_path, GOOD)
        return [each.stage for each in made.check_wiring({name: frozenset(read) for name, read in variables.items()})]

    def test_a_prompt_that_reads_no_passage_asks_always_the_same(self, tmp_path: Path) -> None:
        assert self.problems(tmp_path, filter={"passage"}, make={"title", "heading"}) == ["make"]
        assert self.problems(tmp_path, filter=set(), make={"passage"}) == ["filter"]

    def test_what_was_made_from_the_passage_or_stands_beside_it_is_enough(self, tmp_path: Path) -> None:
        assert self.problems(tmp_path, filter={"passage"}, make={"filter_reason"}) == []
        assert self.problems(tmp_path, filter={"metadata"}, make={"passage"}) == []

    def test_what_was_made_without_it_is_not(self, tmp_path: Path) -> None:
        assert self.problems(tmp_path, filter={"title"}, make={"filter_reason"}) == ["filter", "make"]


def test_compose_is_last_and_only_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="must be 'compose'"):
        load(tmp_path, GOOD[: GOOD.index("  - stage: compose")])


def test_small_prompts_of_one_passage_share_their_beginning() -> None:
    """What a prefix cache needs: the later calls of a passage begin with all that the earlier ones sent."""
    from augment_correction.project import Project
    from augment_correction.prompts import PromptLibrary

    library = PromptLibrary(Project(bundled()))
    fields = ("initial_question", "correct_answer_draft", "flawed_answer", "judgement_reason")
    values = {"passage": "P", "title": "T", "heading": "", **dict.fromkeys(fields, "x")}
    calls = [library.load(f"small/{name}").render(values) for name in ("question", "mistake", "doubt")]
    for shorter, longer in pairwise(calls):
        assert longer[: len(shorter)] == shorter


def test_a_field_that_a_record_may_be_without_is_written_somewhere(tmp_path: Path) -> None:
    """Not every kind has a doubt; a misspelt name must still be seen."""
    ground = "  - {stage: ground, name: sure, prompt: ground, question: q, answer: a, doubt: %s}\n  - stage: compose"
    two = GOOD.replace("name: mine", "name: mine\ndraws: {kind: {plain: 1, other: 1}}").replace(
        "fields: [q, a]", "fields: [q, a, d], only: [plain]"
    )
    two = two.replace(
        "  - {stage: ask",
        "  - {stage: ask, name: less, model: large, prompt: make, fields: [q, a], only: [other]}\n  - {stage: ask",
    )
    two += "  - {stage: compose, name: last, kind: other, turns: [{role: user, text: q}, {role: assistant, text: a, is: correction}]}\n"
    variables = {"filter": frozenset({"passage"}), "make": frozenset({"passage"})}
    variables["ground"] = frozenset({"passage", "question", "answer", "doubt", "first", "mistake"})
    made = load(tmp_path, two.replace("  - stage: compose", ground % "d"))
    assert list(made.check_wiring(variables)) == []
    with pytest.raises(ConfigError, match="'sure' reads the field 'dd', which no stage writes"):
        load(tmp_path, two.replace("  - stage: compose", ground % "dd"))
