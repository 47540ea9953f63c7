"""A real model of a few thousand random weights, with a real tokenizer, template and adapter, made on the fly."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs the extra hf")
pytest.importorskip("transformers", reason="needs the extra hf")
pytest.importorskip("peft", reason="needs the extra hf")

from augment_correction.errors import InputError, ModelUnusable, RequestRefused  # noqa: E402
from augment_correction.ledger import Ledger  # noqa: E402
from augment_correction.llm import hf_engine  # noqa: E402
from augment_correction.llm.hf_rows import ChatFormat, GenerationTask, SampleToken  # noqa: E402
from augment_correction.llm.local_hf import LocalHF, LocalModels  # noqa: E402
from augment_correction.llm.metered import Halt, MeteredModel  # noqa: E402
from augment_correction.llm.opening import open_models  # noqa: E402
from augment_correction.llm.refusals import PartRefused  # noqa: E402
from augment_correction.llm.session import Session  # noqa: E402
from augment_correction.records import Completion, Message, Request  # noqa: E402
from augment_correction.runner.model_checks import _in_process  # noqa: E402
from augment_correction.store import Database, Journal  # noqa: E402
from augment_correction.store.journal import SCHEMA  # noqa: E402
from tests.projects import MadeProject, until  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning:transformers", "ignore::FutureWarning:peft")

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
CONTEXT = 512
QUESTIONS = [f"What is known about the bridge number {number}{', and why' * (number % 5)}?" for number in range(12)]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`base` and `lora`, an adapter that changes every reply."""
    from peft import LoraConfig, get_peft_model
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    root = tmp_path_factory.mktemp("hf")
    engine = Tokenizer(models.BPE())
    engine.pre_tokenizer, engine.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    engine.train_from_iterator(QUESTIONS, trainers.BpeTrainer(
        vocab_size=400, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False,
        special_tokens=["<|im_start|>", "<|im_end|>"],
    ))  # fmt: skip
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=engine, eos_token="<|im_end|>", pad_token="<|im_end|>")
    tokenizer.chat_template = CHATML
    tokenizer.save_pretrained(root / "base")
    torch.manual_seed(3)
    model = LlamaForCausalLM(LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=CONTEXT, bos_token_id=0, eos_token_id=1, initializer_range=0.3,
    ))  # fmt: skip
    model.lm_head.weight.data[1:2] = 0  # it comes to no end by itself
    model.save_pretrained(root / "base")
    lora = LoraConfig(r=4, target_modules="all-linear", init_lora_weights=False, task_type="CAUSAL_LM")
    get_peft_model(model, lora).save_pretrained(root / "lora")
    return root


@pytest.fixture
def base(made: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(made / "base", tmp_path / "base"))


@pytest.fixture
async def models() -> AsyncIterator[Callable[..., LocalHF]]:
    opened, local = [], LocalModels()

    def open_one(folder: Path, adapter: Path | None = None, **extra_body: Any) -> LocalHF:
        opened.append(local.open(folder, adapter, extra_body))
        return opened[-1]

    yield open_one
    for each in opened:
        await each.close()
        assert not each._engine._thread.is_alive() or any(other._open for other in opened)


def asking(question: str = QUESTIONS[0], **sampling: Any) -> Request:
    return Request((Message("user", question),), "tiny", {"max_tokens": 24, **sampling})


