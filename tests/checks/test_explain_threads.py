"""The search on an input that nothing explains runs on several threads; what it says does not depend on their number."""

import numpy as np
import pytest
from explain_support import encode, explain, normalize, preprocess, scenes

pytestmark = pytest.mark.data
SIDE = 96


def warped(picture):
    """Bent lines: no crop, kernel or color."""
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(float)
    across = np.clip(x + 9 * np.sin(y / 11), 0, SIDE - 1).astype(int)
    return picture[np.clip(y + 7 * np.cos(x / 9), 0, SIDE - 1).astype(int), across]


def test_findings_are_the_same(tmp_path):
    seen = scenes(2)
    reference = [preprocess(p, side=SIDE) for p in seen]
    edge = normalize([warped(p) for p in reference])
    records = [encode(p, "png") for p in seen]
    told = [explain(tmp_path, edge, normalize(reference), records, options=("--jobs", str(n)))["findings"] for n in (1, 3)]
    assert told[0] and told[0][0]["cause"] == "input.unknown"
    assert told[1] == told[0]
