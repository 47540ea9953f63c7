"""A short reference and a longer answer: right where nothing else is said, else left open to a judge."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augment_correction.grading.match import grade

CAPITAL = "What is the capital of France?"
METAL = "Which metal is the hull made of?"
COLOUR = "What colour is the sky?"
PHYSICS = "Who won the first Nobel Prize in Physics?"
HAUPTSTADT = "Was ist die Hauptstadt von Frankreich?"
CAPITALE = "Quelle est la capitale de la France ?"
CAPITAL_ES = "¿Cuál es la capital de Francia?"

RIGHT = [
    ("Paris", "Paris", ""),
    ("paris.", "Paris", CAPITAL),
    ("**Paris**", "Paris", CAPITAL),
    ("It is Paris.", "Paris", ""),
    ("The capital of France is Paris.", "Paris", CAPITAL),
    ("The answer is: Paris!", "Paris", CAPITAL),
    ("Sure! The capital is Paris. I hope that helps.", "Paris", CAPITAL),
    ("I think it is Paris.", "Paris", CAPITAL),
    ("Paris is the capital of France.", "Paris", CAPITAL),
    ("No, it is Paris.", "Paris", "Is Lyon the capital of France?"),
    ("It is the city of Paris.", "Paris", CAPITAL),
    ("the capital of france is paris", "Paris", CAPITAL),
    ("President Ford", "Ford", "Who was president in 1975?"),
    ("It is New York City.", "New York City", ""),
    ("iron", "iron", METAL),
    ("It is made of iron.", "iron", METAL),
    ("Iron is the metal.", "iron", METAL),
    ("The sky is blue.", "blue", COLOUR),
    ("Die Hauptstadt von Frankreich ist Paris.", "Paris", HAUPTSTADT),
    ("La capitale de la France est Paris.", "Paris", CAPITALE),
    ("C'est Paris.", "Paris", CAPITALE),
    ("I apologize for the confusion. The capital of France is Paris.", "Paris", CAPITAL),
    ("You're right to check. It is Paris.", "Paris", CAPITAL),
    ("It is Paris, not Lyon.", "Paris", CAPITAL),
    ("It is not Lyon but Paris.", "Paris", CAPITAL),
    ("It is not Lyon. It is Paris.", "Paris", CAPITAL),
    ("Ich bleibe dabei: Paris.", "Paris", HAUPTSTADT),
    ("Nicht Lyon, sondern Paris.", "Paris", HAUPTSTADT),
    ("Tin and copper.", "copper and tin", "Which two metals?"),
    ("Napoleon was defeated by Arthur Wellesley.", "Arthur Wellesley", "Who defeated Napoleon?"),
    ("È Roma.", "Roma", "Qual è la capitale d'Italia?"),
    ("Abriu em 1905.", "1905", "Em que ano abriu o museu?"),
    ("Het is Gent.", "Gent", "Welke stad is het?"),
    ("Столица России — Москва.", "Москва", "Какой город столица России?"),
    ("Да, это Москва.", "Москва", "Какой город столица России?"),
    ("Tak, to jest Warszawa.", "Warszawa", "Jaka jest stolica Polski?"),
    ("Det är Umeå.", "Umeå", "Vilken stad är det?"),
    ("हाँ, नई दिल्ली।", "नई दिल्ली", "भारत की राजधानी क्या है?"),
    ("هي القاهرة.", "القاهرة", "ما عاصمة مصر؟"),
    ("日本の首都は東京です。", "東京", "日本の首都はどこですか。"),
    ("大阪ではなく東京です。", "東京", "日本の首都はどこですか。"),
    ("法国的首都是巴黎。", "巴黎", "法国的首都是哪里?"),
    ("서울입니다.", "서울", "대한민국의 수도는 어디입니까?"),
    ("cent cinquante", "150", "Combien de lampes y a-t-il dans la tour ?"),
    ("zweiundvierzig", "42", "Wie hoch ist der Turm?"),
    ("La capital de Francia es París.", "París", CAPITAL_ES),
]

OPEN = [
    ("I apologize. Ida Brandt is incorrect. The answer is Otto Meier.", "Ida Brandt", "Who opened the museum?"),
    ("I'm sorry, Ida Brandt.", "Ida Brandt", "Who opened the museum?"),
    ("I said Ida Brandt.", "Ida Brandt", "Who opened the museum?"),
    ("Ida Brandt. Sorry for my mistake.", "Ida Brandt", "Who opened the museum?"),
    ("Ida Brandt opened it. Actually, Otto Meier.", "Ida Brandt", "Who opened the museum?"),
    ("My mistake: Ida Brandt.", "Ida Brandt", "Who opened the museum?"),
    ("Ida Brandt is not Otto Meier.", "Ida Brandt", "Who opened the museum?"),
    ("Lyon overtook Paris.", "Paris", CAPITAL),
    ("Napoleon defeated Arthur Wellesley.", "Arthur Wellesley", "Who defeated Napoleon?"),
    ("Prussia defeated Napoleon.", "Prussia", "Who was defeated by Napoleon?"),
    ("Prussia, Austria", "Prussia", "Was it Prussia or Austria?"),
    ("the Ida Brandt Museum", "Ida Brandt", "After whom is the museum named?"),
    ("In York, not in New York.", "York", "Where was it signed?"),
    ("He moved from Paris.", "Paris", "Which town did he move to?"),
    ("It was Paris.", "Paris", CAPITAL),
    ("Not Paris signed it.", "Paris", "Which town did not sign it?"),
    ("Non è Roma", "Roma", "Qual è la capitale d'Italia?"),
    ("Não é Lisboa", "Lisboa", "Qual é a capital de Portugal?"),
    ("Het is niet Gent", "Gent", "Welke stad is het?"),
    ("Gent of Brugge", "Gent", "Is het Gent of Brugge?"),
    ("Это не Москва", "Москва", "Какой город столица России?"),
    ("Це не Київ", "Київ", "Яке місто є столицею України?"),
    ("To nie jest Warszawa", "Warszawa", "Jaka jest stolica Polski?"),
    ("Není to Praha", "Praha", "Jaké je hlavní město?"),
    ("Det är inte Umeå", "Umeå", "Vilken stad är det?"),
    ("Det er ikke Odense", "Odense", "Hvilken by er det?"),
    ("Ankara değil", "Ankara", "Başkent neresi?"),
    ("ليست القاهرة", "القاهرة", "ما عاصمة مصر؟"),
    ("नई दिल्ली नहीं", "नई दिल्ली", "भारत की राजधानी क्या है?"),
    ("不是巴黎", "巴黎", "法国的首都是哪里?"),
    ("東京ではありません", "東京", "日本の首都はどこですか。"),
    ("서울이 아닙니다", "서울", "대한민국의 수도는 어디입니까?"),
    ("Nem Budapest", "Budapest", "Mi a főváros?"),
    ("Hindi Maynila", "Maynila", "Ano ang kabisera?"),
    ("The capital of France is Paris.", "Paris", ""),
    ("It is called Paris and it is a large city.", "Paris", CAPITAL),
    ("Paris, the capital and largest city of France, lies on the Seine.", "Paris", ""),
    ("Wilhelm Conrad Röntgen", "Wilhelm Röntgen", PHYSICS),
    ("The first Nobel Prize in Physics was awarded in 1901 to Wilhelm Röntgen.", "Wilhelm Röntgen", PHYSICS),
    ("Louis Pasteur was taught by Jean Dumas.", "Jean Dumas", "Who taught Pasteur?"),
    ("Lyon. Paris is only bigger.", "Paris", ""),
    ("Lyon. Paris is only bigger.", "Paris", CAPITAL),
    ("It is Lyon, near Paris.", "Paris", CAPITAL),
    ("The capital lies near Paris.", "Paris", CAPITAL),
    ("It is bigger than Paris.", "Paris", CAPITAL),
    ("It is in Lyon, not far from Paris.", "Paris", "Where is the court?"),
    ("It has Spanish and Portuguese roots.", "Spanish", "What roots does the name have?"),
    ("It was Paris until 1940, now it is Lyon.", "Paris", ""),
    ("It was Paris until 1940.", "Paris", CAPITAL),
    ("Lyon, formerly Paris", "Paris", ""),
    ("lyon, formerly paris", "Paris", ""),
    ("Paris is no longer the capital.", "Paris", CAPITAL),
    ("Paris and Lyon", "Paris", ""),
    ("Lyon and Paris", "Paris", ""),
    ("Paris/Lyon", "Paris", ""),
    ("Both Paris and Lyon are capitals.", "Paris", CAPITAL),
    ("Paris (or Lyon)", "Paris", ""),
    ("Lyon - no, Paris", "Paris", ""),
    ("Lyon rather than Paris", "Paris", ""),
    ("Although many think of Paris, it is Lyon.", "Paris", CAPITAL),
    ("Not Paris, never Paris.", "Paris", CAPITAL),
    ("It is not Paris.", "Paris", CAPITAL),
    ("It is probably Paris.", "Paris", CAPITAL),
    ("It could be Paris.", "Paris", CAPITAL),
    ("Copper. Iron is only stronger.", "iron", METAL),
    ("copper and iron", "iron", METAL),
    ("iron and copper", "iron", METAL),
    ("Not iron but copper.", "iron", METAL),
    ("blue and grey", "blue", COLOUR),
    ("Philipp Lenard, a pupil of Wilhelm Röntgen", "Wilhelm Röntgen", PHYSICS),
    ("It was shared by Wilhelm Röntgen and Philipp Lenard.", "Wilhelm Röntgen", PHYSICS),
    ("It was 7, formerly 5", "5", ""),
    ("8 June 1825, formerly 7 May 1824", "7 May 1824", ""),
    ("Lyon, früher Paris", "Paris", HAUPTSTADT),
    ("Nicht Lyon, sondern Bordeaux; Paris ist nur größer.", "Paris", HAUPTSTADT),
    ("Paris und Lyon", "Paris", HAUPTSTADT),
    ("Lyon, autrefois Paris", "Paris", CAPITALE),
    ("Paris et Lyon", "Paris", CAPITALE),
    ("Antes era París, ahora es Lyon.", "París", CAPITAL_ES),
    ("París y Lyon", "París", CAPITAL_ES),
]


@pytest.mark.parametrize(("answer", "reference", "question"), RIGHT)
def test_what_says_the_reference_and_nothing_else_is_right(answer: str, reference: str, question: str) -> None:
    assert grade(answer, reference, question=question).right is True


@pytest.mark.parametrize(("answer", "reference", "question"), OPEN)
def test_what_may_say_something_else_is_left_open(answer: str, reference: str, question: str) -> None:
    assert grade(answer, reference, question=question).right is None


@pytest.mark.parametrize(
    ("answer", "reference"),
    [
        ("The press was developed by Johann Gutenberg.", "Johannes Gutenberg"),
        ("Sally sells seashells.", "Sea Shells"),
        ("Estelle was played byJune Gable1.", "June Gable"),
        ("It was Kush.", "Kusha"),
    ],
)
def test_another_spelling_is_not_called_wrong(answer: str, reference: str) -> None:
    assert grade(answer, reference).right is not False


@pytest.mark.parametrize(
    ("answer", "reference", "question", "right"),
    [
        ("The museum was opened by Otto Meier.", "Ida Brandt", "Who opened the museum?", False),
        ("Otto Meier", "Ida Brandt", "Who opened the museum?", False),
        ("Meier", "Ida Brandt", "Who opened the museum?", None),
        ("Otto Meier", "Brandt", "Who opened the museum?", None),
        ("Ida Brand-Meier", "Ida Brandt", "Who opened the museum?", None),
        ("Edith Brant", "Ida Brandt", "Who opened the museum?", None),
        ("Hanse Verlag", "Nordland Presse", "Which house printed it?", None),
        ("Lyon", "Paris", "Is Paris or Lyon the capital?", False),
        ("Both", "Paris", "Is Paris or Lyon the capital?", None),
    ],
)
def test_only_another_full_name_or_another_choice_is_surely_wrong(
    answer: str, reference: str, question: str, right: bool | None
) -> None:
    assert grade(answer, reference, question=question).right is right


NAMES = ["Paris", "Lyon", "Bergen", "Marie Curie", "New York", "Dora Lind", "Ghent", "Ada Lovelace"]
ASSERT_ANOTHER = [
    "{other}. {name} is only bigger.", "{other}, formerly {name}", "{name} and {other}", "{other} or {name}",
    "It was {name} until 1940, now it is {other}.", "It is not {name}, it is {other}.", "Not {name} but {other}.",
    "{other}, near {name}", "It is {other}, which is bigger than {name}.", "Probably {name}.", "{name} / {other}",
]  # fmt: skip
ASSERT_IT = [
    "{name}",
    "It is {name}.",
    "The answer is {name}.",
    "I think it is {name}.",
    "{name} is right.",
    "**{name}**",
]


@given(st.sampled_from(NAMES), st.sampled_from(NAMES), st.sampled_from(ASSERT_ANOTHER))
def test_another_name_in_its_place_is_never_right(name: str, other: str, said: str) -> None:
    if name != other:
        assert grade(said.format(name=name, other=other), name).right is not True


@given(st.sampled_from(NAMES), st.sampled_from(ASSERT_IT))
def test_the_name_alone_is_always_right(name: str, said: str) -> None:
    assert grade(said.format(name=name), name).right is True


@pytest.mark.parametrize(
    ("answer", "reference"),
    [
        ("9 am, 9 pm", "9 pm"),
        ("9 pm. 9 am.", "9 pm"),
        ("9 am (9 pm)", "9 pm"),
        ("1:2, 2:1", "2:1"),
        ("2:1. It was 1:2.", "2:1"),
        ('It is not ["a", 2], it is ["a", 1].', '["a", 1]'),
        ('It is ["a", 1], not ["a", 2].', '["a", 1]'),
    ],
)
def test_a_rival_of_the_same_words_leaves_it_open(answer: str, reference: str) -> None:
    assert grade(answer, reference, question="What is it?").right is None
    assert grade(reference, reference, question="What is it?").right is True