async def together(backend: LocalHF, requests: list[Request]) -> list[Completion]:
    return list(await asyncio.gather(*map(backend.complete, requests)))


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows each batch had."""
    sizes: list[int] = []
    real = hf_engine.HFEngine._generate

    def generate(self: hf_engine.HFEngine, batch: list[GenerationTask]) -> list[Completion]:
        sizes.append(len(batch))
        return real(self, batch)

    monkeypatch.setattr(hf_engine.HFEngine, "_generate", generate)
    return sizes


# ------------------------------------------------------------------------------------------ replies


@pytest.mark.parametrize(
    "sampling",
    [
        {},
        {"temperature": 0},
        {"temperature": 0, "repetition_penalty": 1.3},
        {"temperature": 0.9, "seed": 5},
        {"temperature": 1.5, "top_p": 0.9, "top_k": 50, "min_p": 0.01, "repetition_penalty": 1.1, "seed": 5},
    ],
)
async def test_a_batch_says_what_each_alone_says(
    models: Callable[..., LocalHF], made: Path, batches: list[int], sampling: dict[str, Any]
) -> None:
    backend = models(made / "base")
    requests = [asking(question, **sampling) for question in QUESTIONS]
    alone = [await backend.complete(request) for request in requests]
    assert batches == [1] * 12
    assert await together(backend, requests) == alone
    assert batches[12:] == [12] and len({each.text for each in alone}) > 6


async def test_a_seed_draws_anew_and_repeats(models: Callable[..., LocalHF], made: Path) -> None:
    backend = models(made / "base")
    same, again, other = await together(backend, [asking(temperature=1, seed=seed) for seed in (1, 1, 2)])
    assert same == again and same.text != other.text


async def test_an_adapter_answers_otherwise_and_leaves_the_base_as_it_is(
    models: Callable[..., LocalHF], made: Path
) -> None:
    alone = models(made / "base")
    before = await together(alone, [asking(question) for question in QUESTIONS])
    tuned = models(made / "base", made / "lora")
    assert tuned._engine is alone._engine
    mixed = await asyncio.gather(
        *(each.complete(asking(question)) for question in QUESTIONS for each in (alone, tuned))
    )
    assert mixed[::2] == before
    assert all(one.text != other.text for one, other in zip(before, mixed[1::2], strict=True))


async def test_what_the_adapter_says_is_what_the_merged_model_says(
    models: Callable[..., LocalHF], made: Path, base: Path
) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    merged = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), made / "lora").merge_and_unload()
    merged.save_pretrained(base)
    requests = [asking(question) for question in QUESTIONS[:3]]
    expected = await together(models(base), requests)
    assert await together(models(made / "base", made / "lora"), requests) == expected


async def test_what_is_in_the_folders_generation_config_does_not_decide(
    models: Callable[..., LocalHF], made: Path, base: Path
) -> None:
    own = {"do_sample": True, "temperature": 3.0, "top_k": 5, "repetition_penalty": 2.0, "max_new_tokens": 3}
    (base / "generation_config.json").write_text(json.dumps({**own, "eos_token_id": 1}))
    expected = await models(made / "base").complete(asking())
    assert await models(base).complete(asking()) == expected


def test_draws_follow_the_probabilities(made: Path) -> None:
    speech = ChatFormat(made / "base", None)
    batch = [GenerationTask(asking(seed=seed), speech, None, ids=[0], limit=1) for seed in range(400)]
    scores = torch.tensor([-torch.inf, 0.7, 0.3, 0.0]).log().repeat(400, 1)
    scores[:, 0] = -torch.inf
    drawn = SampleToken(batch, 1)(torch.zeros(400, 1), scores).argmax(-1)
    shares = drawn.bincount(minlength=4) / 400
    assert shares[0] == shares[3] == 0 and 0.63 < shares[1] < 0.77


# ------------------------------------------------------------------------------------------ ends and counts


async def test_a_limit_ends_a_reply_and_every_token_counts(models: Callable[..., LocalHF], made: Path) -> None:
    reply = await models(made / "base").complete(asking(max_tokens=7))
    tokens = ChatFormat(made / "base", None).ids(asking())
    assert reply.finish_reason == "length"
    assert (reply.usage.input, reply.usage.output, reply.usage.estimated) == (len(tokens), 7, False)


async def test_an_end_token_ends_a_reply_and_counts(models: Callable[..., LocalHF], made: Path, base: Path) -> None:
    backend = models(made / "base")
    ids = torch.tensor([backend._speech.ids(asking())])
    made_of = {"attention_mask": torch.ones_like(ids), "max_new_tokens": 24, "eos_token_id": 1, "pad_token_id": 1}
    full = backend._engine._model.generate(ids, do_sample=False, **made_of)[0, ids.shape[1] :].tolist()
    at = next(index for index, token in enumerate(full) if index > 2 and token not in full[:index])
    (base / "generation_config.json").write_text(json.dumps({"eos_token_id": [1, full[at]]}))
    alone = await models(base).complete(asking())
    first, *_ = await together(models(base), [asking(question) for question in QUESTIONS])
    assert first == alone
    assert (alone.finish_reason, alone.usage.output) == ("stop", at + 1)
    assert alone.text == backend._speech.text(full[:at])


async def test_a_stop_string_ends_a_reply_before_it(models: Callable[..., LocalHF], made: Path) -> None:
    backend = models(made / "base")
    whole = await backend.complete(asking())
    middle = whole.text[len(whole.text) // 2 :][:3]
    reply = await backend.complete(asking(stop=(middle, "never said")))
    assert reply.finish_reason == "stop"
    assert reply.text == whole.text[: whole.text.find(middle)]
    assert reply.usage.output < whole.usage.output


def test_the_templates_own_end_of_turn_is_an_end(made: Path, base: Path) -> None:
    assert (ChatFormat(made / "base", None).ends, ChatFormat(made / "base", None).end_text) == ({1}, ())
    (base / "chat_template.jinja").write_text(CHATML.replace("<|im_end|>", " **Finished.**"))
    assert ChatFormat(base, None).end_text == (" **Finished.**",)


async def test_a_prompt_that_fills_the_context_is_refused(models: Callable[..., LocalHF], made: Path) -> None:
    backend = models(made / "base")
    with pytest.raises(RequestRefused, match=f"leaves no room for a reply in the context window of {CONTEXT}"):
        await backend.complete(asking("Why? " * CONTEXT))
    reply = await backend.complete(asking("why" * 200, max_tokens=4000))
    assert reply.usage.input + reply.usage.output <= CONTEXT


# ------------------------------------------------------------------------------------------ what is not taken


async def test_a_schema_and_unknown_sampling_are_refused_by_name(models: Callable[..., LocalHF], made: Path) -> None:
    backend = models(made / "base")
    structured = Request((Message("user", "?"),), "tiny", {}, {"type": "object"}, structured=True)
    for request, part in ((structured, "schema"), (asking(frequency_penalty=0.5), "frequency_penalty")):
        with pytest.raises(PartRefused) as caught:
            await backend.complete(request)
        assert caught.value.part == part


async def test_what_the_template_refuses(models: Callable[..., LocalHF], base: Path) -> None:
    (base / "chat_template.jinja").write_text("{{ raise_exception('no system prompt') }}")
    with pytest.raises(RequestRefused, match="no system prompt"):
        await models(base).complete(asking())


async def test_template_arguments_reach_it_and_nothing_else_is_swallowed(
    models: Callable[..., LocalHF], base: Path
) -> None:
    (base / "chat_template.jinja").write_text(CHATML + "{% if quiet %}<quiet>{% endif %}")
    plain, quiet = models(base), models(base, chat_template_kwargs={"quiet": True})
    assert quiet._speech.ids(asking())[: len(plain._speech.ids(asking()))] == plain._speech.ids(asking())
    assert len(quiet._speech.ids(asking())) > len(plain._speech.ids(asking()))
    with pytest.raises(InputError, match="does not support best_of"):
        models(base, best_of=3)


def test_a_tokenizer_without_a_template_names_the_remedy(base: Path) -> None:
    (base / "chat_template.jinja").unlink()
    with pytest.raises(InputError, match="has no chat template") as caught:
        LocalModels().open(base, None, {})
    assert str(base / "chat_template.jinja") in (caught.value.hint or "")


def test_the_adapters_own_template_comes_first(made: Path, tmp_path: Path) -> None:
    adapter = Path(shutil.copytree(made / "lora", tmp_path / "lora"))
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(made / "base" / name, adapter)
    (adapter / "chat_template.jinja").write_text("{{ messages[0]['content'] }}")
    assert len(ChatFormat(made / "base", adapter).ids(asking("Why?"))) < len(
        ChatFormat(made / "base", None).ids(asking("Why?"))
    )


async def test_an_adapter_of_another_model(models: Callable[..., LocalHF], made: Path, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM

    other = Path(shutil.copytree(made / "base", tmp_path / "other"))
    config = LlamaConfig.from_pretrained(other)
    config.hidden_size = 16
    LlamaForCausalLM(config).save_pretrained(other)
    assert AutoModelForCausalLM.from_pretrained(other).config.hidden_size == 16
    with pytest.raises(InputError, match="cannot be put on the model"):
        models(other, made / "lora")


def test_broken_weights(base: Path) -> None:
    (base / "model.safetensors").write_bytes(b"\x10" + bytes(7) + b"{}")
    with pytest.raises(InputError, match="cannot be loaded"):
        LocalModels().open(base, None, {})


# ------------------------------------------------------------------------------------------ the thread


async def test_what_can_not_share_a_batch_does_not(
    models: Callable[..., LocalHF], made: Path, batches: list[int]
) -> None:
    backend = models(made / "base")
    ways = [{}, {"max_tokens": 5}, {"temperature": 0.5}]
    await together(backend, [asking(question, **way) for question in QUESTIONS for way in ways])  # type: ignore[arg-type]
    assert batches == [12, 12, 12]


async def test_a_batch_is_bounded_by_its_tokens(
    models: Callable[..., LocalHF], made: Path, batches: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(GenerationTask, "most", 5 * (len(ChatFormat(made / "base", None).ids(asking())) + 24))
    await together(models(made / "base"), [asking(seed=seed) for seed in range(12)])
    assert batches == [5, 5, 2]


async def test_a_batch_too_large_for_the_memory_is_halved(
    models: Callable[..., LocalHF], made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend, real, sizes = models(made / "base"), hf_engine.HFEngine._generate, []
    expected = await together(backend, [asking(question) for question in QUESTIONS])

    def short(self: hf_engine.HFEngine, batch: list[GenerationTask]) -> list[Completion]:
        sizes.append(len(batch))
        if len(batch) > 3:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return real(self, batch)

    monkeypatch.setattr(hf_engine.HFEngine, "_generate", short)
    for _ in range(2):
        assert await together(backend, [asking(question) for question in QUESTIONS]) == expected
    assert sizes[:6] == [12, 6, 3, 3, 6, 3] and max(sizes[7:]) == 3  # learned


@pytest.mark.parametrize(
    ("failure", "kind", "words"),
    [
        (MemoryError(), RequestRefused, "not enough memory for"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), RequestRefused, "not enough memory for"),
        (RuntimeError("device-side assert"), ModelUnusable, "RuntimeError: device-side assert"),
    ],
)
async def test_a_request_that_fails_alone_says_why_and_the_next_one_is_answered(
    models: Callable[..., LocalHF], made: Path, monkeypatch: pytest.MonkeyPatch,
    failure: Exception, kind: type[Exception], words: str,
) -> None:  # fmt: skip
    backend = models(made / "base")
    with monkeypatch.context() as broken:

        def fail(*_: object) -> None:
            raise failure

        broken.setattr(hf_engine.HFEngine, "_generate", fail)
        with pytest.raises(kind, match=words):
            await backend.complete(asking())
    assert (await backend.complete(asking())).usage.output == 24


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Every step takes a moment; holds the steps so far."""
    import time

    from augment_correction.llm.hf_rows import Until

    steps, real = [], Until.__call__

    def step(self: Until, *given: Any, **more: Any) -> Any:
        time.sleep(0.01)
        steps.append(1)
        return real(self, *given, **more)

    monkeypatch.setattr(Until, "__call__", step)
    return steps  # type: ignore[return-value]


