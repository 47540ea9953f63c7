"""`pytest --no-skips`: a test that is skipped has failed.

A skip is how a missing program or package hides that nothing was tested. Continuous integration installs all that the
tests need and passes this option; who works without Chromium or Ray leaves it away.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

import pytest

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--no-skips", action="store_true", help="fail what is skipped")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    return _failed_if_skipped(item, report)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """A whole file that is skipped, by `pytest.importorskip`."""
    report = yield
    return _failed_if_skipped(collector, report)


def _failed_if_skipped(node: pytest.Item | pytest.Collector, report: Report) -> Report:
    if report.skipped and node.config.getoption("--no-skips") and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"{reason}\nWith --no-skips no test may be skipped: install what is missing."
    return report
