"""Fails, with the findings in words, where the edge is not what its reference is:

    python check.py EDGE_LOG REFERENCE_LOG"""

import sys

import exray  # exray

report = exray.validate(sys.argv[1], sys.argv[2])  # exray
report.raise_for_findings()  # exray
