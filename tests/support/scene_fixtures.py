"""Fixtures of more than one test: pictures as a camera takes them, made once for all tests of a process."""

import pytest


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
