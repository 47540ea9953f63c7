"""A whole review in a real browser, by its keys."""

from __future__ import annotations

from pathlib import Path

import pytest

from augment_correction.results.finished import read_conversations
from tests.export.models import QWEN, save
from tests.projects import MadeProject
from tests.report.browser import CHROMIUM, Browser
from tests.report.reports import HOSTILE
from tests.review.reviewing import reviewing

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium"),
]

DECIDED = "document.getElementById('progress').textContent"
SAID = "document.getElementById('said').textContent"
READY = "document.getElementById('reader')?.getAttribute('aria-busy') === 'false'"


def decided(count: int) -> str:
    return f"{DECIDED}.startsWith('{count} of') && {READY}"


@pytest.fixture
def made(project: MadeProject) -> MadeProject:
    save(QWEN, project.root / "model")
    project.facts(range(5))
    project.write("inputs/hostile.txt", HOSTILE)
    kinds = {"kind": {"correct_after_mistake": 2, "self_noticed": 1, "stand_by": 1}}
    project.run(
        system={"tokenizer": "model", "prompt_template": "tokenizer"},
        shares=kinds,
        checks={"language": False},
        output={"formats": ["dpo"]},
    )
    return project


async def test_a_review_by_keys_from_the_first_decision_to_the_files(made: MadeProject, tmp_path: Path) -> None:
    rows = {row.id: row for row in read_conversations(made.output)}
    with reviewing(made, "--author", "Ida") as review:
        async with Browser(tmp_path / "profile") as browser:
            await browser.open(review.address, 1280)
            await browser.until(READY)
            assert await browser.value(DECIDED) == f"0 of {len(rows)} decided"

            await browser.press("a")
            await browser.until(decided(1))

            await browser.press("r")
            await browser.until("document.activeElement.id === 'why'")
            await browser.write("the year is wrong")
            await browser.press("Enter")
            await browser.until(decided(2))

            await browser.press("e")
            await browser.until("document.activeElement.matches('textarea')")
            await browser.value("document.activeElement.select()")
            await browser.write("No, that was wrong: it has nine arches.")
            await browser.press("Enter", control=True)
            await browser.until(f"{SAID}.includes('mask checked')")
            await browser.press("a")
            await browser.until(decided(3))

            await browser.press("g")
            await browser.until("document.activeElement.id === 'why'")
            await browser.press("Enter")
            await browser.until(decided(4))

            # What was kept is there when the page is opened again, and the first undecided one is shown.
            await browser.open(review.address, 1280)
            await browser.until(READY)
            assert (await browser.value(DECIDED)).startswith("4 of")
            assert await browser.value("document.getElementById('state').textContent") == "undecided"

            await browser.press("a")
            await browser.until(decided(5))
            await browser.press("k")
            await browser.until(f"{READY} && !document.getElementById('act-u').disabled")
            await browser.press("u")
            await browser.until(f"{SAID} === 'taken back'")
            await browser.value("document.getElementById('finish').click()")
            await browser.until("document.body.textContent.includes('Finished')")
        done = review.finished()
    decisions = review.decisions()
    assert done.code == 0, done.err
    assert [each["action"] for each in decisions] == [
        "approve",
        "reject",
        "edit",
        "approve",
        "ask_again",
        "approve",
        "undo",
    ]
    assert all(each["by"] == "Ida" for each in decisions)
    left = {row.id: row for row in read_conversations(made.output)}
    rejected, edited, again = (decisions[place]["conversation"] for place in (1, 2, 4))
    assert set(rows) - set(left) == {rejected, again}
    assert any("nine arches" in turn.text for turn in left[edited].turns)
    assert {row["id"] for row in made.dataset()} == set(left)
    assert "every row is right" in done.out and "1 marked to be asked again" in done.out


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_the_page_fits_every_width_and_markup_stays_text(made: MadeProject, tmp_path: Path, dark: bool) -> None:
    with reviewing(made) as review:
        async with Browser(tmp_path / "profile") as browser:
            for width in (1280, 900, 390, 360):
                await browser.open(review.address, width, dark=dark)
                await browser.until(READY)
                assert await browser.too_wide() <= 0, width
                below = "document.getElementById('actions').getBoundingClientRect().bottom - innerHeight"
                assert await browser.value(below) <= 1, "the buttons are in sight"
                for key in ("e", "Escape", "r", "Escape"):
                    await browser.press(key)
                    assert await browser.too_wide() <= 0, (width, key)
            await browser.press("/")
            await browser.write("hostile")
            await browser.until("document.querySelectorAll('#list li').length === 1")
            await browser.press("Enter")
            await browser.value("document.querySelector('#list li').click()")
            await browser.until("document.getElementById('reader').textContent.includes('</script>')")
            assert await browser.value("document.title.includes('OWNED')") is False


