"""The report of real runs: complete, the same bytes again, and nothing of a document is ever markup."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augment_correction.report import page as page_module
from augment_correction.report import writing
from augment_correction.report.shards import ShardWriter
from tests.cli.program import program
from tests.projects import MadeProject
from tests.report.reports import HOSTILE, UNICODE, Page

CONTENTS = "Table of Contents. The bridge, page 1. The mill, page 12. The market, page 31. The index, page 99."


@pytest.fixture
def made(project: MadeProject) -> MadeProject:
    project.facts(range(6))
    project.write("inputs/contents.txt", CONTENTS)
    project.write("inputs/copy.txt", CONTENTS)
    project.write("inputs/hostile.txt", HOSTILE)
    project.write("inputs/<img src=x onerror=alert(1)>.txt", UNICODE)
    project.write("inputs/empty.txt", "")
    return project


class TestOverview:
    def test_counts_are_those_of_the_run(self, made: MadeProject) -> None:
        result = made.run()
        index = Page(made.output).index
        assert result.files["report"] == made.output / "report.html"
        assert index["documents"] == result.counts["documents"] == 10
        assert index["passages"] == result.counts["chunks"] == 9  # two files with the same text are one passage
        assert index["unread_count"] == result.counts["unread"] == 1
        assert index["unread"][0][:2] == ["empty.txt", "empty"]
        statuses = Page(made.output).statuses()
        assert (statuses.count("kept"), statuses.count("rejected")) == (
            result.counts["kept"],
            result.counts["rejected"],
        )
        assert {f"{stage}/{why}": n for status, stage, why, _, n in index["classes"] if status == "rejected"} == (
            result.counts["reasons"]
        )

    def test_what_was_drawn_stands_beside_what_was_wanted(self, made: MadeProject) -> None:
        result = made.run(shares={"kind": {"correct_after_mistake": 3, "stand_by": 1}})
        page = Page(made.output)
        drawn = {each["name"]: each["words"] for each in page.index["drawn"]}
        assert list(drawn)[:2] == ["kind", "pushback"]
        assert "private_lives" not in drawn, "nothing was drawn there"
        [[_, three, corrections, kept], [_, one, standing, _]] = drawn["kind"]
        assert (three, one, corrections + standing) == (0.75, 0.25, 9)
        assert kept == result.counts["kinds"]["correct_after_mistake"]
        for words in drawn.values():
            assert sum(got for _, _, got, _ in words) == 9
            assert sum(each for *_, each in words) == result.kept
        manifest = json.loads((made.output / "run.json").read_text())
        assert manifest["counts"]["drawn"]["kind"]["stand_by"][0] == standing
        assert {row["found"]["register"] for row in page.rows()} <= {"free", "adult", "student", "expert", "child"}

    def test_it_tells_how_alike_messages_begin(self, made: MadeProject) -> None:
        result = made.run()
        openings = Page(made.output).index["openings"]
        assert openings == result.counts["openings"]
        assert set(openings) == {"question", "doubt", "answer"}
        assert openings["doubt"]["self_bleu"] > 0.8, "the scripted model doubts alike"
        assert openings["doubt"]["count"] == result.kept

    def test_cost_by_stage_adds_up_to_the_runs(self, made: MadeProject) -> None:
        prices = {
            f"cost_per_million_{role}_{side}": "1.5" for role in ("small", "large") for side in ("input", "output")
        }
        result = made.run(cost=prices)
        spending = Page(made.output).index["spending"]
        assert [(each["stage"], each["role"]) for each in spending] == [
            ("masked_conversation", "large"),
            ("judgement", "small"),
        ]
        assert sum(each["cost"] for each in spending) == pytest.approx(float(result.cost or 0)) != 0
        assert sum(each["input"] for each in spending) == sum(each["input_tokens"] for each in result.tokens.values())

    def test_coverage_names_every_place_of_a_passage(self, made: MadeProject) -> None:
        made.run()
        page = Page(made.output)
        rows = page.rows()
        covered = {
            name: [row for first, n in runs for row in range(first, first + n)]
            for name, *_, runs in page.index["files"]
        }
        assert len(covered["facts.jsonl"]) == 6  # its lines are documents, the file is one strip
        assert covered["contents.txt"] == covered["copy.txt"]
        assert [place["source"] for place in rows[covered["copy.txt"][0]]["places"]] == ["contents.txt", "copy.txt"]
        assert page.statuses()[covered["copy.txt"][0]] == "rejected"

    def test_without_documents(self, project: MadeProject) -> None:
        project.run()
        index = Page(project.output).index
        assert (index["rows"], index["shards"], index["spending"], index["funnel"][0]["in"]) == ([], [], [], 0)

    def test_passages_of_a_stopped_run_are_pending(self, made: MadeProject) -> None:
        made.run(cost={"max_usd": "0.000001", "cost_per_million_small_input": 1, "cost_per_million_small_output": 1})
        statuses = Page(made.output).statuses()
        assert statuses
        assert set(statuses) == {"pending"}


class TestRows:
    def test_a_kept_row_has_its_turns_and_its_passage(self, made: MadeProject) -> None:
        made.run()
        page = Page(made.output)
        kept = [row for row, status in zip(page.rows(), page.statuses(), strict=True) if status == "kept"]
        assert [turn["is"] for turn in kept[0]["turns"]] == ["user", "mistake", "user", "correction"]
        assert [turn["train"] for turn in kept[0]["turns"]] == [True, False, True, True]
        assert {row["conversation"] for row in kept} == {row["id"] for row in made.dataset()}
        assert all((made.output / "debug_outputs" / row["story"]).is_file() for row in kept)

    def test_a_reject_has_its_reason_and_the_reply(self, made: MadeProject) -> None:
        made.write("large.yaml", "rules: [{contains: 'Ivo Castell', text: 'I would rather not.'}]")
        made.run(api={"large_script": "large.yaml"})
        page = Page(made.output)
        [row] = [row for row in page.rows() if "Ivo Castell" in row["text"]]
        assert row["reply"] == "I would rather not."
        assert row["detail"]
        assert [step["reason"] for step in row["steps"] if step["stage"] == "masked_conversation"] == [
            "missing_field"
        ] * 3

    def test_a_verdict_and_the_reject_it_led_to_are_one_step(self, made: MadeProject) -> None:
        made.run()
        [row] = [row for row in Page(made.output).rows() if row["text"] == CONTENTS]
        assert [(step["stage"], step["reason"]) for step in row["steps"]] == [("judgement", "unsuitable")]


class TestSafety:
    def test_nothing_of_a_document_is_markup(self, made: MadeProject) -> None:
        made.run()
        page = Page(made.output)
        assert page.tags.count("script") == 3
        assert {"img", "svg", "b", "iframe"}.isdisjoint(page.tags)
        assert "OWNED" not in page.part("rows")
        [row] = [row for row in page.rows() if "OWNED" in row["text"]]
        assert "</script><script>document.title='OWNED'</script>" in row["text"]
        assert any("\u202egnp" in row["text"] and "\ufffe" in row["text"] for row in page.rows())
        assert any(name == "<img src=x onerror=alert(1)>.txt" for name, *_ in page.index["files"])

    def test_only_the_pages_own_script_may_run_and_nothing_may_be_fetched(self, made: MadeProject) -> None:
        made.run()
        page = Page(made.output)
        own = next(content for attributes, content in page.scripts if not attributes)
        digest = base64.b64encode(hashlib.sha256(own.encode()).digest()).decode()
        assert f"script-src 'sha256-{digest}' 'self' file:" in page.policy
        assert "default-src 'none'" in page.policy
        assert "unsafe" not in page.policy
        assert "http://" not in page.text.replace("http://www.w3.org/2000/svg", "")
        assert "https://" not in page.text

    @given(
        st.recursive(
            st.text() | st.integers(-(2**53), 2**53), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
        )
    )
    def test_json_in_html_is_the_same_json_and_no_markup(self, data: object) -> None:
        text = page_module.json_in_html(data)
        assert json.loads(text) == data
        assert not set("<>&\u2028\u2029") & set(text)


class TestAgain:
    def test_same_bytes_from_the_command(self, made: MadeProject) -> None:
        made.run(cost={"cost_per_million_small_input": "0.2", "cost_per_million_small_output": "0.8"} | _LARGE)
        before = (made.output / "report.html").read_bytes()
        (made.output / "report.html").unlink()
        ended = program("report", str(made.output))
        assert (ended.code, ended.err) == (0, "")
        assert ended.out.strip() == str(made.output / "report.html")
        assert (made.output / "report.html").read_bytes() == before

    def test_a_folder_without_run_json_has_a_report_with_unknown_cost(self, made: MadeProject) -> None:
        made.run()
        (made.output / "run.json").unlink()
        assert program("report", str(made.output)).code == 0
        page = Page(made.output)
        assert [each["cost"] for each in page.index["spending"]] == [None, None]
        assert any("mistake" in [turn["is"] for turn in row.get("turns", [])] for row in page.rows())

    def test_what_is_no_run_is_a_users_mistake(self, tmp_path: Path) -> None:
        ended = program("report", str(tmp_path))
        assert ended.code == 2
        assert "not the output folder of a run" in ended.err


class TestShards:
    def test_a_long_report_is_spread_over_files_and_cleans_up(
        self, made: MadeProject, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(writing, "ShardWriter", partial(ShardWriter, size=1500))
        made.run()
        page = Page(made.output)
        names = [shard["name"] for shard in page.index["shards"]]
        assert names[0] is None
        assert len(names) > 3
        assert sorted(path.name for path in (made.output / "report_data").iterdir()) == sorted(names[1:])
        rows = page.rows()
        assert len(rows) == len(page.index["rows"])
        (made.output / "report_data" / ".00009-killed.js.part").write_text("what a killed run left")
        monkeypatch.undo()
        made.again()
        assert not (made.output / "report_data").exists()
        assert Page(made.output).rows() == rows

    def test_shards_are_the_same_files_after_a_fresh_run(
        self, made: MadeProject, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(writing, "ShardWriter", partial(ShardWriter, size=1500))
        made.run()
        before = made.files()
        shutil.rmtree(made.output)
        made.again()
        assert made.files() == before


_LARGE = {"cost_per_million_large_input": 2, "cost_per_million_large_output": 8}
