"""Whether a message can be read by somebody who has never seen the passage. English, German, Spanish, French, Chinese.

"The text of the treaty" is a subject; "the text says" speaks of the passage. So each pattern wants a word that points
("this", "above", "according to") or one that reports, and none takes a noun that is said to be the text *of* something.
"""

from __future__ import annotations

from augment_correction.stages.checks.contract import CheckInput, CheckResult, first_match, pattern

_SAYS = (
    r"(?:says?|states?|mentions?|describes?|explains?|discusses|claims?|argues?|suggests?|reports?|notes?|writes?|tells?|"
    r"emphasi[sz]es?|point(?:s)? out|presents?|provides?|outlines?|indicates?|refers?|does)"
)
_SOURCE = r"(?:texts?|passages?|excerpts?|snippets?|extracts?|documents?|articles?|sections?|chapters?|paragraphs?|sources?|materials?|authors?|writers?|narrator)"
_ENGLISH = (
    r"\b(?:the|this|that|given|provided|above|following)\s+(?:(?:given|provided|above|source|original)\s+)?"
    r"(?:text|passage|excerpt|snippet)\b(?!\s+(?:of|to|between|from|through|message|messages|editor|file|field|box|book|books)\b)",
    rf"\b(?:according\s+to|based\s+(?:up)?on|going\s+by|drawing\s+on|as\s+per|referring\s+to|with\s+reference\s+to|in\s+light\s+of)\s+"
    rf"(?:the|this|that|these)\s+(?:\w+\s+)?{_SOURCE}\b(?!\s+of\b)",
    rf"\b(?:the|this)\s+{_SOURCE}\s+(?:\w+ly\s+|also\s+)?{_SAYS}\b",
    rf"\b(?:does|do|did|how|as|what)\s+(?:the|this|these)\s+{_SOURCE}\s+(?!of\b)(?:\w+ly\s+)?{_SAYS}\b",
    r"\b(?:the|this)\s+authors?['’]s?\s+(?:view|views|opinion|argument|claim|point|words|account|explanation)\b",
    r"\bas\s+(?:was\s+|is\s+|has\s+been\s+)?(?:mentioned|stated|described|discussed|shown|noted|listed|explained|outlined|defined|seen)"
    r"\s+(?:above|below|earlier|previously|before|there)\b",
    r"\b(?:the|this)\s+(?:above|previous|preceding|aforementioned)\s+(?:figure|table|diagram|chart|section|chapter|paragraph|"
    r"document|article|information|context|material|description)\b(?!\s+of\b)",
    r"\b(?:the|this)\s+(?:figure|table|diagram|chart|section|paragraph|document|article|information)\s+above\b(?!\s+(?:the|an?)\b)",
    r"\bthe\s+(?:given|provided|supplied)\s+(?:information|context|material|document|article|section|content|source|data)\b",
    r"\b(?:information|details|facts|context)\s+(?:that\s+is\s+|that\s+was\s+)?(?:given|provided)\s+(?:here|above|in\s+(?:the|this))\b",
    r"\b(?:in|by|from)\s+this\s+(?:chapter|document|article|paragraph|figure|excerpt)\b(?!\s+of\b)",
    rf"\b(?:in|by)\s+this\s+section\b(?=\s*,|\s*\?|\s+{_SAYS})|\b(?:\w+ed|shown|given)\s+(?:in|by)\s+this\s+(?:section|table|page)\b",
    r"\b(?:see|shown\s+in|as\s+in|seen\s+in|refer\s+to)\s+(?:also\s+)?(?:figure|fig\.|table|section|chapter|appendix|page|p\.)\s*\d+(?!\S*\s+of\b)",
)
_GERMAN = (
    r"\b(?:laut|gemäß|aus|in|im|der|dem|diesem|dieser|den|vorliegenden?|obigen?|gegebenen?|folgenden?)\s+(?:vorliegenden?\s+|obigen?\s+)?"
    r"(?:text|textes|textabschnitts?|textauszugs?|textausschnitts?|textstelle|passage|auszug)\b"
    r"(?!\s+(?:des|der|dieses|dieser|eines|einer|von|vom|zu|zum|zur|durch|über|zwischen|nach)\b)",
    r"\b(?:laut|gemäß|nach|in|zu)\s+(?:diesem|dieser)\s+(?:abschnitt|kapitel|artikel|dokument|absatz|abbildung|tabelle|auszug)\b",
    r"\b(?:laut|gemäß)\s+(?:dem|der)\s+(?:abschnitt|kapitel|artikel|dokument|absatz|autor|autorin|verfasser|quelle)\b(?!\s+(?:des|der|von)\b)",
    r"\b(?:dem|der)\s+(?:text|abschnitt|artikel|dokument|autor|autorin|verfasser)\s+zufolge\b",
    r"\b(?:der|die)\s+(?:autor|autorin|autoren|verfasser|verfasserin)\s+(?:sagt|schreibt|behauptet|meint|erklärt|beschreibt|nennt|erwähnt)",
    r"\b(?:sagt|schreibt|behauptet|meint|erklärt|beschreibt|nennt|erwähnt)\s+(?:der|die)\s+(?:autor|autorin|autoren|verfasser|verfasserin|text|abschnitt)\b"
    r"(?!\s+(?:des|der|von)\b)",
    r"\bwie\s+(?:bereits\s+)?(?:weiter\s+)?(?:oben|zuvor|vorher|bereits|vorstehend)\s+(?:\w+\s+)?(?:erwähnt|genannt|beschrieben|erklärt|gesagt|gezeigt|dargestellt)",
)
_SPANISH_SAYS = r"(?:dice|afirma|explica|menciona|sostiene|señala|describe|habla|indica|trata|cuenta|presenta)"
_SPANISH = (
    r"\b(?:este|dicho)\s+(?:texto|pasaje|fragmento|extracto)\b(?!\s+(?:de|del|entre|a)\b)(?:\s+(?:anterior|proporcionado|dado))?",
    rf"\bel\s+(?:texto|pasaje|fragmento|extracto)\s+(?:no\s+|nos\s+|se\s+)?{_SPANISH_SAYS}\b",
    r"\b(?:el|del|al)\s+(?:texto|pasaje|fragmento|extracto)\s+(?:anterior|proporcionado|dado|siguiente|citado)\b",
    r"\b(?:en|lectura|autora?|inicio|final|sentido|contenido|idea|tema)\s+(?:principal\s+)?(?:el|del)\s+(?:texto|pasaje|fragmento|extracto)\b"
    r"(?!\s+(?:de|del|entre|a)\b)",
    r"\b(?:según|de acuerdo con|basándo(?:te|se|nos) en|a partir de|como (?:dice|explica|indica))\s+(?:el|la|este|esta|los|lo)\s+"
    r"(?:documento|artículo|autora?|autores|sección|capítulo|párrafo|apartado|fuente|información|texto|pasaje|fragmento|extracto)\b(?!\s+(?:de|del)\b)",
    r"\ben\s+(?:este|esta)\s+(?:documento|artículo|sección|capítulo|párrafo|apartado|tabla|figura)\b",
    r"\b(?:dice|afirma|explica|menciona|sostiene|señala|describe)\s+(?:el|la|los)\s+(?:autora?|autores|texto|pasaje|documento)\b(?!\s+(?:de|del)\b)",
    r"\b(?:el|la|los)\s+(?:autora?|autores|documento|artículo)\s+(?:dicen?|afirman?|explican?|mencionan?|sostienen?|señalan?|describen?)\b",
    r"\bcomo\s+(?:ya\s+)?se\s+(?:ha\s+)?(?:mencion\w+|indic\w+|dijo|dicho|explic\w+|señal\w+|describ\w+|vio|visto)\s+"
    r"(?:arriba|anteriormente|antes|más arriba|previamente)\b",
    r"\binformación\s+(?:proporcionada|dada|anterior)\b",
)
_FRENCH_SAYS = r"(?:dit|affirme|explique|mentionne|soutient|décrit|indique|écrit|parle|précise|présente|évoque|raconte)"
_FRENCH = (
    r"\b(?:ce|du présent|le présent)\s+(?:texte|passage|extrait)\b(?!\s+(?:de|du|des|entre|à|au|en|d['’]))",
    rf"\ble\s+(?:texte|passage|extrait)\s+(?:(?:ne|n['’]|nous|y|en)\s*)?{_FRENCH_SAYS}\b",
    r"\b(?:lecture|auteure?|début|fin|sens|contenu|idée|thème)\s+(?:principale?\s+)?(?:du|de l['’])\s*(?:texte|passage|extrait)\b"
    r"(?!\s+(?:de|du|des|entre|à|au|en|d['’]))",
    r"\b(?:le|du|au)\s+(?:texte|passage|extrait)\s+(?:donné|fourni|présenté|suivant|précédent|cité)\b",
    r"\b(?:selon|d['’]après|à partir de|dans|en vous appuyant sur)\s+(?:ce|cet|cette|l['’]|le|la)\s?"
    r"(?:document|article|auteure?|section|chapitre|paragraphe|texte|passage|extrait|tableau)\b(?!\s+(?:de|du|des|\d|d['’]))",
    r"\b(?:dit|affirme|explique|mentionne|soutient|décrit|indique|écrit)(?:-t-il)?\s+(?:l['’]auteure?|le texte|le passage|le document)\b(?!\s+(?:de|du|des|d['’]))",
    r"\bl['’]auteure?\s+(?:dit|affirme|explique|mentionne|soutient|décrit|indique|écrit)\b",
    r"\bcomme\s+(?:\w+\s+)?(?:indiqué|mentionné|vu|dit|expliqué|décrit)e?s?\s+(?:ci-dessus|plus haut|précédemment|auparavant)\b",
    r"\b(?:texte|tableau|figure|section|paragraphe)\s+(?:ci-dessus|précédente?)\b",
)
_CHINESE = (
    r"(?:根据|依据|按照|在)(?:本文|文章|上文|文中|这段文字|该段落|以上内容)|(?:文中|上文|本文|作者)(?:提到|指出|认为|说|描述)",
)
_PATTERNS = (
    pattern(
        "text passage excerpt snippet extract document article section chapter paragraph source material author writer narrator "
        "figure fig. table diagram chart above below earlier previous before provided given",
        *_ENGLISH,
    ),
    pattern(
        "text auszug passage abschnitt kapitel artikel dokument absatz abbildung tabelle autor verfasser quelle wie",
        *_GERMAN,
    ),
    pattern(
        "texto pasaje fragmento extracto documento artículo autor capítulo sección párrafo apartado fuente tabla figura "
        "como información",
        *_SPANISH,
    ),
    pattern("texte passage extrait document article auteur section chapitre paragraphe tableau figure comme", *_FRENCH),
    pattern("文 段", *_CHINESE),
)


def stands_alone(given: CheckInput) -> CheckResult:
    detail = '{field} says "{found}", but its reader has never seen the text. Name the subject itself'
    return first_match(given, _PATTERNS, "mentions_text", detail)
