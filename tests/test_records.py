from __future__ import annotations

from dataclasses import asdict

import orjson
import pytest

from augment_correction.records import Conversation, Turn
from augment_correction.store.outcomes import Outcome, StoredChunk


@pytest.mark.parametrize(
    ("text", "masked"), [("Wrong.", 6), ("Wrong.", -1), (" Wrong. Right.", 7), ("Wrong. Right. ", 6)]
)
def test_a_mask_that_does_not_fit_its_text(text: str, masked: int) -> None:
    with pytest.raises(ValueError, match="masked characters do not fit"):
        Turn("assistant", text, True, masked)


def test_only_a_trained_message_is_masked_in_part() -> None:
    assert Turn("assistant", "Wrong. Right.", True, 6).partly_masked
    assert not Turn("assistant", "Wrong. Right.", False, 6).partly_masked
    assert not Turn("assistant", "Right.", True).partly_masked


def test_the_mask_and_the_origin_come_back_from_a_journal() -> None:
    made = Conversation("c", "self_noticed", (Turn("assistant", "No. Yes.", True, 3),), True, {"origin": "invented"})
    stored = orjson.loads(orjson.dumps(asdict(made)))
    chunk = StoredChunk("passage", 0, "text", ({"source": "a.txt"},))

    def read() -> Conversation:
        return Outcome("passage", 0, "kept", None, None, {"conversation": stored}).conversation(chunk)

    assert read().turns == made.turns
    assert read().provenance == {"origin": "invented", "chunk_id": "passage", "places": chunk.places}
    del stored["provenance"], stored["turns"][0]["masked"]
    assert read().turns == (Turn("assistant", "No. Yes.", True),), "an earlier version had neither"
