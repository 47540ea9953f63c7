from __future__ import annotations

from itertools import chain
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from augment_correction.export import ChatTemplate, Tokenizer, render, segments
from augment_correction.export.cutting import _candidates, _Row, fitted_segments
from augment_correction.export.segments import Zone, zones
from tests.export.conversations import STRIPPED, TEMPLATES, conversation, noticed

four = st.tuples(STRIPPED, STRIPPED, STRIPPED, STRIPPED)


@pytest.mark.parametrize("family", ["qwen", "llama"])
@pytest.mark.parametrize("name", [name for name in TEMPLATES if name != "nothing around"])
@settings(max_examples=30)
@given(texts=four, correction_only=st.booleans())
def test_cuts_move_into_the_scaffold_and_nowhere_else(
    tokenizers: dict[str, Tokenizer], family: str, name: str, texts: tuple[str, str, str, str], correction_only: bool
) -> None:
    made, template = conversation(*texts, correction_only=correction_only), TEMPLATES[name]
    parts = fitted_segments([made], template, tokenizers[family])[0]
    rendering = render(made, template)
    assert "".join(part.text for part in parts) == rendering.text
    labels = [part.label for part in parts for _ in part.text]
    for zone in zones(made, rendering):
        own = set(labels[zone.start : zone.end])
        if zone.kind != "scaffold" or not zone.label:
            spaces = rendering.text[zone.start : zone.end].isspace() or rendering.text[zone.end - 1] == " "
            assert own <= {zone.label} or (zone.kind == "scaffold" and spaces)


@pytest.mark.parametrize(("family", "name"), [("qwen", "chatml"), ("qwen_nfc", "chatml"), ("llama", "llama3 (trims)")])
@settings(max_examples=150)
@given(texts=four, correction_only=st.booleans())
def test_a_models_own_template_is_cut_seamlessly(
    tokenizers: dict[str, Tokenizer], family: str, name: str, texts: tuple[str, str, str, str], correction_only: bool
) -> None:
    made, tokenizer = conversation(*texts, correction_only=correction_only), tokenizers[family]
    parts = fitted_segments([made], TEMPLATES[name], tokenizer)[0]
    whole = tokenizer.ids(["".join(part.text for part in parts)])[0]
    assert list(chain.from_iterable(tokenizer.ids([part.text for part in parts]))) == whole


def test_a_cut_between_newlines_moves(tokenizers: dict[str, Tokenizer]) -> None:
    template = ChatTemplate("mine", "{% for m in messages %}{{ m.role }}:\n\n{{ m.content }}\n\n{% endfor %}")
    made = conversation("Which?", "\nwrong", "Sure?", "right")
    tokenizer = tokenizers["qwen"]
    whole = tokenizer.ids([render(made, template).text])[0]
    usual = segments(made, template)
    assert list(chain.from_iterable(tokenizer.ids([part.text for part in usual]))) != whole
    parts = fitted_segments([made], template, tokenizer)[0]
    assert list(chain.from_iterable(tokenizer.ids([part.text for part in parts]))) == whole
    masked = "".join(part.text for part in parts if not part.label)
    assert masked.startswith("\n\n\nwrong") and masked.endswith("\n\n")


@pytest.mark.parametrize(
    ("mistake", "masked"), [("It is 90.", "It is 90.\n"), ("It is ninety", "It is ninety")], ids=["joined", "apart"]
)
def test_a_cut_inside_a_message_stands_behind_the_token_that_holds_both(
    tokenizers: dict[str, Tokenizer], mistake: str, masked: str
) -> None:
    """`'.\\n'` is one token."""
    made, template, tokenizer = noticed("Hot?", mistake, "Wait: 100.", "\n"), TEMPLATES["chatml"], tokenizers["qwen"]
    parts = fitted_segments([made], template, tokenizer)[0]
    whole = tokenizer.ids([render(made, template).text])[0]
    assert list(chain.from_iterable(tokenizer.ids([part.text for part in parts]))) == whole
    assert [part.text for part in parts if not part.label] == [masked]


HELP = ("scaffold", True)
ASIDE = ("scaffold", False)
SAID = ("message", True)
WRONG = ("message", False)


@pytest.mark.parametrize(
    ("left", "right", "places"),
    [
        (HELP, WRONG, [9, 10, 8, 7, 6, 5]),  # outward through the header before it, not into the mistake
        (WRONG, HELP, [9, 10, 11, 12, 13, 14, 15]),  # up to its end, not into what follows
        (ASIDE, SAID, [9, 10]),  # what is masked already need not move
        (SAID, ASIDE, [9, 10]),
        (("end", True), WRONG, [9, 10]),  # the end of a turn is learned
        (WRONG, SAID, [9, 10, 12]),  # inside a message: behind the token that holds both
        (SAID, WRONG, [9, 10]),
    ],
)
def test_the_places_where_a_cut_is_tried_in_their_order(
    left: tuple[Any, bool], right: tuple[Any, bool], places: list[int]
) -> None:
    zoned = [Zone(start, start + 5, label, kind) for start, (kind, label) in ((5, left), (10, right))]
    assert _candidates(_Row("x" * 20, zoned, []), 9, 10, 12) == places


def test_many_rows_are_the_rows_one_by_one(tokenizers: dict[str, Tokenizer]) -> None:
    rows = [conversation(f"Q{i}?", "\nwrong" if i % 3 else "wrong", "Sure?", "right") for i in range(20)]
    template, tokenizer = TEMPLATES["a preface"], tokenizers["llama"]
    assert fitted_segments(rows, template, tokenizer) == [
        fitted_segments([row], template, tokenizer)[0] for row in rows
    ]
