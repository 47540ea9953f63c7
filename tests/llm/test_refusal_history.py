from __future__ import annotations

import asyncio

import pytest

from augment_correction.errors import ModelError, ModelUnusable, RequestRefused
from augment_correction.llm import refusal_history
from augment_correction.llm.refusal_history import FIRST_REFUSED, FORBIDDEN_IN_A_ROW, RefusalHistory
from augment_correction.llm.refusals import Moderated
from tests.llm.metering import NAMED


async def refuse(
    own: RefusalHistory, words: str, *, stage: str = "write", before: asyncio.Event | None = None
) -> ModelError:
    with own.asking(stage):
        if before is not None:
            await before.wait()
    return await own.settle(stage, RequestRefused(words, status=400))


class TestFirstRefusals:
    async def test_alike_stop_the_run_with_the_servers_words(self) -> None:
        own = RefusalHistory(NAMED)
        made = [
            await refuse(own, f"m: HTTP 400: logprobs {number} is not what it was") for number in range(FIRST_REFUSED)
        ]
        assert [type(each) for each in made] == [RequestRefused] * (FIRST_REFUSED - 1) + [ModelUnusable]
        assert "the first 5 calls of the stage 'write' were all refused: m: HTTP 400: logprobs" in str(made[-1])
        assert made[-1].hint is not None and "sampling.write" in made[-1].hint
        assert all(each.unproven for each in made if isinstance(each, RequestRefused))

    async def test_of_calls_in_flight_none_is_rejected(self) -> None:
        own, gate = RefusalHistory(NAMED), asyncio.Event()
        tasks = [asyncio.create_task(refuse(own, "no", before=gate)) for _ in range(12)]
        await asyncio.sleep(0)
        gate.set()
        assert {type(each) for each in await asyncio.gather(*tasks)} == {ModelUnusable}

    async def test_of_one_stage_among_answers_are_the_passages_own(self) -> None:
        own, gate = RefusalHistory(NAMED), asyncio.Event()
        tasks = [asyncio.create_task(refuse(own, "no")) for _ in range(FIRST_REFUSED - 1)]
        with own.asking("write"):
            await asyncio.sleep(0.01)
            assert not any(task.done() for task in tasks), "they wait for what becomes of the others"
            own.answered("write")
        made = await asyncio.gather(*tasks)
        assert not any(each.unproven for each in made if isinstance(each, RequestRefused))
        gate.set()
        for _ in range(2 * FIRST_REFUSED):
            assert type(await refuse(own, "no", before=gate)) is RequestRefused

    async def test_in_other_words_or_of_other_stages_are_counted_apart(self) -> None:
        own = RefusalHistory(NAMED)
        for number in range(FIRST_REFUSED):
            assert type(await refuse(own, ("too long", "no such tool")[number % 2])) is RequestRefused
            assert type(await refuse(own, "no", stage=f"stage {number}")) is RequestRefused

    async def test_by_a_moderation_never_stop_a_run(self) -> None:
        own = RefusalHistory(NAMED)
        for _ in range(2 * FIRST_REFUSED):
            made = await own.settle("write", Moderated("flagged", status=400))
            assert type(made) is Moderated and not made.unproven

    async def test_for_length_name_what_to_shorten(self) -> None:
        own = RefusalHistory(NAMED)
        made = [await refuse(own, "maximum context length is 2048 tokens") for _ in range(FIRST_REFUSED)][-1]
        assert made.hint is not None and "system.chunk_size" in made.hint


class TestForbidden:
    def test_before_any_answer_it_is_the_key(self) -> None:
        failure = ModelUnusable("403", status=403)
        assert RefusalHistory(NAMED).forbidden(failure) is failure

    def test_after_answers_it_is_the_passage(self) -> None:
        own = RefusalHistory(NAMED)
        own.answered("judge")
        assert type(own.forbidden(ModelUnusable("403", status=403))) is RequestRefused
        other = ModelUnusable("401", status=401)
        assert own.forbidden(other) is other

    def test_many_in_a_row_are_the_key_again(self) -> None:
        own = RefusalHistory(NAMED)
        own.answered("judge")
        made = [own.forbidden(ModelUnusable("403", status=403)) for _ in range(FORBIDDEN_IN_A_ROW)]
        assert [type(each) for each in made[:-1]] == [RequestRefused] * (FORBIDDEN_IN_A_ROW - 1)
        assert type(made[-1]) is ModelUnusable

    def test_an_answer_between_them_starts_the_count_anew(self) -> None:
        own = RefusalHistory(NAMED)
        for _ in range(2 * FORBIDDEN_IN_A_ROW):
            own.answered("judge")
            assert type(own.forbidden(ModelUnusable("403", status=403))) is RequestRefused

    def test_the_journals_answers_say_nothing_about_todays_key(self) -> None:
        own = RefusalHistory(NAMED)
        own.known("judge")
        assert type(own.forbidden(ModelUnusable("403", status=403))) is ModelUnusable


@pytest.mark.parametrize(
    ("one", "other"),
    [("m: 'a' at 12 is bad", "m: 'bc' at 7 is bad"), ('"x" is not "y"', '"z" is not "w"'), ("`a` no", "`b` no")],
)
def test_what_counts_as_the_same_words(one: str, other: str) -> None:
    assert refusal_history._shape(one) == refusal_history._shape(other)
    assert refusal_history._shape(one) != refusal_history._shape("entirely different")
