"""A mistake and its correction: the apology, the repeated mistake and another wording are not what differs."""

from __future__ import annotations

import pytest

from tests.stages.checking import finding, reason

NINE = "The stone bridge of Harlen has nine arches."


@pytest.mark.parametrize(
    "right",
    [
        f"I was wrong. {NINE}",
        f"You're right, I made a mistake. {NINE}",
        "My apologies, that was an error. Of Harlen, the stone bridge has nine arches.",
        f"Du hast recht, ich habe mich geirrt. {NINE}",
        f"Tienes razón, me equivoqué. {NINE}",
        f"Désolé, je me suis trompé. {NINE}",
    ],
)
def test_an_apology_alone_makes_no_difference(right: str) -> None:
    assert reason("differ", flawed=NINE, right=right) == "not_different"


@pytest.mark.parametrize(
    ("flawed", "right"),
    [
        ("It has five arches.", "I was wrong: it has not five arches but seven."),
        ("It has five arches.", "Sorry, it is seven."),
        ("It has five.", "It is seven and not five, sorry."),
        ("Adela Torrin built it.", "I mixed that up. It was built by Owen Pryce."),
        ("The engine stands at the upper end.", "I was wrong. The engine stands at the lower end."),
        ("Bees hibernate.", "I was wrong. Bees do not hibernate."),
        ("Oak smokes more than beech does.", "I was wrong. Beech smokes more than oak does."),
        (
            "Man nahm Torf, weil sein Rauch das Salz bleicht.",
            "Falsch von mir. Man nahm Torf, weil Brennholz knapp war.",
        ),
        ("Run `rm -r x`.", "That was wrong. Run `rmdir x`."),
        ("- dry leaves\n- straw", "I named the wrong ones:\n\n- coffee grounds\n- grass"),
        ("石桥共有五个拱。", "对不起，我说错了。石桥共有七个拱。"),
        ("للجسر خمسة أقواس.", "لقد أخطأت. للجسر سبعة أقواس."),
    ],
)
def test_a_changed_fact_does(flawed: str, right: str) -> None:
    assert reason("differ", flawed=flawed, right=right) is None


def test_the_same_in_another_order_with_the_questions_words() -> None:
    texts = {
        "flawed": "At its lower end a rack engine stood.",
        "right": "I was wrong. The rack engine stood at the lower end of the train.",
        "question": "Where did the rack engine of a train stand?",
    }
    assert reason("differ", **texts) == "not_different"


def test_the_score_grows_with_the_words_that_differ() -> None:
    base = "The keeper wound the clockwork"
    scores = [finding("differ", a=base, b=f"{base} {more}.").score for more in ("", "daily", "daily, oiling wheels")]
    assert scores == sorted(set(scores)) and scores[0] == 0.0


@pytest.mark.parametrize(
    ("right", "score"), [("oak", 1 / 3), ("oak ash", 2 / 3), ("oak ash elm", 1.0), ("oak ash elm fir", 1.0)]
)
def test_three_words_that_the_mistake_lacks_are_a_full_score(right: str, score: float) -> None:
    grown = "they planted trees beside river meadow"
    assert finding("differ", flawed=f"{grown} daily", right=f"{grown} {right}").score == pytest.approx(score)
