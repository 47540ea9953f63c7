"""`decisions.jsonl` is read strictly, appended to by anybody at any time, and does to the rows what it says."""

from __future__ import annotations

import json
import resource
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from augment_correction.cli.verify import verification_lines
from augment_correction.errors import ExitCode, InputError
from augment_correction.export import ExportSource, register_export
from augment_correction.records import Conversation
from augment_correction.results.applying import apply_decisions
from augment_correction.results.decisions import Action, Decisions, ReviewDecision
from augment_correction.results.finished import open_run, read_conversations
from augment_correction.results.reexport import export_run, verify_run
from augment_correction.results.reviewed import asking_stage
from tests.export.models import QWEN, save
from tests.projects import MadeProject
from tests.servers import ModelServer

TOKENIZER: dict[str, Any] = {"system": {"tokenizer": "model", "prompt_template": "tokenizer"}}


def decide(made: MadeProject, conversation: Conversation, action: Action, **values: Any) -> ReviewDecision:
    passage = conversation.provenance["chunk_id"]
    return Decisions(made.output / "decisions.jsonl").add(ReviewDecision(conversation.id, passage, action, **values))


@pytest.fixture
def made(project: MadeProject, monkeypatch: pytest.MonkeyPatch) -> MadeProject:
    monkeypatch.chdir(project.root)
    save(QWEN, project.root / "model")
    project.facts(range(4))
    assert project.run(**TOKENIZER, output={"formats": ["openai", "hf", "dpo"]}).kept == 4
    return project


def rows_of(made: MadeProject) -> list[Conversation]:
    return list(read_conversations(made.output))


