"""A deployment check as a test:

    def test_deployment(exray_validate):
        exray_validate("edge.mcap", "ref.mcap")

pytest finds this plug-in by itself where exray is installed."""

from __future__ import annotations

from typing import Any, Callable

import pytest

from exray import Report, ValidationFailed, validate


@pytest.fixture
def exray_validate() -> Callable[..., Report]:
    """validate() that fails the test with the findings in words.  Takes validate()'s options, and `severity` (the
    least that fails: "error") and `inconclusive` (False: an inconclusive verdict passes)."""

    def check(edge: Any, reference: Any, *, severity: str = "error", inconclusive: bool = True,
              **options: Any) -> Report:
        __tracebackhide__ = True
        report = validate(edge, reference, **options)
        try:
            report.raise_for_findings(severity, inconclusive)
        except ValidationFailed as failed:
            pytest.fail(f"exray: {failed}\n\n{report.text}", pytrace=False)
        return report

    return check
