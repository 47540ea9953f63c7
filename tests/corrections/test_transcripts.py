from __future__ import annotations

from pathlib import Path

import pytest

from augment_correction.corrections.transcripts import TranscriptFile, save_chat
from augment_correction.errors import InputError
from augment_correction.records import Message
from augment_correction.rows import item_of, read_rows

ASKED, ANSWERED = Message("user", "Who opened it?"), Message("assistant", "Ida\nBrandt")


def test_a_chat_goes_on_where_it_was_killed(tmp_path: Path) -> None:
    file = TranscriptFile(tmp_path / "new" / "chat.jsonl")
    assert file.messages() == []
    for message in (ASKED, ANSWERED):
        file.add(message)
    with file.path.open("ab") as cut:
        cut.write(b'{"role": "user", "cont')
    assert file.messages() == [ASKED, ANSWERED]
    file.add(ASKED)
    assert file.messages() == [ASKED, ANSWERED], "a question whose answer is not there was not asked"


@pytest.mark.parametrize("line", ['{"role": "user"}', "[1]", "no", '{"role": 1, "content": "a"}'])
def test_a_line_that_is_none_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "chat.jsonl"
    path.write_text('{"role": "user", "content": "a"}\n' + line + "\n")
    with pytest.raises(InputError, match=r"chat\.jsonl:2 is not a message of a chat"):
        TranscriptFile(path).messages()


def test_a_new_conversation_in_the_same_file(tmp_path: Path) -> None:
    file = TranscriptFile(tmp_path / "chat.jsonl")
    file.add(ASKED)
    file.begin_anew(ASKED, ANSWERED)
    assert file.messages() == [ASKED, ANSWERED]


def test_what_is_saved_is_a_row_that_every_command_reads(tmp_path: Path) -> None:
    save_chat(tmp_path / "chats.jsonl", [ASKED, ANSWERED])
    save_chat(tmp_path / "chats.jsonl", [ASKED, ANSWERED])
    items = [item for _, item in read_rows(tmp_path / "chats.jsonl", item_of)]
    assert [item.reference for item in items] == ["Ida\nBrandt"] * 2
