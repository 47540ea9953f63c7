"""Words that can be compared, names, negations."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augment_correction.grading import lexicon, text
from augment_correction.grading.text import content_words, names, negations, normal, sentences, stem


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The capital is **Paris**.", "capital is paris"),
        ("1,000 m", "1000 m"),
        ("3.0 m", "3m"),
        ("seven", "7"),
        ("50%", "50 percent"),
        ("don’t", "don't"),
        ("U.S.", "US"),
        ("a well-known man", "well known man"),
        ("1. Mix\n2. Bake", "- mix\n- bake"),
        ("Einstein’s theory", "Einstein theory"),
    ],
)
def test_spelling_makes_no_difference(one: str, other: str) -> None:
    assert normal(one) == normal(other)


@pytest.mark.parametrize(
    ("one", "other"), [("5", "-5"), ("C", "C#"), ("C++", "C"), ("vitamin A", "vitamin B"), ("5²", "52"), ("3.5", "35")]
)
def test_what_carries_meaning_stays(one: str, other: str) -> None:
    assert normal(one) != normal(other)


def test_an_article_that_is_the_answer_stays() -> None:
    assert normal("The answer is A.") == "answer is a"
    assert normal("A") == "a"


def test_a_script_without_spaces_is_cut_into_its_signs() -> None:
    assert normal("首都是北京。") == "首 都 是 北 京"


@given(st.lists(st.text(alphabet="abcxyzäéñ", min_size=1).filter(lambda word: word not in ("a", "an"))))
def test_case_spaces_and_punctuation_at_words_never_matter(them: list[str]) -> None:
    assert normal(" ".join(them)) == normal("  ".join(f"“{word.upper()}”," for word in them))


@given(st.text())
def test_nothing_makes_the_readers_crash(text: str) -> None:
    assert normal(text) == " ".join(normal(text).split())
    names(text), negations(text), content_words(text), sentences(text), [stem(word) for word in text.split()]


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ("The tower is in the old town", ["tower", "old", "town"]),
        ("Der Turm ist in der Stadt", ["turm", "stadt"]),
        ("La torre es de la ciudad", ["torre", "ciudad"]),
        ("La tour est dans les champs", ["tour", "champs"]),
        ("all of them, not before 1889", ["all", "not", "before"]),
    ],
)
def test_content_words_leave_out_function_words_of_four_languages(text: str, content: list[str]) -> None:
    assert list(content_words(text)) == content


@pytest.mark.parametrize(
    "forms", [("play", "plays", "played", "playing"), ("increase", "increases", "increased"), ("stop", "stopped"), ("city", "cities")]
)  # fmt: skip
def test_inflections_have_one_stem(forms: tuple[str, ...]) -> None:
    assert len(set(map(stem, forms))) == 1


def test_a_stem_leaves_numbers_alone() -> None:
    assert [stem(word) for word in ("3000000", "class", "gas")] == ["3000000", "class", "gas"]


def test_names_are_capitals_that_start_no_sentence() -> None:
    text = "He met Dr. Smith in New York. Paris is nice: The Louvre is what I'm sure the WHO likes."
    assert names(text) == {"smith", "new york", "louvre", "who"}


@pytest.mark.parametrize("text", ["Die Katze ist auf dem Dach und der Hund schläft", "THE CAPITAL IS PARIS", ""])
def test_capitals_that_say_nothing_give_no_names(text: str) -> None:
    assert names(text) == frozenset()


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("It is not so.", 1),
        ("It isn’t, and never was.", 2),
        ("not only big but red", 0),
        ("No, it is not.", 1),
        ("No.", 1),
        ("No. 5", 0),
        ("There is no water.", 1),
        ("Es gibt kein Wasser und nie Eis", 2),
        ("Nunca llueve", 1),
        ("Ce n’est pas vrai", 1),
        ("il ne le sait pas", 1),
        ("une notice noble", 0),
    ],
)
def test_negations_are_counted(text: str, count: int) -> None:
    assert negations(text) == count


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Non è Roma, è Milano.", 1),
        ("Não é Lisboa.", 1),
        ("Het is niet Gent.", 1),
        ("Это не Москва.", 1),
        ("Нет, это Москва.", 0),
        ("To nie jest Warszawa.", 1),
        ("Det är inte Umeå.", 1),
        ("Det er ikke Odense.", 1),
        ("Ankara değil", 1),
        ("ليست القاهرة", 1),
        ("नई दिल्ली नहीं है", 1),
        ("不是巴黎", 1),
        ("東京ではありません", 1),
        ("서울이 아닙니다", 1),
        ("Der Umzug war im Mai, das Ei ist hart.", 0),
        ("Nu is het open.", 0),
        ("La persona non è qui senza te.", 2),
        ("Il n'est jamais venu.", 1),
    ],
)
def test_negations_are_counted_in_other_languages(text: str, count: int) -> None:
    assert negations(text) == count


def test_sentences_end_at_signs_and_lines() -> None:
    assert sentences('He said "no." It is 3.5 m.\nNext') == ['He said "no.', "It is 3.5 m.", "Next"]


@pytest.mark.parametrize("name", ["TRUE", "FALSE"])
def test_the_words_that_are_looked_up_are_spelt_as_words_are_read(name: str) -> None:
    for word in getattr(lexicon, name):
        assert text.words(f"x {word} y") == ("x", word, "y")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("It was Dr. Ida Brandt. She painted.", 2),
        ("Timothy B. Schmit sang it. He plays.", 2),
        ("It opened in the U. S. and in Oslo.", 1),
        ("It is S.E. Hinton. She wrote it.", 2),
        ("The hall is open. Entry is free.", 2),
    ],
)
def test_an_initial_or_an_abbreviation_ends_no_sentence(text: str, parts: int) -> None:
    assert len(sentences(text)) == parts


def test_a_single_letter_is_no_name() -> None:
    assert names("He met K there with Anna.") == {"anna"}


@pytest.mark.parametrize(
    ("word", "one_form"),
    [
        ("ties", "tie"), ("cities", "city"), ("use", "use"), ("ease", "eas"), ("axe", "axe"), ("boxes", "box"), ("running", "run"),
        ("ring", "ring"), ("bus", "bus"), ("buses", "bus"), ("glass", "glass"), ("seed", "seed"), ("adding", "add"), ("egged", "egg"),
        ("stopped", "stop"), ("falls", "fall"), ("22nn", "22n"), ("1900s", "1900"), ("ies", "ies"), ("as", "as"),
    ],
)  # fmt: skip
def test_one_form_of_many(word: str, one_form: str) -> None:
    assert stem(word) == one_form
