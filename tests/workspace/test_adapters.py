"""Versions on a vLLM server, against one that imitates its endpoints and is restarted, refuses, or is away."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from augment_correction.config import load_config
from augment_correction.errors import AugmentCorrectionError, ModelUnusable
from augment_correction.records import Message
from augment_correction.workspace import configs, datasets, serving
from augment_correction.workspace.adapters import VllmAdapters, name_of
from augment_correction.workspace.serving import Serving
from tests.servers import InThread
from tests.workspace.places import settings_in

BASE = "base/model"


@dataclass
class Vllm(InThread):
    """As vLLM has them: /v1/models, /v1/load_lora_adapter, /v1/unload_lora_adapter, /v1/chat/completions."""

    loaded: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    runtime_loading: bool = True
    key: str = ""

    def application(self) -> web.Application:
        made = web.Application(middlewares=[self._keyed])
        made.router.add_get("/v1/models", self._models)
        if self.runtime_loading:
            made.router.add_post("/v1/load_lora_adapter", self._load)
            made.router.add_post("/v1/unload_lora_adapter", self._unload)
        made.router.add_post("/v1/chat/completions", self._chat)
        return made

    @web.middleware
    async def _keyed(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if self.key and request.headers.get("Authorization") != f"Bearer {self.key}":
            return web.json_response({"error": "Unauthorized"}, status=401)
        answer: web.StreamResponse = await handler(request)
        return answer

    def restart(self) -> None:
        """What was loaded at run time is gone."""
        self.loaded.clear()

    async def _models(self, _: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [{"id": each} for each in (BASE, *self.loaded)]})

    async def _load(self, request: web.Request) -> web.Response:
        body = await request.json()
        name, path = body["lora_name"], body["lora_path"]
        self.asked.append(f"load {name}")
        if name in self.loaded:
            return self._error(400, f"The lora adapter '{name}' has already been loaded.")
        if not await asyncio.to_thread(Path(path, "adapter_config.json").is_file):
            return self._error(404, f"Loading lora {name} failed: No adapter found for {path}")
        self.loaded[name] = path
        return web.Response(text=f"Success: LoRA adapter '{name}' added successfully.")

    async def _unload(self, request: web.Request) -> web.Response:
        name = (await request.json())["lora_name"]
        self.asked.append(f"unload {name}")
        if self.loaded.pop(name, None) is None:
            return self._error(404, f"The lora adapter '{name}' cannot be found.")
        return web.Response(text=f"Success: LoRA adapter '{name}' removed successfully.")

    async def _chat(self, request: web.Request) -> web.Response:
        model = (await request.json())["model"]
        if model not in (BASE, *self.loaded):
            return self._error(404, f"The model `{model}` does not exist.")
        message = {"role": "assistant", "content": f"This is {self.loaded.get(model, model)}"}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return web.json_response({"choices": [choice], "usage": {"prompt_tokens": 3, "completion_tokens": 4}})

    @staticmethod
    def _error(status: int, message: str) -> web.Response:
        return web.json_response(
            {"error": {"message": message, "type": "BadRequestError", "code": status}}, status=status
        )


@pytest.fixture
def vllm() -> Iterator[Vllm]:
    with Vllm() as running:
        yield running


def version(folder: Path, number: int) -> str:
    made = folder / f"adapter{number}"
    made.mkdir()
    (made / "adapter_config.json").write_text("{}")
    return str(made)


async def answer(made: Serving, adapter: str | None) -> str:
    async with made.using("0123456789abcdef", adapter) as opened:
        request = opened.model.request((Message("user", "Who are you?"),), {"max_tokens": 9}, {}, "text")
        return (await opened.model.complete(request, "test")).text


def opened(folder: Path, vllm: Vllm) -> Serving:
    return Serving(settings_in(folder / "storage", backend="vllm", model=BASE, vllm_url=vllm.url))


async def test_each_version_answers_by_its_adapter_and_the_base_by_none(tmp_path: Path, vllm: Vllm) -> None:
    one, two = version(tmp_path, 1), version(tmp_path, 2)
    made = opened(tmp_path, vllm)
    assert [await answer(made, each) for each in (None, one, two, None)] == [
        f"This is {each}" for each in (BASE, one, two, BASE)
    ]
    assert vllm.asked == [f"load {name_of(one)}", f"load {name_of(two)}"]
    await made.close()
    assert not vllm.loaded


async def test_a_server_that_was_restarted_serves_the_same_version_again(tmp_path: Path, vllm: Vllm) -> None:
    one = version(tmp_path, 1)
    adapters = VllmAdapters(vllm.url)
    await adapters.ensure(one)
    vllm.restart()
    await adapters.ensure(one)
    assert vllm.loaded == {name_of(one): one}
    await adapters.unload(one)
    await adapters.unload(one)
    assert not vllm.loaded


async def test_a_version_is_found_where_the_storage_folder_is_now(tmp_path: Path, vllm: Vllm) -> None:
    """As after a backup was restored at another place: what was written down is the earlier one."""
    made = opened(tmp_path, vllm)
    folder = tmp_path / "storage" / "organisations" / "0123456789abcdef"
    folder.mkdir(parents=True)
    one = version(folder, 1)
    earlier = "/srv/organisations/workspace/organisations/0123456789abcdef/adapter1"
    assert await answer(made, earlier) == await answer(made, one) == f"This is {one}"
    await made.close()


async def test_the_longest_unused_version_is_unloaded(
    tmp_path: Path, vllm: Vllm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "MOST_OPEN", 1)
    one, two = version(tmp_path, 1), version(tmp_path, 2)
    made = opened(tmp_path, vllm)
    await answer(made, one)
    await answer(made, two)
    assert list(vllm.loaded) == [name_of(two)]
    await made.close()


async def test_what_cannot_be_loaded_is_said_and_nothing_else_answers(tmp_path: Path, vllm: Vllm) -> None:
    made = opened(tmp_path, vllm)
    with pytest.raises(ModelUnusable, match="No adapter found"):
        await answer(made, str(tmp_path / "gone"))
    await made.close()


async def test_a_server_without_loading_at_run_time_or_none_at_all_is_said(tmp_path: Path) -> None:
    one = version(tmp_path, 1)
    with Vllm(runtime_loading=False) as fixed:
        made = opened(tmp_path, fixed)
        with pytest.raises(AugmentCorrectionError) as told:
            await answer(made, one)
        assert "VLLM_ALLOW_RUNTIME_LORA_UPDATING" in (told.value.hint or "")
        await made.close()
    with pytest.raises(ModelUnusable, match="cannot be reached"):
        await VllmAdapters("http://127.0.0.1:9/v1").ensure(one)


async def test_the_key_of_the_server_opens_answers_and_adapters_and_its_want_is_said(tmp_path: Path) -> None:
    one = version(tmp_path, 1)
    with Vllm(key="hidden") as guarded:
        settings = settings_in(tmp_path / "storage", backend="vllm", model=BASE, vllm_url=guarded.url)
        made = Serving(replace(settings, vllm_key="hidden"))
        assert await answer(made, one) == f"This is {one}"
        await made.close()
        assert not guarded.loaded and guarded.asked == [f"load {name_of(one)}", f"unload {name_of(one)}"]
        made = Serving(settings)
        with pytest.raises(ModelUnusable, match="refuses the API key") as told:
            await answer(made, one)
        assert "LL_VLLM_API_KEY" in (told.value.hint or "")
        await made.close()


def test_a_dataset_is_asked_for_with_the_key_and_no_file_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LL_VLLM_API_KEY", "hidden")
    settings = replace(settings_in(tmp_path, backend="vllm", model=BASE), vllm_key="hidden")
    path = datasets.write_config(settings, tmp_path)
    key = load_config(path).model("large").api_key
    assert "hidden" not in path.read_text() and key and key.get_secret_value() == "hidden"


def test_versions_are_trained_on_the_weights_that_vllm_serves(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, backend="vllm", model=BASE)
    target = configs.trained_model(settings)
    assert settings.trains and (target.model, target.mode) == (BASE, "hf")
    assert "target_mode: hf" in configs.learning_file(settings, "0123456789abcdef").read_text()
