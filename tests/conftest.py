"""The hooks that all tests in Python share; with it, tests can `import testdata`."""

from data_hooks import (  # noqa: F401
    pytest_collection_modifyitems,
    pytest_configure,
    pytest_runtest_call,
    pytest_runtest_protocol,
    pytest_terminal_summary,
)
