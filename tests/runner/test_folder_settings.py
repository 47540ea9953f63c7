"""`_settings.yaml` in a folder of documents changes what becomes of those in it and below it, and of no others."""

from __future__ import annotations

import os
from collections import Counter

import orjson
import pytest
import yaml

from augment_correction.errors import ConfigError
from augment_correction.plan import make_plan
from augment_correction.results.finished import open_run, read_conversations
from tests.projects import MadeProject
from tests.servers import ModelServer, facts

CONTENTS = "Contents\n" + "\n".join(f"Chapter {number} ............ {number * 7}" for number in range(1, 12))


def document(project: MadeProject, name: str, numbers: range) -> None:
    project.write(f"inputs/{name}", "\n\n".join(facts(numbers)))


def settings(project: MadeProject, folder: str, text: str) -> None:
    project.write(f"inputs/{folder}/_settings.yaml" if folder else "inputs/_settings.yaml", text)


def passages(project: MadeProject) -> Counter[str]:
    with open_run(project.output) as made:
        return Counter(chunk.places[0]["source"] for chunk, _ in made.results.outcomes())


def test_size_is_otherwise_below_the_folder_and_the_file_is_no_document(project: MadeProject) -> None:
    for name in ("a.txt", "small/b.txt", "small/deep/c.txt", "small/large/d.txt"):
        document(project, name, range(len(name), len(name) + 8))
    settings(project, "small", "chunk_size: 60\nmin_chunk: 5")
    settings(project, "small/large", "chunk_size: 4000")
    result = project.run()
    found = passages(project)
    assert found["a.txt"] == found["small/large/d.txt"] == 1
    assert found["small/b.txt"] > 2 and found["small/deep/c.txt"] > 2
    assert result.counts["unread"] == 0 and not any("_settings" in row.get("source", "") for row in project.rejected())


def test_contents_pages_are_kept_where_the_folder_says_so(project: MadeProject) -> None:
    for folder in ("skips", "keeps"):
        project.write(f"inputs/{folder}/toc.txt", f"{CONTENTS}\n{folder}")
    settings(project, "keeps", "skip_contents: false")
    project.run()
    assert set(passages(project)) == {"keeps/toc.txt"}


def test_kinds_by_folder_with_the_config_for_the_others(project: MadeProject) -> None:
    for folder in ("stand", "usual"):
        for number in range(4):
            first = number * 10 + 50 * (folder == "usual")
            document(project, f"{folder}/{number}.txt", range(first, first + 2))
    settings(project, "stand", "kinds: {stand_by: 1}")
    project.run()
    kinds = Counter(
        (row.provenance["places"][0]["source"].split("/")[0], row.kind) for row in read_conversations(project.output)
    )
    assert kinds == {("stand", "stand_by"): 4, ("usual", "correct_after_mistake"): 4}
    settings(project, "stand", "kinds: {user_wrong: 1}")
    project.again()
    assert {row.kind for row in read_conversations(project.output)} == {"user_wrong", "correct_after_mistake"}


def test_a_settings_file_changes_nothing_for_other_passages_and_asks_nothing_again(
    project: MadeProject, server: ModelServer
) -> None:
    document(project, "a/1.txt", range(2))
    document(project, "b/2.txt", range(5, 7))
    project.run(server)
    server.forget()
    settings(project, "b", "kinds: {stand_by: 1}")
    project.again()
    assert server.count("small") == 0 and server.count("large") == 1


def test_the_language_is_told_to_the_prompts(project: MadeProject, server: ModelServer) -> None:
    document(project, "fr/1.txt", range(2))
    document(project, "en/2.txt", range(5, 7))
    settings(project, "fr", "language: French")
    project.run(server)
    told = {"French" in str(asked.body["messages"][-1]["content"]) for asked in server.asked if asked.model == "large"}
    assert told == {True, False}


def test_the_card_names_the_licences(project: MadeProject) -> None:
    document(project, "a/1.txt", range(2))
    document(project, "b/2.txt", range(5, 7))
    settings(project, "a", "licence: cc-by-4.0")
    card = project.output / "exports" / "hf" / "README.md"

    def licence() -> str:
        return str(yaml.safe_load(card.read_text().split("---")[1])["license"])

    project.run(output={"formats": ["hf"]})
    assert licence() == "unknown", "one of the two says nothing"
    settings(project, "b", "licence: mit")
    project.again()
    assert licence() == "other" and "characters, cc-by-4.0)" in card.read_text()
    settings(project, "b", "licence: cc-by-4.0")
    project.again()
    assert licence() == "cc-by-4.0"


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("chunk_sise: 100", "unknown key 'chunk_sise'", "chunk_size"),
        ("chunk_size: big", "'chunk_size': Input should be a valid integer", None),
        ("chunk_size: 4", "'chunk_size': Input should be greater than or equal to 16", None),
        ("chunk_size: 20\nchunk_overlap: 15", "chunk_overlap is 15", None),
        ("kinds: {stand: 1}", "no kind is called 'stand'", "stand_by"),
        ("kinds: {stand_by: 0}", "weights must be 0 or more", None),
        ("kinds: [stand_by]", "'kinds' must be a mapping", None),
        ("language: x\nlanguage: y", "language", None),
        ("- 1", "the file must be a mapping", None),
        ("chunk_size: [", "", None),
    ],
)
def test_mistakes_are_named_with_file_and_line(project: MadeProject, text: str, message: str, hint: str | None) -> None:
    document(project, "a/b/1.txt", range(2))
    settings(project, "a/b", text)
    with pytest.raises(ConfigError) as raised:
        make_plan(project.load())
    told = str(raised.value)
    assert "inputs/a/b/_settings.yaml:" in told and message in told
    assert hint is None or hint in (raised.value.hint or "")


def test_a_pipe_is_told_and_not_waited_for(project: MadeProject) -> None:
    document(project, "a/1.txt", range(2))
    os.mkfifo(project.root / "inputs" / "a" / "_settings.yaml")
    with pytest.raises(ConfigError, match="is not a regular file"):
        make_plan(project.load())


def test_an_empty_file_says_nothing_and_a_pipeline_that_does_not_cut_says_so(project: MadeProject) -> None:
    document(project, "a/1.txt", range(2))
    settings(project, "a", "")
    assert project.run().kept == 1
    settings(project, "a", "chunk_size: 100")
    stages = [
        {
            "stage": "compose",
            "kind": "k",
            "turns": [{"role": "user", "text": "passage"}, {"role": "assistant", "text": "title"}],
        }
    ]
    project.write("pipelines/whole.yaml", orjson.dumps({"name": "whole", "about": "x", "stages": stages}).decode())
    with pytest.raises(ConfigError, match="has no effect: the pipeline whole does not split"):
        make_plan(project.load(pipeline="whole"))
