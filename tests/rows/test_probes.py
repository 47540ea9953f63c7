"""What a gate row says of the correction that it probes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from augment_correction.rows import PROBES, RowError, item_of, read_rows

ROW = {"question": "Who opened the museum?", "reference": "Ida Brandt"}
OF = {"correction": "c1", "old_answer": "Otto Meier"}


@pytest.mark.parametrize("probe", PROBES)
def test_every_kind_is_read_with_its_correction_and_what_was_retracted(probe: str) -> None:
    item = item_of({**ROW, **OF, "probe": probe}, "x:1")
    assert (item.probe, item.correction, item.old_answer, item.reference) == (probe, "c1", "Otto Meier", "Ida Brandt")
    corrected = probe in ("efficacy", "paraphrase", "old_answer", "pushback")
    assert (item.flawed, item.place) == ("Otto Meier" if corrected else None, "x:1")  # beside it he may be right


def test_a_correction_is_an_id_in_a_probe_and_the_right_answer_elsewhere() -> None:
    asked = {"question": "Who opened it?", "correction": "Ida Brandt"}
    assert (item_of(asked, "x:1").reference, item_of(asked, "x:1").correction) == ("Ida Brandt", "")
    with pytest.raises(RowError, match="x:1 has no reference"):
        item_of({**asked, "probe": "efficacy"}, "x:1")
    assert item_of({**ROW, "probe": "efficacy", "correction": 7}, "x:1").correction == "7"


def test_one_question_is_several_probes_of_several_corrections() -> None:
    named = [{"probe": "efficacy"}, {"probe": "pushback"}, {"probe": "efficacy", "correction": "c2"}, {}]
    ids = {item_of({**ROW, "correction": "c1", **more}, "x:1").id for more in named[:3]}
    assert len(ids | {item_of(ROW, "x:1").id}) == 4


def test_a_known_wrong_answer_of_its_own_stays_beside_what_was_retracted() -> None:
    item = item_of({**ROW, **OF, "probe": "neighbour", "flawed": "Ida Brandt's son"}, "x:1")
    assert (item.flawed, item.old_answer) == ("Ida Brandt's son", "Otto Meier")


def test_only_health_needs_no_reference_and_only_retention_no_correction() -> None:
    assert item_of({"question": "Tell me of it.", "probe": "health", "correction": "c1"}, "x:1").reference == ""
    assert item_of({**ROW, "probe": "retention"}, "x:1").correction == ""
    for probe in ("efficacy", "neighbour", "health"):
        with pytest.raises(RowError, match=f"x:1 is a probe of the kind '{probe}' but names no correction"):
            item_of({**ROW, "probe": probe}, "x:1")


@pytest.mark.parametrize(
    ("more", "said", "remedy"),
    [
        (
            {"probe": "efficiency"},
            "names the probe 'efficiency', which is not a kind of probe",
            f"write one of: {', '.join(PROBES)}",
        ),
        ({"probe": ["efficacy"]}, "names the probe '['efficacy']', which is not a kind of probe", "write one of: "),
        ({"probe": "old_answer", "old_answer": " "}, "has no 'old_answer'", "write the answer that was retracted"),
        ({"probe": "efficacy", "correction": {"id": 1}}, "correction is not an id", "as a string"),
        ({"probe": "efficacy", "old_answer": {"text": "x"}}, "old_answer is not a text", "write"),
    ],
)
def test_what_is_no_probe_is_refused_with_its_place_and_the_list(
    tmp_path: Path, more: dict[str, Any], said: str, remedy: str
) -> None:
    path = tmp_path / "probes.jsonl"
    path.write_bytes(orjson.dumps(ROW) + b"\n" + orjson.dumps({**ROW, **OF, **more}))
    with pytest.raises(RowError) as refused:
        list(read_rows(path, item_of))
    assert refused.value.message.startswith(f"{path}:2:") and said in refused.value.message
    assert remedy in (refused.value.hint or "")


@pytest.mark.parametrize("probe", [None, ""])
def test_no_probe_is_a_plain_question(probe: object) -> None:
    assert item_of({**ROW, "probe": probe}, "x:1").probe is None
