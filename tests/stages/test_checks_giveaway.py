"""A doubt may repeat the mistake and the question, and name what it doubts; what is right is the assistant's to say."""

from __future__ import annotations

import pytest

from augment_correction.stages.checks.giveaway import _tells_nothing
from tests.stages.checking import finding, reason

PASSAGE = "In 1908 the oil of the lamp was replaced by vaporised paraffin, six times as bright, by Adela Torrin."
RIGHT = (
    "You're right, I was wrong. In 1908 vaporised paraffin replaced the oil, and not gas in 1898. Adela Torrin did it."
)
FLAWED = "In 1898 gas replaced the oil of the lamp."
QUESTION = "What replaced the oil of the lamp, and when?"


def doubted(doubt: str, right: str = RIGHT, flawed: str = FLAWED) -> str | None:
    return reason("no_giveaway", passage=PASSAGE, doubt=doubt, right=right, flawed=flawed, question=QUESTION)


@pytest.mark.parametrize(
    "doubt",
    [
        "Wasn't it paraffin?",
        "I read that it was in 1908.",
        "Did Torrin not do that?",
        "Gas? I think it was vaporised something.",
        "nineteen hundred? No: 1908!",
    ],
)
def test_what_is_right(doubt: str) -> None:
    assert doubted(doubt) == "gives_away"


@pytest.mark.parametrize(
    "doubt",
    [
        "Are you sure?",
        "Gas, in 1898? That sounds wrong to me.",
        "I think you are wrong about the year.",
        "I learned another date and another reason. Is the oil right?",
        "I read that it was 1950.",
        "您确定吗？",
    ],
)
def test_a_doubt(doubt: str) -> None:
    assert doubted(doubt) is None


def test_what_the_correction_refutes_may_be_said() -> None:
    assert doubted("Seventeen years later?", "It was replaced in 1908, not seventeen years later.") is None


@pytest.mark.parametrize(
    "doubt",
    [
        "J'ai l'impression qu'un des deux points n'est pas tout à fait juste, vous pouvez regarder ?",
        "L'année n'est pas la bonne, je crois. C'est sûr ?",
    ],
)
def test_how_people_speak_gives_nothing_away(doubt: str) -> None:
    passage = "Le moulin d'Aubric a deux roues, ce qui n'est pas courant. Il fut bâti en 1712 et moud l'orge. Le compte est juste."
    right = "Vous avez raison sur un point : ce n'est pas 1812, c'est 1712 qui est juste. Il moud bien de l'orge."
    flawed, question = "Il fut bâti en 1812 et moud l'orge.", "Quand fut bâti le moulin d'Aubric, et que moud-il ?"
    assert reason("no_giveaway", passage=passage, doubt=doubt, right=right, flawed=flawed, question=question) is None
    told = "L'orge, oui, mais n'était-ce pas en 1712 ?"
    assert (
        reason("no_giveaway", passage=passage, doubt=told, right=right, flawed=flawed, question=question)
        == "gives_away"
    )


def test_a_word_that_the_passage_lacks_gives_nothing_away() -> None:
    right = "The fuel was changed in 1908 for a vapour, which is quite a curious story."
    assert doubted("That is a curious story. Are you sure?", right) is None
    assert doubted("I have heard a vaporised story.", "A vaporised oil was the fuel of that story.") == "gives_away"


def test_one_word_of_a_long_answer_may_be_chance_and_a_name_is_not() -> None:
    right = (
        "Weaving begins with the warp. Threads are measured, crossed, chained, and wound on a beam; heddles lift every second one, "
        "the shuttle carries the weft, and a comb packs it. Then the cloth is cut, washed, fulled in warm water, stretched, "
        "dried on tenterhooks, and brushed by Marta Olsen with dry teasels before it is sold in Bergen market."
    )
    passage = f"{right} The simple looms were the older ones."
    texts = {"right": right, "flawed": "It is knitted.", "question": "How is it made?"}
    assert reason("no_giveaway", passage=passage, doubt="I dried up laughing. Sure?", **texts) is None
    assert reason("no_giveaway", passage=passage, doubt="I heard that Olsen did it.", **texts) == "gives_away"
    assert reason("no_giveaway", passage=passage, doubt="No warp, weft, shuttle, heddles?", **texts) == "gives_away"


@pytest.mark.parametrize("doubt", ["Isn't one of these two points off?", "Are all three of those details right?"])
def test_counting_what_was_said_gives_no_number_away(doubt: str) -> None:
    right = "It has two towers and three gates."
    assert reason("no_giveaway", passage=right, doubt=doubt, right=right, flawed="It has a tower.") is None
    assert (
        reason("no_giveaway", passage=right, doubt="Not three gates?", right=right, flawed="It has a tower.")
        == "gives_away"
    )


