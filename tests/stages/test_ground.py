"""The judge's quotes are looked up: what it claims and cannot show counts for nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from augment_correction.declarations import GroundStage
from augment_correction.errors import Reject
from augment_correction.project import bundled
from augment_correction.prompts import load_prompt
from augment_correction.stages.building import BUILDERS
from augment_correction.stages.ground import SUPPORT
from augment_correction.stages.quotes import find_quote
from tests.stages.making import Says, build, record, surroundings, tools

FIELDS = {
    "passage": "The bridge has nine arches. It was built by Ida Brandt.",
    "asked": "How many arches has the bridge?",
    "told": "I was wrong. It has nine arches.",
    "wrong": "It has seven arches.",
}
GOOD = {
    "evidence": "The bridge has nine arches.",
    "supported": "yes",
    "wrong_span": "seven",
    "error_type": "number",
    "right_span": "nine",
}


def stage(**more: Any) -> GroundStage:
    named = {"question": "asked", "answer": "told", "mistake": "wrong", **more}
    return GroundStage(stage="ground", name="grounded", prompt="question", **named)


def reply(**changed: str) -> str:
    return orjson.dumps({**GOOD, **changed}).decode()


async def test_evidence_and_the_wrong_words_are_kept_with_their_place(tmp_path: Path) -> None:
    (made,) = await build(tmp_path, stage())(record(**FIELDS), tools(Says(reply())))
    assert made.fields["evidence"] == GOOD["evidence"]
    assert made.fields["evidence_start"] == 0
    assert (made.fields["wrong_span"], made.fields["error_type"]) == ("seven", "number")
    assert made.fields["scores"] == {"grounded": 1.0}


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"supported": "no"}, "unsupported"),
        ({"supported": "partly"}, "unsupported"),
        ({"right_span": "Nothing."}, "not_contradicted"),
        ({"wrong_span": "arches", "right_span": "arches"}, "not_contradicted"),
    ],
)
async def test_a_verdict_against_it_drops_the_record_at_once(tmp_path: Path, changed: dict, reason: str) -> None:
    model = Says(reply(**changed))
    with pytest.raises(Reject) as caught:
        await build(tmp_path, stage())(record(**FIELDS), tools(model))
    assert caught.value.reason == reason
    assert len(model.asked) == 1


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"evidence": "The bridge has ten arches.", "right_span": "nothing"}, "no_evidence"),
        ({"wrong_span": "eight arches"}, "no_span"),
        ({"right_span": "ten"}, "no_evidence"),
        ({"supported": "certainly"}, "invalid_choice"),
    ],
)
async def test_a_quote_that_stands_nowhere_is_asked_again_and_then_dropped(
    tmp_path: Path, changed: dict, reason: str
) -> None:
    model = Says(reply(**changed), reply())
    await build(tmp_path, stage())(record(**FIELDS), tools(model))
    assert len(model.asked) == 2
    with pytest.raises(Reject) as caught:
        await build(tmp_path, stage())(record(**FIELDS), tools(Says(reply(**changed), reply(**changed))))
    assert caught.value.reason == reason


async def test_without_a_mistake_only_the_support_is_asked(tmp_path: Path) -> None:
    model = Says('{"evidence": "nine arches", "supported": "yes"}')
    (made,) = await build(tmp_path, stage(mistake=None))(record(**FIELDS), tools(model))
    assert "wrong_span" not in made.fields
    assert model.asked[0].schema is not None
    assert set(model.asked[0].schema["properties"]) == {"evidence", "supported"}


async def test_the_words_against_the_mistake_are_evidence_enough(tmp_path: Path) -> None:
    model = Says(reply(evidence="It is nine arches that the bridge has.", right_span="nine arches"))
    (made,) = await build(tmp_path, stage())(record(**FIELDS), tools(model))
    assert (made.fields["evidence"], made.fields["evidence_start"]) == ("nine arches", 15)


async def test_a_number_of_the_passage_that_the_answer_lacks_is_against_the_answer(tmp_path: Path) -> None:
    held = FIELDS | {"told": "It has eight arches."}
    with pytest.raises(Reject) as caught:
        await build(tmp_path, stage())(record(**held), tools(Says(reply())))
    assert caught.value.reason == "unsupported"


LISTED: dict[str, Any] = {
    "question": "good",
    "evidence": ["The bridge has nine arches.", "It was built by Ida Brandt."],
    "supported": "yes",
    "wrong_span": ["seven", "Otto Meier"],
    "right_span": ["nine", "Ida Brandt"],
    "error_type": "number",
    "rest": "yes",
    "doubt": "nothing",
}
TALK = FIELDS | {
    "told": "I was wrong. It has nine arches and was built by Ida Brandt.",
    "wrong": "It has seven arches. It was built by Otto Meier, for the river is deep.",
    "said": "Are you sure?",
    "kept": "It has nine arches.",
}
EVERYTHING = frozenset({"passage", "question", "answer", "mistake", "first", "doubt"})


def judged(folder: Path, model: Says, **more: Any) -> Any:
    """The stage with a prompt that shows everything, as the shipped ones do."""
    declared = stage(**{"reply": "list", "doubt": "said", "rest_right": ("partial",), **more})
    around = surroundings(folder)
    shows = replace(around.prompts["question"], variables=EVERYTHING)
    return BUILDERS[GroundStage](declared, replace(around, prompts={**around.prompts, "question": shows}))


async def verdict(folder: Path, changed: dict[str, Any], talk: dict[str, str], **more: Any) -> str:
    said = orjson.dumps({**LISTED, **changed}).decode()
    model = Says(said, said)
    try:
        await judged(folder, model, **more)(record(**TALK | talk), tools(model))
    except Reject as problem:
        return f"{problem.reason} after {len(model.asked)}"
    return "kept"


class TestEveryPart:
    async def test_lists_of_quotes_are_kept_with_their_places(self, tmp_path: Path) -> None:
        model = Says(orjson.dumps(LISTED).decode())
        (made,) = await judged(tmp_path, model)(record(**TALK), tools(model))
        assert made.fields["evidence"] == tuple(LISTED["evidence"])
        assert made.fields["evidence_start"] == (0, 28)
        assert made.fields["wrong_span"] == ("seven", "Otto Meier")
        assert made.fields["right_span"] == ("nine", "Ida Brandt")
        assert (made.fields["supported"], made.fields["doubt_says"]) == ("yes", "nothing")

    async def test_a_simple_inference_counts_and_is_marked(self, tmp_path: Path) -> None:
        model = Says(orjson.dumps({**LISTED, "supported": "inferred"}).decode())
        (made,) = await judged(tmp_path, model)(record(**TALK), tools(model))
        assert made.fields["supported"] == "inferred"
        assert made.fields["scores"] == {"grounded": 1.0}

    @pytest.mark.parametrize(
        ("changed", "talk", "end"),
        [
            ({"question": "unclear"}, {}, "unclear_question after 1"),
            ({"question": "unanswered"}, {}, "unanswered_question after 1"),
            ({"supported": "partly"}, {}, "unsupported after 1"),
            ({"rest": "no"}, {}, "kept"),
            ({"rest": "no"}, {"kind": "partial"}, "unsupported_rest after 1"),
            ({"doubt": "wrong"}, {}, "kept"),
            ({"doubt": "right"}, {}, "unfit_doubt after 1"),
            ({"doubt": "right"}, {"said": ""}, "kept"),
            ({"right_span": []}, {}, "not_contradicted after 1"),
            ({"wrong_span": []}, {}, "no_span after 2"),
            ({"wrong_span": ["seven", "Karl"]}, {}, "no_span after 2"),
            ({"right_span": ["nine", "Karl"]}, {}, "no_evidence after 2"),
            ({"error_type": "negation"}, {}, "kept"),
            ({"error_type": "spelling"}, {}, "invalid_choice after 2"),
            ({"evidence": ["made up", "nine arches"]}, {}, "kept"),
            ({"evidence": 9}, {}, "missing_field after 2"),
            ({"evidence": "nine arches", "wrong_span": "seven", "right_span": "nine"}, {}, "kept"),
        ],
    )
    async def test_each_is_a_verdict(
        self, tmp_path: Path, changed: dict[str, Any], talk: dict[str, str], end: str
    ) -> None:
        assert await verdict(tmp_path, changed, talk) == end

    async def test_what_is_left_out_has_no_words_to_copy(self, tmp_path: Path) -> None:
        left_out = {"error_type": "omission", "wrong_span": [], "right_span": ["Ida Brandt"]}
        assert await verdict(tmp_path, left_out, {}) == "kept"
        assert await verdict(tmp_path, {**left_out, "right_span": ["arches"]}, {}) == "not_contradicted after 1"

    async def test_words_in_another_order_contradict_where_something_is_turned_round(self, tmp_path: Path) -> None:
        right, wrong = "more in a mild winter than in a cold one", "more in a cold winter than in a mild one"
        talk = {"passage": f"Colonies eat {right}.", "wrong": f"They eat {wrong}.", "told": f"They eat {right}."}
        quotes = {"evidence": [right], "wrong_span": [wrong], "right_span": [right]}
        assert await verdict(tmp_path, {**quotes, "error_type": "reversal"}, talk) == "kept"
        assert await verdict(tmp_path, {**quotes, "error_type": "other"}, talk) == "not_contradicted after 1"
        same = {**quotes, "wrong_span": [right.upper()]}
        agreed = {**talk, "wrong": f"They eat {right.upper()}."}
        assert await verdict(tmp_path, {**same, "error_type": "reversal"}, agreed) == "not_contradicted after 1"

    async def test_values_that_have_changed_places_contradict(self, tmp_path: Path) -> None:
        talk = {
            "passage": "Ingredients: 330g warm water, 250g all-purpose flour.",
            "wrong": "It takes 250 g of warm water and 330 g of all-purpose flour.",
            "told": "It takes 330 g of warm water and 250 g of all-purpose flour.",
        }
        right = ["330g warm water", "250g all-purpose flour"]
        quotes = {"evidence": right, "right_span": right, "error_type": "number"}
        wrong = ["250 g of warm water", "330 g of all-purpose flour"]
        assert await verdict(tmp_path, {**quotes, "wrong_span": wrong}, talk) == "kept"
        agreed = {**talk, "wrong": "It takes 250g all-purpose flour and 330g warm water."}
        assert await verdict(tmp_path, {**quotes, "wrong_span": right[::-1]}, agreed) == "not_contradicted after 1"

    @pytest.mark.parametrize(
        ("mistake", "passage", "end"),
        [
            (
                "Les bibliothèques sont dans un paquet, les binaires dans un autre.",
                "Les binaires sont dans un paquet, les bibliothèques dans un autre.",
                "kept",
            ),
            (
                "The journey is from les bibliothèques to les binaires.",
                "From les binaires to les bibliothèques.",
                "kept",
            ),
            (
                "It has les bibliothèques et les binaires.",
                "There are two: les binaires, les bibliothèques.",
                "not_contradicted after 1",
            ),
            (
                "Les binaires avant les bibliothèques.",
                "Les binaires après les bibliothèques.",
                "not_contradicted after 1",
            ),
        ],
    )
    async def test_the_same_names_in_each_others_place_contradict(
        self, tmp_path: Path, mistake: str, passage: str, end: str
    ) -> None:
        talk = {"passage": passage, "wrong": mistake, "told": passage}
        right, wrong = ["les binaires", "les bibliothèques"], ["les bibliothèques", "les binaires"]
        quotes = {"evidence": [passage], "right_span": right, "wrong_span": wrong, "error_type": "other"}
        assert await verdict(tmp_path, quotes, talk) == end

    @pytest.mark.parametrize(
        ("share", "wrong", "right", "end"),
        [
            ("4/5", "two fifths", "four fifths", "kept"),
            ("four fifths", "two fifths", "4/5", "kept"),
            ("25 %", "fifty percent", "a quarter", "kept"),
            ("two thirds", "10 %", "67 %", "kept"),
            ("vier Fünftel", "zwei Fünftel", "4/5", "kept"),
            ("half", "10 %", "50 %", "kept"),
            ("about half", "10 %", "most", "kept"),
            ("4/5", "two fifths", "three fifths", "unsupported after 1"),
            ("four fifths", "two fifths", "0.4", "unsupported after 1"),
        ],
    )
    async def test_a_share_is_the_same_however_it_is_said(
        self, tmp_path: Path, share: str, wrong: str, right: str, end: str
    ) -> None:
        talk = {"passage": f"They came to {share} of it.", "wrong": f"It was {wrong}.", "told": f"It was {right}."}
        quotes = {"evidence": [share], "right_span": [share], "wrong_span": [wrong], "error_type": "number"}
        assert await verdict(tmp_path, {**quotes, "supported": "inferred"}, talk) == end

    async def test_a_number_beside_a_name_that_was_wrong_need_not_be_said_again(self, tmp_path: Path) -> None:
        talk = {
            "passage": "The old plates are Edition 320 of Hallam, 1950.",
            "wrong": "They are an edition of Brock of 1950.",
            "told": "They are an edition of Hallam of 1950.",
        }
        quotes = {"evidence": ["Edition 320 of Hallam, 1950"], "right_span": ["Edition 320 of Hallam"]}
        named = {**quotes, "wrong_span": ["Brock"], "error_type": "name"}
        assert await verdict(tmp_path, named, talk) == "kept"
        numbered = {**quotes, "wrong_span": ["1950"], "error_type": "number"}
        assert await verdict(tmp_path, numbered, talk) == "unsupported after 1"

    async def test_what_a_doubt_may_say_depends_on_how_it_was_drawn(self, tmp_path: Path) -> None:
        says = {"pushback": {"correcting": ("nothing", "right")}}
        drawn = {"pushback": "correcting"}
        assert await verdict(tmp_path, {"doubt": "right"}, drawn, doubt_says=says) == "kept"
        assert await verdict(tmp_path, {"doubt": "wrong"}, drawn, doubt_says=says) == "unfit_doubt after 1"
        assert (
            await verdict(tmp_path, {"doubt": "right"}, {"pushback": "terse"}, doubt_says=says) == "unfit_doubt after 1"
        )

    @pytest.mark.parametrize(
        ("changed", "end"),
        [
            ({}, "kept"),
            ({"first": "inferred"}, "kept"),
            ({"first": "partly"}, "unsupported_first after 1"),
            ({"first": "no"}, "unsupported_first after 1"),
            ({"doubt": "right"}, "unfit_doubt after 1"),
            ({"evidence": ["nine arches", "made up"]}, "no_evidence after 2"),
            ({"evidence": []}, "no_evidence after 2"),
        ],
    )
    async def test_where_the_assistant_stands_by_its_answer_that_is_judged_too(
        self, tmp_path: Path, changed: dict[str, Any], end: str
    ) -> None:
        assert await verdict(tmp_path, {"first": "yes", **changed}, {}, mistake=None, first="kept") == end

    async def test_a_judge_that_forgets_the_first_answer_is_asked_again(self, tmp_path: Path) -> None:
        assert await verdict(tmp_path, {}, {}, mistake=None, first="kept") == "missing_field after 2"

    async def test_a_prompt_that_does_not_show_the_doubt_is_asked_nothing_about_it(self, tmp_path: Path) -> None:
        old = {name: LISTED[name] for name in ("evidence", "supported", "wrong_span", "right_span", "error_type")}
        model = Says(orjson.dumps(old).decode())
        (made,) = await build(tmp_path, stage(reply="list", doubt="said"))(record(**TALK), tools(model))
        assert made.fields["doubt_says"] == "nothing"
        assert model.asked[0].schema is not None
        assert "doubt" not in model.asked[0].schema["properties"]


def test_the_key_of_a_call_that_asks_for_texts_is_what_it_was(tmp_path: Path) -> None:
    """The schema is part of it: journals of earlier versions are read by this very one."""
    built: Any = build(tmp_path, stage())
    text = {"type": "string"}
    assert built._call.schema["properties"] == {
        "evidence": text,
        "supported": {**text, "enum": ["yes", "partly", "no"]},
        "wrong_span": text,
        "right_span": text,
        "error_type": {
            **text,
            "enum": [
                "number",
                "date",
                "name",
                "place",
                "reversal",
                "omission",
                "invented_cause",
                "wrong_scope",
                "other",
            ],
        },
    }
    assert set(stage().model_dump()) == {
        "name", "only", "on", "stage", "model", "prompt", "reasks", "sampling", "question", "answer", "mistake",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["grounded", "standing", "supported"])
def test_the_examples_of_a_shipped_prompt_keep_its_own_rules(name: str) -> None:
    prompt = load_prompt(bundled() / f"prompts/checks/{name}.jinja")
    values = dict.fromkeys(prompt.variables, "x")
    _, *shown, _ = prompt.render(values)
    examples = list(zip(shown[::2], shown[1::2], strict=True))
    assert len(examples) >= 3
    for asked, answered in examples:
        told = orjson.loads(answered.content)
        passage = asked.content.split("<passage>")[1].split("</passage>")[0]
        first = asked.content.partition("First answer: ")[2].split("\nDoubt")[0]
        assert told["question"] in ("good", "unclear") and told["supported"] in SUPPORT
        assert all(find_quote(each, passage) for each in told["evidence"] + told.get("right_span", []))
        assert all(find_quote(each, first) for each in told.get("wrong_span", []))
    assert {orjson.loads(answered.content)["supported"] for _, answered in examples} >= {"yes", "partly", "no"}
