"""Substance is 1 where a fact differs and 0 where only the wording does."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augment_correction.grading.contrast import contrast


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("3.0 m", "3 m"),
        ("1,000", "1000"),
        ("1889", "in 1889"),
        ("The tower is in Paris.", "In Paris is THE TOWER"),
        ("This one is red.", "This is red."),
        ("Rome and Lyon grew", "Lyon and Rome grew!"),
        ("Paris is big", "It is Paris that is big"),
    ],
)
def test_wording_order_case_and_spelling_have_no_substance(one: str, other: str) -> None:
    assert contrast(one, other).substance == 0 == contrast(other, one).substance


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("It is 5 m", "It is -5 m"),
        ("built in 1889", "built in 1899"),
        ("The tower is in Paris", "The tower is in Lyon"),
        ("The bees do hibernate.", "The bees do not hibernate."),
        ("Музей открыт зимой", "Музей не открыт зимой"),
        ("Il museo è aperto", "Il museo non è aperto"),
        ("博物馆冬天开放", "博物馆冬天不开放"),
        ("Prices increased sharply in spring", "Prices decreased sharply in spring"),
        ("It comes before the harvest", "It comes after the harvest"),
        ("happy people live there", "unhappy people live there"),
        ("Der Preis ist gestiegen, mehr Leute kamen", "Der Preis ist gestiegen, weniger Leute kamen"),
    ],
)
def test_a_number_a_name_a_negation_or_an_opposite_is_full_substance(one: str, other: str) -> None:
    assert contrast(one, other).substance == 1


def test_each_respect_is_told_apart() -> None:
    found = contrast("In 1889 the tower in Paris rose", "The tower in Lyon never fell in 1899")
    assert (found.numbers_removed, found.numbers_added) == ({Decimal(1889)}, {Decimal(1899)})
    assert (found.names_removed, found.names_added) == ({"paris"}, {"lyon"})
    assert (found.negated, found.opposites) == (True, {"rose/fell"})


def test_a_synonym_has_as_much_substance_as_its_share_of_words() -> None:
    assert contrast("the quick cat slept", "the quick feline slept").substance == 0.5


words = st.lists(st.sampled_from(["tower", "river", "stone", "bread", "honey", "winter", "5", "1889"]), min_size=1)


@given(them=words, data=st.data())
def test_any_order_of_the_same_words_has_no_substance(them: list[str], data: st.DataObject) -> None:
    other = data.draw(st.permutations(them))
    assert contrast(" ".join(them), " ".join(other).upper() + ".").substance == 0


@given(st.text(), st.text())
def test_substance_is_between_0_and_1_and_the_same_both_ways(one: str, other: str) -> None:
    assert contrast(one, one).substance == 0
    assert 0 <= contrast(one, other).substance == contrast(other, one).substance <= 1


def test_two_denials_deny_nothing() -> None:
    assert contrast("Nobody came here.", "Somebody came here.").negated
    doubly, plainly = "It is not so that nobody came here.", "Somebody came here."
    assert not contrast(doubly, plainly).negated and not contrast(plainly, doubly).negated


@pytest.mark.parametrize(("one", "negated"), [("It is not so, and never was", False), ("It is not so, and was", True)])
def test_two_negations_are_none(one: str, negated: bool) -> None:
    assert contrast(one, "It is so, and was").negated is negated
