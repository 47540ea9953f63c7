"""`check`: all that can be found out without a paid call."""

from __future__ import annotations

from augment_correction.runner.checking import Finding, check_run
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


async def test_a_folder_without_documents(project: MadeProject, server: ModelServer) -> None:
    project.write("inputs/picture.png", "")
    (finding,) = await wrong(project, server)
    assert "holds none of .txt, .md, " in finding.what


async def test_a_server_that_does_not_answer(project: MadeProject, server: ModelServer) -> None:
    project.facts([1])
    (finding,) = await wrong(project, server, api={"large_base_url": "http://127.0.0.1:9/v1"})
    assert finding.what.startswith("large model large (api) at 127.0.0.1: Client")
    assert finding.remedy == "check large_base_url and large_api_key"


async def test_a_cap_without_a_price(project: MadeProject, server: ModelServer) -> None:
    project.facts([1])
    findings = await wrong(project, server, cost={"max_usd": 5})
    assert [finding.remedy for finding in findings] == [
        "set cost.cost_per_million_small_*",
        "set cost.cost_per_million_large_*",
    ]


async def test_several_bad_prompts_are_told_at_once(project: MadeProject, server: ModelServer) -> None:
    project.facts([1])
    for name in ("filter", "masked_conversation_generation"):
        project.write(f"prompts/{name}.jinja", "{% user %}never closed")
    assert [finding.what.partition(": ")[2] for finding in await wrong(project, server)] == [
        "{% user %} is never closed",
        "{% user %} is never closed",
    ]
