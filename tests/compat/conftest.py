"""Clients that others wrote are tried where they can be installed; elsewhere the run says so."""

import sys

EXCLUDED = sys.version_info >= (3, 12)

collect_ignore = ["test_horde_sdk.py"] if EXCLUDED else []


def pytest_terminal_summary(terminalreporter):
    if EXCLUDED:
        terminalreporter.write_line("horde-sdk 0.18.0 needs Python 3.11: not tried on this one")
