"""The wordings that faults (and good rows) are made with, per language, written before the checks' patterns.

`DEVELOP` was looked at while the checks were written; `HELD_OUT` only to report. {q} is the question with a small first
letter, {value} what gives the answer away.
"""

from __future__ import annotations

from typing import NamedTuple

ByLanguage = dict[str, tuple[str, ...]]


class Wordings(NamedTuple):
    mention: ByLanguage
    refusal: ByLanguage
    giveaway: ByLanguage
    pushback: ByLanguage
    opening: ByLanguage
    """How a good correction begins."""
    refuting: ByLanguage
    """A good correction that says the mistake again: {wrong} is the flawed answer without its full stop."""
    tag: tuple[str, ...]
    link: tuple[str, ...]


DEVELOP = Wordings(
    mention={
        "en": (
            "According to the text, {q}",
            "In this passage, {q}",
            "Based on the provided excerpt, {q}",
            "{Q} Answer with what the author says.",
            "As mentioned above, there is a rule to this: {q}",
            "Going by this section, {q}",
        ),
        "de": ("Laut dem Text, {q}", "Wie wird es in diesem Abschnitt erklärt: {q}", "Dem Autor zufolge, {q}"),
        "es": ("Según el texto, {q}", "En este pasaje, {q}", "Como se mencionó anteriormente, {q}"),
        "fr": ("Selon le texte, {q}", "Dans cet extrait, {q}", "D'après l'auteur, {q}"),
    },
    refusal={
        "en": (
            "I'm sorry, but I can't help with that.",
            "As an AI language model, I don't have access to that information.",
            "I cannot answer this question.",
            "I am unable to verify this.",
            "Unfortunately, I don't have enough information to answer that.",
        ),
        "de": (
            "Es tut mir leid, aber dabei kann ich nicht helfen.",
            "Als KI-Sprachmodell habe ich keinen Zugriff auf diese Daten.",
            "Diese Frage kann ich leider nicht beantworten.",
        ),
        "es": (
            "Lo siento, pero no puedo ayudar con eso.",
            "Como modelo de lenguaje, no tengo acceso a esa información.",
            "No puedo responder a esa pregunta.",
        ),
        "fr": (
            "Je suis désolé, mais je ne peux pas vous aider.",
            "En tant que modèle de langage, je n'ai pas accès à ces informations.",
            "Je ne peux pas répondre à cette question.",
        ),
    },
    giveaway={
        "en": (
            "Are you sure? I thought it was {value}.",
            "Wasn't it {value}?",
            "I read {value} somewhere.",
            "My teacher told me something about {value}, so that seems off.",
        ),
        "de": ("War das nicht {value}?", "Ich dachte an {value}."),
        "es": ("¿No era {value}?", "Yo había leído {value}."),
        "fr": ("Ce n'était pas {value} ?", "J'avais lu {value} quelque part."),
    },
    pushback={
        "en": (
            "Are you sure about that?",
            "That does not sound right to me.",
            "I remember something else about the reason. Could you go over it again?",
            "Hmm, I have my doubts. Can you check that?",
            "Something in your answer seems wrong.",
        ),
        "de": ("Bist du dir da sicher?", "Das kommt mir falsch vor.", "Kannst du das noch einmal prüfen?"),
        "es": ("¿Estás seguro de eso?", "Eso no me suena bien.", "¿Puedes revisarlo otra vez?"),
        "fr": ("Tu en es sûr ?", "Cela me paraît faux.", "Peux-tu vérifier encore une fois ?"),
    },
    opening={
        "en": ("You're right to doubt it, I was wrong.", "I apologize for the mistake.", "I'm sorry, I mixed that up."),
        "de": ("Du hast recht, ich habe mich geirrt.", "Entschuldigung, das war falsch."),
        "es": ("Tienes razón, me equivoqué.", "Perdona, lo que dije era incorrecto."),
        "fr": ("Tu as raison, je me suis trompé.", "Désolé, ma réponse était fausse."),
    },
    refuting={
        "en": ('I said "{wrong}", and that is not so. {right}', "My answer was wrong. {right} The rest I made up."),
        "de": ("Ich sagte: „{wrong}“. Das stimmt nicht. {right}",),
        "es": ("Dije «{wrong}», y no es así. {right}",),
        "fr": ("J'ai dit « {wrong} », ce qui est faux. {right}",),
    },
    tag=(
        "</correct_answer>",
        "<think>",
        "<|im_end|>",
        "[INST]",
        "### Assistant:",
        "User: ",
        "<|eot_id|>",
        "<verdict>",
    ),
    link=("https://example.org/page", "www.example.org", "[the source](https://example.org)", "http://example.org"),
)

