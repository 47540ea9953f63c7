"""Which passages a run takes, and in which order."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from augment_correction.declarations import SOURCE_FIELDS
from augment_correction.errors import ConfigError
from augment_correction.plan import make_plan
from augment_correction.records import Passage
from augment_correction.runner.source import Placed, read_passages, record_of
from tests.documents.test_stream import children
from tests.projects import MadeProject
from tests.servers import facts


async def taken(project: MadeProject, **system: object) -> list[Placed]:
    plan = make_plan(project.load(system=system))
    return [passage async for read in read_passages(plan) for passage in read.passages]


def texts(passages: list[Placed]) -> list[str]:
    return [passage.chunk.text for passage in passages]


class TestPlaces:
    async def test_rows_and_passages_are_numbered_in_their_file(self, project: MadeProject) -> None:
        project.facts(range(3), "a.jsonl")
        project.write("inputs/b.txt", "\n\n".join(facts(range(20))))
        project.write("inputs/c.csv", "text\nOne passage.\nAnother passage.\n")
        places = [
            passage.place for passage in await taken(project, chunk_size=400, chunk_unit="characters", min_chunk=1)
        ]
        count = len(places) - 5
        assert count > 2
        rows = [("a.jsonl", 0), ("a.jsonl", 1), ("a.jsonl", 2)]
        assert places == [*rows, *(("b.txt", number) for number in range(count)), ("c.csv", 0), ("c.csv", 1)]

    async def test_a_subset_is_one_file(self, project: MadeProject) -> None:
        project.facts(range(9), "a.jsonl")
        project.facts(range(10, 20), "b.jsonl")
        chosen = await taken(project, use_subset=True, subset_size=8)
        assert [passage.place for passage in chosen] == [("", number) for number in range(8)]

    async def test_what_a_program_gives_is_numbered_as_its_file_would_be(self, project: MadeProject) -> None:
        given = [
            Passage("The first of two."),
            Passage("One of a file.", source="x.jsonl#L1"),
            Passage("The second of two."),
            Passage("Another of the file.", source="x.jsonl#L9.2"),
        ]
        plan = make_plan(project.load())
        places = [passage.place async for read in read_passages(plan, given) for passage in read.passages]
        assert places == [("", 0), ("x.jsonl", 0), ("", 1), ("x.jsonl", 1)]


class TestSubset:
    async def test_the_same_draw_every_time_in_the_order_of_the_whole(self, project: MadeProject) -> None:
        every = project.facts(range(40))
        one = await taken(project, use_subset=True, subset_size=10)
        other = await taken(project, use_subset=True, subset_size=10)
        assert one == other
        assert len(one) == 10
        assert texts(one) == [text for text in every if text in texts(one)]

    async def test_another_seed_draws_others(self, project: MadeProject) -> None:
        project.facts(range(40))
        one = await taken(project, use_subset=True, subset_size=10, seed=1)
        other = await taken(project, use_subset=True, subset_size=10, seed=2)
        assert texts(one) != texts(other)

    async def test_a_larger_subset_holds_the_smaller_one(self, project: MadeProject) -> None:
        project.facts(range(40))
        small = await taken(project, use_subset=True, subset_size=7)
        large = await taken(project, use_subset=True, subset_size=15)
        assert set(texts(small)) < set(texts(large))

    async def test_a_document_added_later_changes_the_draw_by_its_own_passages_only(self, project: MadeProject) -> None:
        project.facts(range(40), "b.jsonl")
        before = set(texts(await taken(project, use_subset=True, subset_size=10)))
        added = set(project.facts(range(100, 110), "a.jsonl"))
        after = set(texts(await taken(project, use_subset=True, subset_size=10)))
        assert after - before <= added
        assert len(before - after) == len(after & added)

    async def test_identical_passages_count_once(self, project: MadeProject) -> None:
        project.write("inputs/a.jsonl", "".join(f'{{"text": "{text}"}}\n' for text in facts([1, 2, 1, 3, 1, 2])))
        drawn = await taken(project, use_subset=True, subset_size=3)
        assert set(texts(drawn)) == set(facts([1, 2, 3]))
        assert len(drawn) == 6  # every place of them

    async def test_lines_of_the_same_text_keep_their_own_place_and_keys(self, project: MadeProject) -> None:
        lines = [*({"text": "Same.", "who": name} for name in "ab"), {"text": "Other.", "who": "c"}]
        project.write("inputs/a.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
        found = [(each.document.source, each.document.metadata["who"]) for each in await taken(project)]
        assert found == [("a.jsonl#L1", "a"), ("a.jsonl#L2", "b"), ("a.jsonl#L3", "c")]

    async def test_more_than_there_is_takes_all(self, project: MadeProject) -> None:
        every = project.facts(range(5))
        assert texts(await taken(project, use_subset=True)) == every


class TestRecords:
    async def test_they_hold_what_prompts_may_read(self, project: MadeProject) -> None:
        project.write("inputs/a.md", "# Bridges\n\n## Stone\n\nThe bridge of Ander has nine arches of sandstone.\n")
        (passage,) = await taken(project)
        record = record_of(passage)
        assert set(record.fields) == SOURCE_FIELDS
        assert (record.id, record.fields["source"]) == (passage.chunk.id, "a.md")

    async def test_control_strings_are_made_harmless_for_prompts_and_kept_in_the_chunk(
        self, project: MadeProject
    ) -> None:
        hostile = "A model ends its turn with <|im_end|> and a passage with </passage>; [INST] opens a question."
        project.write("inputs/<|im_start|>.txt", hostile)
        (passage,) = await taken(project)
        fields = record_of(passage).fields
        assert passage.chunk.text == hostile
        assert fields["passage"] == hostile.replace("<|", "< |").replace("</p", "< /p").replace("[I", "[ I")
        assert "<|" not in str(fields["title"])


class TestSettings:
    async def test_an_overlap_as_large_as_the_chunk_is_refused(self, project: MadeProject) -> None:
        with pytest.raises(ConfigError, match="chunk_overlap must be smaller"):
            await taken(project, chunk_size=100, chunk_overlap=100)

    def test_an_encoding_file_is_looked_for_in_the_project(self, project: MadeProject) -> None:
        plan = make_plan(project.load(system={"encoding": "my/tokenizer.json"}))
        assert Path(plan.encoding) == (project.root / "my/tokenizer.json").resolve()
        assert make_plan(project.load(system={"encoding": "cl100k_base"})).encoding == "cl100k_base"


async def test_leaving_early_waits_for_the_reading_process(project: MadeProject) -> None:
    project.facts(range(3000))
    before = children()
    reads = read_passages(make_plan(project.load()))
    await anext(reads)
    assert len(children() - before) == 1
    await reads.aclose()
    assert not children() - before
