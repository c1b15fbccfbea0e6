"""Fails with the text of the findings if the edge does not match its reference:

    python check.py EDGE_LOG REFERENCE_LOG"""

import sys

import exray  # exray

report = exray.validate(sys.argv[1], sys.argv[2])  # exray
report.raise_for_findings()  # exray
