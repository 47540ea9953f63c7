"""The whole story with a real model of random weights: chat, corrections, a real training and its gate, activation, an answer by the
trained version, rollback."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select, update

from augment_correction.models import ModelConfig
from augment_correction.workspace import configs
from augment_correction.workspace.tables import ChatMessage, Job, ModelVersion
from augment_correction.workspace.working import Worker, log_of
from tests.corrections.making import FACTS, TRAINING
from tests.workspace.places import Place, settings_in
from tests.workspace.test_chat import ask
from tests.workspace.test_versions import all_of, approved

pytest.importorskip("trl", reason="needs the extra train")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::FutureWarning:transformers", "ignore::FutureWarning:peft"),
]


@pytest.mark.usefixtures("one_torch_thread")
def test_from_a_chat_to_a_version_that_answers(
    tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Who writes wordings and demonstrations is scripted: a model of random weights could not.
    monkeypatch.setattr(configs, "teacher", lambda _: ModelConfig(model="writer", mode="scripted"))
    learning = {"num_prompt_variations": 2, "num_expert_demos_per_prompt": 2, "train": TRAINING, "method": "sft"}
    settings = settings_in(tmp_path / "storage", backend="local", model=str(tiny_model), learning=learning)
    place = Place(settings)
    with place.live():
        ada = place.owner()
        path = ask(ada, "Who opened the museum of Halmstett?")
        assert all_of(place, ChatMessage)[-1].state == "whole", ada.text
        for question, _, right in FACTS:
            approved(place, ada, right, question)
        ada.post(ada.at("/versions"))
        worker = Worker(place.settings, place.site.database)
        assert worker.work()
        [job] = all_of(place, Job)
        assert job.state == "done", f"{job.result}\n{log_of(settings, job)}"
        [version] = all_of(place, ModelVersion)
        assert len(version.corrections) == 3 and Path(version.adapter).is_dir()
        page = ada.get(ada.at("/versions/1"))
        assert "efficacy" in page and "Every question and answer" in page
        answer = ada.client.get(ada.at("/versions/1/page"))
        assert answer.status_code == 200 and answer.headers["content-security-policy"].startswith("sandbox")
        ada.post(ada.at("/versions/1/activate"))
        assert ada.status == 409  # random weights do not pass the gate
        with place.site.database.as_system(writes=True) as session:
            session.execute(update(ModelVersion).values(outcome="accept"))
        ada.post(ada.at("/versions/1/activate"))
        ask(ada, "Who opened the museum of Halmstett?", path)
        with place.site.database.as_system() as session:
            said = session.execute(select(ChatMessage).order_by(ChatMessage.position)).scalars().all()
        assert [each.version for each in said if each.role == "assistant"] == [None, 1]
        assert said[-1].state == "whole" and said[1].text != said[-1].text
        ada.post(ada.at("/versions/rollback"))
        ask(ada, "Who opened the museum of Halmstett?", path)
        assert "base model" in ada.page.split('class="assistant"')[-1]
