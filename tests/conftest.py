"""What all tests in Python share: the hooks; tests can `import testdata`, and what is in tests/support."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "support"))
from data_hooks import (  # noqa: E402, F401
    pytest_collection_modifyitems,
    pytest_configure,
    pytest_runtest_call,
    pytest_runtest_protocol,
    pytest_terminal_summary,
)
from scene_fixtures import jpeg, pictures  # noqa: E402, F401