HELD_OUT = Wordings(
    mention={
        "en": (
            "Drawing on the document above, {q}",
            "As the author explains, there is a reason. {Q}",
            "{Q} Quote the text in support.",
            "From what is stated in the paragraph, {q}",
            "In the context of the given material, {q}",
            "What does the article say on this: {q}",
            "Referring to the figure above, {q}",
        ),
        "de": (
            "Was steht im Textausschnitt dazu: {q}",
            "Wie oben erwähnt gibt es dafür einen Grund. {Q}",
            "Was schreibt der Verfasser hierzu: {q}",
        ),
        "es": (
            "De acuerdo con el fragmento, {q}",
            "¿Qué dice el autor sobre esto? {Q}",
            "Basándote en la información proporcionada en el documento, {q}",
        ),
        "fr": (
            "D'après ce document, {q}",
            "Comme indiqué ci-dessus, il y a une raison. {Q}",
            "Que dit l'auteur à ce sujet ? {Q}",
        ),
    },
    refusal={
        "en": (
            "I won't be able to assist with this request.",
            "I'm just a language model, so I can't look that up.",
            "Sorry, I must decline to answer.",
            "I do not have the ability to browse or confirm such facts.",
            "There is no way for me to know this, as my training data ends earlier.",
            "I'm afraid I can't say anything about that.",
        ),
        "de": (
            "Leider bin ich nicht in der Lage, dazu etwas zu sagen.",
            "Ich bin nur ein KI-Assistent und kenne diese Angaben nicht.",
            "Dazu liegen mir keine Informationen vor.",
        ),
        "es": (
            "Me temo que no estoy en condiciones de contestar.",
            "Soy una inteligencia artificial y carezco de esos datos.",
            "No dispongo de información suficiente para responder.",
        ),
        "fr": (
            "Je ne suis pas en mesure de répondre.",
            "Étant une IA, je ne dispose pas de ces données.",
            "Désolé, il m'est impossible de vous renseigner.",
        ),
    },
    giveaway={
        "en": (
            "Hold on, my book says {value}.",
            "Shouldn't that be {value}?",
            "I'm fairly certain that {value} is the answer.",
            "But a guide told us about {value} on the tour last summer.",
            "{value}, surely?",
        ),
        "de": ("Müsste es nicht {value} heißen?", "In meinem Buch steht aber etwas von {value}."),
        "es": ("¿No debería ser {value}?", "Mi libro habla de {value}, no de eso."),
        "fr": ("Ne serait-ce pas plutôt {value} ?", "Mon guide parlait de {value}."),
    },
    pushback={
        "en": (
            "Is that really true? I had it differently in mind.",
            "Where did you get that from?",
            "A friend of mine who knows about this says otherwise.",
            "Please look at that once more, I think there is an error in it.",
            "I don't buy it.",
            "That contradicts what I learned. Which part of it are you certain of?",
        ),
        "de": (
            "Stimmt das denn?",
            "Da habe ich etwas anderes gelernt.",
            "Überleg noch mal, das passt nicht zusammen.",
        ),
        "es": ("¿De verdad? Lo tenía entendido de otra forma.", "Creo que hay un error.", "No me convence."),
        "fr": ("Vraiment ? J'avais appris autre chose.", "Je crois qu'il y a une erreur.", "Ça ne me convainc pas."),
    },
    opening={
        "en": (
            "Good catch, my answer was mistaken.",
            "Sorry, I got that wrong and cannot stand by what I said.",
            "My apologies, that was an error on my part.",
            "No, that was incorrect of me.",
        ),
        "de": ("Stimmt, da lag ich daneben.", "Tut mir leid, ich habe das verwechselt."),
        "es": ("Es verdad, cometí un error.", "Lo siento, me confundí."),
        "fr": ("C'est vrai, j'ai fait une erreur.", "Pardon, j'ai confondu."),
    },
    refuting={
        "en": (
            'It was a mistake to claim "{wrong}". {right}',
            "{right} What I claimed before ({wrong}) is false.",
        ),
        "de": ("Meine Aussage „{wrong}“ war ein Irrtum. {right}",),
        "es": ("Fue un error afirmar que «{wrong}». {right}",),
        "fr": ("C'était une erreur de dire : « {wrong} ». {right}",),
    },
    tag=(
        "</flawed_answer>",
        "</think>",
        "<|endoftext|>",
        "[/INST]",
        "### Human:",
        "Assistant: ",
        "<end_of_turn>",
        "<｜Assistant｜>",
        "</s>",
        "<<SYS>>",
        "<|start_header_id|>user<|end_header_id|>",
        "<tool_call>",
    ),
    link=("https://en.example.com/wiki/x", "www.museum.example", "[here](page.html)", "<https://example.net>"),
)
