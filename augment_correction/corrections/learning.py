"""One round: all approved corrections become rows and probes, the base model is trained on them anew, what it learned is measured
against the base, and a version is written down. Nothing becomes active by it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import orjson

from augment_correction.config_files import require_keys, with_environment_keys
from augment_correction.corrections.config import PROBING, TARGET, ChatConfig, target_folder
from augment_correction.corrections.correction import Correction
from augment_correction.corrections.preparing import Material, items_of, prepare
from augment_correction.corrections.versions import Version, Versions
from augment_correction.errors import ExitCode, InputError, UserError
from augment_correction.evals import Evaluation, evaluate
from augment_correction.evals.config import JUDGE, EvalConfig, EvalCost
from augment_correction.failures import read_failures
from augment_correction.finetuning import prepare_rows, refuse_training, train_prepared
from augment_correction.ledger import require_prices
from augment_correction.llm.hf_weights import named_by_weights
from augment_correction.models import MadeConfig
from augment_correction.runner.state import Watch
from augment_correction.sampling import Sampling
from augment_correction.store.folder import atomic_write
from augment_correction.text.excerpts import counted
from augment_correction.training.config import TrainConfig
from augment_correction.training.report import outcome_lines, prepared_lines

if TYPE_CHECKING:
    from augment_correction.training.summary import TrainingResult

Say = Callable[[str], None]
BASE, TUNED = "base", "tuned"
PROBED_WITH = Sampling(max_tokens=256)
"""A fact is told in fewer tokens; an answer that is cut there is counted against the model's health."""


@dataclass(frozen=True)
class LearningRound:
    """`version` is None where the training found nothing better than the base; `evaluation` where it was made before."""

    version: Version | None
    evaluation: Evaluation | None = None
    exit_code: ExitCode = ExitCode.DONE


def learn(config: ChatConfig, say: Say, watch: Watch | None = None, batch: Path | None = None) -> LearningRound:
    """Prepare, train, verify, and write the version down. The same command goes on after a kill at any point; the same corrections
    in the same way give the version that is there already. `batch`: of what is approved, what stands in that file.

    Raises: UserError where nothing is approved, the model cannot be trained, or a step stops.
    """
    approved = approved_in(config, batch)
    config = with_environment_keys(config.untrained())
    folder = config.folder / "rounds" / round_key(config, approved)
    refuse(config, folder)
    versions = Versions(config.folder)
    say(f"{counted(len(approved), 'approved correction')} -> {folder}")
    material = prepare(config, approved, folder, watch)
    say("  " + ", ".join(f"{count} {kind}" for kind, count in material.kinds.items() if count))
    for reason, count in material.dropped.items():
        if count:
            say(f"  left out: {count} {reason}")
    data = data_hash(config, material)
    if made := versions.made_of(data):
        say(f"version {made.id} was already trained on exactly these corrections")
        return LearningRound(made, exit_code=ExitCode.DONE if made.outcome == "accept" else ExitCode.REJECTS)
    outcome = train_on(config, material, say)
    if outcome.exit_code is not ExitCode.DONE:
        return LearningRound(None, exit_code=outcome.exit_code)
    adapter = str(folder / "training" / "final")
    evaluation = verify(config, adapter, folder, watch)
    if evaluation.report is None:
        raise UserError(evaluation.stopped or "the evaluation was interrupted", hint=evaluation.hint)
    version = versions.add(_version(config, approved, data, adapter, folder, evaluation, versions.active()))
    return LearningRound(version, evaluation, evaluation.exit_code)


def refuse(config: ChatConfig, folder: Path) -> None:
    """What can be known to be wrong with the round in `folder` before anybody is asked: training and evaluation come after what costs
    money.

    Raises: ConfigError, InputError, MissingExtra.
    """
    refuse_training(_training(config, Material(folder)))
    asked = [role for role in config.by_role if role in ("large", JUDGE)]
    require_keys(config, asked)
    require_prices(config, asked)
    probed = config.sampling.get(PROBING)
    if probed is not None and probed.temperature:
        raise config.error(
            ("sampling", PROBING, "temperature"),
            "probes are asked at temperature 0, for what is said by chance proves nothing",
            "leave it out",
        )
    items_of(config, "keep")
    items_of(config, "retention")


def approved_in(config: ChatConfig, batch: Path | None = None) -> list[Correction]:
    """What a round trains on: all that is approved, or of that what stands in the file `batch`.

    Raises: InputError where that is nothing.
    """
    approved = config.store.all("approved")
    if not approved:
        raise InputError(
            "no correction is approved", hint="`corrections list` shows all; approve some with `corrections approve ID`"
        )
    return approved if batch is None else of_batch(approved, batch)


def write_batch(approved: Sequence[Correction], path: Path) -> None:
    """As failures, a line each: what `of_batch`, `train`, `import-failures` and the worker read."""
    with atomic_write(path) as file:
        for each in approved:
            file.write(each.failure().line())


