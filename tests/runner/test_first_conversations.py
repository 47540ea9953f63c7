"""A model that answers every call and never as it was asked."""

from __future__ import annotations

from augment_correction.errors import ExitCode
from augment_correction.runner.first_conversations import LOST
from tests.projects import MadeProject

AT_ONCE = 4


def lost(project: MadeProject, passages: int, *contains: str) -> None:
    """Those are lost whose passage holds one of the words."""
    project.facts(range(passages))
    rules = "".join(f"- {{contains: {each}, text: I cannot help with this.}}\n" for each in contains)
    project.write("replies.yaml", f"rules:\n{rules}")


def settings(project: MadeProject) -> dict[str, dict[str, object]]:
    script = str(project.root / "replies.yaml")
    return {"api": {"large_script": script}, "system": {"concurrency_limit": AT_ONCE}}


def test_a_run_whose_conversations_are_all_lost_stops_before_it_pays_for_the_rest(project: MadeProject) -> None:
    lost(project, 3 * LOST, "the")
    result = project.run(**settings(project))
    assert result.exit_code is ExitCode.USER and result.kept == 0
    assert result.stopped and f"none of the first {LOST} conversations could be used" in result.stopped
    assert "masked_conversation/missing_field" in result.stopped
    made = result.counts["rejected"]
    assert LOST <= made <= LOST + 4 * AT_ONCE  # those in flight come home
    again = project.again()
    assert LOST <= again.counts["rejected"] - made <= LOST + 4 * AT_ONCE  # the same command goes on with the next


def test_one_that_keeps_a_conversation_goes_on(project: MadeProject) -> None:
    lost(project, LOST + 20, *(f"Ander{digit}" for digit in range(1, 10)))  # all but the first
    result = project.run(**settings(project))
    assert result.stopped is None and result.kept == 1 and result.counts["pending"] == 0


def test_what_a_judge_drops_was_no_conversation(project: MadeProject) -> None:
    project.facts(range(LOST + 10))
    project.write("judge.yaml", 'rules: [{contains: "", text: "Reason: no.\\nVerdict: unsuitable"}]')
    result = project.run(api={"small_script": str(project.root / "judge.yaml")})
    assert result.counts["rejected"] == LOST + 10 and result.stopped == "nothing was kept"
