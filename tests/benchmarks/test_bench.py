"""Figures in the documents are the recorded ones, and a request that has become dearer is noticed."""

from __future__ import annotations

import re

import pytest

from benchmarks import bench


@pytest.mark.parametrize("document", bench.DOCUMENTS, ids=lambda path: path.name)
def test_the_documents_say_what_is_recorded(document: bench.Path) -> None:
    text = document.read_text("utf-8")
    places = re.findall(r"<!-- bench: (\w+) (\w+) -->", text)
    assert places and text.count("<!-- end of bench -->") == len(places)
    filled = re.findall(r"<!-- bench: \w+ \w+ -->\n(.*?)<!-- end of bench -->", text, re.DOTALL)
    assert len(filled) == len(places) and all(re.search(r"\d", each) for each in filled)
    assert bench.rendered(text) == text, "run: python -m benchmarks.bench --write"


def test_the_plan_for_a_billion_tokens_counts_with_what_is_recorded() -> None:
    text = (bench.DOCUMENTS[1]).read_text("utf-8")
    [said] = re.findall(r"\| the local engine, one core \| ([\d.]+) ms per request", text)
    ours = [row["cpu_ms"] for row in bench.recorded("full")["throughput"] if row["client"] == "ours"]
    assert min(ours) - 0.05 <= float(said) <= max(ours) + 0.05


def test_every_recording_names_what_it_was_made_on() -> None:
    recorded = [path.stem for path in bench.RESULTS.glob("*.json") if path.stem != "peers"]
    assert "short" in recorded and set(recorded) <= set(bench.FORMS)
    for form in recorded:
        made = bench.recorded(form)
        assert made["form"] == form and re.fullmatch(r"[0-9a-f]{7,}", made["commit"]) and len(made["load"]) == 2
        assert made["machine"].keys() == {"processor", "cores", "python"}
        assert {row["client"] for row in made["throughput"]} >= {"ours", "aiohttp"}
        assert not any(row["lost"] for row in made["throughput"])


@pytest.mark.parametrize(
    ("found", "good"),
    [([1.4], True), ([1.6, 1.5], True), ([9.0, 2.0, 1.2], True), ([1.6, 1.6, 1.6, 1.0], False)],
)
def test_a_request_may_cost_half_as_much_again_and_noise_has_three_tries(
    monkeypatch: pytest.MonkeyPatch, found: list[float], good: bool
) -> None:
    rows = [{"client": "aiohttp", "floor": 1.0}, {"client": "ours", "floor": 10.0}]
    monkeypatch.setattr(bench, "recorded", lambda form: {"throughput": rows})
    tries = iter(found)
    said: list[str] = []
    assert bench.check("short", lambda: 10 * next(tries), said.append) is good
    assert said[-1].endswith("15.0 are allowed")
    assert len(said) == min(3, len(found))
