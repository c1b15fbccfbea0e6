"""What all tests in Python share: hooks, and pictures as a camera takes them; tests can `import testdata`, and what is in tests/support."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent / "support"))
from data_hooks import (  # noqa: E402, F401
    pytest_collection_modifyitems,
    pytest_configure,
    pytest_runtest_call,
    pytest_runtest_protocol,
    pytest_terminal_summary,
)


@pytest.fixture(scope="session")
def pictures():
    from explain_support import scenes

    return scenes()


@pytest.fixture(scope="session")
def jpeg(pictures):
    """Sensor records of them, and what these decode to."""
    from explain_support import decoded, encode

    records = [encode(p, "jpeg") for p in pictures]
    return records, [decoded(*r) for r in records]
