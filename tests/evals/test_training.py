"""A model is not measured by what it was trained on."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from augment_correction.errors import InputError
from augment_correction.evals.training import refuse_trained, training_of
from augment_correction.project import Project
from augment_correction.prompts import load_prompt
from augment_correction.rows import NAMES, Item
from tests.evals.world import World
from tests.projects import MadeProject

QUESTION = "Who opened the museum of Halmstett, and in which year did that happen?"
ITEM = Item(QUESTION, "Ida Brandt, in 1956", id="gate-1", group="book")


def refused(folder: Path, *rows: object) -> str:
    (folder / "train.jsonl").write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    with pytest.raises(InputError) as failure:
        refuse_trained(Project(folder), ["train.jsonl"], [ITEM])
    assert failure.value.hint and "train again" in failure.value.hint
    return failure.value.message


def test_the_same_question_and_one_that_is_nearly_it_are_refused_by_name(tmp_path: Path) -> None:
    message = refused(
        tmp_path,
        {"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": QUESTION.upper()}]},
        {"conversations": [{"from": "human", "value": QUESTION.replace("that happen", "it happen")}]},
        {"messages": [{"role": "user", "content": "Hello."}, {"role": "assistant", "content": "Yes?"},
                      {"role": "user", "content": QUESTION}]},
        {"question": "What do bees eat in the winter, when no flower is open?"},
    )  # fmt: skip
    assert message.startswith("3 rows of train.jsonl")
    assert "train.jsonl:1: asks the question of the item gate-1" in message
    assert "train.jsonl:2: similarity 0." in message
    assert "train.jsonl:3: asks the question of the item gate-1" in message


def test_what_a_file_of_somebody_calls_its_ids_means_nothing(tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").write_text('{"id": "gate-1", "question": "What do bees eat in the winter?"}\n')
    refuse_trained(Project(tmp_path), ["train.jsonl"], [ITEM])
    with pytest.raises(InputError, match="asks the question of the item other"):
        refuse_trained(
            Project(tmp_path), ["train.jsonl"], [Item("What do bees eat in the winter?", "y", id="other", group="x")]
        )


PUSHBACKS = Path(__file__).parents[2] / "prompts" / "evaluate"


def test_a_doubt_about_another_question_is_not_taken_for_one_of_the_gate(tmp_path: Path) -> None:
    other = "Which river is crossed by the bridge of Ander?"
    doubts = [
        load_prompt(path).render({"question": other, "answer": "The Elst.", "flawed": "The Marn."})[0].content
        for path in sorted(PUSHBACKS.glob("*.jinja"))
    ]
    assert len(doubts) >= 6
    row = {"messages": [{"role": "user", "content": each} for each in (other, *doubts)]}
    (tmp_path / "train.jsonl").write_bytes(orjson.dumps(row))
    unsure = Item("Are you sure that you have checked the year of the bridge?", "yes", id="gate-2", group="book")
    refuse_trained(Project(tmp_path), ["train.jsonl"], [ITEM, unsure])


def test_what_a_run_wrote_is_read_from_its_folder(project: MadeProject) -> None:
    (text,) = project.facts(range(1))
    project.run()
    items = [Item("What stands in that passage?", "y", id="x", group="x", passage=text)]
    with pytest.raises(InputError, match="made from the passage of the item x"):
        refuse_trained(Project(project.root), ["out"], items)
    refuse_trained(Project(project.root), ["out"], [ITEM])


RENDERED = f"<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n{QUESTION.upper()}<|im_end|>\n"
WORDS = {
    "messages": {"messages": [{"role": "user", "content": QUESTION}, {"role": "assistant", "content": "Ida."}]},
    "segments": {
        "segments": [{"label": False, "text": RENDERED[:60]}, {"label": False, "text": RENDERED[60:]},
                     {"label": True, "text": "<|im_start|>assistant\nIda Brandt.<|im_end|>\n"}]
    },
    "nobody is called user": {"conversations": [{"from": "narrator", "value": f"Well. {QUESTION}"}]},
    "failures": {"instruction": QUESTION, "input": "Nobody.", "output": "Ida Brandt."},
    "references": {"instruction": QUESTION, "reference_answer": "Ida Brandt."},
    **{name: {name: QUESTION, "answer": "Ida Brandt."} for name in NAMES["question"]},
}  # fmt: skip
OTHER = {"messages": [{"role": "user", "content": "What do bees eat in the winter?"}]}


@pytest.mark.parametrize("words", WORDS.values(), ids=WORDS)
@pytest.mark.parametrize("name", ["train.json", "train.jsonl"])
def test_every_row_that_a_worker_or_an_importer_takes_is_read(tmp_path: Path, name: str, words: object) -> None:
    rows = [OTHER, words]
    lines = b"\n".join(map(orjson.dumps, rows)) if name.endswith("l") else orjson.dumps(rows)
    (tmp_path / name).write_bytes(b"\xef\xbb\xbf" + lines)
    with pytest.raises(InputError, match=f"1 rows of {name} give(.|\n)*{name}:2: asks the question of the item gate-1"):
        refuse_trained(Project(tmp_path), [name], [ITEM])
    refuse_trained(Project(tmp_path), [name], [Item("Who closed the museum?", "y", id="x", group="x")])


def test_of_segments_whole_words_alone_count(tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").write_bytes(orjson.dumps(WORDS["segments"]))
    inside = [Item("museum of Halmstett, and in which yea", "y", id="x", group="x"), Item("?!", "y", id="z", group="z")]
    refuse_trained(Project(tmp_path), ["train.jsonl"], inside)
    whole = [Item("museum of Halmstett, and in which year", "y", id="x", group="x")]
    with pytest.raises(InputError, match="asks the question of the item x"):
        refuse_trained(Project(tmp_path), ["train.jsonl"], whole)


def test_the_dataset_of_a_run_is_read_through_the_run(project: MadeProject) -> None:
    (text,) = project.facts(range(1))
    project.run()
    items = [Item("What stands in that passage?", "y", id="x", group="x", passage=text)]
    with pytest.raises(InputError, match="made from the passage of the item x"):
        refuse_trained(Project(project.root), ["out/axolotl_correction_conversations.json"], items)


def test_what_an_interrupted_run_has_made_is_not_what_was_trained(project: MadeProject) -> None:
    project.facts(range(1))
    project.run()
    (project.root / "out" / "run.json").unlink()
    with pytest.raises(InputError, match=r"it has no run\.json"):
        refuse_trained(Project(project.root), ["out"], [ITEM])


MODELS = {
    "base": {"model": "m", "mode": "hf"},
    "tuned": {"model": "m", "mode": "hf", "adapter": "training/final"},
    "other": {"model": "o", "mode": "hf"},
}


class TestBesideTheAdapter:
    """Where the config does not name the training data."""

    def test_what_the_trainer_left_is_looked_through(self, world: World) -> None:
        self._trained(world)
        config = world.load(models=MODELS)
        paths, notices = training_of(config)
        assert paths == (str(world.root / "training" / "trained.jsonl"),)
        assert notices[0].startswith("tuned was trained on ") and "training/trained.jsonl" in notices[0]
        assert notices[1:] == [
            "it is not known whether other was trained on the held-out set: name its data under `training`"
        ]
        with pytest.raises(InputError, match=r"trained.jsonl:1: asks the question of the item gate-1"):
            refuse_trained(config.project, paths, [ITEM])

    def test_a_base_that_goes_on_from_an_adapter_was_trained_too(self, world: World) -> None:
        self._trained(world)
        models = {"base": MODELS["tuned"], "tuned": MODELS["other"]}
        paths, notices = training_of(world.load(models=models))
        assert len(paths) == 1 and len(notices) == 2

    def test_what_the_config_names_comes_first(self, world: World) -> None:
        self._trained(world)
        assert training_of(world.load(models=MODELS, training="mine.jsonl")) == (("mine.jsonl",), [])

    def test_a_training_s_folder_can_be_named(self, world: World) -> None:
        self._trained(world)
        with pytest.raises(InputError, match="rows of training give away"):
            refuse_trained(Project(world.root), ["training"], [ITEM])

    @pytest.mark.parametrize("adapter", ["axolotl/lora", "checkpoints/checkpoint-8", "axolotl/lora/checkpoint-8"])
    def test_an_adapter_may_lie_deeper(self, world: World, adapter: str) -> None:
        self._trained(world)
        folder = world.root / "training" / adapter
        folder.mkdir(parents=True)
        models = {**MODELS, "tuned": {**MODELS["tuned"], "adapter": f"training/{adapter}"}}
        paths, notices = training_of(world.load(models=models))
        assert paths == (str(world.root / "training" / "trained.jsonl"),) and "last" not in notices[0]
        deep = {**MODELS, "tuned": {**MODELS["tuned"], "adapter": "training/a/b/c/d"}}
        (world.root / "training" / "a" / "b" / "c" / "d").mkdir(parents=True)
        assert training_of(world.load(models=deep))[0] == ()

    def test_of_a_training_that_went_on_the_last_part_alone_is_known(self, world: World) -> None:
        self._trained(world)
        known = world.root / "training" / "final" / "training.json"
        for adapter, told in ((None, False), ("rounds/1/final@abc", True)):
            known.write_bytes(orjson.dumps({"base_model": "m", "adapter": adapter, "data": "d"}))
            _, notices = training_of(world.load(models=MODELS))
            assert ("trained.jsonl (of its last training): it contains no question" in notices[0]) == told

    @staticmethod
    def _trained(world: World) -> None:
        (world.root / "training" / "final").mkdir(parents=True, exist_ok=True)
        (world.root / "training" / "trained.jsonl").write_bytes(orjson.dumps(WORDS["messages"]))


@pytest.mark.parametrize(("name", "text", "message"), [
    ("train.txt", "x", "cannot be read"), ("folder/x.jsonl", "{}", "rows at .*folder cannot be read"), ("train.jsonl", "{", "is not valid JSON"), ("train.jsonl", '{"text": "x"}', "has no question"),
])  # fmt: skip
def test_what_cannot_be_read_is_no_proof_of_anything(tmp_path: Path, name: str, text: str, message: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        refuse_trained(Project(tmp_path), [name.removesuffix("/x.jsonl")], [ITEM])
