"""The free checks: what they catch, and what they must leave alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augment_correction.declarations import CheckSpec, CheckStage
from augment_correction.errors import Reject
from augment_correction.stages.base import neutral
from augment_correction.stages.check import Check
from augment_correction.stages.checks import run_checks
from tests.stages.making import Says, record, tools


def reason(check: str, **fields: str) -> str | None:
    try:
        run_checks([CheckSpec(check=check, fields=tuple(fields))], fields)
    except Reject as problem:
        return problem.reason
    return None


class TestDiffer:
    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("It has nine arches.", "It has nine arches."),
            ("It has nine arches.", "it has  **nine** arches!"),
            ("Café", "Cafe\u0301"),
            ("“Nine”, she said", '"Nine" she said.'),
            ("", "  "),
        ],
    )
    def test_case_spacing_emphasis_and_punctuation_make_no_difference(self, one: str, other: str) -> None:
        assert reason("differ", flawed=one, right=other) == "not_different"

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("It has nine arches.", "It has seven arches."),
            ("It is 1.5 m high.", "It is 15 m high."),
            ("It grew by 5 %.", "It grew by 5."),
            ("It fell to -5 degrees.", "It fell to 5 degrees."),
            ("Use C.", "Use C++."),
            ("Use C.", "Use C#."),
            ("True where a < b.", "True where a > b."),
            ("True where a == b.", "True where a != b."),
            ("Yes", "No"),
            ("它有九个拱", "它有七个拱"),
        ],
    )
    def test_a_sign_can_be_all_the_difference(self, one: str, other: str) -> None:
        assert reason("differ", flawed=one, right=other) is None

    @given(st.text())
    def test_nothing_differs_from_itself(self, text: str) -> None:
        assert reason("differ", flawed=text, right=f" {text}\n") == "not_different"


class TestStandsAlone:
    @pytest.mark.parametrize(
        "text",
        [
            "What does the text say about arches?",
            "According to the passage, it has nine arches.",
            "The provided text names nine arches.",
            "As stated in the above excerpt, it is old.",
            "According to the author, it is old.",
            "Laut dem Text hat sie neun Bögen.",
            "Selon le texte, il a neuf arches.",
            "Según el texto, tiene nueve arcos.",
        ],
    )
    def test_speaking_of_a_text_that_the_reader_has_not(self, text: str) -> None:
        assert reason("stands_alone", question=text) == "mentions_text"

    @pytest.mark.parametrize(
        "text",
        [
            "What does the text of the treaty of Ander promise?",
            "How long was the passage of the bill delayed?",
            "Who wrote the text message?",
            "Open it in the text editor.",
            "The Northwest Passage was open that year.",
            "A passage leads to the mill.",
            "How is plain text encoded?",
            "Texts were copied by hand.",
            "According to Ptolemy the earth stands still.",
        ],
    )
    def test_a_text_can_be_the_subject(self, text: str) -> None:
        assert reason("stands_alone", question=text) is None


class TestLinks:
    @pytest.mark.parametrize(
        "text", ["See https://example.org.", "See www.example.org", "See [the map](map.html).", "([1](#note))"]
    )
    def test_links(self, text: str) -> None:
        assert reason("no_links", answer=text) == "has_link"

    @pytest.mark.parametrize(
        "text",
        ["Call `handlers[0](event)`.", "f(x)[1](y)", "An array[i] (of ten).", "It uses http and https.", "a[b](c)"],
    )
    def test_code_is_no_link(self, text: str) -> None:
        assert reason("no_links", answer=text) is None


class TestTags:
    @pytest.mark.parametrize("text", ["</flawed_answer> It", "<think>", "It. </ correct_answer >", "<Verdict>"])
    def test_leftovers_of_our_own_form(self, text: str) -> None:
        assert reason("no_tags", answer=text) == "leftover_tag"

    @pytest.mark.parametrize("text", ["Use <b>bold</b>.", "a <think b", "List<Reply> in C#", "if (a<b && c>d)"])
    def test_other_tags_are_content(self, text: str) -> None:
        assert reason("no_tags", answer=text) is None


async def test_the_check_stage_passes_a_record_through_or_rejects_it() -> None:
    stage = Check(
        CheckStage(stage="check", name="c", checks=(CheckSpec(check="no_links", fields=("passage",)),)),
        None,  # type: ignore[arg-type]
    )
    fine = record()
    (made,) = await stage(fine, tools(Says()))
    assert made.fields == {**fine.fields, "scores": {"no_links": 1.0}}
    with pytest.raises(Reject, match="has_link"):
        await stage(record(passage="https://example.org"), tools(Says()))


class TestNeutral:
    CONTROLS = (
        *(
            "<|im_end|>",
            "<|eot_id|>",
            "<|endoftext|>",
            "<｜end▁of▁sentence｜>",
            "<start_of_turn>",
            "<s>",
            "</s>",
            "<pad>",
        ),
        *("<think>", "</think>", "</passage>", "[INST]", "[/INST]", "<<SYS>>", "<</SYS>>"),
    )

    @pytest.mark.parametrize("control", CONTROLS)
    def test_no_control_string_survives_and_nothing_else_changes(self, control: str) -> None:
        text = f"It ends with {control} here, a < b, x[INSTANCE] and <section>."
        made = neutral(text)
        assert control not in made
        assert made.replace(" ", "") == text.replace(" ", "")
        assert "a < b, x[INSTANCE] and <section>." in made

    @given(
        st.lists(st.sampled_from([*CONTROLS, "<", "|", ">", "[", "]", "a", " ", "/", "\n"]), max_size=12).map("".join)
    )
    def test_however_they_are_put_together(self, text: str) -> None:
        made = neutral(text)
        assert neutral(made) == made
        assert not [control for control in self.CONTROLS if control in made]
        assert made.replace(" ", "") == text.replace(" ", "")
