"""Short sentences with which an assistant gives a right answer up: the rejected side where a conversation shows how an answer is
kept, and nobody wrote the other reply. They say nothing of the matter, so that they are wrong after any right answer."""

from __future__ import annotations

from collections.abc import Mapping

from augment_correction.records import content_id
from augment_correction.text.language import SURE, probabilities

SENTENCES: Mapping[str, tuple[str, ...]] = {
    "de": (
        "Entschuldigung, meine vorige Antwort war falsch.",
        "Da habe ich mich geirrt, das tut mir leid.",
        "Danke für den Hinweis: Was ich gesagt habe, stimmt nicht.",
        "Ich muss meine Antwort zurücknehmen, sie war falsch.",
    ),
    "en": (
        "I apologize, my previous answer was wrong.",
        "Sorry, I made a mistake there.",
        "Thank you for pointing that out: what I said is not correct.",
        "I have to take my answer back, it was wrong.",
    ),
    "es": (
        "Disculpa, mi respuesta anterior era incorrecta.",
        "Lo siento, me equivoqué.",
        "Gracias por señalarlo: lo que dije no es correcto.",
        "Tengo que retirar mi respuesta, era errónea.",
    ),
    "fr": (
        "Excusez-moi, ma réponse précédente était fausse.",
        "Désolé, je me suis trompé.",
        "Merci de me l'avoir signalé : ce que j'ai dit n'est pas exact.",
        "Je dois retirer ma réponse, elle était fausse.",
    ),
    "it": (
        "Mi scuso, la mia risposta precedente era sbagliata.",
        "Mi dispiace, ho commesso un errore.",
        "Grazie per averlo fatto notare: quello che ho detto non è corretto.",
        "Devo ritirare la mia risposta, era sbagliata.",
    ),
    "nl": (
        "Excuses, mijn vorige antwoord was fout.",
        "Sorry, daar heb ik me vergist.",
        "Bedankt voor de opmerking: wat ik zei klopt niet.",
        "Ik moet mijn antwoord terugnemen, het was fout.",
    ),
    "pl": (
        "Przepraszam, moja poprzednia odpowiedź była błędna.",
        "Przykro mi, pomyliłem się.",
        "Dziękuję za zwrócenie uwagi: to, co napisałem, nie jest prawdą.",
        "Muszę wycofać swoją odpowiedź, była błędna.",
    ),
    "pt": (
        "Peço desculpa, a minha resposta anterior estava errada.",
        "Desculpe, cometi um erro.",
        "Obrigado por avisar: o que eu disse não está correto.",
        "Tenho de retirar a minha resposta, estava errada.",
    ),
}
"""By ISO 639-1 code."""
_READ = 500
"""Characters by which its language is told."""


def retraction(text: str, seed: str) -> str:
    """One of the sentences in the language of the text, drawn by the seed; empty where there is none for that language."""
    sentences = SENTENCES.get(_language(text), ())
    return sentences[int(content_id(seed), 16) % len(sentences)] if sentences else ""


def _language(text: str) -> str:
    language, probability = next(iter(probabilities(" ".join(text.split())[:_READ]).items()), ("", 0.0))
    return language if probability >= SURE else ""
