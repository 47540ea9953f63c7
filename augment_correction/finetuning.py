"""A training from its config to its adapter: the rows, the monitor that the config names, and TRL."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from augment_correction.errors import MissingExtra
from augment_correction.failures.report import write_problems
from augment_correction.monitor import load_monitor
from augment_correction.prompts import PromptLibrary
from augment_correction.training.checking import missing_packages
from augment_correction.training.config import TrainConfig
from augment_correction.training.prepared import NothingLeft, Prepared
from augment_correction.training.preparing import prepare
from augment_correction.training.workspace import Workspace

if TYPE_CHECKING:
    from augment_correction.training.summary import TrainingResult

Say = Callable[[str], None]
Attach = Callable[[Any], None]


def train(config: TrainConfig, *, say: Say = lambda line: None) -> TrainingResult:
    """Train on corrections with TRL, by the config's `method`: a LoRA adapter with the loss only where the mask says (`sft`), or by
    self-distillation (`sdft`, `sdft_paper`); early stopping, the best checkpoint kept in `final/` of the config's `output_dir`. The same call again goes on from the last checkpoint, and returns at once where the
    training is finished. `say` is given a line for a person now and then. Where the config names a monitor, it is attached.

    Raises: MissingExtra without the extra `train`; ConfigError, InputError, or UserError where no row is left, the folder is that of another
    training, or memory does not suffice.

    >>> config = TrainConfig(
    ...     model="model", data=("failures.jsonl",), output_dir="outputs/training", epochs=1, batch_size=4,
    ...     gradient_accumulation=1, gradient_checkpointing=False,
    ... )
    >>> result = train(config)
    >>> result.summary["steps"] > 0, result.already
    (True, False)
    """
    return train_prepared(prepare_rows(config), say)


def refuse_training(config: TrainConfig) -> None:
    """What can be known to be wrong before there are rows to train.

    Raises: ConfigError, MissingExtra.
    """
    missing = missing_packages()
    if missing:
        raise MissingExtra(f"training ({', '.join(missing)})", "train")
    if config.distils:
        library = PromptLibrary(config.project)
        for name in (config.teacher_prompt, config.follow_up_prompt):
            library.load(name)
    if config.monitor is not None:
        load_monitor(config.project.resolve(config.monitor))


def prepare_rows(config: TrainConfig) -> Prepared:
    """What will be trained, split and counted; rows that cannot be used are written to `rejected.jsonl` of the output folder.

    Raises: ConfigError, InputError, or UserError where no row is left.
    """
    workspace = Workspace(config.output)
    try:
        prepared = prepare(config)
    except NothingLeft as failure:
        write_problems(workspace.rejected, failure.gathered.problems)
        raise
    write_problems(workspace.rejected, prepared.gathered.problems)
    return prepared


def train_prepared(prepared: Prepared, say: Say = lambda line: None) -> TrainingResult:
    """For a self-distillation the teacher is asked first, and the rows that it cannot teach are left out.

    Raises: MissingExtra without the extra `train`; UserError as `train` does.
    """
    try:
        from augment_correction.training.trainer import train as run
    except ImportError as failure:
        raise MissingExtra(f"training ({failure.name})", "train") from None
    if prepared.config.distils:
        prepared = _taught(prepared, say)
    return run(prepared, say, _monitored(prepared))


def _taught(prepared: Prepared, say: Say) -> Prepared:
    from augment_correction.training.teacher import checked

    rejected = Workspace(prepared.config.output).rejected
    try:
        prepared = checked(prepared, say)
    except NothingLeft as failure:
        write_problems(rejected, failure.gathered.problems)
        raise
    write_problems(rejected, prepared.gathered.problems)
    return prepared


def _monitored(prepared: Prepared) -> Attach:
    """Attaches the monitor that the config names, or nothing. What is trained, and the gates that it is kept from, must not
    stand in the monitor's questions: it learns of both here."""
    config = prepared.config
    if config.monitor is None:
        return lambda trainer: None
    from augment_correction.monitor import LiveInferenceMonitor  # it imports Transformers

    loaded = load_monitor(config.project.resolve(config.monitor))
    trained = str(Workspace(config.output).trained)  # it is written before any trainer is made
    named = (str(path) for path in prepared.gathered.gates if path.is_file())
    known = {"training_data": (*loaded.training_data, trained), "gate": (*loaded.gate, *named)}
    watching = loaded.model_copy(update={name: tuple(dict.fromkeys(paths)) for name, paths in known.items()})
    return LiveInferenceMonitor(watching).attach  # one for all trainers: a second one comes after lack of memory
