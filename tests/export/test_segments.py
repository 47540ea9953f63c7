from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from augment_correction.errors import ConfigError
from augment_correction.export import ChatTemplate, render, segments
from augment_correction.export.segments import (
    Segment,
    Zone,
    answer_end,
    before_space,
    generation_prompt,
    turn_end,
    zones,
)
from tests.export.conversations import STRIPPED, TEMPLATES, TEXTS, conversation, noticed

four = st.tuples(TEXTS, TEXTS, TEXTS, TEXTS)


def labels_by_character(parts: list[Segment]) -> list[bool]:
    return [part.label for part in parts for _ in part.text]


@pytest.mark.parametrize("name", TEMPLATES)
@settings(max_examples=60)
@given(texts=four, correction_only=st.booleans())
def test_joined_segments_are_the_rendering_and_the_mask_is_exact(
    name: str, texts: tuple[str, str, str, str], correction_only: bool
) -> None:
    template = TEMPLATES[name]
    made = conversation(*texts, correction_only=correction_only)
    rendering = render(made, template)
    parts = segments(made, template)
    assert "".join(part.text for part in parts) == rendering.text
    assert rendering.text == template.render([{"role": turn.role, "content": turn.text} for turn in made.turns])
    labels = labels_by_character(parts)
    for turn, (start, text_end, end) in zip(made.turns, rendering.spans, strict=True):
        assert rendering.text[start:text_end].strip() == turn.text.strip()
        assert set(labels[start:end]) <= {turn.train}
    assert all(part.text for part in parts)
    assert all(one.label != other.label for one, other in pairwise(parts))


@pytest.mark.parametrize("name", TEMPLATES)
@settings(max_examples=30)
@given(texts=st.tuples(STRIPPED, STRIPPED, STRIPPED, STRIPPED))
def test_the_template_is_masked_only_where_a_space_stands_before_a_word(
    name: str, texts: tuple[str, str, str, str]
) -> None:
    made = conversation(*texts)
    rendering = render(made, TEMPLATES[name])
    labels = labels_by_character(segments(made, TEMPLATES[name]))
    for zone in zones(made, rendering):
        wrong = [i for i in range(zone.start, zone.end) if labels[i] != zone.label]
        assert zone.kind == "scaffold" or not wrong
        assert all(rendering.text[i] == " " for i in wrong)


@pytest.mark.parametrize("name", TEMPLATES)
@settings(max_examples=60)
@given(
    texts=st.tuples(STRIPPED, STRIPPED, STRIPPED, STRIPPED),
    own=st.tuples(STRIPPED, STRIPPED, STRIPPED),
    joint=st.sampled_from([" ", "\n"]),
)
def test_exactly_the_masked_characters_and_messages_are_unlabelled(
    name: str, texts: tuple[str, str, str, str], own: tuple[str, str, str], joint: str
) -> None:
    made = conversation(*texts)
    made = replace(made, turns=made.turns + noticed(*own, joint=joint).turns)
    rendering = render(made, TEMPLATES[name])
    parts = segments(made, TEMPLATES[name])
    assert "".join(part.text for part in parts) == rendering.text
    expected = [True] * len(rendering.text)
    for turn, (start, text_end, end) in zip(made.turns, rendering.spans, strict=True):
        masked = start + turn.masked if turn.train else end
        expected[start:masked] = [False] * (masked - start)
        assert turn.train or masked >= text_end
    for index, (label, should) in enumerate(zip(labels_by_character(parts), expected, strict=True)):
        assert label == should or (should and rendering.text[index] == " "), "a header's space goes with the mistake"


def test_zones_cover_the_rendering() -> None:
    made = conversation("Q", "A", "Sure?", "B")
    rendering = render(made, TEMPLATES["chatml"])
    places = zones(made, rendering)
    assert "".join(rendering.text[zone.start : zone.end] for zone in places) == rendering.text
    assert [zone.kind for zone in places[:4]] == ["scaffold", "message", "end", "scaffold"]


def test_the_mistake_is_masked_with_its_end_of_turn_and_nothing_else() -> None:
    parts = segments(conversation("Which?", "No", "Sure? No?", "No, I said No."), TEMPLATES["chatml"])
    assert [part.text for part in parts if not part.label] == ["No<|im_end|>\n"]


def test_a_mistake_that_the_same_message_corrects_is_masked_and_nothing_else() -> None:
    made = noticed(
        "When does water boil?", "Water boils at 90 degrees.", "Wait, that is wrong: it boils at 100 degrees."
    )
    parts = segments(made, TEMPLATES["llama3 (trims)"])
    assert [part.label for part in parts] == [True, False, True]
    assert parts[1].text == "Water boils at 90 degrees."
    assert parts[2].text == " Wait, that is wrong: it boils at 100 degrees.<|eot_id|>"


def test_a_cut_stands_before_the_space() -> None:
    parts = segments(conversation("Q", "wrong", "Sure?", "right"), TEMPLATES["augmentoolkit"])
    assert [part.text for part in parts if not part.label] == [" wrong **Finished.**\n"]