def of_batch(approved: Sequence[Correction], path: Path) -> list[Correction]:
    """Those that stand in the file.

    Raises: InputError where one of the file is not approved as it stands there.
    """
    known = {each.failure(): each for each in approved}
    found = []
    for line, each in enumerate(read_failures(path), 1):
        if each not in known:
            raise InputError(
                f"{path}:{line}: the correction of '{each.question[:80]}' is not approved as it stands there",
                hint="it was withdrawn or edited since, or belongs to another folder (path.output_dir): corrections queue",
            )
        found.append(known[each])
    if not found:
        raise InputError(f"there is no correction in {path}", hint="corrections queue writes such files")
    return found


def round_key(config: ChatConfig, approved: Sequence[Correction]) -> str:
    """The folder of a round: the same corrections learned in the same way share one, and go on there."""
    decides = [sorted(each.key for each in approved), config.corrections.model_dump(mode="json"), _models(config)]
    return hashlib.sha256(orjson.dumps(decides, option=orjson.OPT_SORT_KEYS)).hexdigest()[:12]


def data_hash(config: ChatConfig, material: Material) -> str:
    """Of every row that is trained or asked, of the model, and of how it is trained."""
    digest = hashlib.sha256()
    for part in (
        material.training.read_bytes(),
        material.probes.read_bytes(),
        orjson.dumps([config.corrections.model_dump(mode="json"), _models(config)], option=orjson.OPT_SORT_KEYS),
    ):
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()[:20]


def _models(config: ChatConfig) -> dict[str, str]:
    """By what their weights are, where they are a folder."""
    named = named_by_weights(config, [TARGET])
    return {role: model.model for role, model in named.by_role.items()}


def train_on(config: ChatConfig, material: Material, say: Say) -> TrainingResult:
    """Raises: what `finetuning.train` raises."""
    prepared = prepare_rows(_training(config, material))
    say("\n".join(prepared_lines(prepared)))
    outcome = train_prepared(prepared, say)
    say("\n".join(outcome_lines(outcome)))
    return outcome


def _training(config: ChatConfig, material: Material) -> TrainConfig:
    keys: dict[str, Any] = {
        "model": target_folder(config),
        "data": (str(material.training),),
        "method": config.corrections.method,
        "output_dir": str(material.folder / "training"),
        "gradient_accumulation": 1,
        "validation_split": 0,  # a fact that is held out is not learned, and the probes decide
        **config.corrections.train,
    }
    made = TrainConfig(**keys)
    made._project = config.project
    return made


def verify(config: ChatConfig, adapter: str, folder: Path, watch: Watch | None = None) -> Evaluation:
    """The probes of the round in `folder`, asked of the base model and of the one with `adapter`.

    Raises: what `evaluate` raises, above all where a probe stands in what was trained.
    """
    target = config.model(TARGET)
    base = {"model": target.model, "mode": "hf", "concurrency": target.concurrency, "extra_body": target.extra_body}
    keys: dict[str, Any] = {
        "gate": (str(folder / "probes.jsonl"),),
        "models": {BASE: base, TUNED: {**base, "adapter": adapter}},
        "judge": config.api.judge,
        "path": {"output_dir": str(folder / "evaluation"), "prompts": config.path.prompts},
        "training": (str(folder / "training.jsonl"),),
        "system_prompt": config.corrections.system_prompt,
        "sampling": PROBED_WITH.merged(config.sampling.get(PROBING)),
        "limits": limits_of(config),
        "cost": EvalCost(max_usd=config.max_usd),
        "seed": config.system.seed,
    }
    made = _Verification(**{key: value for key, value in keys.items() if value is not None})
    return evaluate(made.made_of(config, {BASE: TARGET, TUNED: TARGET}), watch=watch)


class _Verification(MadeConfig, EvalConfig):
    """The config of the evaluation by which a version is proven."""

    PLACES: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "sampling": ("sampling", PROBING), "limits": ("corrections", "limits"), "system_prompt": ("corrections", "system_prompt"),
        "gate": ("corrections",), "training": ("corrections",),
    }  # fmt: skip

    def sampling_of(self, stage: str) -> str:
        return f"sampling.{PROBING}"


def limits_of(config: ChatConfig) -> dict[str, Any]:
    """Those of the config; where no file says what must not be forgotten, that alone leaves no decision open."""
    given = config.corrections.limits
    if config.corrections.retention:
        return given
    return {**given, "probes": {"retention": {}, **given.get("probes", {})}}


def _version(
    config: ChatConfig,
    approved: Sequence[Correction],
    data: str,
    adapter: str,
    folder: Path,
    evaluation: Evaluation,
    parent: Version | None,
) -> Version:
    assert evaluation.report is not None
    decision = evaluation.report["decisions"][TUNED]
    files = evaluation.files
    return Version(
        id=0,
        parent=parent.id if parent else None,
        model=config.model(TARGET).model,
        method=config.corrections.method,
        corrections=tuple(each.id for each in approved),
        data=data,
        adapter=adapter,
        evaluation=str(folder / "evaluation" / "evaluation.json"),
        page=str(next((path for name, path in files.items() if path.suffix == ".html"), "")),
        outcome=decision["outcome"],
        reasons=tuple(each["text"] for each in decision["reasons"] if each["holds"] is not True),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )
