"""Log-probabilities of given answers: of a real model of a few thousand random weights, compared with Transformers itself, in
this process and behind a server on 127.0.0.1."""

from __future__ import annotations

import math
import shutil
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web

torch = pytest.importorskip("torch", reason="needs the extra hf")
pytest.importorskip("transformers", reason="needs the extra hf")
pytest.importorskip("peft", reason="needs the extra hf")

from augment_correction.errors import InputError, ModelUnusable  # noqa: E402
from augment_correction.llm import hf_engine  # noqa: E402
from augment_correction.llm.backend import Backend  # noqa: E402
from augment_correction.llm.hf_engine import HFEngine  # noqa: E402
from augment_correction.llm.local_hf import LocalModels  # noqa: E402
from augment_correction.llm.metered import MeteredModel  # noqa: E402
from augment_correction.llm.openai_chat import OpenAIChat  # noqa: E402
from augment_correction.llm.opening import open_models  # noqa: E402
from augment_correction.llm.scoring import AnswerScore, NotScored, Scorer, answered  # noqa: E402
from augment_correction.llm.sdk_chat import SdkChat  # noqa: E402
from augment_correction.llm.session import Session, database_of  # noqa: E402
from augment_correction.project import Project  # noqa: E402
from augment_correction.records import Conversation, Message, Request, Turn  # noqa: E402
from augment_correction.store import Journal, RunFolder  # noqa: E402
from tests.llm.metering import Bench  # noqa: E402
from tests.projects import MadeProject  # noqa: E402
from tests.servers import InThread  # noqa: E402

pytestmark = [
    pytest.mark.usefixtures("one_torch_thread"),
    pytest.mark.filterwarnings("ignore::FutureWarning:transformers", "ignore::FutureWarning:peft"),
]

ASKED = [
    answered([Message("user", f"Who keeps hive {n}?")], f"It is {'the old ' * n}Arno who keeps hive {n}.")
    for n in range(9)
]


