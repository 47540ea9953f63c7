"""The words that the other modules look up: data, in English and in smaller measure German, Spanish and French."""

from __future__ import annotations


def as_set(text: str) -> frozenset[str]:
    return frozenset(text.split())


STOPWORDS = as_set(
    # English
    """an the and or but nor so as if than that this these those there here it its i me my we our you your he him his
    she her they them their who whom whose which what when where how why is are was were be been being am do does did done
    has have had having will would shall should can could might must to of in on at by for from with into onto about
    also just very too then thus therefore
    """
    # German
    """der die das den dem des ein eine einen einem einer eines und oder aber ist sind waren wird werden wurde wurden hat
    haben hatte sein ihr ihre er sie es wir ich man zu zum zur im ins am auf aus bei mit von vom für über um an als wie
    dass sich auch nur noch so
    """
    # Spanish
    """el la los las lo un una unos unas y e o u pero es era eran fue fueron ser está están ha han había al del de en por
    para con se su sus le les que como qué también muy
    """
    # French
    """les une et ou mais est sont était étaient être ont avait du au aux dans par pour sur avec ce cet cette ces il elle
    ils elles on nous vous je tu son sa ses leur leurs qui que dont où y ne
    """
)
"""Function words only. Words that turn a meaning (not, before, more, all) are not in it, nor are units (m, s) and the
function words that mean much elsewhere (war, may)."""

EQUALS = as_set("equals equal =")
COPULAS = EQUALS | as_set("is are was were ist sind waren es eran est sont était étaient")
"""Without war, era and son, which English has as nouns."""

PERCENT = as_set("percent prozent pct")

YES = as_set(
    "yes yeah yep ja oui sí sim da да так tak ano evet ναι نعم כן بله हाँ हां はい うん 네 예 是的 对 jawohl kyllä igen"
)
NO = as_set("no nope nein non não nee nej nei нет ні nie ne hayır όχι لا לא نه नहीं いいえ 아니요 不 不是 ei nem")
TRUE = as_set("true wahr vrai verdadero verdadeiro vero waar sant верно prawda")
FALSE = as_set("false falsch faux falso onwaar falskt неверно fałsz")

GERMAN = as_set("der das und ist nicht ein eine von dem den mit zu wurde wird sind")
"""Two of these, and capitals mark nouns instead of names."""

ABBREVIATIONS = as_set("mr mrs ms dr prof st gen col sir vs")
"""A full stop after one of these ends no sentence."""

_OPPOSITES = """
    increase/decrease increasing/decreasing rise/fall rose/fell grow/shrink grew/shrank gain/lose gained/lost
    raise/lower raised/lowered higher/lower high/low up/down upper/lower upward/downward above/below over/under
    more/less more/fewer most/least many/few all/none always/never maximum/minimum max/min larger/smaller large/small
    big/small greater/less greater/smaller longer/shorter long/short faster/slower fast/slow stronger/weaker strong/weak
    hotter/colder hot/cold warmer/cooler warm/cold heavy/light heavier/lighter wide/narrow deep/shallow thick/thin
    before/after earlier/later early/late first/last begin/end began/ended start/stop start/end open/close
    opened/closed older/younger old/young old/new north/south east/west northern/southern eastern/western left/right
    inside/outside inner/outer internal/external front/back top/bottom near/far in/out on/off
    true/false correct/incorrect right/wrong yes/no valid/invalid possible/impossible legal/illegal visible/invisible
    direct/indirect active/inactive complete/incomplete positive/negative plus/minus add/subtract multiply/divide
    allow/forbid allowed/forbidden accept/reject accepted/rejected buy/sell bought/sold import/export win/lose won/lost
    male/female men/women mother/father brother/sister husband/wife king/queen day/night summer/winter
    alive/dead safe/dangerous public/private odd/even absorb/emit attract/repel expand/contract
    good/bad better/worse best/worst cause/prevent solid/liquid rich/poor input/output
    mehr/weniger vor/nach vorher/nachher steigen/fallen stieg/fiel hoch/niedrig groß/klein größer/kleiner links/rechts
    ja/nein wahr/falsch richtig/falsch immer/nie nord/süd norden/süden osten/westen erste/letzte
    más/menos antes/después mayor/menor primero/último izquierda/derecha sí/no norte/sur verdadero/falso aumentar/disminuir
    plus/moins avant/après premier/dernier première/dernière gauche/droite oui/non nord/sud vrai/faux augmenter/diminuer
"""
OPPOSITES: frozenset[tuple[str, str]] = frozenset(
    (one, other) for one, other in (pair.split("/") for pair in _OPPOSITES.split())
)
