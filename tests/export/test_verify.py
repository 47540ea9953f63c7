from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from augment_correction.errors import InputError
from augment_correction.export import ChatTemplate, Tokenizer, Verification, verify_dataset, write_segments
from augment_correction.export.proofs import REMEDIES, token_view
from augment_correction.export.verify import read_rows
from augment_correction.records import Conversation
from tests.export.conversations import STRIPPED, TEMPLATES, conversation, noticed

LLAMA, QWEN, INST = "llama3 (trims)", "chatml", "inst (alternating, space before)"
GOOD = conversation("What is 5?", "No", "Are you sure?", "No, I was wrong: 5.")


def verified(
    tmp_path: Path,
    rows: Sequence[Conversation],
    template: ChatTemplate,
    tokenizer: Tokenizer,
    *,
    fitted: bool = True,
    sequence_len: int = 4096,
) -> Verification:
    file = tmp_path / "rows.json"
    write_segments(file, rows, template, tokenizer if fitted else None)
    return verify_dataset(file, rows, template, tokenizer, sequence_len)


@pytest.mark.parametrize(("family", "name"), [("qwen", QWEN), ("llama", LLAMA), ("mistral", INST)])
def test_a_good_row(tmp_path: Path, tokenizers: dict[str, Tokenizer], family: str, name: str) -> None:
    made = verified(tmp_path, [GOOD] * 3, TEMPLATES[name], tokenizers[family])
    assert not made.wrong, made.problems
    assert made.rows == 3
    assert made.trained > made.masked > 0


@pytest.mark.parametrize(("family", "name"), [("qwen", QWEN), ("qwen_nfc", QWEN), ("llama", LLAMA)])
@settings(max_examples=100)
@given(texts=st.tuples(STRIPPED, STRIPPED, STRIPPED, STRIPPED), correction_only=st.booleans())
def test_any_texts_in_a_models_own_template(
    tmp_path_factory: pytest.TempPathFactory,
    tokenizers: dict[str, Tokenizer],
    family: str,
    name: str,
    texts: tuple[str, str, str, str],
    correction_only: bool,
) -> None:
    rows = [conversation(*texts, correction_only=correction_only)]
    made = verified(tmp_path_factory.getbasetemp(), rows, TEMPLATES[name], tokenizers[family])
    assert not made.wrong, made.problems


@pytest.mark.parametrize(("family", "name"), [("qwen", QWEN), ("llama", LLAMA), ("mistral", INST)])
def test_a_mistake_corrected_in_the_same_message(
    tmp_path: Path, tokenizers: dict[str, Tokenizer], family: str, name: str
) -> None:
    rows = [noticed("What is 5?", "It is 90 degrees.", "Wait, that is wrong: it is 100."), GOOD]
    made = verified(tmp_path, rows, TEMPLATES[name], tokenizers[family])
    assert not made.wrong, made.problems
    row = next(read_rows(tmp_path / "rows.json", rows, TEMPLATES[name], tokenizers[family]))
    masked = "".join(text for text, trained in token_view(row, tokenizers[family]) if not trained)
    assert masked.strip() == "It is 90 degrees."


@pytest.mark.parametrize(("family", "name"), [("qwen", QWEN), ("qwen_nfc", QWEN), ("llama", LLAMA)])
@settings(max_examples=100)
@given(texts=st.tuples(STRIPPED, STRIPPED, STRIPPED), joint=st.sampled_from([" ", "\n"]))
def test_any_mistake_corrected_in_the_same_message(
    tmp_path_factory: pytest.TempPathFactory,
    tokenizers: dict[str, Tokenizer],
    family: str,
    name: str,
    texts: tuple[str, str, str],
    joint: str,
) -> None:
    rows = [noticed(*texts, joint=joint)]
    made = verified(tmp_path_factory.getbasetemp(), rows, TEMPLATES[name], tokenizers[family])
    assert not made.wrong, made.problems


ACCENTED = "cafe\u0301"


