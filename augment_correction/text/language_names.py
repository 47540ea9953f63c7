"""What prompts call a language: the English names of the languages that fastText tells apart and people write much in."""

from __future__ import annotations

_NAMES = """
    af Afrikaans, am Amharic, ar Arabic, az Azerbaijani, be Belarusian, bg Bulgarian, bn Bengali, bs Bosnian, ca Catalan,
    cs Czech, cy Welsh, da Danish, de German, el Greek, en English, eo Esperanto, es Spanish, et Estonian, eu Basque,
    fa Persian, fi Finnish, fr French, fy Frisian, ga Irish, gd Scottish Gaelic, gl Galician, gu Gujarati, he Hebrew,
    hi Hindi, hr Croatian, hu Hungarian, hy Armenian, id Indonesian, is Icelandic, it Italian, ja Japanese, ka Georgian,
    kk Kazakh, km Khmer, kn Kannada, ko Korean, ku Kurdish, ky Kyrgyz, la Latin, lb Luxembourgish, lo Lao, lt Lithuanian,
    lv Latvian, mk Macedonian, ml Malayalam, mn Mongolian, mr Marathi, ms Malay, mt Maltese, my Burmese, nb Norwegian,
    ne Nepali, nl Dutch, nn Norwegian Nynorsk, no Norwegian, oc Occitan, pa Punjabi, pl Polish, ps Pashto, pt Portuguese,
    ro Romanian, ru Russian, sa Sanskrit, sh Serbo-Croatian, si Sinhala, sk Slovak, sl Slovenian, so Somali, sq Albanian,
    sr Serbian, sv Swedish, sw Swahili, ta Tamil, te Telugu, tg Tajik, th Thai, tl Tagalog, tr Turkish, tt Tatar,
    ug Uyghur, uk Ukrainian, ur Urdu, uz Uzbek, vi Vietnamese, yi Yiddish, yue Cantonese, zh Chinese
"""
NAMES: dict[str, str] = dict((entry.strip().split(" ", 1)) for entry in _NAMES.split(","))


def name_of(code: str) -> str:
    """The code itself where it is not listed.

    >>> name_of("fr"), name_of("gn")
    ('French', 'gn')
    """
    return NAMES.get(code, code)
