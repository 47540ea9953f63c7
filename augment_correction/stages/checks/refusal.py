"""Whether an answer is a refusal. "The machine cannot" and "I'm sorry, I was wrong" are none: it takes a first person who
is not able or willing to answer, or who calls itself a model. English, German, Spanish, French, Chinese, Arabic."""

from __future__ import annotations

import re

from augment_correction.stages.checks.contract import CheckInput, CheckResult, first_match, pattern

_ENGLISH = (
    r"\bi(?:['’]m| am)?\s+(?:afraid\s+i\s+|sorry,?\s+(?:but\s+)?i\s+)?(?:really\s+|simply\s+)?"
    r"(?:cannot|can\s*not|can['’]t|could\s+not|won['’]t|will\s+not|(?:won['’]t|will\s+not|would\s+not)\s+be\s+able\s+to|"
    r"unable\s+to|am\s+unable\s+to|am\s+not\s+able\s+to|not\s+able\s+to|not\s+allowed\s+to|not\s+permitted\s+to)\s+"
    r"(?:be\s+able\s+to\s+)?(?:really\s+|directly\s+|currently\s+)?"
    r"(?:help|assist|answer|provide|comply|fulfil+|verify|access|browse|confirm|discuss|respond|comment|share|generate|"
    r"look\s+(?:it|that|this)\s+up|do\s+(?:that|this)|tell\s+you|say|determine|give\s+you|offer|support|engage|know|recall)\b",
    r"\b(?:as|being)\s+an?\s+(?:\w+\s+)?(?:ai|artificial\s+intelligence|language\s+model|chatbot|virtual\s+assistant|llm)\b",
    r"\bi(?:['’]m|\s+am)\s+(?:just\s+|only\s+|merely\s+)?an?\s+(?:\w+\s+)?(?:ai|artificial\s+intelligence|language\s+model|chatbot|virtual\s+assistant)\b",
    r"\bi\s+(?:(?:currently|unfortunately)\s+)?(?:don['’]t|do\s+not|lack)\s+(?:(?:currently|actually)\s+)?(?:have\s+)?"
    r"(?:(?:any|enough|sufficient|direct|real-time|specific|reliable|the)\s+)*"
    r"(?:access|ability|capability|information|data|knowledge|context|details|means|permission)\b(?=\s*(?:to|on|about|of|for|that|regarding|$|[.,;]))",
    r"\bi\s+(?:must|have\s+to|need\s+to|will\s+have\s+to|would\s+like\s+to)\s+(?:respectfully\s+|politely\s+)?decline\b|\bi\s+(?:refuse|decline)\s+to\b",
    r"\bi(?:['’]d|\s+would)\s+(?:prefer|rather)\s+not\s+(?:to\s+)?(?:answer|say|comment|discuss)\b",
    r"\bmy\s+(?:training\s+data|knowledge\s+cut-?off|programming|guidelines)\b",
    r"(?:^|[.!?]\s+)(?:i['’]m sorry, (?:but )?)?i\s+(?:do\s+not|don['’]t)\s+know(?:\s+(?:that|the\s+answer))?\s*[.!]",
    r"\bno\s+way\s+for\s+me\s+to\s+(?:know|tell|answer|verify)\b",
    r"\b(?:this|that|it|which)\s+is\s+(?:something\s+)?(?:outside|beyond)\s+(?:of\s+)?(?:my\s+(?:scope|knowledge|capabilities|abilities)|what\s+i\s+can)\b",
)
_GERMAN_DO = r"(?:helfen|weiterhelfen|beantworten|antworten|geben|sagen|bereitstellen|überprüfen|zugreifen|behilflich|beurteilen|mitteilen|bestätigen)"
_GERMAN = (
    rf"\b(?:ich|kann)\b[^.!?\n]{{0,20}}\b(?:kann|ich|darf|könnte)\b[^.!?\n]{{0,60}}\b(?:nicht|keine[nrs]?|nichts)\b[^.!?\n]{{0,40}}\b{_GERMAN_DO}\b",
    r"\b(?:bin\s+ich|ich\s+bin)\b[^.!?\n]{0,30}\bnicht\s+(?:in\s+der\s+lage|imstande|befugt)\b",
    r"\bals\s+(?:eine?\s+)?(?:ki|künstliche\s+intelligenz|sprachmodell|ki-\w+|virtueller\s+assistent)\b",
    r"\bich\s+bin\s+(?:nur\s+|lediglich\s+)?eine?\s+(?:ki|ki-\w+|künstliche\s+intelligenz|sprachmodell|chatbot)\b",
    r"\b(?:habe\s+ich|ich\s+habe)\b[^.!?\n]{0,30}\bkeine[nr]?\s+(?:zugriff|zugang|informationen|angaben|daten|kenntnis)\b",
    r"\bliegen\s+mir\b[^.!?\n]{0,30}\bkeine\b|\bmir\s+liegen\b[^.!?\n]{0,30}\bkeine\b",
)
_SPANISH = (
    r"\bno\s+(?:te\s+|le\s+|os\s+)?(?:puedo|podría|podré)\s+(?:ayudar|responder|contestar|proporcionar|acceder|verificar|confirmar|ofrecer|dar|decir|asistir|facilitar)\w*",
    r"\bno\s+(?:soy\s+capaz|estoy\s+en\s+condiciones|tengo\s+la\s+capacidad|me\s+es\s+posible|estoy\s+autorizad[oa])\b",
    r"\b(?:como|soy|al\s+ser)\s+(?:solo\s+|sólo\s+)?(?:una?\s+)?(?:modelo\s+de\s+(?:lenguaje|ia)|ia|inteligencia\s+artificial|asistente\s+(?:virtual|de\s+ia))\b",
    r"\bno\s+(?:tengo|dispongo\s+de|cuento\s+con)\s+(?:la\s+|suficiente\s+)?(?:acceso|información|datos|conocimiento)\b",
    r"\bcarezco\s+de\b",
)
_FRENCH = (
    r"\bje\s+ne\s+(?:peux|pourrai|saurais)\s+(?:malheureusement\s+)?(?:pas\s+)?(?:vous\s+|t['’]|te\s+|y\s+)?(?:aider|répondre|fournir|accéder|vérifier|confirmer|donner|dire|renseigner)\b",
    r"\bje\s+ne\s+suis\s+(?:malheureusement\s+)?pas\s+(?:en\s+mesure|capable|autorisée?|habilitée?)\b",
    r"\b(?:en\s+tant\s+qu(?:e\s+|['’])|étant\s+|je\s+suis\s+(?:seulement\s+)?|je\s+ne\s+suis\s+qu['’])(?:une?\s+)?(?:ia|intelligence\s+artificielle|modèle\s+de\s+langage|assistant\s+(?:virtuel|ia))\b",
    r"\bje\s+(?:ne\s+dispose\s+pas|n['’]ai\s+pas\s+(?:accès|d['’]informations?|assez\s+d['’]informations?|les\s+informations))",
    r"\bil\s+m['’]est\s+impossible\b",
)
_OTHER = (
    r"作为(?:一个|一名)?(?:人工智能|ai|语言模型)|我(?:无法|不能)(?:回答|提供|帮|协助|访问)",
    r"لا (?:أستطيع|يمكنني) (?:الإجابة|مساعدت|تقديم)|كنموذج لغ",
)
_PATTERNS = (
    pattern(
        "can able won't will could ai artificial model chatbot virtual llm have lack decline refuse rather prefer my know "
        "no outside beyond not",
        # how one of them can begin: said once before eleven are tried at every letter
        rf"(?=[abimntw]|^|[.!?])(?:{'|'.join(_ENGLISH)})",
    ),
    pattern("ich mir ki- künstliche sprachmodell assistent ki", *_GERMAN),
    pattern("no como soy ser carezco", *_SPANISH),
    pattern("je en étant m'est m’est", *_FRENCH),
    pattern("我 作为 لا كنموذج", *_OTHER),
)
# What somebody else is quoted with refuses nothing.
_QUOTES = re.compile(r'["“„«\n]')
_CLOSING = {'"': re.compile(r'["\n]'), "“": re.compile(r"[”\n]"), "„": re.compile(r"[“”\n]"), "«": re.compile(r"[»\n]")}


def _unquoted(text: str) -> str:
    """With `""` for each quotation. Where one sign of a line is closed by none, the others of its kind are not, either, and none is tried."""
    parts, done = [], 0
    open_ended: set[str] = set()
    for found in _QUOTES.finditer(text):
        sign, start = found.group(), found.start()
        if sign == "\n":
            open_ended.clear()
        elif start >= done and sign not in open_ended:
            end = _CLOSING[sign].search(text, start + 1)
            if end and end.group() != "\n":
                parts += [text[done:start], '""']
                done = end.end()
            else:
                open_ended.add(sign)
    return "".join([*parts, text[done:]])


def no_refusal(given: CheckInput) -> CheckResult:
    unquoted = given._replace(texts=tuple((field, _unquoted(text)) for field, text in given.texts))
    detail = '{field} refuses to answer ("{found}"). Answer the question from what you were given'
    return first_match(unquoted, _PATTERNS, "refusal", detail)