@pytest.mark.parametrize("text", [ACCENTED, f"{ACCENTED}\u0323", "\u1100\u1161\u11a8", "n\u0303", "o\u0302\u0301"])
def test_a_message_that_ends_in_a_letter_and_its_accent(
    tmp_path: Path, tokenizers: dict[str, Tokenizer], text: str
) -> None:
    """NFC joins them: the token is of the letter, and the end of the turn begins behind the accent."""
    rows = [
        conversation(text, text, text, text),
        noticed("Which?", text, f"No: {text}", "\n"),
        noticed("Q", text, text),
    ]
    for fitted in (True, False):
        made = verified(tmp_path, rows, TEMPLATES[QWEN], tokenizers["qwen_nfc"], fitted=fitted)
        assert not made.wrong, made.problems
    for number, row in enumerate(read_rows(tmp_path / "rows.json", rows, TEMPLATES[QWEN], tokenizers["qwen_nfc"])):
        view = list(token_view(row, tokenizers["qwen_nfc"]))
        assert "".join(shown for shown, _ in view).replace("·", "") == row.text
        masked = "".join(shown for shown, trained in view if not trained).replace("·", "")
        assert masked.strip() == (f"{text}<|im_end|>" if number == 0 else text)


@pytest.mark.parametrize(("segment", "label"), [(1, True), (2, False)])
def test_a_wrong_side_inside_a_message_is_named(
    tmp_path: Path, tokenizers: dict[str, Tokenizer], segment: int, label: bool
) -> None:
    file, template = tmp_path / "rows.json", TEMPLATES[QWEN]
    row = noticed("What is 5?", "It is 90.", "Wait, it is 100.")
    write_segments(file, [row], template)
    change(file, 0, segment, label=label)
    assert verify_dataset(file, [row], template, tokenizers["qwen"], 4096).failing == {"mask": 1}


def test_a_seam_is_named_with_its_place(tmp_path: Path, tokenizers: dict[str, Tokenizer]) -> None:
    template = ChatTemplate(
        "mine", "{{ bos_token }}{% for m in messages %}{{ m.role }}:\n{{ m.content }}</s>\n{% endfor %}", "<s>"
    )
    made = verified(tmp_path, [GOOD], template, tokenizers["mistral"])
    assert set(made.failing) == {"seam"}
    problem = made.problems[0]
    assert problem.row == 1 and problem.id == GOOD.id and "assistant:\n" in problem.excerpt
    assert "axolotl_chat" in REMEDIES["seam"]


def change(file: Path, row: int, segment: int, **values: object) -> None:
    rows = orjson.loads(file.read_bytes())
    rows[row]["segments"][segment] |= values
    file.write_bytes(b"[\n" + b",\n".join(map(orjson.dumps, rows)) + b"\n]\n")


def test_a_trained_mistake_is_named(tmp_path: Path, tokenizers: dict[str, Tokenizer]) -> None:
    file, template = tmp_path / "rows.json", TEMPLATES[QWEN]
    write_segments(file, [GOOD, GOOD], template)
    change(file, 1, 1, label=True)
    made = verify_dataset(file, [GOOD, GOOD], template, tokenizers["qwen"], 4096)
    assert made.failing == {"mask": 1}
    assert made.problems[0].row == 2 and "trained but must be masked" in made.problems[0].detail


def test_a_masked_correction_is_named(tmp_path: Path, tokenizers: dict[str, Tokenizer]) -> None:
    file, template = tmp_path / "rows.json", TEMPLATES[QWEN]
    write_segments(file, [GOOD], template)
    change(file, 0, 2, label=False)
    made = verify_dataset(file, [GOOD], template, tokenizers["qwen"], 4096)
    assert "masked but must be trained" in made.problems[0].detail


def test_a_changed_text_is_named(tmp_path: Path, tokenizers: dict[str, Tokenizer]) -> None:
    file, template = tmp_path / "rows.json", TEMPLATES[QWEN]
    write_segments(file, [GOOD], template)
    change(file, 0, 1, text="Yes<|im_end|>\n")
    assert verify_dataset(file, [GOOD], template, tokenizers["qwen"], 4096).failing == {"text": 1}


@pytest.mark.parametrize(("bos", "times"), [("", 0), ("<|begin_of_text|>" * 2, 2)])
def test_a_missing_or_doubled_bos(tmp_path: Path, tokenizers: dict[str, Tokenizer], bos: str, times: int) -> None:
    template = replace(TEMPLATES[LLAMA], bos_token=bos)
    made = verified(tmp_path, [GOOD], template, tokenizers["llama"])
    assert made.failing == {"bos": 1}
    assert f"{times} times" in made.problems[0].detail


def test_no_end_of_turn(tmp_path: Path, tokenizers: dict[str, Tokenizer]) -> None:
    made = verified(tmp_path, [GOOD], TEMPLATES["nothing around"], tokenizers["qwen"])
    assert made.failing["turn_end"] == 1


