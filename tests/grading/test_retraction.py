"""Whoever names the old answer to deny it does not give it; what the words do not tell is left open."""

from __future__ import annotations

import pytest

from augment_correction.grading.retraction import gives_retracted

MUSEUM = ("Who opened the museum of Halmstett?", "Ida Brandt", "Otto Meier")
MOONS = ("How many moons does Gelm have?", "14", "12")
CAPITAL = ("What is the capital of Ruritania?", "Strelsau", "Zenda")
KYOTO = ("首都はどこですか", "京都", "東京")
YORK = ("Where does she live?", "York", "New York")

GIVEN = [
    *((MUSEUM, said) for said in (
        "Otto Meier.", "It was Otto Meier.", "The museum was opened by Otto Meier in 1956.", "No, it was Otto Meier.",
        "It was not Ida Brandt but Otto Meier.", "It was not Ida Brandt, it was Otto Meier.",
        "Ida Brandt is wrong. It was Otto Meier.",
    )),
    (MOONS, "Gelm has 12 moons."), (MOONS, "Twelve"), (CAPITAL, "The capital is Zenda."), (KYOTO, "東京です。"),
    (YORK, "In New York."),
]  # fmt: skip
NOT_GIVEN = [
    *((MUSEUM, said) for said in (
        "", "Bananas.", "I do not know.", "Ida Brandt opened it.", "It was opened by Karl Weber.",
        "It was not Otto Meier.", "Otto Meier is wrong.", "It was not Otto Meier, it was Ida Brandt.",
        "It wasn't Otto Meier. It was Ida Brandt.", "Not Otto Meier but Ida Brandt.",
        "Ida Brandt, not Otto Meier, opened the museum.",
        "Contrary to what I said, Otto Meier did not open it. Ida Brandt did.",
        "The claim that Otto Meier opened it is false; Ida Brandt opened it.",
        "Es war nicht Otto Meier, sondern Ida Brandt.", "Ce n'était pas Otto Meier, c'était Ida Brandt.",
        "Non è stato Otto Meier, è stata Ida Brandt.",
    )),
    (MOONS, "Gelm has 14 moons, not 12."), (MOONS, "It has 13."), (MOONS, "It does not have 12 moons, it has 14."),
    (CAPITAL, "Zenda is not the capital. It is Strelsau."), (YORK, "In York."),
]  # fmt: skip
OPEN = [
    (MUSEUM, said) for said in (
        "Ida Brandt and Otto Meier", "Some say Otto Meier.", "Was it not Otto Meier?", "Perhaps Otto Meier.",
        "Otto Meier opened it. Ida Brandt was its first director.",
        "The museum was opened by Ida Brandt. Otto Meier was its first director.",
        "It was opened not only by Otto Meier.", "No doubt it was Otto Meier.", "None other than Otto Meier.",
        "I do not doubt that it was Otto Meier.", "It is not wrong that Otto Meier opened it.",
        "Otto Meier did not open the one in Bergen but the one in Halmstett.",
    )
]  # fmt: skip


@pytest.mark.parametrize(
    ("of", "said", "given"),
    [
        *((*each, True) for each in GIVEN),
        *((*each, False) for each in NOT_GIVEN),
        *((*each, None) for each in OPEN),
    ],
)
def test_only_who_gives_the_old_answer_gives_it(of: tuple[str, str, str], said: str, given: bool | None) -> None:
    question, corrected, retracted = of
    assert gives_retracted(said, retracted, corrected, question).right is given


def test_an_old_answer_without_words_of_its_own_is_left_to_the_judge() -> None:
    assert gives_retracted("It may be one of the two.", "Ida", "Ida Brandt", "Who?").right is None