@pytest.fixture(scope="module")
def lora(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Path:
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    folder = tmp_path_factory.mktemp("scored") / "lora"
    torch.manual_seed(5)
    shape = LoraConfig(r=4, target_modules="all-linear", init_lora_weights=False, task_type="CAUSAL_LM")
    get_peft_model(AutoModelForCausalLM.from_pretrained(tiny_model), shape).save_pretrained(folder)
    return folder


def by_hand(folder: Path, conversation: Conversation, adapter: Path | None = None) -> tuple[list[int], list[float]]:
    """The tokens after the generation prompt, and what Transformers and one pass at a time say of each."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    if adapter:
        model = PeftModel.from_pretrained(model, str(adapter)).eval()
    said = [{"role": turn.role, "content": turn.text} for turn in conversation.turns]
    prompt = tokenizer.apply_chat_template(said[:-1], add_generation_prompt=True, return_dict=False)
    answer = tokenizer(said[-1]["content"] + "<|im_end|>\n", add_special_tokens=False)["input_ids"]
    values = []
    with torch.no_grad():
        for at in range(len(answer)):
            logits = model(input_ids=torch.tensor([prompt + answer[:at]])).logits[0, -1]
            values.append(float(logits.log_softmax(-1)[answer[at]]))
    return answer, values


@pytest_asyncio.fixture
async def opened(bench: Bench, tmp_path: Path) -> AsyncIterator[Callable[..., Scorer]]:
    backends: list[Backend] = []
    local = LocalModels()

    def open_one(folder: Path, adapter: Path | None = None) -> Scorer:
        bench.database.write_at_once(("DELETE FROM calls", [()]))  # all are called "tiny" here
        backends.append(local.open(folder, adapter, {}))
        return Scorer.of(bench.model(backends[-1], capacity=16, mode="hf"), Project(tmp_path), str(folder))

    yield open_one
    for each in backends:
        await each.close()


def scores(found: Sequence[object]) -> list[AnswerScore]:
    assert all(isinstance(each, AnswerScore) for each in found), found
    return [each for each in found if isinstance(each, AnswerScore)]


class TestInThisProcess:
    async def test_they_are_those_of_transformers_for_the_tokens_of_the_answer_alone(
        self, tiny_model: Path, lora: Path, opened: Callable[..., Scorer]
    ) -> None:
        for adapter in (None, lora):
            found = scores(await opened(tiny_model, adapter).score(ASKED))
            for conversation, score in list(zip(ASKED, found, strict=True))[::3]:
                tokens, values = by_hand(tiny_model, conversation, adapter)
                assert list(score.tokens) == tokens
                assert score.logprobs == pytest.approx(values, abs=1e-4)
                assert score.nll == pytest.approx(-sum(values) / len(values), abs=1e-4) and score.nll > 0
                assert score.perplexity == pytest.approx(math.exp(score.nll))

    async def test_no_answer_depends_on_what_is_scored_beside_it(
        self, tiny_model: Path, opened: Callable[..., Scorer], bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sizes: list[int] = []
        real = HFEngine._made
        monkeypatch.setattr(HFEngine, "_made", lambda self, batch: sizes.append(len(batch)) or real(self, batch))
        with monkeypatch.context() as waiting:
            waiting.setattr(hf_engine, "QUIET", 2.0)  # on a busy machine they arrive one by one
            together = scores(await opened(tiny_model).score(ASKED))
        assert max(sizes) > 1
        scorer = opened(tiny_model)
        alone = [scores(await scorer.score([each]))[0] for each in ASKED]
        assert sizes[-len(ASKED) :] == [1] * len(ASKED)
        for one, other in zip(together, alone, strict=True):
            assert one.tokens == other.tokens and one.logprobs == pytest.approx(other.logprobs, abs=1e-5)

    async def test_the_mask_of_the_package_decides_which_tokens_count(
        self, tiny_model: Path, opened: Callable[..., Scorer]
    ) -> None:
        from transformers import AutoTokenizer

        wrong, right = "In 1915. ", "No, in 1911."
        asked, doubt = Turn("user", "When was it built?", train=False), Turn("user", "Sure?", train=False)
        mistake = Turn("assistant", "In 1915.", train=False)
        partly = Turn("assistant", wrong + right, train=True, masked=len(wrong.rstrip()))
        two = Conversation(
            "two", "x", (asked, mistake, doubt, Turn("assistant", right, train=True)), train_scaffold=False
        )
        masked = Conversation("one", "x", (asked, partly), train_scaffold=False)
        found = scores(await opened(tiny_model).score([two, masked]))
        tokenizer = AutoTokenizer.from_pretrained(tiny_model)
        assert [tokenizer.decode(each.tokens).strip() for each in found] == [f"{right}<|im_end|>"] * 2, (
            "and the line break that the template writes after a turn"
        )

    async def test_what_cannot_be_scored_is_told_in_its_place(
        self, tiny_model: Path, opened: Callable[..., Scorer]
    ) -> None:
        untrained = Conversation("u", "x", (Turn("user", "Hm?", train=False),), train_scaffold=False)
        long = answered([Message("user", "word " * 700)], "Yes.")
        found = await opened(tiny_model).score([ASKED[0], untrained, long, ASKED[1]])
        assert [type(each) for each in found] == [AnswerScore, NotScored, NotScored, AnswerScore]
        told = [each for each in found if isinstance(each, NotScored)]
        assert [each.reason for each in told] == ["nothing_trained", "refused"] and "context of 512" in told[1].detail

    async def test_no_row_is_asked_twice_and_an_answer_is_a_question_of_its_own(
        self, tiny_model: Path, opened: Callable[..., Scorer], bench: Bench
    ) -> None:
        scorer = opened(tiny_model)
        first = await scorer.score(ASKED)
        asked = bench.ledger.of("small").requests
        assert asked == len(ASKED) and await scorer.score(ASKED) == first
        assert bench.ledger.of("small").requests == asked
        other = answered([Message("user", "Who keeps hive 0?")], "Birte.")
        assert (await scorer.score([other]))[0] != first[0] and bench.ledger.of("small").requests == asked + 1

    async def test_a_config_opens_it_beside_the_model_that_answers(
        self, project: MadeProject, tiny_model: Path, lora: Path, tmp_path: Path
    ) -> None:
        keys = {"mode": "hf", "model": str(tiny_model)}
        api = {f"{role}_{key}": value for role in ("small", "large") for key, value in keys.items()}
        config = project.load(api={**api, "large_adapter": str(lora)})
        with database_of(RunFolder(tmp_path)) as database:
            session = Session.on(database, config, ("small", "large"), tmp_path, len)
            async with open_models(config, ("small", "large"), session) as models:
                reply = await models["small"].complete(
                    models["small"].request((Message("user", "Who?"),), {"max_tokens": 3}, {}, "text"), "ask"
                )
                made = {role: Scorer.of(model, config.project) for role, model in models.items()}
                one, other = [scores(await made[role].score(ASKED[:2])) for role in ("small", "large")]
            assert reply.text and one != other
            totals = {(each.role, each.stage): each.requests for each in Journal(database).totals()}
        assert totals == {("small", "ask"): 1, ("small", "score"): 2, ("large", "score"): 2}


class Completions(InThread):
    """A server of vLLM's kind: its completions endpoint runs the model on the ids that it is sent, and echoes them."""

    def __init__(self, folder: Path, **changed: Any) -> None:
        from transformers import AutoModelForCausalLM

        self.model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
        self.changed = changed
        self.refused: web.Response | None = None
        self.bodies: list[dict[str, Any]] = []

    def application(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/v1/completions", self._completions)
        return app

    async def _completions(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.bodies.append(body)
        if len(body["prompt"]) > 512:
            said = f"This model's maximum context length is 512 tokens, but you sent {len(body['prompt'])} tokens in the prompt."
            return web.json_response({"error": {"message": said}}, status=400)
        if self.refused is not None:
            return web.json_response(text=self.refused.text, status=self.refused.status)
        ids = torch.tensor([body["prompt"]])
        with torch.no_grad():
            table = self.model(input_ids=ids).logits[0].log_softmax(-1)
        told = [None, *(float(table[at - 1, token]) for at, token in enumerate(body["prompt"]) if at), -0.5]
        choice = {"text": "x", "finish_reason": "length", "logprobs": {"token_logprobs": told} | self.changed}
        return web.json_response(
            {"choices": [choice], "usage": {"prompt_tokens": ids.shape[1], "completion_tokens": 1}}
        )


def served(bench: Bench, server: Completions, folder: Path, kind: type[Any] = OpenAIChat) -> tuple[Backend, Scorer]:
    backend = kind(server.url, api_key="k", timeout=20, connections=4, count=len)
    model: MeteredModel = bench.model(backend, base_url=server.url)
    return backend, Scorer.of(model, Project(folder.parent), str(folder))


class TestOnAServer:
    @pytest.mark.parametrize("kind", [OpenAIChat, SdkChat])
    async def test_they_are_those_of_the_model_behind_it(
        self, bench: Bench, tiny_model: Path, opened: Callable[..., Scorer], kind: type[Any]
    ) -> None:
        with Completions(tiny_model) as server:
            backend, scorer = served(bench, server, tiny_model, kind)
            found = scores(await scorer.score(ASKED))
            again = await scorer.score(ASKED)
            await backend.close()
        assert again == found and len(server.bodies) == len(ASKED), "the journal answers the second time"
        assert bench.ledger.of("small").input == sum(len(body["prompt"]) for body in server.bodies)
        for conversation, score in list(zip(ASKED, found, strict=True))[::4]:
            tokens, values = by_hand(tiny_model, conversation)
            assert list(score.tokens) == tokens and score.logprobs == pytest.approx(values, abs=1e-4)

    async def test_a_row_that_is_too_long_is_its_own_matter(self, bench: Bench, tiny_model: Path) -> None:
        with Completions(tiny_model) as server:
            backend, scorer = served(bench, server, tiny_model)
            found = await scorer.score([ASKED[0], answered([Message("user", "word " * 700)], "Yes.")])
            await backend.close()
        assert [type(each) for each in found] == [AnswerScore, NotScored]

    @pytest.mark.parametrize(
        ("status", "words"),
        [
            (404, "This is a chat model and not supported in the v1/completions endpoint."),
            (400, "Setting 'echo' and 'logprobs' at the same time is not supported for this model."),
            (400, "logprobs is not supported"),
        ],
    )
    async def test_a_hosted_model_without_them_is_told_once_and_clearly(
        self, bench: Bench, tiny_model: Path, status: int, words: str
    ) -> None:
        with Completions(tiny_model) as server:
            server.refused = web.json_response({"error": {"message": words}}, status=status)
            backend, scorer = served(bench, server, tiny_model)
            with pytest.raises(ModelUnusable, match="tells no log-probabilities") as raised:
                await scorer.score(ASKED[:1])
            await backend.close()
        assert words in raised.value.message and "mode: hf" in str(raised.value.hint)

    @pytest.mark.parametrize("changed", [{"token_logprobs": None}, {"token_logprobs": [None, -1.0]}])
    async def test_a_reply_without_them_is_none(self, bench: Bench, tiny_model: Path, changed: dict[str, Any]) -> None:
        with Completions(tiny_model, **changed) as server:
            backend, scorer = served(bench, server, tiny_model)
            with pytest.raises(ModelUnusable, match="gives no log-probabilities"):
                await scorer.score(ASKED[:1])
            await backend.close()


class TestOpening:
    def test_modes_that_cannot_tell_are_refused(self, bench: Bench, tiny_model: Path, tmp_path: Path) -> None:
        for mode in ("scripted", "embedded", "batch"):
            with pytest.raises(InputError, match="gives no log-probabilities"):
                Scorer.of(bench.model(Silent(), mode=mode), Project(tmp_path), str(tiny_model))

    def test_a_served_model_needs_its_tokenizer(self, bench: Bench, tiny_model: Path, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="no tokenizer at tiny") as raised:
            Scorer.of(bench.model(Silent()), Project(tmp_path))
        assert "hf download tiny" in str(raised.value.hint)
        bare = Path(shutil.copytree(tiny_model, tmp_path / "bare"))
        for name in ("tokenizer_config.json", "chat_template.jinja"):
            (bare / name).unlink(missing_ok=True)
        with pytest.raises(InputError, match="no chat template"):
            Scorer.of(bench.model(Silent()), Project(tmp_path), "bare")

    def test_other_questions_keep_their_keys(self) -> None:
        plain = Request((Message("user", "Q"),), "tiny", {"max_tokens": 1})
        assert plain.key == "1576b9763e986741ab03c81288a74182"


class Silent:
    """Never asked."""

    async def complete(self, request: Request) -> Any:
        raise AssertionError(request)

    async def close(self) -> None: ...
