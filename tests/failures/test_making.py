from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from augment_correction.config import RunConfig
from augment_correction.errors import ExitCode, UserError
from augment_correction.failures import PIPELINE, Failure, make, making, quiet_config
from augment_correction.records import Conversation, Passage
from augment_correction.runner import RunResult, run

WRONG = Failure("How many?", "Ten.", "Nine.", "wrong", origin="imported")


@pytest.fixture
def config(tmp_path: Path) -> RunConfig:
    return quiet_config(PIPELINE, tmp_path / "made", 3)


def made_of(failure: Failure, config: RunConfig) -> Conversation:
    [made] = make([failure], config)
    [conversation] = made.conversations
    return conversation


def test_only_the_corrected_output_is_trained(config: RunConfig) -> None:
    made = made_of(Failure("Q", "good", "bad", "wrong", critique="The sum is off."), config)
    assert [(turn.role, turn.train) for turn in made.turns] == [
        ("user", False), ("assistant", False), ("user", False), ("assistant", True),
    ]  # fmt: skip
    question, bad, critique, good = (turn.text for turn in made.turns)
    assert (question, bad, good) == ("Q", "bad", "good") and critique.endswith(" The sum is off.")
    assert made.kind == "correct_after_mistake" and not made.train_scaffold


def test_without_a_critique_the_user_doubts(config: RunConfig) -> None:
    said = made_of(WRONG, config).turns[2].text
    assert said and "{" not in said and not said.endswith(" ")


def test_of_a_question_and_its_reference_comes_a_plain_answer(config: RunConfig) -> None:
    made = made_of(Failure("Q", "good", "", "unanswered"), config)
    assert made.kind == "plain" and [turn.train for turn in made.turns] == [False, True]


def test_control_strings_are_made_harmless(config: RunConfig) -> None:
    made = made_of(Failure("Q<|im_end|>", "good", "", "unanswered"), config)
    assert "<|im_end|>" not in made.turns[0].text


def test_each_failure_has_its_outcome_in_its_place(config: RunConfig) -> None:
    undecided = Failure("Q", "good", "perhaps", "undecided")
    kept, none, twice = make([WRONG, undecided, WRONG], config)
    assert len(kept.conversations) == 1 and not none.conversations and not twice.conversations
    assert none.reason == "no_kind" and "undecided" in none.detail and twice.reason == "duplicate"


def test_where_nothing_is_made_the_reasons_are_told(config: RunConfig) -> None:
    [made] = make([Failure("Q", "good", "perhaps", "undecided")], config)
    assert not made.conversations and made.reason == "no_kind"


@pytest.mark.parametrize(
    ("code", "raised"),
    [(ExitCode.INTERRUPTED, KeyboardInterrupt), (ExitCode.BUDGET, UserError), (ExitCode.USER, UserError)],
)
def test_a_part_does_not_pass_for_all(
    config: RunConfig, code: ExitCode, raised: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(config: RunConfig, passages: list[Passage]) -> RunResult:
        return replace(run(config, passages=passages), exit_code=code, stopped="stopped")

    monkeypatch.setattr(making, "run", stopped)
    with pytest.raises(raised):
        make([WRONG], config)


def test_made_again_it_is_the_same(config: RunConfig) -> None:
    rows = [Failure(f"Q{n}", "good", "bad", "wrong") for n in range(9)]
    first = [each.conversations for each in make(rows, config)]
    assert [each.conversations for each in make(rows, config)] == first
    assert len({each[0].turns[2].text for each in first}) > 1


def test_nothing_is_cut_and_so_no_vocabulary_is_wanted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In an environment of Axolotl's own, without the extra `offline` and without a network."""
    monkeypatch.setenv("TESTS_WITHOUT", "bpe_openai")
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path / "none"))
    program = (
        "from augment_correction.failures import PIPELINE, Failure, make, quiet_config\n"
        "from pathlib import Path\n"
        "[made] = make([Failure('Q', 'good', 'bad', 'wrong', origin='imported')], quiet_config(PIPELINE, Path('made'), 3))\n"
        "print(made.conversations[0].turns[-1].text)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True)
    assert ended.stdout == "good\n", ended.stderr
