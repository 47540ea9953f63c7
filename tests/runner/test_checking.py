"""`check`: all that can be found out without a paid call."""

from __future__ import annotations

import os

from augment_correction.project import bundled
from augment_correction.runner import run_async
from augment_correction.runner.checking import check_run
from augment_correction.runner.finding import Finding
from tests.projects import MadeProject
from tests.servers import ModelServer


async def wrong(
    project: MadeProject, server: ModelServer | None = None, **sections: dict[str, object]
) -> list[Finding]:
    return [finding for finding in await check_run(project.config(server, **sections)) if not finding.ok]


async def test_a_sound_project_has_no_findings_and_is_not_touched(project: MadeProject, server: ModelServer) -> None:
    project.facts([1])
    assert await wrong(project, server) == []
    assert server.count() == 0
    assert not project.output.exists()


async def test_a_draw_that_no_prompt_reads_is_told(project: MadeProject, server: ModelServer) -> None:
    project.facts([1])
    shipped = (bundled() / "pipelines" / "correction.yaml").read_text("utf-8")
    project.write("pipelines/correction.yaml", shipped.replace("  register:", "  regster:"))
    told = [
        finding.what for finding in await check_run(project.config(server)) if "but no stage reads them" in finding.what
    ]
    assert told == ["note: the pipeline draws regster, but no stage reads them for the chosen kinds of conversation"]


async def test_a_folder_without_documents(project: MadeProject, server: ModelServer) -> None:
    project.write("inputs/picture.png", "")
    nothing, none = await wrong(project, server)
    assert "holds none of .txt, .md, " in nothing.what
    assert none.what == "0 passages"


async def test_a_server_that_does_not_answer(project: MadeProject, server: ModelServer) -> None:
    project.facts([1])
    (finding,) = await wrong(project, server, api={"large_base_url": "http://127.0.0.1:9/v1"})
    assert finding.what.startswith("large model large (api) at 127.0.0.1: it cannot be reached")
    assert finding.remedy == "check api.large_base_url and api.large_api_key"


async def test_a_cap_without_a_price(project: MadeProject, server: ModelServer) -> None:
    project.facts([1])
    findings = await wrong(project, server, cost={"max_usd": 5})
    assert [finding.remedy for finding in findings] == [
        "set cost.cost_per_million_small_input and cost_per_million_small_output",
        "set cost.cost_per_million_large_input and cost_per_million_large_output",
    ]


async def test_several_bad_prompts_are_told_at_once(project: MadeProject, server: ModelServer) -> None:
    project.facts([1])
    for name in ("filter", "masked_conversation_generation"):
        project.write(f"prompts/{name}.jinja", "{% user %}never closed")
    assert [finding.what.partition(": ")[2] for finding in await wrong(project, server)] == [
        "{% user %} is never closed",
        "{% user %} is never closed",
    ]


async def test_a_base_url_without_an_api_and_a_model_that_is_not_served(
    project: MadeProject, server: ModelServer
) -> None:
    project.facts([1])
    address, name = await wrong(
        project, server, api={"small_base_url": server.url.removesuffix("/v1"), "large_model": "larg"}
    )
    assert "there is no OpenAI-compatible API at this address" in address.what and "/v1" in (address.remedy or "")
    assert name.what.endswith("it does not list the model larg") and name.remedy == "did you mean large?"
    assert server.count() == 0


async def notes(project: MadeProject, **sections: dict[str, object]) -> list[Finding]:
    found = await check_run(project.config(**sections))
    assert all(finding.ok for finding in found), found
    return [finding for finding in found if finding.what.startswith("note: ")]


async def test_files_that_will_be_ignored_or_cannot_be_read_are_named(project: MadeProject) -> None:
    project.facts([1])
    for name in ("a.png", "b.xyz", "deep/c.png", "README"):
        project.write(f"inputs/{name}", "x")
    project.write("inputs/empty.txt", "")
    os.mkfifo(project.root / "inputs/pipe.txt")
    ignored, *unread = (each for each in await notes(project) if "read" in each.what)
    assert ignored.what == (
        "note: 4 files will not be read (2 .png, 1 .xyz, 1 without an ending): README, a.png, b.xyz, deep/c.png"
    )
    assert (ignored.remedy or "").startswith(
        ".png: save it as .pdf; without an ending: name it .txt if it is a text; supported are .txt, "
    )
    assert [each.what for each in unread] == [
        "note: not read: empty.txt: empty: the file is empty",
        "note: not read: pipe.txt: unsupported: not a regular file",
    ]


async def test_what_is_read_otherwise_than_it_stands_there_is_told(project: MadeProject) -> None:
    project.facts([1])
    project.write("inputs/a.csv", "id,Content\n1,The Elbe is 1094 kilometres long.\n")
    project.write("inputs/page.html", "<p>The Elbe is 1094 kilometres long.")
    project.write("inputs/page_files/frame.html", "<p>Buy now!")
    told = [each.what for each in await notes(project) if "reading" in each.what]
    assert [line.partition(":")[2].partition(":")[0].strip() for line in told] == [
        "reading a.csv",
        "reading page_files",
    ]


async def test_a_gate_that_is_too_small_to_decide(project: MadeProject) -> None:
    project.facts(range(12))
    assert not [each for each in await notes(project) if "held-out set" in each.what]
    (small,) = [each for each in await notes(project, gate={"share": 0.5}) if "held-out set" in each.what]
    assert small.what.startswith("note: the held-out set will hold at most ") and "about 100" in small.what
    most = int(small.what.split("at most ")[1].split()[0])
    result = await run_async(project.load(gate={"share": 0.5}))
    assert 0 < result.counts["gate"] <= most <= 11
    project.facts(range(300))
    assert not [each for each in await notes(project, gate={"share": 0.5}) if "gate" in each.what]


async def test_all_mistakes_and_missing_keys_at_once(project: MadeProject) -> None:
    api = {"small_mode": "api", "large_mode": "api", "large_api_key": "${NO_SUCH_KEY}"}
    findings = await wrong(project, api=api, sampling={"nobody": {}}, path={"input_dir": "./gone"})
    told = " | ".join(finding.what for finding in findings)
    assert len(findings) == 4
    for part in (
        "input folder not found",
        "no stage is named 'nobody'",
        "no API key for api.openai.com",
        "${NO_SUCH_KEY}",
    ):
        assert part in told


async def test_an_address_is_no_folder_and_the_remedy_is_told(project: MadeProject) -> None:
    [finding] = await wrong(project, path={"output_dir": "s3://bucket/made"})
    assert "'s3://bucket/made' is an address" in finding.what
    assert "a disk" in str(finding.remedy) and "output.copy_to" in str(finding.remedy)


async def test_a_single_file_is_an_input(project: MadeProject) -> None:
    project.facts([1, 2], "these.jsonl")
    project.facts([3], "not_these.jsonl")
    section: dict[str, object] = {"input_dir": "./inputs/these.jsonl"}
    found = await check_run(project.config(path=section))
    assert f"input file {project.root / 'inputs' / 'these.jsonl'}: 1 .jsonl" in [each.what for each in found]
    result = await run_async(project.load(path=section))
    assert result.counts["documents"] == 2
    assert {row["source"] for row in project.rejected()} <= {"these.jsonl#L1", "these.jsonl#L2"}