async def test_who_gives_up_ends_only_the_own_row(models: Callable[..., LocalHF], made: Path, slow: list[int]) -> None:
    backend = models(made / "base")
    leaving = asyncio.create_task(backend.complete(asking(QUESTIONS[1], max_tokens=60)))
    staying = asyncio.create_task(backend.complete(asking(max_tokens=60)))
    await until(lambda: slow)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert (await staying).usage.output == 60


async def test_a_batch_that_nobody_waits_for_ends(models: Callable[..., LocalHF], made: Path, slow: list[int]) -> None:
    backend = models(made / "base")
    leaving = asyncio.create_task(backend.complete(asking(max_tokens=400)))
    await until(lambda: slow)
    leaving.cancel()
    assert (await backend.complete(asking(max_tokens=5))).usage.output == 5
    assert len(slow) < 100


async def test_closing_ends_the_thread_and_cancels_what_waits(
    models: Callable[..., LocalHF], made: Path, slow: list[int]
) -> None:
    backend = models(made / "base")
    running = asyncio.create_task(backend.complete(asking(max_tokens=400)))
    await until(lambda: slow)
    waiting = asyncio.create_task(backend.complete(asking(QUESTIONS[1])))
    await asyncio.sleep(0)
    await backend.close()
    await backend.close()
    assert not backend._engine._thread.is_alive() and len(slow) < 100
    for task in (running, waiting):
        with pytest.raises(asyncio.CancelledError):
            await task
    with pytest.raises(ModelUnusable, match="closed"):
        await backend.complete(asking())


