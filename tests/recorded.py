"""Judgements as they were when somebody last looked at them: what changes one of them on the way to something else is seen here.

RECORD=1 in the environment writes them anew, for whoever has read the differences and wants them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from augment_correction.records import content_id

FOLDER = Path(__file__).with_name("data")


def differences(name: str, found: Mapping[str, Any]) -> list[str]:
    """What is judged otherwise than it was recorded in `data/NAME.json`, where a hash stands for each text."""
    path = FOLDER / f"{name}.json"
    texts = {content_id(key)[:12]: key for key in found}
    now = {each: json.loads(json.dumps(found[texts[each]])) for each in sorted(texts)}
    if os.environ.get("RECORD"):
        lines = [f'"{each}": {json.dumps(value, ensure_ascii=False)}' for each, value in now.items()]
        path.write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")
    recorded = json.loads(path.read_text("utf-8"))
    assert len(recorded) > 100 and recorded.keys() == now.keys(), "other texts: RECORD=1"
    return [f"{texts[each]}: {recorded[each]} -> {now[each]}" for each in now if recorded[each] != now[each]]
