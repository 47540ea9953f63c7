"""Areas out of categories or of the words of questions, and which of them are weak."""

from __future__ import annotations

from augment_correction.experiment.areas import areas_of, clustered, vectors, weak_areas
from augment_correction.experiment.sections import ErrorDrivenConfig
from augment_correction.experiment.weak import Looked, Observation
from augment_correction.rows import Item

BEES = [
    f"How many {what} does a honey bee colony in its hive have in winter?"
    for what in ("queens", "drones", "combs", "mites", "eggs")
]
TIDES = [
    f"What {what} of the spring tide at the harbour does the moon raise?"
    for what in ("height", "current", "pressure", "range", "level")
]


def looked(name: str, weak: bool, score: float = 1.0, *, bad: bool = False, area: str = "a") -> Looked:
    return Looked(Item("?", "!", category=area, id=name), Observation("x", not weak), weak, bad, score)


def test_questions_that_share_words_are_one_area_named_by_them() -> None:
    items = [Item(question, "x", id=str(at)) for at, question in enumerate([*BEES, *TIDES])]
    found = areas_of(items, "auto", {})
    bees, tides = {found[str(at)] for at in range(5)}, {found[str(at)] for at in range(5, 10)}
    assert len(bees) == len(tides) == 1 and bees != tides
    assert set(min(bees).split()) & {"bee", "colony", "hive", "winter", "honey"}


def test_categories_make_the_areas_where_nearly_all_have_one() -> None:
    items = [Item("?", "!", category="bees" if at else "", id=str(at)) for at in range(20)]
    found = areas_of(items, "auto", {})
    assert found["0"] == "other" and found["1"] == "bees"
    assert set(areas_of(items[:2], "auto", {}).values()) != {"bees", "other"}


def test_clusters_hold_every_item_once() -> None:
    made = clustered(vectors([*BEES, *TIDES, "Nothing in common here"]))
    assert sorted(at for each in made for at in each) == list(range(11))


def test_an_area_is_weak_where_more_of_it_is_than_of_all_and_the_weakest_comes_first() -> None:
    held = [looked(f"a{at}", at < 4) for at in range(5)]
    held += [looked(f"b{at}", at < 3, area="b") for at in range(5)]
    held += [looked(f"c{at}", at < 1, area="c") for at in range(5)]
    held += [looked("d0", True, area="d"), looked("bad", True, bad=True, area="a")]
    area = {each.item.id: each.item.category for each in held}
    weak, all_ = weak_areas(held, area, ErrorDrivenConfig(min_area=3))
    assert [each.name for each in weak] == ["a", "b"]
    assert {each.name: each.items for each in all_} == {"a": 5, "b": 5, "c": 5}, (
        "too small ones and bad references are left out"
    )
    assert [each.name for each in weak_areas(held, area, ErrorDrivenConfig(num_weak_areas=1))[0]] == ["a"]
    alike = [looked(f"{name}{at}", True, area=name) for name in "ab" for at in range(3)]
    assert len(weak_areas(alike, {each.item.id: each.item.category for each in alike}, ErrorDrivenConfig())[0]) == 2
