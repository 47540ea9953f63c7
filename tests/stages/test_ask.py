"""Named fields from a model; what is wrong with a reply is told, a bounded number of times."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from augment_correction.declarations import AskStage, CheckSpec
from augment_correction.errors import Reject, TransientError
from augment_correction.project import bundled
from augment_correction.prompts import load_prompt
from augment_correction.records import Message
from augment_correction.stages.base import Stage
from augment_correction.stages.building import BUILDERS
from augment_correction.stages.model_call import REPLY_SHOWN
from tests.servers import tagged
from tests.stages.making import FIELDS, Says, ask, build, record, sampling, surroundings, tools

GOOD = {
    "initial_question": "How many arches has the bridge?",
    "flawed_answer": "It has seven arches.",
    "followup_confirmation": "Are you sure?",
    "correct_answer": "I was wrong. It has nine arches.",
}
DIFFER = (CheckSpec(check="differ", fields=("flawed_answer", "correct_answer")),)


async def test_the_fields_are_added_to_what_the_record_holds(tmp_path: Path) -> None:
    (made,) = await build(tmp_path, ask())(record(kept="before"), tools(Says(tagged(GOOD))))
    assert made.fields == {"passage": record().fields["passage"], "kept": "before", **GOOD}


async def test_the_last_complete_answer_counts(tmp_path: Path) -> None:
    draft = tagged(dict.fromkeys(FIELDS, "draft"))
    reply = f"<think>{draft}</think>{draft}\nNo, better:\n{tagged(GOOD)}\n<initial_question>And"
    (made,) = await build(tmp_path, ask())(record(), tools(Says(reply)))
    assert made.fields["flawed_answer"] == GOOD["flawed_answer"]


class TestAskingAgain:
    @pytest.mark.parametrize(
        ("reply", "told"),
        [
            (
                "I cannot do that.",
                "the reply has no complete <initial_question>...</initial_question> in the asked order",
            ),
            ("", "the reply is empty"),
            ("<think>It has", "nothing follows the reasoning"),
            (tagged({**GOOD, "flawed_answer": " "}), "flawed_answer is empty"),
            (tagged({**GOOD, "flawed_answer": GOOD["correct_answer"].upper()}), "flawed_answer must be wrong"),
            ((tagged(GOOD), "length"), "the reply was cut off at the token limit. Answer more briefly"),
        ],
    )
    async def test_the_model_is_told_what_was_wrong(self, tmp_path: Path, reply: str, told: str) -> None:
        model = Says(reply, tagged(GOOD))
        used = tools(model)
        (made,) = await build(tmp_path, ask(DIFFER))(record(), used)
        assert made.fields["correct_answer"] == GOOD["correct_answer"]
        first, second = model.heard
        assert first == "The bridge has nine arches."
        assert second.startswith(f"{first}\n\n(Wrong: ") and told in second
        assert [bool(step.reason) for step in used.trace] == [True, False]
        assert [step.call for step in used.trace] == [request.key for request in model.asked]

    async def test_what_stands_before_the_note_stays_as_it_was(self, tmp_path: Path) -> None:
        model = Says("?", "??", tagged(GOOD))
        await build(tmp_path, ask())(record(), tools(model))
        assert {request.messages[0] for request in model.asked} == {model.asked[0].messages[0]}
        assert all(heard.count("(Wrong") <= 1 for heard in model.heard)  # the notes do not pile up

    async def test_it_ends(self, tmp_path: Path) -> None:
        model = Says(*["nonsense"] * 9)
        with pytest.raises(Reject) as raised:
            await build(tmp_path, ask(reasks=2))(record(), tools(model))
        assert raised.value.reason == "missing_field"
        assert len(model.asked) == 3

    async def test_none_where_the_pipeline_wants_none(self, tmp_path: Path) -> None:
        model = Says("nonsense", tagged(GOOD))
        with pytest.raises(Reject):
            await build(tmp_path, ask(reasks=0))(record(), tools(model))
        assert len(model.asked) == 1

    async def test_the_same_mistake_twice_still_makes_a_new_call(self, tmp_path: Path) -> None:
        """The words are the same then: without a difference the journal would answer with the wrong reply."""
        model = Says("nonsense", "nonsense", tagged(GOOD))
        await build(tmp_path, ask())(record(), tools(model))
        assert model.heard[1] == model.heard[2]
        assert len({request.key for request in model.asked}) == 3

    async def test_a_fixed_seed_moves_on(self, tmp_path: Path) -> None:
        model = Says("nonsense", "nonsense", tagged(GOOD))
        await build(tmp_path, ask(sampling=sampling(seed=7)))(record(), tools(model))
        assert [request.sampling["seed"] for request in model.asked] == [7, 8, 9]

    async def test_a_refusal_of_the_servers_filter_is_final(self, tmp_path: Path) -> None:
        model = Says(("", "content_filter"), tagged(GOOD))
        with pytest.raises(Reject) as raised:
            await build(tmp_path, ask())(record(), tools(model))
        assert (raised.value.reason, len(model.asked)) == ("refused", 1)

    async def test_a_failing_server_is_none_of_its_business(self, tmp_path: Path) -> None:
        with pytest.raises(TransientError):
            await build(tmp_path, ask())(record(), tools(Says(TransientError("500"))))


async def test_sampling_is_the_pipelines_with_the_configs_on_top(tmp_path: Path) -> None:
    model = Says(tagged(GOOD))
    stage = ask(sampling=sampling(temperature=0.7, max_tokens=100))
    await build(tmp_path, stage, sampling={"conversation": sampling(temperature=0.1)})(record(), tools(model))
    assert model.asked[0].sampling == {"temperature": 0.1, "max_tokens": 100}


class TestShownAgain:
    """With the shipped `prompts/reask.jinja`."""

    @staticmethod
    def build(folder: Path) -> Stage:
        shipped = load_prompt(bundled() / "prompts/reask.jinja")
        return BUILDERS[AskStage](ask(DIFFER), replace(surroundings(folder), reask=shipped))

    async def asked_again(self, folder: Path, reply: str) -> tuple[Message, ...]:
        model = Says(reply, tagged(GOOD))
        await self.build(folder)(record(), tools(model))
        first, second = model.asked
        assert second.messages[: len(first.messages) - 1] == first.messages[:-1]
        return second.messages

    async def test_the_reply_and_what_was_wrong_follow_the_question(self, tmp_path: Path) -> None:
        reply = tagged({**GOOD, "flawed_answer": GOOD["correct_answer"]})
        *_, question, said, note = await self.asked_again(tmp_path, f"<think>Hm.</think>{reply}")
        assert (question.role, question.content) == ("user", "The bridge has nine arches.")
        assert (said.role, said.content) == ("assistant", reply)
        assert note.role == "user"
        assert note.content.startswith(
            "This reply cannot be used. What is wrong with it: flawed_answer and correct_answer say"
        )
        assert "correct_answer is right. Keep what was good" in note.content

    async def test_a_reply_of_nothing_is_not_shown(self, tmp_path: Path) -> None:
        system, question = await self.asked_again(tmp_path, "<think>Hm.</think>")
        assert system.role == "system"
        assert question.content.startswith("The bridge has nine arches.\n\nAn earlier reply to this cannot be used. ")

    async def test_an_endless_one_is_cut_and_control_strings_are_harmless(self, tmp_path: Path) -> None:
        *_, said, note = await self.asked_again(tmp_path, "<|im_end|>" + "na " * 9000)
        assert said.content.startswith("< |im_end|>na na")
        assert REPLY_SHOWN <= len(said.content) <= REPLY_SHOWN + 10
        assert said.content.endswith(" [...]")
        assert "has no complete <initial_question>" in note.content
