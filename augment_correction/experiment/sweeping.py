"""One key at several values: an experiment each, and a table of what they came to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from augment_correction.errors import ConfigError
from augment_correction.experiment.config import TARGETED, load_experiment


@dataclass(frozen=True)
class Sweep:
    """`key=a,b,c` as it is written at the command line."""

    key: str
    values: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Sweep:
        """Raises: ConfigError."""
        key, equals, values = text.partition("=")
        named = tuple(value.strip() for value in values.split(",") if value.strip())
        if not equals or len(named) < 2 or len(set(named)) < len(named):
            raise ConfigError(
                f"--sweep {text}: write key=a,b,c with two different values or more",
                hint="for example --sweep error_driven.perplexity_threshold=30,50,70,100",
            )
        return cls(key.strip(), named)

    def overrides(self, config: str, given: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
        """For each value its name and the overrides of its experiment: a folder of its own, and its part of alpha, for the best of
        four would else be found four times as easily by chance."""
        plain = load_experiment(config, given)
        for value in self.values:
            name = f"{self.key}={value}"
            folder = f"{plain.path.output_dir}/sweep/{re.sub(r'[^A-Za-z0-9_.-]', '_', name)}"
            alpha = plain.decision.alpha / len(self.values)
            yield name, [*given, name, f"path.output_dir={folder}", f"decision.alpha={alpha!r}"]


def row(name: str, report: Mapping[str, Any] | None, why: str = "") -> tuple[str, ...]:
    """Of the table: weak items, rows, perplexity before and after on the weak areas, and the verdict of the last round."""
    if report is None:
        return (name, "-", "-", "-", "-", "-", why)
    last = report["rounds"][-1]
    weak = sum(each["weak"] for each in last["areas"] if each["chosen"])
    before, after = last["weak_dev"]["base"], last["weak_dev"][TARGETED]
    percent = "-"
    if before["perplexity"] and after["perplexity"]:
        percent = f"{100 * (1 - after['perplexity'] / before['perplexity']):+.1f} %"
    found = last["differences"].get("targeted - random")
    against = f"{found['value']:+.4f}" if found else "-"
    return (
        name,
        str(weak),
        str(last["arms"][TARGETED]["rows_in_all"]),
        percent,
        _accuracy(before, after),
        against,
        report["hypothesis"]["outcome"],
    )


def _accuracy(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    if before["accuracy"] is None or after["accuracy"] is None:
        return "-"
    return f"{100 * before['accuracy']:.1f} % -> {100 * after['accuracy']:.1f} %"


HEAD = ("value", "weak items", "rows", "perplexity better by", "right answers", "targeted - random", "hypothesis")