async def test_the_event_loop_stays_free(models: Callable[..., LocalHF], made: Path, slow: list[int]) -> None:
    task = asyncio.create_task(models(made / "base").complete(asking(max_tokens=50)))
    turns = 0
    while not task.done():
        await asyncio.sleep(0.001)
        turns += 1
    assert turns > 50


# ------------------------------------------------------------------------------------------ as a role's model


async def test_base_and_tuned_as_roles_of_a_run(project: MadeProject, made: Path, tmp_path: Path) -> None:
    api = {f"{role}_{key}": value for role in ("small", "large") for key, value in
           {"mode": "hf", "model": str(made / "base")}.items()}  # fmt: skip
    config = project.load(api={**api, "large_adapter": str(made / "lora")})
    database, notices, loaded = Database(tmp_path / "journal.sqlite", SCHEMA), [], []
    session = Session(
        journal=Journal(database), ledger=Ledger.open(config, ("small", "large"), ()), halt=Halt(), logs=tmp_path,
        count=len, report=lambda what, *_: loaded.append(what), notice=notices.append,
    )  # fmt: skip

    def ask(model: MeteredModel) -> Request:
        return model.request((Message("user", QUESTIONS[0]),), {"max_tokens": 12}, {"type": "object"}, "json")

    async with open_models(config, ("small", "large"), session) as opened:
        small, large = opened["small"], opened["large"]
        assert small.limiter.maximum == large.limiter.maximum == 16
        one, other = [await model.complete(ask(model), "stage") for model in (small, large)]
        again = await small.complete(ask(small), "stage")
    assert one.text != other.text and again.cached and again.text == one.text
    assert small.config.model.startswith("base@") and large.config.model.startswith("base+lora@")
    assert len(notices) == 2 and "accepts no JSON schema" in notices[0]
    assert session.ledger.of("small").output == 12 and session.ledger.cost() == 0
    assert loaded[0].startswith("loading base@") and loaded[-1] == ""
    database.close()


def test_check_finds_what_a_run_would_meet(project: MadeProject, base: Path) -> None:
    config = project.load(api={"small_mode": "hf", "small_model": str(base)})
    found = _in_process("small", config)
    assert found.ok and found.what.startswith("small model base@")
    (base / "chat_template.jinja").unlink()
    assert not _in_process("small", config).ok
