"""A preview asks for what it shows and no more, and the run does not ask that again."""

from __future__ import annotations

import pytest

from augment_correction.errors import ConfigError, ExitCode
from augment_correction.runner import preview
from tests.projects import MadeProject, prices
from tests.servers import ModelServer, fails, says

CONTENTS = "Table of Contents. The bridge, page 1. The mill, page 12. The market, page 31. The index, page 99."


def test_the_run_asks_nothing_again_that_a_preview_has_asked(project: MadeProject, server: ModelServer) -> None:
    project.facts(range(30))
    made = preview(project.load(server), 4)
    assert (made.kept, len(made.shown), made.exit_code) == (4, 4, ExitCode.DONE)
    assert made.asked == server.count() == 8, "a judgement and a conversation each"
    asked = set(server.questions())
    assert project.again().kept == 30
    assert server.count() == 60 and max(server.questions().values()) == 1
    assert asked < set(server.questions())


def test_a_second_preview_asks_nothing_and_a_longer_one_goes_on(project: MadeProject, server: ModelServer) -> None:
    project.facts(range(30))
    config = project.load(server)
    first = preview(config, 3)
    again = preview(config, 3)
    assert again.asked == 0 and server.count() == 6
    ids = {chunk.id for chunk, _ in first.shown}
    assert {chunk.id for chunk, _ in again.shown} == ids
    longer = preview(config, 5)
    assert longer.asked == 4 and ids < {chunk.id for chunk, _ in longer.shown}


def test_it_leaves_the_files_of_a_finished_run_alone(project: MadeProject, server: ModelServer) -> None:
    project.facts(range(4))
    project.run(server)
    before = project.files()
    assert preview(project.load(server), 2, page=True).asked == 0
    after = project.files()
    assert after.pop("preview/report.html")
    assert after == before
    server.forget()
    assert project.again().kept == 4 and server.count() == 0


def test_it_previews_the_subset_that_the_run_draws(project: MadeProject, server: ModelServer) -> None:
    project.facts(range(30))
    subset = {"use_subset": True, "subset_size": 5}
    made = preview(project.load(server, system=subset), 3)
    project.again()
    assert made.kept == 3 and server.count() == 10


def test_rejects_are_shown_and_others_tried_in_their_place(project: MadeProject, server: ModelServer) -> None:
    project.facts(range(3))
    for number in range(5):
        project.write(f"inputs/contents{number}.txt", f"{CONTENTS} {number}")
    made = preview(project.load(server, system={"skip_contents": False}), 3)
    assert made.kept == 3 and len(made.shown) > 3
    assert {outcome.reason for _, outcome in made.shown if outcome.status == "rejected"} == {"unsuitable"}


def test_nothing_but_rejects_is_told(project: MadeProject, server: ModelServer) -> None:
    for number in range(9):
        project.write(f"inputs/contents{number}.txt", f"{CONTENTS} {number}")
    made = preview(project.load(server, system={"skip_contents": False}), 2)
    assert made.exit_code == ExitCode.REJECTS and len(made.shown) == 8
    assert made.stopped == "none of 8 passages became a conversation"


def test_no_more_is_under_way_than_conversations_are_wanting(project: MadeProject, server: ModelServer) -> None:
    project.facts(range(20))
    server.delay = 0.05
    assert preview(project.load(server), 2).kept == 2
    assert server.most_in_flight <= 2 and server.count() == 4


def test_the_cap_stops_it_and_so_does_a_wrong_key(project: MadeProject, server: ModelServer) -> None:
    project.facts(range(6))
    made = preview(project.load(server, cost={**prices(1, 1, 1, 1), "max_usd": 0.000001}), 2)
    assert made.exit_code == ExitCode.BUDGET and "cap of" in (made.stopped or "")
    project.config(server)
    server.usual = fails(401)
    made = preview(project.load(server), 2)
    assert made.exit_code == ExitCode.USER and made.shown == [] and made.page is None
    server.usual = says()
    assert preview(project.load(server), 2).kept == 2


def test_a_batch_is_asked_one_by_one_and_found_by_the_run_under_the_same_key(
    project: MadeProject, server: ModelServer
) -> None:
    project.facts(range(8))
    batch = {"small_mode": "batch", "large_mode": "batch"}
    assert preview(project.load(server, api=batch), 2).kept == 2
    assert server.count() == 4
    project.config(server)
    project.again()
    assert server.count() == 16


def test_without_a_document_it_says_so(project: MadeProject, server: ModelServer) -> None:
    project.write("inputs/empty.txt", "")
    made = preview(project.load(server), 2)
    assert made.exit_code == ExitCode.USER and "no passage" in (made.stopped or "")
    with pytest.raises(ConfigError, match="input folder not found"):
        preview(project.load(server, path={"input_dir": "./nowhere"}), 2)
