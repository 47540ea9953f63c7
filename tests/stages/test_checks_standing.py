"""Speaking of a passage that the reader will not have, and the subjects that sound like it."""

from __future__ import annotations

import pytest

from tests.stages.checking import reason


@pytest.mark.parametrize(
    "text",
    [
        "What does this section say about mites?",
        "What is discussed in this chapter?",
        "As mentioned above, bees cluster.",
        "What does the author say about composting?",
        "The authors argue that slate paid for all.",
        "Based on the provided information, when was it built?",
        "Which engines are shown in Figure 3?",
        "The table above lists four materials.",
        "Was sagt der Autor über die Mühle?",
        "Wie oben erwähnt, steht sie still.",
        "Was wird in diesem Abschnitt beschrieben?",
        "¿Qué dice el autor sobre el puente?",
        "Como se mencionó anteriormente, tiene siete arcos.",
        "Comme indiqué ci-dessus, il est ancien.",
        "Que dit l'auteur sur le canal ?",
        "Que raconte ce texte ?",
        "Selon le passage, quand le pont fut-il bâti ?",
        "Quelle est l'idée principale du texte ?",
        "Le texte précise que le pont est ancien.",
        "De acuerdo con el fragmento, ¿cuándo es la cosecha?",
        "¿Cuál es la idea principal del texto?",
        "El texto menciona siete arcos.",
        "根据上文，石桥有几个拱？",
    ],
)
def test_a_mention(text: str) -> None:
    assert reason("stands_alone", question=text) == "mentions_text"


@pytest.mark.parametrize(
    "text",
    [
        "What does chapter 3 of the constitution regulate?",
        "With the passage of time the wood shrank.",
        "The author of Faust was born in Frankfurt.",
        "Who is the author of the first tide table?",
        "The rack section climbed 214 metres; this section had two toothed bars.",
        "The stars above the house turn.",
        "As I said above, I was wrong.",
        "Der Text des Liedes stammt von Anna Roth.",
        "Der Autor des Romans starb 1921.",
        "El texto de la ley es de 1822.",
        "Le texte de la loi date de 1911.",
        "Le passage de la Manche dure une heure.",
        "El autor del Quijote nació en Alcalá.",
        "Écrire le texte du discours prend du temps ; lire un texte aussi.",
        "On ne distingue pas la machine du texte écrit par un humain.",
        "Au passage, il faut le saler deux fois.",
        "El color del texto se cambia en el menú.",
        "Use `the text` as the key.",
        "The periodic table shows 118 elements.",
        "Water rises above the table by 30 centimetres.",
        "The following table has the figures:\n\n| a | b |",
    ],
)
def test_a_subject(text: str) -> None:
    assert reason("stands_alone", question=text) is None