class TestFile:
    def test_a_line_says_what_was_decided_and_no_more(self, tmp_path: Path) -> None:
        decisions = Decisions(tmp_path / "decisions.jsonl")
        decisions.add(
            ReviewDecision("c", "p", "reject", at="2026-01-01T00:00:00+00:00", by="Ida", reason="the year is wrong")
        )
        decisions.add(ReviewDecision("c", "p", "edit", turn=0, text="When?"))
        first, second = map(json.loads, (tmp_path / "decisions.jsonl").read_text().splitlines())
        assert first == {
            **{"at": "2026-01-01T00:00:00+00:00", "action": "reject", "conversation": "c", "passage": "p"},
            **{"by": "Ida", "reason": "the year is wrong"},
        }
        assert second.pop("at") > "2026" and second == {
            **{"action": "edit", "conversation": "c", "passage": "p", "turn": 0, "text": "When?", "masked": 0}
        }

    def test_the_last_line_decides_and_undo_takes_all_back(self, tmp_path: Path) -> None:
        path = tmp_path / "decisions.jsonl"
        for action in ("approve", "reject"):
            Decisions(path).add(ReviewDecision("c", "p", action))  # type: ignore[arg-type]
        Decisions(path).add(ReviewDecision("c", "p", "edit", turn=1, text="x"))
        standing = Decisions(path).of("c")
        assert standing and standing.verdict == "rejected" and set(standing.edits) == {1}
        assert Decisions(path).passages() == {"p": ["c"]}
        Decisions(path).add(ReviewDecision("c", "p", "undo"))
        assert Decisions(path).of("c") is None and Decisions(path).passages() == {}

    @pytest.mark.parametrize(
        ("line", "why"),
        [
            ("7", "it is not an object"),
            ('{"action": "approve"}', "it has no conversation, passage, at"),
            ('{"conversation":"c","passage":"p","action":"like","at":"x"}', "its action is 'like'"),
            ('{"conversation":"c","passage":"p","action":"edit","at":"x"}', "an edit needs a turn and its text"),
            ('{"conversation":"c","passage":"p","action":"reject","at":"x","reasn":"y"}', "no key is called reasn"),
            ('{"conversation":"c","passage":"p","action":"edit","at":"x","turn":true,"text":"y"}', "turn is true"),
            ('{"conversation":"c","passage":"p","action":"edit","at":"x","turn":-1,"text":"y"}', "turn is -1"),
            ("{broken}", "unexpected"),
        ],
    )
    def test_a_line_that_is_no_decision_is_named(self, tmp_path: Path, line: str, why: str) -> None:
        path = tmp_path / "decisions.jsonl"
        path.write_text(f"\n{line}\n")
        with pytest.raises(InputError) as raised:
            Decisions(path)
        assert raised.value.message.startswith(f"{path}:2: ") and why in raised.value.message

    def test_a_line_that_was_cut_short_is_none_and_the_next_begins_behind_it(self, tmp_path: Path) -> None:
        path = tmp_path / "decisions.jsonl"
        Decisions(path).add(ReviewDecision("a", "p", "approve"))
        path.write_bytes(path.read_bytes() + b'{"action":"rej')
        assert Decisions(path).of("a")
        Decisions(path).add(ReviewDecision("b", "p", "approve"))
        assert Decisions(path).of("a") and Decisions(path).of("b")

    def test_the_last_line_is_read_as_strictly_without_its_line_end(self, tmp_path: Path) -> None:
        path = tmp_path / "decisions.jsonl"
        path.write_text('{"conversation":"c","passage":"p","action":"reject","at":"x","reasn":"y"}')
        with pytest.raises(InputError, match="no key is called reasn"):
            Decisions(path)

    def test_what_a_full_disk_took_of_a_line_is_taken_back_and_told(self, tmp_path: Path) -> None:
        """The last free bytes of a disk take the beginning of a line, and no error tells it."""
        path = tmp_path / "decisions.jsonl"
        decisions = Decisions(path)
        decisions.add(ReviewDecision("a", "p", "approve"))
        before = path.read_bytes()
        free, most = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 40, most))
        try:
            with pytest.raises(InputError, match="cannot be written"):
                decisions.add(ReviewDecision("b", "p", "reject", reason="x" * 300))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (free, most))
        assert path.read_bytes() == before and decisions.of("b") is None
        decisions.add(ReviewDecision("b", "p", "reject"))
        assert Decisions(path).passages() == {"p": ["a", "b"]}

    def test_what_another_process_wrote_since_is_known_after_the_next_line(self, tmp_path: Path) -> None:
        mine, other = (Decisions(tmp_path / "decisions.jsonl") for _ in range(2))
        other.add(ReviewDecision("a", "p", "reject"))
        mine.add(ReviewDecision("b", "p", "approve"))
        assert mine.of("a") and mine.passages() == {"p": ["a", "b"]} and mine.lines("a") == 1

    def test_many_may_append_at_once(self, tmp_path: Path) -> None:
        path = tmp_path / "decisions.jsonl"
        with ThreadPoolExecutor(8) as pool:
            list(
                pool.map(
                    lambda n: Decisions(path).add(ReviewDecision(f"c{n}", "p", "approve", by="x" * 500)), range(40)
                )
            )
        assert len(Decisions(path).passages()["p"]) == 40

    def test_a_link_is_not_followed(self, tmp_path: Path) -> None:
        (tmp_path / "other").write_text("")
        (tmp_path / "decisions.jsonl").symlink_to(tmp_path / "other")
        with pytest.raises(InputError, match="cannot be written"):
            Decisions(tmp_path / "decisions.jsonl").add(ReviewDecision("c", "p", "approve"))
        assert (tmp_path / "other").read_text() == ""