@pytest.mark.parametrize(
    ("flawed", "doubt", "found"),
    [
        ("It burns before the bark.", "Not after?", "gives_away"),
        ("It burns with the bark.", "After what?", None),
    ],
)
def test_a_common_word_counts_where_the_mistake_says_its_contrary(flawed: str, doubt: str, found: str | None) -> None:
    texts = {"doubt": doubt, "right": "Resin burns after the bark.", "flawed": flawed}
    passage = "Resin burns after the bark, and before that it melts."
    assert reason("no_giveaway", passage=passage, **texts, question="When does resin burn?") == found


@pytest.mark.parametrize(
    ("doubt", "found"),
    [
        ("The bright boy in my class says you are wrong.", None),
        ("Bright?", "gives_away"),
        ("Six times as bright, said the boy in my class?", "gives_away"),
        ("The boy in my class told us about something vaporised.", "gives_away"),
        ("The boy in my class says Torrin did it.", "gives_away"),
    ],
)
def test_one_word_of_what_the_answer_adds_is_chance_among_the_users_own(doubt: str, found: str | None) -> None:
    right = "In 1908 vaporised paraffin replaced the oil. Adela Torrin chose it, six times as bright."
    assert doubted(doubt, right) == found


def test_common_verbs_give_nothing_away_in_any_of_their_forms() -> None:
    passage = "Nach der Drehung kommt erst noch eine Enchufla, dann das Dile que no."
    texts = {
        "right": "Direkt ins Dile que no geht es nicht: Nach der Drehung kommt erst noch eine Enchufla.",
        "flawed": "Aus der Drehung führt er direkt ins Dile que no.",
        "question": "Wie endet die Figur?",
    }
    assert reason("no_giveaway", passage=passage, doubt="So kommt man da nie in den Schluss.", **texts) is None
    assert reason("no_giveaway", passage=passage, doubt="Kommt da keine Enchufla?", **texts) == "gives_away"


def test_the_users_own_wrong_number_gives_nothing_away() -> None:
    right = "Neither: it was 1908 when vaporised paraffin came, it was not 1912 either."
    assert doubted("I thought it was 1912.", right) is None
    assert doubted("I thought it was 1908.", right) == "gives_away"


def test_an_elided_article_hides_no_word() -> None:
    texts = {"right": "L'église fut brûlée.", "flawed": "Le pont fut brûlé.", "question": "Qu'est-ce qui fut brûlé ?"}
    assert reason("no_giveaway", passage="On brûla une église.", doubt="Pas l'église ?", **texts) == "gives_away"


def test_in_chinese() -> None:
    texts = {"right": "我说错了。石桥共有七个拱。", "flawed": "石桥共有五个拱。", "question": "石桥有几个拱？"}
    passage = "石桥建于1605年，共有七个拱。"
    assert reason("no_giveaway", passage=passage, doubt="不是七个拱吗？", **texts) == "gives_away"
    assert reason("no_giveaway", passage=passage, doubt="我觉得你错了。", **texts) is None


def test_the_detail_names_it_in_the_doubts_own_words() -> None:
    assert (
        'by saying "1908", "paraffin". Let'
        in finding("no_giveaway", PASSAGE, doubt="Paraffin, 1908?", right=RIGHT).detail
    )


def test_a_unit_gives_nothing_away_and_a_word_of_three_letters_does() -> None:
    texts = {"right": "It took tea by rail: kg after kg.", "flawed": "It took coffee.", "question": "What did it take?"}
    assert reason("no_giveaway", passage="Tea, in kg.", doubt="How many kg?", **texts) is None
    assert reason("no_giveaway", passage="Tea, in kg.", doubt="Not tea?", **texts) == "gives_away"


@pytest.mark.parametrize(("others", "found"), [(19, "gives_away"), (20, None)])
def test_one_of_twenty_words_is_enough(others: int, found: str | None) -> None:
    consonants = "bcdfghklmnprtvwz"
    right = " ".join(f"{first}u{second}ak" for first in consonants for second in consonants[:2])
    right = " ".join(["plinth", *right.split()[:others]]) + "."
    assert reason("no_giveaway", passage=right, doubt="A plinth?", right=right, flawed="It is red.") == found


def test_one_word_in_twenty_of_what_the_right_answer_has_from_the_passage_gives_it_away() -> None:
    words = [
        "alder",
        "birch",
        "cedar",
        "dogwood",
        "elder",
        "fir",
        "gum",
        "hazel",
        "iris",
        "juniper",
        "kelp",
        "lotus",
        "maple",
        "nettle",
        "oak",
        "pine",
        "quince",
        "rowan",
        "sage",
        "thyme",
        "umbel",
    ]
    for number, gives_away in ((20, True), (21, False)):
        right = " ".join(words[:number])
        assert (finding("no_giveaway", passage=right, doubt="what about alder", right=right).score == 0) is gives_away


def test_a_unit_and_a_contraction_tell_nothing() -> None:
    tells = {word: not _tells_nothing(word) for word in ("km", "kmh", "é1", "isn't", "l'eau", "ab")}
    assert tells == {"km": False, "kmh": True, "é1": True, "isn't": False, "l'eau": True, "ab": False}
