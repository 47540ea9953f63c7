from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augment_correction.documents.contract import Unread
from augment_correction.documents.text import clean, decode

GERMAN = "Der Fluß führt im Frühjahr viel Wasser; die Brücke wird täglich geprüft.\n" * 3
FRENCH = "L’été, la rivière déborde à l’entrée du village où naît le ruisseau – déjà connu.\n" * 3
RUSSIAN = "Весной река поднимается, и мост проверяют каждый день до самого лета.\n" * 6


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be", "cp1252", "latin-1"]
)
def test_western_text_in_many_encodings(encoding: str) -> None:
    mark = {"utf-32-be": "\ufeff"}.get(encoding, "")
    found = decode((mark + GERMAN).encode(encoding))
    assert found.text == GERMAN
    wanted = {"utf-8-sig": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le", "latin-1": "cp1252"}
    assert found.encoding == wanted.get(encoding, encoding)


@pytest.mark.parametrize("text", ["café", "naïve façade", "10 € – 20 °C", FRENCH, "Ærøskøbing"])
def test_short_western_text_is_not_taken_for_another_language(text: str) -> None:
    assert decode(text.encode("cp1252")).text == text


CZECH = "Příliš žluťoučký kůň. Na jaře řeka stoupá a most se každý den kontroluje, protože voda je vysoká."
POLISH = "Wiosną rzeka podnosi się i most jest sprawdzany każdego dnia, ponieważ woda jest wysoka. Żółć gęślą jaźń."
HUNGARIAN = "Tavasszal a folyó megárad, és a hidat minden nap ellenőrzik, mert magas a víz. Árvíztűrő tükörfúrógép."
GREEK = "Την άνοιξη το ποτάμι ανεβαίνει και η γέφυρα ελέγχεται κάθε μέρα."


@pytest.mark.parametrize(
    ("text", "encoding"), [(CZECH, "cp1250"), (POLISH, "cp1250"), (HUNGARIAN, "cp1250"), (GREEK, "cp1253")]
)
def test_languages_further_east_are_not_taken_for_western(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)).text == text


@pytest.mark.parametrize(
    ("text", "encoding"),
    [(RUSSIAN, "cp1251"), (RUSSIAN, "koi8-r"), ("日本語の文章です。川の水が増える。" * 20, "shift_jis")],
)
def test_other_scripts_are_detected(text: str, encoding: str) -> None:
    found = decode(text.encode(encoding))
    assert found.text == text
    assert found.encoding not in ("utf-8", "cp1252")


def test_a_few_nul_bytes_are_taken_out() -> None:
    assert decode(b"one\x00two\n" + b"text " * 100).text.startswith("onetwo\n")


def test_binary_data_is_refused() -> None:
    with pytest.raises(Unread, match="binary"):
        decode(bytes([0, 1, 2, 3, 255, 254, 128]) * 100)


@given(st.binary(max_size=400))
def test_any_bytes_become_clean_text_or_are_refused(data: bytes) -> None:
    try:
        text = decode(data).text
    except Unread as unread:
        assert unread.reason == "binary"
        return
    text.encode("utf-8")
    assert "\r" not in text and "\0" not in text


@given(st.text(st.characters(codec="utf-8")))
def test_utf8_is_never_changed_but_for_line_ends(text: str) -> None:
    assert clean(text) == text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")


def test_lone_surrogates_cannot_come_through() -> None:
    assert clean("a\ud83d\ude00b\ud800c") == "a😀b�c"