async def test_a_message_that_corrects_itself_is_edited_in_its_two_parts(made: MadeProject, tmp_path: Path) -> None:
    row = next(row for row in read_conversations(made.output) if row.kind == "self_noticed")
    with reviewing(made) as review:
        async with Browser(tmp_path / "profile") as browser:
            await browser.open(review.address, 1280)
            await browser.until(READY)
            await browser.value(f"document.getElementById('item-{row.id}').click()")
            await browser.until(f"document.querySelector('.row-head .id').textContent === '{row.id}'")
            await browser.press("e")
            await browser.until("document.querySelectorAll('textarea').length === 3")
            fields = await browser.value("[...document.querySelectorAll('textarea')].map((each) => each.dataset.part)")
            assert fields == ["whole", "mistake", "rest"]
            await browser.value(
                "(() => { const f = document.querySelector('[data-part=mistake]'); f.focus(); f.select(); })()"
            )
            await browser.write("It was 1815.")
            await browser.press("Enter", control=True)
            await browser.until(f"{SAID}.includes('mask checked')")
        review.interrupted()
    turn = next(each for each in read_conversations(made.output) if each.id == row.id).turns[1]
    assert (
        turn.text[: turn.masked] == "It was 1815."
        and turn.text[turn.masked :] == row.turns[1].text[row.turns[1].masked :]
    )


async def test_a_text_that_was_typed_is_not_lost_and_a_key_held_down_decides_once(
    made: MadeProject, tmp_path: Path
) -> None:
    with reviewing(made) as review:
        async with Browser(tmp_path / "profile") as browser:
            await browser.open(review.address, 1280)
            await browser.until(READY)
            await browser.hold("a", 8)
            await browser.until(decided(1))
            assert len(review.decisions()) == 1

            await browser.press("e")
            focus = "((number) => document.querySelector(`textarea[data-turn='${number}']`).focus())"
            for number, text in ((0, " Since when?"), (2, " ...")):
                await browser.value(f"{focus}({number})")
                await browser.write(text)
            await browser.value("document.querySelector('#list li:last-child').click()")
            for key in "anjr":
                await browser.value("document.activeElement.blur()")
                await browser.press(key)
                assert "is changed and not saved" in await browser.value(SAID)
            await browser.value(f"{focus}(2)")
            await browser.press("Enter", control=True)
            await browser.until(f"{SAID}.startsWith('saved')")

            await browser.press("e")
            await browser.press("Enter", control=True)  # nothing is changed: no edit is written
            await browser.until("!document.querySelector('textarea')")
        review.interrupted()
    assert [(each["action"], each.get("turn")) for each in review.decisions()] == [
        *(("approve", None), ("edit", 0), ("edit", 2))
    ]


async def test_a_page_that_another_window_has_overtaken_shows_what_was_decided_there(
    made: MadeProject, tmp_path: Path
) -> None:
    with reviewing(made) as review:
        async with Browser(tmp_path / "one") as one, Browser(tmp_path / "two") as two:
            for browser in (one, two):
                await browser.open(review.address, 1280)
                await browser.until(READY)
            await one.press("a")
            await one.until(decided(1))
            await two.press("r")
            await two.until("document.activeElement.id === 'why'")
            await two.press("Enter")
            await two.until(f"{SAID}.includes('meanwhile')")
            assert await two.value("document.getElementById('state').textContent") == "approved"

            await two.press("j")
            await two.until(f"{READY} && document.getElementById('state').textContent === 'undecided'")
            await two.press("e")
            await two.write(" Mine.")
            await one.press("a")
            await one.until(decided(2))
            await two.press("Enter", control=True)
            await two.until(f"{SAID}.includes('saving again')")
            assert await two.value("document.activeElement.value.endsWith(' Mine.')")
            await two.press("Enter", control=True)
            await two.until(f"{SAID}.startsWith('saved')")
        review.interrupted()
    assert [each["action"] for each in review.decisions()] == ["approve", "approve", "edit"]


async def test_when_the_program_has_ended_the_page_says_so(made: MadeProject, tmp_path: Path) -> None:
    with reviewing(made) as review:
        async with Browser(tmp_path / "profile") as browser:
            await browser.open(review.address, 1280)
            await browser.until(READY)
            done = review.interrupted()
            assert done.code == 0 and "there are no decisions" in done.out
            await browser.press("a")
            await browser.until(f"{SAID}.includes('does not answer')")
