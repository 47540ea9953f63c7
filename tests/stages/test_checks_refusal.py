"""Refusals, and what only sounds like one: an apology, an inability of somebody else, a quotation."""

from __future__ import annotations

import pytest

from tests.stages.checking import reason


@pytest.mark.parametrize(
    "text",
    [
        "I cannot help with that.",
        "I'm sorry, but I can't answer this question.",
        "I’m sorry, but I can’t answer this question.",
        "As an AI, I have no opinion.",
        "As a large language model, I was trained on text.",
        "I don't have access to current data.",
        "I am unable to verify this.",
        "You are right. However, I can't provide that.",
        "Dabei kann ich leider nicht helfen.",
        "Als KI habe ich keinen Zugriff darauf.",
        "Lo siento, pero no puedo ayudarte con eso.",
        "Como modelo de lenguaje no tengo opiniones.",
        "Je ne peux pas répondre à cette question.",
        "En tant qu'IA, je n'ai pas d'avis.",
        "对不起，我无法回答这个问题。",
        "عذرًا، لا أستطيع الإجابة عن هذا السؤال.",
    ],
)
def test_a_refusal(text: str) -> None:
    assert reason("no_refusal", answer=text) == "refusal"


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, I was wrong. It has nine arches.",
        "I apologize, I cannot defend what I said. It has nine arches.",
        "The machine cannot grind oats.",
        "A keeper can't help with that.",
        "The answer cannot be given in metres.",
        'The inspector wrote: "I cannot answer for these brakes."',
        "Es tut mir leid, das war falsch. Die Maschine kann Hafer nicht mahlen.",
        "Lo siento, me equivoqué. La máquina no puede moler avena.",
        "Désolé, je me suis trompé. La machine ne peut pas moudre l'avoine.",
        "An AI model was used as early as 1956.",
        "对不起，我说错了。机器不能磨燕麦。",
    ],
)
def test_an_answer(text: str) -> None:
    assert reason("no_refusal", answer=text) is None