def test_a_control_token_in_a_message(tmp_path: Path, tokenizers: dict[str, Tokenizer]) -> None:
    row = conversation("What is <|endoftext|>?", "No", "Sure?", "Yes")
    made = verified(tmp_path, [GOOD, row], TEMPLATES[QWEN], tokenizers["qwen"])
    assert made.failing == {"special": 1}
    assert made.problems[0].row == 2 and "<|endoftext|>" in made.problems[0].detail


def test_long_rows_are_counted_and_listed_and_are_no_failure(tmp_path: Path, tokenizers: dict[str, Tokenizer]) -> None:
    long = conversation("Q", "No", "Sure?", "Yes. " * 200)
    made = verified(tmp_path, [GOOD, long, GOOD], TEMPLATES[QWEN], tokenizers["qwen"], sequence_len=100)
    assert not made.wrong
    assert made.too_long == 1
    assert made.long_rows == [(2, long.id, made.longest)]


def test_an_end_of_turn_that_is_plain_text_is_a_note(tmp_path: Path, tokenizers: dict[str, Tokenizer]) -> None:
    made = verified(tmp_path, [GOOD], replace(TEMPLATES["augmentoolkit"], bos_token=""), tokenizers["qwen"])
    assert not made.wrong
    assert "**Finished.**" in made.notices[0]


def test_rows_of_another_run(tmp_path: Path, tokenizers: dict[str, Tokenizer]) -> None:
    file, template = tmp_path / "rows.json", TEMPLATES[QWEN]
    write_segments(file, [GOOD], template)
    other = conversation("Another?", "No", "Sure?", "Yes")
    for rows in ([other], [GOOD, GOOD], []):
        with pytest.raises(InputError, match="not of the run in this folder"):
            verify_dataset(file, rows, template, tokenizers["qwen"], 4096)


def test_a_file_that_is_no_dataset(tmp_path: Path, tokenizers: dict[str, Tokenizer]) -> None:
    file = tmp_path / "rows.json"
    file.write_text('[\n{"messages": []}\n]\n')
    with pytest.raises(InputError, match=r"rows.json:2: not a row"):
        verify_dataset(file, [GOOD], TEMPLATES[QWEN], tokenizers["qwen"], 4096)


ROW = b'{"segments":[{"label":true,"text":"Q"}],"id":"x"}'


@pytest.mark.parametrize(
    ("content", "line", "said"),
    [
        (ROW, 1, r"begins with a line that holds \["),
        (b"[\n" + ROW + b"\n", 2, "the closing ] is missing"),
        (b"[\n" + ROW + b",\n" + ROW[:-9], 3, "not a row as the run writes it"),
        (b"[\n" + ROW + b"\n" + ROW + b"\n]\n", 2, "no comma ends this row"),
        (b"[\n" + ROW + b",\n]\n", 2, "a comma ends this row"),
        (b"[\n" + ROW + b"\n]\n" + ROW, 4, "follows the closing ]"),
        (b"[\n" + ROW.replace(b"true", b'"false"') + b"\n]\n", 2, r'row 1, segments\[0\].label is "false"'),
        (b"[\n" + ROW.replace(b"true", b"1") + b"\n]\n", 2, r"segments\[0\].label is 1, and must be true"),
        (b"[\n" + ROW.replace(b"true", b"null") + b"\n]\n", 2, r"segments\[0\].label is null"),
        (b"[\n" + ROW.replace(b'"Q"', b"7") + b"\n]\n", 2, r"segments\[0\].text is 7, and must be a text"),
        (b"[\n" + ROW.replace(b'"text"', b'"words"') + b"\n]\n", 2, "not a row"),
    ],
)
def test_a_damaged_file_is_named_with_its_line(
    tmp_path: Path, tokenizers: dict[str, Tokenizer], content: bytes, line: int, said: str
) -> None:
    file = tmp_path / "rows.json"
    file.write_bytes(content)
    row = replace(GOOD, id="x")
    with pytest.raises(InputError, match=rf"rows.json:{line}: .*{said}") as raised:
        verify_dataset(file, [row, row], TEMPLATES[QWEN], tokenizers["qwen"], 4096)
    assert "run the same config again" in str(raised.value.hint)


def test_the_view_of_a_row_is_its_text(tmp_path: Path, tokenizers: dict[str, Tokenizer]) -> None:
    file, template = tmp_path / "rows.json", TEMPLATES[QWEN]
    write_segments(file, [GOOD], template)
    row = next(read_rows(file, [GOOD], template, tokenizers["qwen"]))
    view = list(token_view(row, tokenizers["qwen"]))
    assert "".join(text for text, _ in view) == row.text
    assert "".join(text for text, trained in view if not trained) == "No<|im_end|>\n"
