"""Which conversations are for the gate, and what may not be trained because of them."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augment_correction.errors import InputError
from augment_correction.records import Conversation, Turn
from augment_correction.selection import Candidate, Gate, gate_item, overlap, read_gate
from augment_correction.selection.candidate import document_of
from augment_correction.selection.gate import gate_questions
from augment_correction.selection.guard import Guard
from tests.selection.making import candidate, conversation

SOURCES = [f"doc{number}.txt" for number in range(300)]


def item(of: Candidate, passage: str, gate: Gate) -> dict[str, object]:
    return gate_item(of.conversation, passage, gate.group_of(of.conversation), has_mistake=True)


def drawn_source(gate: Gate) -> str:
    return next(source for source in SOURCES if gate.draws(source))


class TestDraw:
    def test_a_share_of_the_documents_is_drawn_and_a_larger_share_adds_to_it(self) -> None:
        fifth, third = ({s for s in SOURCES if Gate(7, share).draws(s)} for share in (0.2, 0.33))
        assert 40 <= len(fifth) <= 80 and fifth < third
        assert fifth != {source for source in SOURCES if Gate(8, 0.2).draws(source)}
        assert not any(Gate(7, 0.0).draws(source) for source in SOURCES)

    def test_a_file_is_drawn_by_its_path_and_a_line_by_its_text(self) -> None:
        assert document_of({"source": "a/b.pdf", "document_id": "1"}) == "a/b.pdf"
        assert document_of({"source": "rows.jsonl#L12", "document_id": "1"}) == "1"

    def test_of_several_places_one_that_is_drawn_decides(self) -> None:
        gate = Gate(7, 0.2)
        other = next(source for source in SOURCES if not gate.draws(source))
        places = tuple({"source": source, "document_id": source, "page": 1} for source in (other, drawn_source(gate)))
        both = candidate("Q?", places=places)
        assert gate.takes(both) == "drawn" and gate.group_of(both.conversation) == (drawn_source(gate), True)

    def test_a_stage_can_mark_one(self) -> None:
        assert Gate(7, 0.0).takes(candidate("Q?", split="gate")) == "marked"
        assert Gate(7, 0.0).takes(candidate("Q?")) is None


class TestFrozen:
    def test_a_smaller_share_takes_no_item_and_no_document_out(self) -> None:
        first = Gate(7, 0.2)
        source = drawn_source(first)
        before = candidate("Who built it?", source=source, passage="P")
        second = Gate(7, 0.0, [item(before, "P", first)])
        assert second.takes(before) == "drawn" and second.holds(before.conversation.id)
        assert second.takes(candidate("A passage that was added?", source=source)) == "drawn"
        assert (len(second), second.made_again) == (1, 1)

    def test_a_marked_one_does_not_draw_its_document(self) -> None:
        before = candidate("Who built it?", passage="P", split="gate")
        gate = Gate(7, 0.0, [item(before, "P", Gate(7, 0.0))])
        assert gate.takes(candidate("Another?")) is None
        assert gate.takes(candidate("Who built it?", passage="P")) == "frozen"

    def test_what_an_edited_prompt_makes_of_its_passage_is_neither_added_nor_trained(self) -> None:
        first = Gate(7, 0.2)
        source = drawn_source(first)
        gate = Gate(7, 0.2, [item(candidate("Who built it?", source=source, passage="P"), "P", first)])
        again = candidate("Which guild made this bridge?", source=source, passage="P")
        assert gate.takes(again) is None
        left_out = gate.left_out(again)
        assert left_out and left_out.reason == "in_gate"
        assert (len(gate), gate.made_again) == (1, 0)

    def test_an_item_whose_document_vanished_still_blocks_its_question(self) -> None:
        gone = item(candidate("When was the mill of Pell built by the guild?", passage="P"), "P", Gate(7, 0.0))
        gate = Gate(7, 0.0, [gone])
        left_out = gate.left_out(candidate("When was the mill of Pell built by the guilds?"))
        assert left_out and "similarity 0.9" in left_out.detail and str(gone["id"]) in left_out.detail
        assert gate.left_out(candidate("Why is salt water heavier?")) is None


class TestItem:
    def test_what_it_holds(self) -> None:
        made = conversation("Q?", answer="Right.", reference="Right it is.", evidence="the words", source="b.txt")
        assert gate_item(made, "P", ("b.txt", True), has_mistake=True) == {
            "id": made.id, "group": "b.txt", "drawn": True, "question": "Q?", "reference": "Right it is.",
            "flawed": "Wrong.", "passage": "P", "evidence": "the words", "source": "b.txt", "page": 3, "kind": "k",
            "language": None,
        }  # fmt: skip

    def test_a_mistake_inside_a_turn_and_an_answer_that_only_is_not_trained(self) -> None:
        turn = Turn("assistant", "It is 3. No, it is 4.", True, masked=len("It is 3."))
        made = Conversation("id", "k", (Turn("user", "Q?", True), turn), True)
        assert gate_item(made, "P", ("", False), has_mistake=True)["flawed"] == "It is 3."
        assert gate_item(conversation("Q?"), "P", ("", False), has_mistake=False)["flawed"] is None

    def test_it_comes_back(self, tmp_path: Path) -> None:
        made = item(candidate("Q?", passage="P"), "P", Gate(7, 0.0))
        (tmp_path / "gate.jsonl").write_bytes(orjson.dumps(made) + b"\n")
        assert list(read_gate(tmp_path / "gate.jsonl")) == [made]
        assert list(read_gate(tmp_path / "none.jsonl")) == []

    @pytest.mark.parametrize("line", [b'{"id": "cut sho', b"[1]", b'{"id": "1"}', b"\xff"])
    def test_a_damaged_file_is_refused_with_its_line(self, tmp_path: Path, line: bytes) -> None:
        made = item(candidate("Q?", passage="P"), "P", Gate(7, 0.0))
        (tmp_path / "gate.jsonl").write_bytes(orjson.dumps(made) + b"\n" + line + b"\n")
        with pytest.raises(InputError, match=r"gate\.jsonl:2 is not a question of a held-out set"):
            list(read_gate(tmp_path / "gate.jsonl"))


class TestQuestions:
    """What guards a training: any gate that `evaluate` reads, of which only the questions matter."""

    def test_a_run_s_gate_and_one_written_by_hand(self, tmp_path: Path) -> None:
        path = tmp_path / "gate.jsonl"
        made = item(candidate("Who built it?", passage="P"), "P", Gate(7, 0.0))
        by_hand = [{"question": "Which river?", "reference": "Elst"}, {"id": 7, "instruction": "How deep?"}]
        path.write_bytes(b"\xef\xbb\xbf" + b"\n".join(orjson.dumps(each) for each in (made, *by_hand)))
        assert list(gate_questions(path)) == [
            {"id": made["id"], "question": "Who built it?", "passage": "P"},
            {"id": f"{path}:2", "question": "Which river?", "passage": None},
            {"id": "7", "question": "How deep?", "passage": None},
        ]
        guard = Guard()
        for each in gate_questions(path):
            guard.add_item(each)
        given_away = [guard.overlap(each) for each in (candidate("Which RIVER"), candidate("Is it old?", passage="P"))]
        assert [each and each.by for each in given_away] == ["question", "passage"]
        assert guard.overlap(candidate("Is it old?")) is None
        with pytest.raises(InputError, match="is not a question of a held-out set"):
            list(read_gate(path))

    def test_none_without_a_file_and_a_line_without_a_question_is_named(self, tmp_path: Path) -> None:
        path = tmp_path / "gate.jsonl"
        assert list(gate_questions(path)) == []
        path.write_text('{"question": "Q?"}\n{"reference": "A"}\n')
        with pytest.raises(InputError, match=r"gate\.jsonl:2:\d has no question"):
            list(gate_questions(path))
        path.write_text('{"question": "", "query": "Q?"}\n{"question": " "}\n')
        read = gate_questions(path)
        assert next(read)["question"] == "Q?"
        with pytest.raises(InputError, match=r"gate\.jsonl:2:\d has an empty question"):
            next(read)


class TestOverlap:
    def test_by_id_passage_question_and_near_question(self) -> None:
        gated = candidate("When was the old bridge over the Aller opened to carts?", passage="P")
        items = [item(gated, "P", Gate(7, 0.0))]
        rows = [
            gated.conversation,
            conversation("Why?", passage="P"),
            conversation("WHEN was the old bridge over the Aller opened to carts"),
            conversation("When was the old bridge over the Aller opened to cars?"),
            conversation("Why is salt water heavier?"),
        ]
        found = overlap(items, rows)
        assert [each.by for each in found] == ["id", "passage", "question", "near"]
        assert [each.conversation for each in found] == [row.id for row in rows[:4]]
        assert {each.item for each in found} == {gated.conversation.id}

    def test_rows_without_provenance(self) -> None:
        gated = candidate("Who built the mill?", passage="P")
        row = Conversation("x", "k", (Turn("user", "Who built the mill?", True),), True)
        assert [each.by for each in overlap([item(gated, "P", Gate(7, 0.0))], [row])] == ["question"]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(SOURCES[:12]), st.sampled_from(["Who built it?", "Why?", "When was it?"]), st.booleans()
        )
    ),
    st.randoms(),
)
def test_nothing_is_both_gate_and_training_whatever_the_order(rows: list[tuple[str, str, bool]], shuffled) -> None:
    made = [
        candidate(question, source=source, passage=f"{source}{number}", **({"split": "gate"} if marked else {}))
        for number, (source, question, marked) in enumerate(rows)
    ]

    def split(candidates: list[Candidate]) -> tuple[set[str], set[str]]:
        gate = Gate(3, 0.3)
        taken = [each for each in candidates if gate.takes(each)]
        rest = [each for each in candidates if each not in taken and gate.left_out(each) is None]
        items = [item(each, "P", gate) | {"passage": each.chunk_id} for each in taken]
        assert overlap(items, [each.conversation for each in rest]) == []
        return {each.conversation.id for each in taken}, {each.conversation.id for each in rest}

    taken, rest = split(made)
    assert not taken & rest
    shuffled.shuffle(made)
    assert split(made) == (taken, rest)
