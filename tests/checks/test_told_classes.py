"""Classes that two applications tell of the same outputs: told wrongly, and healthy twins."""

import numpy as np
import pytest
from told_support import judged, told_finding

pytestmark = pytest.mark.data

FRAMES, CLASSES = 8, 30


def some_scores(seed):
    e = np.exp(np.random.default_rng(seed).normal(0, 2, CLASSES))
    return (e / e.sum()).astype(np.float32)


SCORES = [some_scores(k) for k in range(FRAMES)]
OUTPUTS = [{"scores": s[None]} for s in SCORES]


def best(k, count=5):
    return [(int(i), float(SCORES[k][i])) for i in np.argsort(-SCORES[k])[:count]]


def teller(make=best):
    def tell(result, k):
        for entry in make(k):
            result.classes.add(id=entry[0], score=entry[1])

    return tell


RIGHT = teller()
WRONG = {
    "others always the same": (lambda k: best(k)[:1] + [(i, float(SCORES[k][i])) for i in range(1, 5)], "classes", "next best"),
    "others by number": (lambda k: best(k)[:1] + sorted(best(k, 12)[4:8]), "classes", "next best"),
    "worst first": (lambda k: best(k)[::-1], "order", "worst"),
    "the worst": (lambda k: best(k, CLASSES)[:-6:-1], "order", "worst"),
    "always one class": (lambda k: [(3, float(SCORES[k][3]))], "classes", "same best class"),
    "none": (lambda k: [], "missing", "no class"),
    "none in some frames": (lambda k: [] if k in (2, 5) else best(k), "missing", "frames 2 and 5"),
    "half scores": (lambda k: [(i, s / 2) for i, s in best(k)], "scaled", "0.5 times"),
    "half scores in some frames": (lambda k: [(i, s / 2) for i, s in best(k)] if k in (1, 4) else best(k), "scaled", "frames 1 and 4"),
    "negative scores in some frames": (lambda k: [(i, -s) for i, s in best(k)] if k in (1, 4) else best(k), "scores", "frames 1 and 4"),
    "anything": (lambda k: [(int(np.random.default_rng(k + 9).integers(0, CLASSES)), 0.5)], "classes", "other classes"),
}


@pytest.mark.parametrize("outputs", ["outputs", "inputs alone"])
@pytest.mark.parametrize("way", WRONG)
def test_told_wrongly(tmp_path, way, outputs):
    make, kind, says = WRONG[way]
    f = told_finding(judged(tmp_path, OUTPUTS, teller(make), RIGHT, keep_outputs=outputs == "outputs"))
    assert f["evidence"]["kind"] == kind and f["fix"]
    assert says in f["summary"] + " ".join(f["details"]), f
    if outputs == "outputs" and way in ("others always the same", "always one class", "anything"):
        assert "reference tells what its own model returned" in " ".join(f["details"])


def test_of_the_frame_before(tmp_path):
    late = teller(lambda k: best(max(k - 1, 0)))
    told_finding(judged(tmp_path, OUTPUTS, late, RIGHT), "output.frame_order")
    f = told_finding(judged(tmp_path, OUTPUTS, late, RIGHT, keep_outputs=False))
    assert f["evidence"]["kind"] == "late" and "frame before" in f["summary"]


HEALTHY = {
    "the same": best,
    "three of them": lambda k: best(k, 3),
    "the best": lambda k: best(k, 1),
    "more of them": lambda k: best(k, 9),
    "percent": lambda k: [(i, 100 * s) for i, s in best(k)],
    "no scores": lambda k: [(i, 0.0) for i, _ in best(k)],
    "another scale of scores": lambda k: [(i, s ** 0.5) for i, s in best(k)],
    "above a threshold": lambda k: [(i, s) for i, s in best(k) if s > 0.05] or best(k, 1),
}


@pytest.mark.parametrize("outputs", ["outputs", "inputs alone"])
@pytest.mark.parametrize("way", HEALTHY)
def test_told_rightly(tmp_path, way, outputs):
    verdict = judged(tmp_path, OUTPUTS, teller(HEALTHY[way]), RIGHT, keep_outputs=outputs == "outputs")
    told = [(f["severity"], f["evidence"].get("kind")) for f in verdict["findings"]]
    assert verdict["verdict"] == "pass" and told == ([("info", "unit")] if "percent" in way else []), verdict["findings"]


def test_ties(tmp_path):
    """Two classes of equal scores may stand in any order; of nearly equal ones behind other kernels."""
    for apart, noise in ((0, 0), (1e-7, 1e-6)):
        tied = [s.copy() for s in SCORES]
        for s in tied:
            order = np.argsort(-s)
            s[order[1]] = s[order[2]] + np.float32(apart)
        outputs = [{"scores": s[None]} for s in tied]

        def listed(k, swap, tied=tied):
            entries = [(int(i), float(tied[k][i])) for i in np.argsort(-tied[k], kind="stable")[:5]]
            return [entries[0], entries[2], entries[1], *entries[3:]] if swap else entries

        verdict = judged(tmp_path, outputs, teller(lambda k: listed(k, True)), teller(lambda k: listed(k, False)), edge_noise=noise)
        told = [(f["severity"], f["evidence"].get("kind")) for f in verdict["findings"]]
    assert verdict["verdict"] == "pass" and told == [], verdict["findings"]


def test_another_kind_of_telling(tmp_path):
    """An application that tells a text need not tell the classes that the other one records."""
    def text(result, k):
        result.text = f"class {best(k)[0][0]}"

    for edge, reference in ((text, RIGHT), (RIGHT, text)):
        verdict = judged(tmp_path, OUTPUTS, edge, reference)
        told = [(f["severity"], f["evidence"].get("kind")) for f in verdict["findings"]]
    assert verdict["verdict"] == "pass" and told == [], verdict["findings"]


def test_class_numbers_of_any_size(tmp_path):
    far = {0: 2**63 - 1, 1: -(2**63)}

    def told(swap):
        def tell(result, k):
            result.classes.add(id=far[(k + swap) % 2], score=0.5)
            result.boxes.add(x_max=1, y_max=1, id=far[(k + swap) % 2], score=0.5)

        return tell

    assert judged(tmp_path, OUTPUTS, told(0), told(1), keep_outputs=False)["verdict"] == "fail"
    assert judged(tmp_path, OUTPUTS, told(0), told(0), keep_outputs=False)["verdict"] == "pass"