def test_a_space_of_the_message_stays_in_it() -> None:
    made = conversation("Q ", " wrong", "Sure?", "right")
    rendering = render(made, TEMPLATES["nothing around"])
    places = zones(made, rendering)
    assert before_space(rendering.text, 2, places) == 2


BROKEN = {
    "drops": "{% for m in messages %}{% if m.role == 'user' %}{{ m.content }}\n{% endif %}{% endfor %}",
    "repeats": "{% for m in messages %}{{ m.content }} {{ m.content }}\n{% endfor %}",
    "reorders or rewrites": "{% for m in messages | reverse %}{{ m.content }}\n{% endfor %}",
    "cannot render": "{% for m in messages %}{{ raise_exception('only one turn') }}{% endfor %}",
    "not valid Jinja2": "{% for m in messages %}{{ m.content }}",
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_template_that_cannot_carry_a_mask_is_refused_with_its_name(what: str) -> None:
    with pytest.raises(ConfigError, match=what) as raised:
        segments(conversation("Which?", "A", "Sure?", "B"), ChatTemplate("mine", BROKEN[what]))
    assert "mine" in str(raised.value)


def test_a_template_that_rewrites_is_refused() -> None:
    template = ChatTemplate("mine", "{% for m in messages %}{{ m.content | upper }}\n{% endfor %}")
    with pytest.raises(ConfigError, match="reorders or rewrites message 1"):
        segments(conversation("Which?", "A", "Sure?", "B"), template)


def test_a_template_that_looks_into_a_message_is_refused() -> None:
    source = "{% for m in messages %}{{ m.content }}{% if m.content == 'No' %}!{% endif %}\n{% endfor %}"
    with pytest.raises(ConfigError, match="depending on the content of a message"):
        segments(conversation("Which?", "No", "Sure?", "B"), ChatTemplate("mine", source))


@pytest.mark.parametrize(
    ("name", "ending", "opening"),
    [
        ("chatml", "<|im_end|>\n", "<|im_start|>assistant\n"),
        ("llama3 (trims)", "<|eot_id|>", "<|start_header_id|>assistant<|end_header_id|>\n\n"),
        ("inst (alternating, space before)", "</s>", ""),
        ("augmentoolkit", " **Finished.**\n", "AI:"),
        ("vicuna", "</s>", " ASSISTANT:"),
    ],
)
def test_what_ends_and_what_opens_an_answer(name: str, ending: str, opening: str) -> None:
    assert answer_end(TEMPLATES[name]) == ending
    assert generation_prompt(TEMPLATES[name]).strip() == opening.strip()


@pytest.mark.parametrize(
    ("name", "opening", "ending"),
    [
        ("chatml", "<|im_start|>assistant\n", "<|im_end|>\n"),
        ("vicuna", "ASSISTANT:", "</s>"),
        ("a preface", "### Assistant:\n", "\n\n"),
        ("nothing around", "", ""),
    ],
)
def test_what_opens_and_what_ends_an_answer(name: str, opening: str, ending: str) -> None:
    assert (generation_prompt(TEMPLATES[name]), answer_end(TEMPLATES[name])) == (opening, ending)


@pytest.mark.parametrize(
    ("text", "kind", "cut"),
    [
        ("ab cd", "scaffold", 2),
        ("ab cd", "message", 3),
        ("ab  d", "scaffold", 3),
        ("ab ", "scaffold", 2),
        ("abccd", "scaffold", 3),
    ],
)
def test_a_cut_behind_a_templates_space_before_a_word_stands_before_it(text: str, kind: Any, cut: int) -> None:
    """A space of a message is its own, and of two spaces each has its side."""
    other: Any = "scaffold" if kind == "message" else "message"
    places = [Zone(0, 1, True, other), Zone(1, 3, False, kind), Zone(3, 5, True, other)]
    assert before_space(text, 3, places) == cut


def test_a_space_between_the_end_of_a_turn_and_the_next_word_is_the_words() -> None:
    template = ChatTemplate("spaced", "{% for m in messages %}{{ m.role }}: {{ m.content }}</s> {% endfor %}")
    made = conversation("Which?", "wrong", "Sure?", "right")
    rendering = render(made, template)
    ends = [rendering.text[zone.start : zone.end] for zone in zones(made, rendering) if zone.kind == "end"]
    assert ends == ["</s>", "</s>", "</s>", "</s> "]


def test_where_a_template_refuses_a_part_the_last_turn_of_a_role_shows_its_end() -> None:
    """It wants two messages or more: what stands behind the first is seen behind the last of its role, or nowhere."""
    template = ChatTemplate(
        "two",
        "{% if messages | length < 2 %}{{ raise_exception('two') }}{% endif %}"
        "{% for m in messages %}<{{ m.role }}>{{ m.content }}</{{ m.role }}>{% endfor %}",
    )
    assert turn_end(template, ("user", "assistant", "user"), 0) == "</user>"
    assert turn_end(template, ("user", "assistant", "user"), 1) == "</assistant>"
    assert turn_end(template, ("user", "assistant"), 0) == ""
