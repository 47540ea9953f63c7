from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augment_correction.errors import ConfigError
from augment_correction.text import LOST, NotText, clean, decode, read_text

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
    with pytest.raises(NotText, match="control characters"):
        decode(bytes([0, 1, 2, 3, 255, 254, 128]) * 100)


@given(st.binary(max_size=400))
def test_any_bytes_become_clean_text_or_are_refused(data: bytes) -> None:
    try:
        found = decode(data)
    except NotText:
        return
    found.text.encode("utf-8")
    assert not {"\r", "\0", "\ufeff"} & {*found.text}
    assert found.replaced <= found.text.count(LOST)


@given(st.text(st.characters(codec="utf-8")))
def test_utf8_is_never_changed_but_for_line_ends(text: str) -> None:
    assert clean(text) == text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "").replace("\ufeff", "")


def test_lone_surrogates_cannot_come_through() -> None:
    assert clean("a\ud83d\ude00b\ud800c") == "a😀b�c"


# ------------------------------------------------------------------------------------------------ damaged UTF-8

PARAGRAPHS = {
    "de": "Die Fähre von Grünau trug im Jahr 1702 über zweihundert Fuhrwerke; größere Wagen zahlten fünf Groschen.",
    "fr": "Le bac d’Aulnay a transporté deux cents charrettes. Le passeur tenait un registre « à deux mains ».",
    "ja": "青川の渡し場は一七〇二年に二百四十台の荷車を運んだ。渡し守は帳面をつけていた。荷車は一台につき四文であった。",
    "ko": "푸른 나루는 1702년에 수레 이백 대를 실어 날랐다. 수레 한 대의 요금은 네 푼이었다.",
    "ru": "Переправа у села Озёрное перевезла в 1702 году двести сорок подвод. С каждой брали четыре копейки.",
    "zh": "青溪渡口在一七〇二年运送了二百四十辆大车。牲畜每头收一文钱。严寒时渡口关闭十九天。",
}
LANGUAGES = sorted(PARAGRAPHS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_cut_end_costs_one_sign(language: str) -> None:
    text = PARAGRAPHS[language]
    wide = next(sign for sign in reversed(text) if sign > "\x7f")
    whole = text[: text.rindex(wide) + 1].encode()
    found = decode(whole[:-1])
    assert (found.encoding, found.replaced, found.repaired, found.guessed) == ("utf-8", 1, 0, False)
    assert found.text == text[: text.rindex(wide)] + LOST


@pytest.mark.parametrize("bad", [b"\xff", b"\x80", b"\xc3", b"\xe2\x82"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_bad_bytes_cost_themselves(language: str, bad: bytes) -> None:
    text = PARAGRAPHS[language] + " "
    found = decode(text.encode() + bad + b"\n" + text.encode())
    assert (found.text, found.encoding, found.replaced) == (f"{text}{LOST}\n{text}", "utf-8", 1)


def test_the_sign_of_a_lost_character_in_the_text_itself_is_not_counted() -> None:
    text = PARAGRAPHS["de"]
    assert decode(f"{text} {LOST}".encode()).replaced == 0
    assert decode(f"{text} {LOST} ".encode() + b"\xff").replaced == 1
    assert decode(f"\ufeff{text} {LOST}".encode("utf-16-le") + b"\x00").replaced == 1


PASTED = {
    "de": ("Der Müller zahlte fünf Groschen für „gute“ Säcke.", "cp1252"),
    "fr": ("L’écluse fermée", "cp1252"),
    "ru": ("Мельник платил пять копеек за мешок.", "cp1251"),
    "cs": ("Mlynář zaplatil pět grošů.", "cp1250"),
    "el": ("Ο μυλωνάς πλήρωσε πέντε γρόσια.", "cp1253"),
}


@pytest.mark.parametrize("language", PASTED)
def test_a_paragraph_in_another_encoding_is_repaired(language: str) -> None:
    around = {"cs": f"{CZECH} Plátce šel přes řeku.", "el": f"{GREEK} Ο ποταμός και η μυλωνού."}.get(
        language
    ) or PARAGRAPHS[language]
    pasted, encoding = PASTED[language]
    data = b"\n\n".join([around.encode(), pasted.encode(encoding), around.encode()])
    found = decode(data)
    assert found.text == f"{around}\n\n{pasted}\n\n{around}"
    assert (found.encoding, found.replaced, found.repaired) == ("utf-8", 0, 1)


def test_joined_files_of_two_encodings_are_read_line_by_line() -> None:
    found = decode("déjà vu à la carte\n".encode() + "Garçon naïf, déjà à la fête\n".encode("cp1252"))
    assert (found.text, found.encoding) == ("déjà vu à la carte\nGarçon naïf, déjà à la fête\n", "utf-8")
    assert (found.repaired, found.replaced, found.guessed) == (1, 0, False)


def test_a_pasted_line_whose_letters_fit_nothing_is_replaced_and_counted() -> None:
    data = PARAGRAPHS["ja"].encode() + b"\n" + b"x\xf0\xd0\xde\xfdx\n" + PARAGRAPHS["ja"].encode()
    found = decode(data)
    assert found.encoding == "utf-8" and found.repaired == 0 and found.replaced >= 4
    assert found.text.count(PARAGRAPHS["ja"]) == 2


@given(st.sampled_from(LANGUAGES), st.data())
def test_any_damaged_byte_leaves_the_rest_as_it_is(language: str, data: st.DataObject) -> None:
    good = (PARAGRAPHS[language] + "\n") * 3
    whole = good.encode()
    at, byte = data.draw(st.integers(0, len(whole) - 1)), data.draw(st.integers(128, 255))
    found = decode(whole[:at] + bytes([byte]) + whole[at + 1 :])
    assert found.encoding == "utf-8" and found.replaced <= 4
    assert found.text.count(PARAGRAPHS[language]) >= 2


@given(st.sampled_from(LANGUAGES), st.data())
def test_a_text_cut_anywhere_is_the_beginning_of_that_text(language: str, data: st.DataObject) -> None:
    whole = PARAGRAPHS[language].encode()
    begins = len(PARAGRAPHS[language][:30].encode())
    found = decode(whole[: data.draw(st.integers(begins, len(whole)))])
    assert found.encoding == "utf-8"
    assert PARAGRAPHS[language].startswith(found.text.rstrip(LOST))


# ----------------------------------------------------------------------------------------- other encodings


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_wide_text_without_a_mark(language: str, encoding: str) -> None:
    text = (PARAGRAPHS[language] + "\n") * 2
    found = decode(text.encode(encoding))
    assert (found.text, found.encoding) == (text, encoding)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-16", "utf-32"])
def test_wide_text_with_a_cut_end(encoding: str) -> None:
    text = PARAGRAPHS["de"]
    found = decode(text.encode(encoding)[:-1])
    assert (found.text, found.replaced) == (text[:-1] + LOST, 1)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-32-be"])
def test_a_mark_where_files_were_joined_is_no_sign_of_the_text(encoding: str) -> None:
    found = decode("\ufeffone\n\ufefftwo\ufeff\n".encode(encoding))
    assert (found.text, found.encoding, found.replaced) == ("one\ntwo\n", encoding, 0)


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (GERMAN, "mac_roman"), (FRENCH, "mac_roman"), (GERMAN, "cp850"), ("Le bac a été fermé à cinq heures.", "cp850"),
        (CZECH, "iso8859_2"), (POLISH, "iso8859_2"), (HUNGARIAN, "iso8859_2"), (CZECH, "mac_latin2"), (POLISH, "cp852"),
        ("İlkbaharda ırmak yükselir ve köprü her gün denetlenir; çünkü su çok yüksektir. Şişe, ağaç, göl.", "cp1254"),
        (RUSSIAN, "cp866"), (RUSSIAN, "mac_cyrillic"), (RUSSIAN, "iso8859_5"), (PARAGRAPHS["ja"] * 5, "euc_jp"),
        (PARAGRAPHS["ja"] * 5, "iso2022_jp"), (PARAGRAPHS["zh"] * 5, "gb18030"), (PARAGRAPHS["ko"] * 5, "cp949"),
    ],
)  # fmt: skip
def test_legacy_encodings(text: str, encoding: str) -> None:
    found = decode(text.encode(encoding))
    assert found.text == text
    assert found.replaced == found.repaired == 0
    assert found.guessed == (encoding != "iso2022_jp")


def test_one_damaged_byte_does_not_make_another_encoding_of_a_legacy_text_either() -> None:
    text = PARAGRAPHS["ja"] * 20
    found = decode(text.encode("shift_jis") + b"\x81")
    assert (found.text, found.replaced) == (text + LOST, 1)


# -------------------------------------------------------------------------------- what a person writes for us


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_a_file_of_ours_may_be_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.jinja").write_bytes(GERMAN.replace("\n", "\r\n").encode(encoding))
    assert read_text(tmp_path / "a.jinja") == GERMAN


def test_a_damaged_sign_in_it_is_told_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes("eins: größer\ndrei: für ".encode() + b"\xff\n")
    with pytest.raises(ConfigError, match="damaged: 1 characters are not valid UTF-8") as refused:
        read_text(path)
    assert (refused.value.line, refused.value.column) == (2, 11)
    assert "save the file as UTF-8" in str(refused.value.hint)


def test_what_is_no_text_or_not_there_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(bytes(range(8)) * 100)
    for name, said in (("a.yaml", "is not a text file"), ("b.yaml", "cannot be read: No such file")):
        with pytest.raises(ConfigError, match=said):
            read_text(tmp_path / name)
