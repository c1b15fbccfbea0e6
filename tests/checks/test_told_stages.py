"""Masks and vectors that two applications record as stages, of the same outputs: made wrongly, and healthy twins."""

import numpy as np
import pytest
from told_support import judged, told_finding
from validate_support import Recording, validate

pytestmark = pytest.mark.data

FRAMES, HEIGHT, WIDTH, CLASSES = 4, 48, 64, 5


def score_maps(seed):
    """Scores [1, HEIGHT, WIDTH, CLASSES] with a few round things on a background."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    s = random.normal(0, 0.05, (HEIGHT, WIDTH, CLASSES))
    s[..., 0] += 2
    for kind in range(1, CLASSES):
        cy, cx, r = random.uniform(8, HEIGHT - 8), random.uniform(8, WIDTH / 2), random.uniform(5, 9)
        s[..., kind] += 4 * (1.3 - np.hypot(y - cy, x - cx) / r)
    return s[None].astype(np.float32)


OUTPUTS = [{"scores": score_maps(k)} for k in range(FRAMES)]
SCORES = [o["scores"][0] for o in OUTPUTS]


def masks(change=lambda mask, k: mask, kind=np.uint8):
    return lambda result, k: {"mask": np.ascontiguousarray(change(SCORES[k].argmax(-1), k)).astype(kind)}


def moved(mask, k):
    made = np.zeros_like(mask)
    made[3:, 5:] = mask[:-3, :-5]
    return made


def zoomed(mask, k):
    rows = ((np.arange(HEIGHT) + 0.5) / HEIGHT - 0.125) / 0.75
    inside = (rows >= 0) & (rows < 1)
    made = np.zeros_like(mask)
    made[inside] = mask[(rows[inside] * HEIGHT).astype(int)]
    return made


WRONG_MASKS = {
    "mirrored": (lambda m, k: m[:, ::-1], "mirrored", "left to right"),
    "upside down": (lambda m, k: m[::-1], "mirrored", "upside down"),
    "rows for columns": (lambda m, k: m.T, "exchanged", "rows for columns"),
    "turned": (lambda m, k: np.rot90(m), "turned", "counter-clockwise"),
    "by 180": (lambda m, k: np.rot90(m, 2), "turned", "180"),
    "of the frame before": (lambda m, k: SCORES[max(k - 1, 0)].argmax(-1), "late", "before"),
    "moved": (moved, "shifted", "+5 and +3"),
    "in the letterbox": (zoomed, "scaled", "scaled"),
    "one class alone": (lambda m, k: m == 3, "mask", "class 3"),
    "another class's threshold": (lambda m, k: SCORES[k][..., 2] > 2.6, "mask", "class 2"),
    "labels from 1": (lambda m, k: m + 1, "mask", "+1"),
    "labels of another map": (lambda m, k: np.array([0, 3, 1, 4, 2])[m], "mask", "other labels"),
    "without a class": (lambda m, k: np.where(m == 2, 0, m), "missing", "no class 2"),
    "all background": (lambda m, k: 0 * m, "mask", "all over"),
    "along another axis": (lambda m, k: SCORES[k].argmax(1), "mask", "dimension 1"),
    "anything": (lambda m, k: np.random.default_rng(k).integers(0, 5, m.shape), "mask", "% of the pixels"),
}


@pytest.mark.parametrize("outputs", ["outputs", "inputs alone"])
@pytest.mark.parametrize("way", WRONG_MASKS)
def test_masks_told_wrongly(tmp_path, way, outputs):
    change, kind, says = WRONG_MASKS[way]
    if outputs != "outputs" and ("threshold" in way or "axis" in way):
        kind, says = "mask", "pixels" if "axis" in way else "mask"
    f = told_finding(judged(tmp_path, OUTPUTS, masks(change), masks(), keep_outputs=outputs == "outputs"))
    assert f["evidence"]["kind"] == kind and says in f["summary"] and "mask" in f["summary"], f
    assert f["where"] == {"stage": "stage", "tensor": "mask", "layer": None, "op": None}


def test_masks_of_another_threshold(tmp_path):
    one = [{"score": s[None, ..., 1:2]} for s in SCORES]
    tell = lambda t: lambda result, k: {"mask": (SCORES[k][..., 1] > t).astype(np.uint8)}  # noqa: E731
    f = told_finding(judged(tmp_path, one, tell(2.5), tell(1.0)))
    assert "threshold" in f["summary"] and f["evidence"]["kind"] == "mask"
    inverse = lambda result, k: {"mask": 1 - tell(1.0)(result, k)["mask"]}  # noqa: E731
    assert "inverted" in told_finding(judged(tmp_path, one, inverse, tell(1.0)))["summary"]


def borders(mask, k):
    """As noise does: some pixels at a border have the label beside them."""
    made, random = mask.copy(), np.random.default_rng(k)
    for y, x in random.integers(1, [HEIGHT - 1, WIDTH - 1], (300, 2)):
        made[y, x] = mask[y, x + random.integers(-1, 2)]
    return made


def smaller(mask, k):
    return mask[::2, ::2]


@pytest.mark.parametrize("change,noise", [(lambda m, k: m, 0), (borders, 1e-6), (smaller, 0)])
@pytest.mark.parametrize("kind", [np.uint8, np.int32])
def test_masks_told_rightly(tmp_path, change, noise, kind):
    verdict = judged(tmp_path, OUTPUTS, masks(change, kind), masks(), edge_noise=noise)
    assert verdict["verdict"] == "pass" and not verdict["findings"], verdict["findings"]


# ---- Vectors ------------------------------------------------------------------------------------

ROWS, WIDE = 16, 24
USED = [5, 9, 16, 12]
TOKENS = [np.random.default_rng(20 + k).normal(0.2, 1, (ROWS, WIDE)).astype(np.float32) for k in range(FRAMES)]
HIDDEN = [{"hidden": t[None]} for t in TOKENS]


def mean(k):
    return TOKENS[k][: USED[k]].mean(0)


def vectors(make, name="embedding"):
    return lambda result, k: {name: np.asarray(make(k), np.float32)}


WRONG_VECTORS = {
    "padding pooled": (lambda k: TOKENS[k].mean(0), "pooling", "mean of all 16"),
    "first": (lambda k: TOKENS[k][0], "pooling", "the first of 16"),
    "last": (lambda k: TOKENS[k][-1], "pooling", "the last of 16"),
    "largest": (lambda k: TOKENS[k].max(0), "pooling", "largest"),
    "sum": (lambda k: TOKENS[k].sum(0), "pooling", "sum of all"),
    "normalized": (lambda k: mean(k) / np.linalg.norm(mean(k)), "scaled", "length 1"),
    "twice as long": (lambda k: 2 * mean(k), "scaled", "2 times"),
    "not divided": (lambda k: USED[k] * mean(k), "scaled", "another length"),
    "moved": (lambda k: mean(k) + 0.5, "shifted", "plus 0.5"),
    "of the frame before": (lambda k: mean(max(k - 1, 0)), "late", "before"),
    "backwards": (lambda k: mean(k)[::-1], "order", "another order, the same in all"),
    "sorted": (lambda k: np.sort(mean(k)), "order", "another order."),
    "cut": (lambda k: mean(k)[:16], "missing", "first 16"),
    "softmax": (lambda k: np.exp(mean(k)) / np.exp(mean(k)).sum(), "vector", "softmax"),
    "limited": (lambda k: np.minimum(mean(k), 0.2), "clipped", "limited to 0.2 at most"),
    "limited at both ends": (lambda k: np.clip(mean(k), -0.3, 0.2), "clipped", "limited to -0.3 .. 0.2"),
    "a dead value": (lambda k: np.where(np.arange(WIDE) == 7, 0, mean(k)), "places", "(place 7), where the edge always tells 0"),
    "two other values": (lambda k: np.where(np.arange(WIDE) % 12 == 7, k + 1, mean(k)), "places", "2 of the"),
    "anything": (lambda k: np.random.default_rng(k).normal(0, 1, WIDE), "vector", "cosine"),
}


@pytest.mark.parametrize("way", WRONG_VECTORS)
def test_vectors_told_wrongly(tmp_path, way):
    make, kind, says = WRONG_VECTORS[way]
    f = told_finding(judged(tmp_path, HIDDEN, vectors(make), vectors(mean)))
    assert f["evidence"]["kind"] == kind and says in f["summary"] and "embedding" in f["summary"], f


POINTS = [np.random.default_rng(40 + k).uniform(0.1, 0.9, (17, 3)) for k in range(FRAMES)]


@pytest.mark.parametrize("change,kind", [
    (lambda p: [1, 0, 0] + p * [-1, 1, 1], "mirrored"),
    (lambda p: p[:, [1, 0, 2]], "exchanged"),
    (lambda p: p * [192, 256, 1], "scaled"),
    (lambda p: p + [0.05, -0.1, 0], "shifted"),
    (lambda p: [1, 0, 0] + p[:, [1, 0, 2]] * [-1, 1, 1], "turned"),
])
def test_points_told_wrongly(tmp_path, change, kind):
    f = told_finding(judged(tmp_path, HIDDEN, vectors(lambda k: change(POINTS[k]), "points"), vectors(lambda k: POINTS[k], "points")))
    assert f["evidence"]["kind"] == kind, f


@pytest.mark.parametrize("size", [None, 150_000], ids=["short", "long"])
def test_two_heads_exchanged(tmp_path, size):
    """Long ones are read again where one is held against the other."""
    one = lambda k, i: TOKENS[k][i] if size is None else np.resize(TOKENS[k][i], size)  # noqa: E731
    right = lambda result, k: {"age": one(k, 0), "mood": one(k, 1)}  # noqa: E731
    wrong = lambda result, k: {"age": one(k, 1), "mood": one(k, 0)}  # noqa: E731
    f = told_finding(judged(tmp_path, HIDDEN, wrong, right))
    assert f["evidence"]["kind"] == "exchanged" and "age" in f["summary"] and "mood" in f["summary"]


@pytest.mark.parametrize("noise,make", [
    (0, mean),
    (0, lambda k: np.cumsum(TOKENS[k][: USED[k]], 0)[-1] / USED[k]),
    (1e-6, lambda k: mean(k) * (1 + 1e-6 * np.random.default_rng(k).normal(size=WIDE))),
    (0, lambda k: mean(k)[None, :, None]),
])
def test_vectors_told_rightly(tmp_path, noise, make):
    verdict = judged(tmp_path, HIDDEN, vectors(make), vectors(mean), edge_noise=noise)
    assert verdict["verdict"] == "pass" and not verdict["findings"], verdict["findings"]


def sometimes(make, where):
    return lambda result, k: {"embedding": np.asarray(make(k), np.float32)} if where(k) else {"other": np.zeros(2, np.float32)}


def test_a_stage_that_is_missing_in_a_frame(tmp_path):
    outputs = [HIDDEN[k % FRAMES] for k in range(8)]
    make = lambda k: mean(k % FRAMES)  # noqa: E731
    always, often, seldom = (sometimes(make, w) for w in (lambda k: True, lambda k: k != 5, lambda k: k % 3 == 0))
    f = told_finding(judged(tmp_path, outputs, often, always))
    assert f["evidence"]["kind"] == "missing" and "embedding" in f["summary"] and f["evidence"]["frame_list"] == "frame 5", f
    assert told_finding(judged(made(tmp_path), outputs, always, often))["evidence"]["kind"] == "extra"
    for edge, reference in ((often, often), (seldom, always)):  # the latter: recorded now and then
        assert not judged(made(tmp_path), outputs, edge, reference)["findings"]


@pytest.mark.parametrize("how", ["without data", "before the model's last run"])
def test_a_stage_that_is_there_otherwise_is_not_missing(tmp_path, how):
    paths = []
    for role in ("edge", "reference"):
        with Recording(tmp_path / role, role) as log:
            for k in range(8):
                other, x = role == "edge" and k == 5, np.full((1, 8), k, np.float32)
                records = [("/input/x", x, {}), ("/output/y", HIDDEN[k % FRAMES]["hidden"], {}), ("/stage/embedding", x / 7, {})]
                if other and how == "without data":
                    log.stats("/stage/embedding", x / 7, log.count)
                    del records[2]
                elif other:
                    records = [records[2], *records[:2]]
                log.frame(records, source=str(k))
        paths.append(tmp_path / role)
    assert not validate(*paths)["findings"]


def made(folder):
    folder = folder / str(len(list(folder.iterdir())))
    folder.mkdir()
    return folder


def age(k):
    return np.array([[38.2, 41.6, 27.45, 63.49][k]])


def levels(bits):
    """An embedding by a scale for all, as databases of vectors keep it."""
    scale = max(np.abs(mean(k)).max() for k in range(FRAMES)) / (2 ** (bits - 1) - 1)
    return lambda k: np.round(mean(k) / scale) * np.float32(scale)


@pytest.mark.parametrize("make,whole", [(lambda k: np.round(age(k)), age), (lambda k: np.floor(age(k) * 2) / 2, age),
                                        (levels(8), mean), (lambda k: age(k), lambda k: np.round(age(k)))])
def test_small_steps_are_healthy(tmp_path, make, whole):
    verdict = judged(tmp_path, HIDDEN, vectors(make), vectors(whole))
    assert verdict["verdict"] == "pass" and not verdict["findings"], verdict["findings"]


@pytest.mark.parametrize("make,whole,says", [
    (lambda k: np.floor(age(k) / 10) * 10, age, "told in steps of 10 (cut off)"), (levels(4), mean, "(rounded)"),
    (lambda k: np.trunc(mean(k) * 8) / 8, mean, "steps of 0.125 (cut off)"), (mean, levels(3), "The reference's")])
def test_large_steps_are_told(tmp_path, make, whole, says):
    f = told_finding(judged(tmp_path, HIDDEN, vectors(make), vectors(whole)))
    assert f["evidence"]["kind"] == "rounded" and says in f["summary"], f


def boxes(flat=False, turned=False):
    """[x, y, w, h, score] in pixels, of some things or of one."""
    random = np.random.default_rng(7)
    frames = [np.column_stack([random.uniform(40, 600, (6, 2)), random.uniform(30, 90, (6, 2)), random.uniform(.3, .97, 6)]) for _ in range(FRAMES)]
    return lambda k: frames[k][0] if flat else frames[k].T if turned else frames[k]


@pytest.mark.parametrize("cast", [np.trunc, np.round], ids=["cut off", "rounded"])
@pytest.mark.parametrize("whole", [boxes(), boxes(flat=True), boxes(turned=True)], ids=["rows", "one row", "columns"])
def test_scores_that_are_gone_beside_corners_that_are_not(tmp_path, whole, cast):
    f = told_finding(judged(tmp_path, HIDDEN, vectors(lambda k: cast(whole(k)), "found"), vectors(whole, "found")))
    assert f["evidence"]["kind"] == "rounded" and f["evidence"]["lost_place"] == 4, f


@pytest.mark.parametrize("whole,told", [
    *((w, lambda x: np.concatenate([np.trunc(x[..., :4]), x[..., 4:]], -1)) for w in (boxes(), boxes(flat=True))),
    (lambda k: boxes()(k)[:, :4], np.round), (lambda k: boxes()(k)[:, :4], np.trunc), (boxes(), lambda x: np.round(x, 1)),
    (lambda k: np.array([.962, .031 + k / 1e3, .0065 - k / 1e3, .0005]), lambda x: np.round(x, 2))],
    ids=["scores kept", "of one row", "corners alone", "cut off", "a decimal", "probabilities"])
def test_rounded_corners_are_healthy(tmp_path, whole, told):
    verdict = judged(tmp_path, HIDDEN, vectors(lambda k: told(whole(k)), "found"), vectors(whole, "found"))
    assert verdict["verdict"] == "pass" and not verdict["findings"], verdict["findings"]


def test_stages_before_the_model_are_none_of_it(tmp_path):
    """Another value on the way to an equal input, such as before a cast, was told to nobody."""
    from told_support import write_told
    from validate_support import validate

    picture = np.random.default_rng(1).integers(0, 255, (8, 8)).astype(np.uint8)
    e = write_told(tmp_path / "e", "edge", HIDDEN, vectors(mean), early={"resized": picture})
    r = write_told(tmp_path / "r", "reference", HIDDEN, vectors(mean), early={"resized": 255 - picture})
    assert validate(e, r)["verdict"] == "pass"


def test_behind_other_outputs(tmp_path):
    from told_support import write_told
    from validate_support import causes, validate

    others = [{"hidden": o["hidden"][:, ::-1].copy()} for o in HIDDEN]
    e = write_told(tmp_path / "e", "edge", others, vectors(lambda k: TOKENS[k].mean(0)))
    r = write_told(tmp_path / "r", "reference", HIDDEN, vectors(mean))
    assert "output.postprocess" not in causes(validate(e, r))