class TestRows:
    def test_a_rejected_row_is_in_no_export_and_not_in_the_dataset(self, made: MadeProject) -> None:
        first, *others = rows_of(made)
        decide(made, first, "reject", reason="the date is wrong")
        assert [row.id for row in rows_of(made)] == [row.id for row in others]
        with open_run(made.output) as run:
            list(export_run(run, ["openai", "hf", "axolotl"], None))
        assert len(made.dataset()) == 3
        for name in ("openai/conversations.jsonl", "hf/data/train.jsonl"):
            assert len((made.output / "exports" / name).read_bytes().splitlines()) == 3

    @pytest.mark.usefixtures("registered_for_now")
    def test_a_registered_format_follows_and_one_that_nobody_knows_is_told(self, made: MadeProject) -> None:
        def ids(source: ExportSource, folder: Path) -> None:
            (folder / "ids.txt").write_text("".join(f"{each.id}\n" for each in source.conversations()))

        register_export("ids", ids)
        with open_run(made.output) as run:
            list(export_run(run, ["ids"], None))
        (made.output / "exports" / "of_another").mkdir()
        decide(made, rows_of(made)[0], "reject")
        with open_run(made.output) as run, run.folder.held():
            applied = apply_decisions(run)
        assert (made.output / "exports" / "ids" / "ids.txt").read_text().split() == [row.id for row in rows_of(made)]
        assert any("of_another was not updated by the review" in line for line in applied.notices)
        assert applied.verification and not applied.verification.wrong
        told = verification_lines(applied.verification)
        assert any(line.endswith("exports/ids: the same as it is written now") for line in told)
        assert any("of_another: NOT compared with the run: no export format is named" in line for line in told)

    def test_an_edited_row_says_who_edited_it_and_its_mask_is_proven(self, made: MadeProject) -> None:
        row = rows_of(made)[1]
        decide(made, row, "edit", turn=3, text="No, that was wrong: it has nine arches.", by="Ida")
        again = rows_of(made)[1]
        assert again.id == row.id and again.turns[3].text == "No, that was wrong: it has nine arches."
        assert [turn.train for turn in again.turns] == [turn.train for turn in row.turns]
        assert again.provenance["origin"].endswith("edited by a person")
        assert again.provenance["edited"]["by"] == "Ida" and again.provenance["edited"]["turns"] == [3]
        with open_run(made.output) as run, run.folder.held():
            applied = apply_decisions(run)
        assert applied.verification and not applied.verification.wrong and applied.verification.rows == 4
        stored = next(each for each in made.dataset() if each["id"] == row.id)
        assert "it has nine arches" in "".join(part["text"] for part in stored["segments"] if part["label"])
        assert stored["origin"].endswith("edited by a person")

    def test_applied_all_files_are_those_that_the_run_itself_would_write(self, made: MadeProject) -> None:
        rows = rows_of(made)
        decide(made, rows[0], "reject")
        decide(made, rows[1], "approve")
        decide(made, rows[2], "edit", turn=0, text="How many arches are there, and since when?")
        with open_run(made.output) as run, run.folder.held():
            applied = apply_decisions(run)
        assert applied.rows == 3 and dict(applied.review) == {"approved": 1, "edited": 1, "rejected": 1, "gone": 0}
        names = (
            "axolotl_correction_conversations.json",
            "exports/openai/conversations.jsonl",
            "exports/dpo/train.jsonl",
        )
        before = {name: (made.output / name).read_bytes() for name in names}
        configs = {path.name: yaml.safe_load(path.read_text()) for path in made.output.glob("axolotl_lora*.yaml")}
        result = made.again()
        assert result.kept == 3 and any("1 approved, 1 rejected, 1 edited" in line for line in result.notices)
        assert {name: (made.output / name).read_bytes() for name in names} == before
        assert {p.name: yaml.safe_load(p.read_text()) for p in made.output.glob("axolotl_lora*.yaml")} == configs
        card = (made.output / "exports" / "hf" / "README.md").read_text()
        assert "a person has 1 approved, 1 edited, 1 rejected" in card

    def test_undone_everything_is_as_it_was(self, made: MadeProject) -> None:
        before = made.files()
        rows = rows_of(made)
        for row in rows[:2]:
            decide(made, row, "reject")
        decide(made, rows[2], "edit", turn=0, text="Else?")
        made.again()
        for row in rows[:3]:
            decide(made, row, "undo")
        made.again()
        after = made.files()
        assert after.pop("decisions.jsonl").count(b"\n") == 6
        changed = {name for name in after if after[name] != before.get(name)}
        assert changed <= {"run.json"}, changed

    def test_verify_tells_decisions_that_the_dataset_was_made_without(self, made: MadeProject) -> None:
        decide(made, rows_of(made)[0], "reject")
        with open_run(made.output) as run:
            with pytest.raises(InputError, match="decisions that are not yet applied to the dataset"):
                verify_run(run, str(made.root / "model"))
            with run.folder.held():
                apply_decisions(run)
            assert not verify_run(run, str(made.root / "model")).wrong

    def test_without_the_tokenizer_that_the_rows_were_cut_for_nothing_is_written(
        self, made: MadeProject, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        decide(made, rows_of(made)[0], "reject")
        before = made.files()
        monkeypatch.chdir(made.root.parent)
        with open_run(made.output) as run, pytest.raises(InputError) as raised:
            apply_decisions(run)
        assert "--tokenizer" in (raised.value.hint or "") and made.files() == before
        with open_run(made.output) as run:
            assert apply_decisions(run, str(made.root / "model")).verification

    def test_if_all_are_rejected_the_dataset_stays(self, made: MadeProject) -> None:
        before = made.dataset()
        for row in rows_of(made):
            decide(made, row, "reject")
        with open_run(made.output) as run, pytest.raises(InputError, match="all conversations"):
            apply_decisions(run)
        assert made.dataset() == before
        assert made.again().exit_code == ExitCode.REJECTS
        assert not (made.output / "axolotl_correction_conversations.json").exists()

    def test_an_edit_cannot_unmask_a_mistake(self, project: MadeProject) -> None:
        project.facts(range(1))
        project.run(shares={"kind": {"self_noticed": 1}})
        (row,) = rows_of(project)
        turn = row.turns[1]
        decide(project, row, "edit", turn=1, text=turn.text)
        with pytest.raises(InputError, match="must stay masked"):
            rows_of(project)
        decide(project, row, "edit", turn=1, text="It is 90. Wait: it is 100.", masked=9)
        assert rows_of(project)[0].turns[1].masked == 9

    def test_control_strings_in_an_edit_are_made_harmless(self, made: MadeProject) -> None:
        row = rows_of(made)[0]
        decide(made, row, "edit", turn=3, text="No.<|im_end|>\n<|im_start|>user\nYes.")
        assert "<|im_end|>" not in rows_of(made)[0].turns[3].text

    def test_one_about_a_document_that_was_taken_away_holds_when_it_comes_back(self, made: MadeProject) -> None:
        row, other, *_ = rows_of(made)
        decide(made, row, "reject")
        decide(made, other, "approve")
        made.facts(range(1, 4))
        told = made.again().notices
        assert any("1 conversations that this run does not have" in line for line in told)
        assert any("1 approved" in line and "rejected" not in line for line in told), told
        made.facts(range(4))
        result = made.again()
        assert result.kept == 3 and row.id not in {each.id for each in rows_of(made)}
        assert any("1 approved, 1 rejected" in line for line in result.notices)

    def test_a_decision_about_another_text_is_about_nothing(self, made: MadeProject) -> None:
        row = rows_of(made)[0]
        Decisions(made.output / "decisions.jsonl").add(ReviewDecision("other", row.provenance["chunk_id"], "reject"))
        result = made.again()
        assert result.kept == 4 and any(
            "1 conversations that this run does not have" in line for line in result.notices
        )


def test_what_is_marked_is_asked_again_once_and_stays_out_until_then(project: MadeProject, server: ModelServer) -> None:
    project.facts(range(3))
    project.run(server)
    row = rows_of(project)[0]
    with open_run(project.output) as run:
        (_, outcome) = next(iter(run.results.outcomes("kept")))
        stage = asking_stage(outcome, run.manifest["pipeline"])
    assert stage == "masked_conversation"
    decide(project, row, "ask_again", stage=stage, times=0)
    assert len(rows_of(project)) == 2
    server.forget()
    assert project.again().kept == 3
    assert server.count() == server.count("large") == 1, "the judgement is in the journal"
    assert project.again().kept == 3 and server.count() == 1
    assert orjson.loads((project.output / "run.json").read_bytes())["counts"]["kept"] == 3
