"""A worker's config: one folder, and the commands that check, train and decide."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, PrivateAttr, field_validator, model_validator

from augment_correction.config_files import refuse_other_kind
from augment_correction.errors import ConfigError
from augment_correction.launching.commands import command as words
from augment_correction.launching.commands import placeholders, required
from augment_correction.project import Project, bundled, find_config
from augment_correction.sampling import Declaration
from augment_correction.yamlfile import read_yaml

KNOWN = (
    "python", "train_config", "axolotl_yaml", "evaluate_config", "chat_config", "data", "run", "out", "adapter", "parent",
)  # fmt: skip


class WorkerSection(Declaration):
    """Where everything is, and its patience."""

    root: str = "./outputs/worker"
    """The folder of the inbox, the queue, the adapters and the database."""
    poll_seconds: float = Field(0.5, gt=0, le=60)
    """Seconds between two looks at the folders, the markers and the training."""
    settle_seconds: float = Field(2.0, ge=0)
    """A file is taken when its size and time have not changed for so many seconds (ten times as long where its end looks cut off)."""
    max_attempts: int = Field(3, ge=1)
    """How often the training or the acceptance test is started before the job counts as failed. A start that `worker stop` ended does not count."""
    retry_seconds: float = Field(30.0, ge=0)
    """Seconds between two attempts."""
    grace_seconds: float = Field(300.0, ge=0)
    """Seconds that a training gets after SIGINT to write its checkpoint, before SIGTERM and ten seconds later SIGKILL."""
    min_free_gb: float = Field(20.0, ge=0)
    """Gigabytes. With less free space under `root` no training is started, and the job waits."""
    keep_checkpoints: bool = True
    """`false`: a decided round's checkpoints are deleted; its adapter, logs and data never are."""


class CheckSection(Declaration):
    """Before a round, besides what the worker looks at itself when a file comes in. Any exit code but 0 fails the job."""

    rows: str = ""
    """The command that checks a file of rows before its training. Empty: no check."""
    run: str = ""
    """The command that checks the output folder {run} of a run. Empty: no check."""


class TrainSection(Declaration):
    command: str
    """Words with placeholders: {data}, {out}, {parent} (the adapter to go on from), {train_config}, {axolotl_yaml},
    {python}. What stands in [brackets] is left out where a placeholder in it has no value. Exit codes: 0 done, 3 nothing
    better was found (the round is rejected), 2, 4 and 127 what another try would repeat; others are tried again."""
    config: str | None = None
    """{train_config}."""
    axolotl: str | None = None
    """{axolotl_yaml} is this file with the round's data, output folder and `lora_model_dir`."""
    resume: str = ""
    """Further arguments for an attempt after the first one, which may find checkpoints."""
    adapter: str = Field("{out}/final", pattern=r"^\{out\}")
    """Where the training writes the adapter, which is the {parent} of the next round."""


class GateSection(Declaration):
    command: str
    """Knows {adapter} and {evaluate_config} besides. Exit codes: 0 accepts, 3 rejects, others as above."""
    config: str | None = None
    """{evaluate_config}."""
    report: str = "{out}/evaluation/evaluation.json"
    """A JSON file that is kept with the round, if it is there and not longer than 200 kB. That of `evaluate` says why the
    round was accepted or rejected."""


class ChatSection(Declaration):
    """Approved corrections of chats, as `corrections queue` puts them into the queue."""

    command: str = ""
    """Trains on them, proves it, and leaves a version of its own, which a person makes active: the worker's current adapter stays.
    Exit codes: 0 accepted, 3 rejected or undecided, others as those of `train.command`. Empty: such a file is a file of failures
    like others, for `train.command`."""
    config: str | None = None
    """{chat_config}."""


class WorkerConfig(Declaration):
    worker: WorkerSection = WorkerSection()
    check: CheckSection = CheckSection()
    train: TrainSection
    gate: GateSection
    corrections: ChatSection = ChatSection()

    _project: Project = PrivateAttr(default_factory=lambda: Project(Path.cwd()))

    @field_validator("check", "train", "gate", "corrections")
    @classmethod
    def _known(cls, section: Declaration) -> Declaration:
        for template in _templates(section):
            unknown = placeholders(template) - set(KNOWN)
            if unknown:
                listed = ", ".join(f"{{{name}}}" for name in KNOWN)
                raise ValueError(f"{{{unknown.pop()}}} is not a placeholder; known are: {listed}")
            if "parent" in required(template):
                raise ValueError("{parent} must stand in brackets, with its flag: the first round has none")
        return section

    @model_validator(mode="after")
    def _named(self) -> WorkerConfig:
        given = {
            "train_config": ("train.config", self.train.config),
            "axolotl_yaml": ("train.axolotl", self.train.axolotl),
            "evaluate_config": ("gate.config", self.gate.config),
            "chat_config": ("corrections.config", self.corrections.config),
        }
        for name, section in (("train", self.train), ("gate", self.gate)):
            if not words(section.command, {}):
                raise ValueError(f"{name}.command has only optional parts, so that it could be an empty command")
        sections = (self.check, self.train, self.gate, self.corrections)
        for template in (template for section in sections for template in _templates(section)):
            for name in required(template) & set(given):
                key, path = given[name]
                if not path:
                    raise ValueError(f"a command names {{{name}}}, and {key} is not set")
        return self

    @property
    def project(self) -> Project:
        return self._project

    @property
    def root(self) -> Path:
        return self._project.resolve(self.worker.root)

    def path(self, value: str | None) -> str | None:
        """Of a config: the project's own, or a shipped one where the project has none of that name."""
        if not value:
            return None
        places = [base / value for base in (self._project.root, bundled())]
        return str(next((place for place in places if place.is_file()), places[0]).resolve())

    def existing(self, value: str | None) -> str | None:
        """The same, where there is such a file."""
        path = self.path(value)
        return path if path and Path(path).is_file() else None

    def check_configs(self) -> None:
        """Raises: ConfigError where a config that a round needs is not there."""
        needed = (("train", self.train), ("gate", self.gate), ("corrections", self.corrections))
        for key, value in ((f"{name}.config", section.config) for name, section in needed):
            path = self.path(value)
            if path and not Path(path).is_file():
                raise ConfigError(f"{key} names {path}, which does not exist", hint="`init` copies the shipped configs")


def _templates(section: Declaration) -> list[str]:
    texts = ("command", "rows", "run", "resume", "adapter", "report")
    return [getattr(section, name) for name in texts if hasattr(section, name)]


def load_worker(path: str | Path) -> WorkerConfig:
    """There are no overrides: every command about one worker must mean the same folder.

    Raises: ConfigError.
    """
    found = find_config(Path(path))
    file = read_yaml(found)
    if not isinstance(file.data, dict):
        raise ConfigError("a worker's config is a mapping of sections (worker, train, gate)", file=found)
    refuse_other_kind(file, "worker run")
    config = file.validate(WorkerConfig)
    config._project = Project.of(found)
    return config
