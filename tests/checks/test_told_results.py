"""Masks, keypoints and vectors that an application tells in /result, behind equal outputs."""

import numpy as np
import pytest
from told_support import judged, told_finding
from validate_support import PB, Recording, validate

FRAMES, SIDE = 5, 48


def outputs():
    rng = np.random.default_rng(3)
    return [{"scores": rng.normal(0, 1, (1, 40)).astype(np.float32)} for _ in range(FRAMES)]


def mask(k):
    """A few things in a picture, of other classes each."""
    rng, made = np.random.default_rng(k + 50), np.zeros((SIDE, SIDE), np.uint8)
    for _ in range(4):
        x, y = rng.integers(0, SIDE - 16, 2)
        made[y:y + rng.integers(8, 16), x:x + rng.integers(8, 16)] = rng.integers(1, 6)
    return made


def points(k):
    return np.random.default_rng(k + 90).uniform(0.2, 0.8, (17, 2))


def vector(k):
    made = np.random.default_rng(k + 130).normal(0, 1, 64)
    return made / np.linalg.norm(made)


def teller(kind, change=lambda v: v, late=0):
    def tell(result, k):
        k = max(k - late, 0)
        if kind == "mask":
            made = change(mask(k))
            result.mask.width, result.mask.height, result.mask.ids = made.shape[1], made.shape[0], np.ascontiguousarray(made).tobytes()
        elif kind == "points":
            for i, (x, y) in enumerate(change(points(k))):
                result.keypoints.add(x=x, y=y, score=1, id=i)
        else:
            result.vectors.add(name="embedding", value=change(vector(k)))
    return tell


@pytest.mark.parametrize("kind", ["mask", "points", "vector"])
def test_the_same(tmp_path, kind):
    assert judged(tmp_path, outputs(), teller(kind), teller(kind))["verdict"] == "pass"


CHANGES = [
    ("mask", lambda m: m[:, ::-1], "mirrored", "mask (/result) is the reference's mirrored"),
    ("mask", lambda m: m.T, "exchanged", "/result"), ("mask", lambda m: np.roll(m, 5, 1), "shifted", "shifted by +5"), ("mask", lambda m: m * 0, "mask", "/result"),
    ("points", lambda p: p * [-1, 1] + [1, 0], "mirrored", "keypoints"), ("points", lambda p: p[:, ::-1], "exchanged", "keypoints"),
    ("points", lambda p: p * 320, "scaled", "320 times"), ("points", lambda p: p + [0.05, 0.02], "shifted", "keypoints"),
    ("points", lambda p: p[:9], "missing", "first 18 of the reference's 34"),
    ("vector", lambda v: v * 12.5, "scaled", "12.5 times"), ("vector", lambda v: -v, "scaled", "-1 times"), ("vector", lambda v: v[::-1], "order", "another order")]


@pytest.mark.parametrize("case", range(len(CHANGES)))
def test_told_otherwise(tmp_path, case):
    kind, change, called, says = CHANGES[case]
    f = told_finding(judged(tmp_path, outputs(), teller(kind, change), teller(kind)))
    assert f["evidence"]["kind"] == called and says in f["summary"], f


@pytest.mark.parametrize("kind", ["mask", "points", "vector"])
def test_late(tmp_path, kind):
    f = told_finding(judged(tmp_path, outputs(), teller(kind, late=1), teller(kind)))
    assert f["evidence"]["kind"] == "late" and "frame before" in f["summary"]


def test_vectors_of_other_names_are_other_things(tmp_path):
    def two(first, second):
        def tell(result, k):
            result.vectors.add(name=first, value=vector(k))
            result.vectors.add(name=second, value=vector(k + 9))
        return tell
    assert judged(tmp_path, outputs(), two("age", "embedding"), two("pose", "embedding"))["verdict"] == "pass"


@pytest.mark.parametrize("told_by, verdict", [(1, "pass"), (1.5, "fail")], ids=["as the outputs", "otherwise"])
def test_a_step_of_a_small_score(tmp_path, told_by, verdict):
    """Scores of 8 bits: other kernels make 4 steps of 3, a third more, and that is what the application tells."""
    steps = {"edge": [4, 200, 3, 121, 4, 180, 0, 90], "reference": [3, 200, 4, 120, 3, 180, 0, 90]}
    for role, values in steps.items():
        with Recording(tmp_path / role, role) as log:
            for k, v in enumerate(values):
                begin, result = log.time, PB["Result"](frame=k)
                log.tensor("/input/x", np.random.default_rng(k).normal(0, 1, (1, 64)).astype(np.float32), frame=k)
                log.tensor("/output/score", np.array([[v]], np.uint8), frame=k, scale=[1 / 256], zero_point=[0])
                result.vectors.add(name="score", value=[v / 256 * (told_by if role == "edge" else 1)])
                log.add("/result", "Result", result)
                log.add("/frame", "Frame", PB["Frame"](index=k, source=str(k), begin_ns=begin, end_ns=log.time + 10, inference_ns=2_000_000))
    assert validate(tmp_path / "edge", tmp_path / "reference")["verdict"] == verdict


def made(folder):
    folder.mkdir()
    return folder


def wave(k):
    return np.random.default_rng(k + 170).uniform(0.2, 5, 48)


def told_vector(change=lambda v, k: v, name="depth"):
    def tell(result, k):
        result.vectors.add(name=name, value=np.asarray(change(wave(k), k), np.float32))
    return tell


OTHERWISE = [(lambda v, k: 1 / v, "function", "the inverse"), (lambda v, k: np.sqrt(v), "function", "root"), (lambda v, k: 2 * np.log(v), "function", "logarithm"),
             (lambda v, k: (v - v.min()) / np.ptp(v), "scaled", "in each frame"), (lambda v, k: 0.3 * v + 0.7 * wave(max(k - 1, 0)), "smoothed", "0.3 of this frame"),
             (lambda v, k: np.where(np.arange(48) == 7, np.nan, v) if k == 2 else v, "nan", "1 value"), (lambda v, k: np.round(v), "rounded", "in steps of 1 (rounded)")]


@pytest.mark.parametrize("case", range(len(OTHERWISE)))
def test_a_vector_told_otherwise(tmp_path, case):
    change, called, says = OTHERWISE[case]
    f = told_finding(judged(tmp_path, outputs(), told_vector(change), told_vector()))
    assert f["evidence"]["kind"] == called and says in f["summary"] and f["where"]["tensor"] == "depth", f


@pytest.mark.parametrize("value", [0, -1])
def test_a_number_for_none(tmp_path, value):
    """The reference tells NaN for what is not seen, and so may both."""
    unseen = told_vector(lambda v, k: np.where(np.arange(48) == 7, np.nan, v) if k % 2 else v)
    f = told_finding(judged(tmp_path, outputs(), told_vector(lambda v, k: np.where(np.arange(48) == 7, value, v) if k % 2 else v), unseen))
    assert f["evidence"]["kind"] == "nan" and "where the edge tells numbers" in f["summary"], f
    assert judged(made(tmp_path / "alike"), outputs(), unseen, unseen)["verdict"] == "pass"


@pytest.mark.parametrize("change", [lambda v, k: np.float16(v), lambda v, k: np.round(v, 2), lambda v, k: np.round(v * 1e4) / 1e4,
                                    lambda v, k: (v.astype(np.float32).view(np.uint32) & 0xFFFF0000).view(np.float32)], ids=["16 bits", "two decimals", "four", "bfloat16"])
def test_fewer_digits_are_no_fault(tmp_path, change):
    assert judged(tmp_path, outputs(), told_vector(change), told_vector())["verdict"] == "pass"


def test_points_in_whole_pixels_are_no_fault(tmp_path):
    tell = teller("points", lambda p: np.floor(p * [640, 480]) / [640, 480])
    assert judged(tmp_path, outputs(), tell, teller("points"))["verdict"] == "pass"
    f = told_finding(judged(made(tmp_path / "moved"), outputs(), teller("points", lambda p: p + 0.0025), teller("points")))
    assert f["evidence"]["kind"] == "shifted"


def test_left_and_right_of_mirrored_points(tmp_path):
    order = [0] + [i + 1 if i % 2 else i - 1 for i in range(1, 17)]
    f = told_finding(judged(tmp_path, outputs(), teller("points", lambda p: (p * [-1, 1] + [1, 0])[order]), teller("points")))
    assert f["evidence"]["kind"] == "mirrored" and "points exchanged" in f["summary"]


def test_scores_of_points(tmp_path):
    def tell(change):
        def told(result, k):
            for i, (x, y) in enumerate(points(k)):
                result.keypoints.add(x=x, y=y, score=change(np.float32(0.3 + 0.6 * np.random.default_rng(100 * k + i).uniform())), id=i)
        return told
    assert judged(made(tmp_path / "percent"), outputs(), tell(lambda s: 100 * s), tell(lambda s: s))["verdict"] == "pass"
    f = told_finding(judged(made(tmp_path / "half"), outputs(), tell(lambda s: 0.5 * s), tell(lambda s: s)))
    assert "scores of keypoints" in f["summary"]


def scene(k):
    """Labels all over, as of a street: no background that would show where the map lies."""
    smooth = np.random.default_rng(k + 300).normal(0, 1, (4, SIDE + 33, SIDE + 33))
    for _ in range(3):
        smooth = np.lib.stride_tricks.sliding_window_view(smooth, (12, 12), (1, 2)).mean((-1, -2))
    return smooth.argmax(0).astype(np.uint8)


def told_scene(change=lambda m: m):
    def tell(result, k):
        made = np.ascontiguousarray(change(scene(k)))
        result.mask.width, result.mask.height, result.mask.ids = made.shape[1], made.shape[0], made.astype(np.uint8).tobytes()
    return tell


def without_borders(m, width=1):
    near = np.zeros(m.shape, bool)
    for axis in (0, 1):
        for by in range(1, width + 1):
            near |= (m != np.roll(m, by, axis)) | ((m != np.roll(m, -by, axis)) & (width > 1))
    near[[0, -1]] = near[:, [0, -1]] = False  # roll goes round
    return np.where(near, 255, m)


def test_a_label_that_does_not_count(tmp_path):
    """All of a thing, not what is uncertain of it; also in some frames alone."""
    f = told_finding(judged(tmp_path, outputs(), told_scene(lambda m: np.where(m == 2, 255, m)), told_scene()))
    assert f["evidence"]["kind"] in ("missing", "mask"), f


@pytest.mark.parametrize("by", [0, 3])
def test_a_mask_of_0_and_255(tmp_path, by):
    """Between them is no border that would not count."""
    def tell(by):
        return told_scene(lambda m: np.roll(np.where(m == 2, 255, 0), by, 1))
    verdict = judged(tmp_path, outputs(), tell(by), tell(0))
    assert verdict["findings"] == [] if not by else told_finding(verdict)["evidence"]["kind"] == "shifted"


ROWS = np.arange(SIDE)


@pytest.mark.parametrize("change", [without_borders, lambda m: m[::2, ::2], lambda m: m[1::2, 1::2], lambda m: m.repeat(2, 0).repeat(2, 1), lambda m: m[::3, ::3]],
                         ids=["borders do not count", "half", "half, other corners", "double", "a third"])
def test_scenes_told_rightly(tmp_path, change):
    assert judged(tmp_path, outputs(), told_scene(change), told_scene())["verdict"] == "pass"


@pytest.mark.parametrize("change, kind", [
    (lambda m: m[np.minimum(SIDE // 5 + ROWS * (SIDE - SIDE // 5) // SIDE, SIDE - 1)], "scaled"),
    (lambda m: m[:, SIDE // 8 + ROWS * (SIDE - SIDE // 4) // SIDE][SIDE // 8 + ROWS * (SIDE - SIDE // 4) // SIDE], "scaled"),
    (lambda m: np.pad(m[:, ::2], ((0, 0), (SIDE // 4, SIDE - SIDE // 4 - m[:, ::2].shape[1]))), "scaled"),
    (lambda m: without_borders(m, 4), "mask"),
    (lambda m: np.where(m == 0, 0, 255), "mask")], ids=["cut above", "cut around", "in the middle", "hardly anything counts", "255 for a label"])
def test_scenes_told_wrongly(tmp_path, change, kind):
    f = told_finding(judged(tmp_path, outputs(), told_scene(change), told_scene()))
    assert f["evidence"]["kind"] == kind, f


SOME = (1, 3)


@pytest.mark.parametrize("change, kind", [(lambda p, k: p + 0.02 if k in SOME else p, "shifted"), (lambda p, k: p + 0.1 * (np.arange(17) == 5)[:, None] if k == 3 else p, "places"),
                                          (lambda p, k: p + np.random.default_rng(k).normal(0, 1e-3, p.shape), None)])
def test_noise_of_no_frame_excuses_none(tmp_path, change, kind):
    """Of equal inputs, without outputs: where half of the frames are told bit for bit alike, what differs is no noise of other kernels."""
    def tell(change):
        def told(result, k):
            for i, (x, y) in enumerate(change(points(k), k)):
                result.keypoints.add(x=x, y=y, score=1, id=i)
        return told
    verdict = judged(tmp_path, outputs(), tell(change), tell(lambda p, k: p), keep_outputs=False)
    if kind:
        f = told_finding(verdict)
        assert f["evidence"]["kind"] == kind and "frame" in f["evidence"].get("frame_list", ""), f
    else:
        assert verdict["findings"] == []


@pytest.mark.parametrize("change, says", [(lambda v: 1.02 * v, "1.02 times"), (lambda v: v + np.float32(0.02), "plus 0.02"), (lambda v: v * (1 + np.random.default_rng(1).normal(0, 0.02, v.size)), None)])
def test_an_exact_factor_is_no_noise(tmp_path, change, says):
    """Though other kernels, behind equal inputs, may do as much."""
    verdict = judged(tmp_path, outputs(), told_vector(lambda v, k: change(v)), told_vector(), keep_outputs=False)
    if says:
        assert says in told_finding(verdict)["summary"]
    else:
        assert verdict["findings"] == []


@pytest.mark.parametrize("noise, passes", [(1.6e-4, True), (1e-3, False)])
def test_little_more_than_noise_is_no_line(tmp_path, noise, passes):
    """It was told as the reference's values plus 0."""
    verdict = judged(tmp_path, outputs(), told_vector(lambda v, k: (v - 2.6) * (1 + np.random.default_rng(k).normal(0, noise, 48))), told_vector(lambda v, k: v - 2.6), edge_noise=1e-5)
    assert (verdict["findings"] == []) == passes


def test_rounded_numbers_show_no_noise(tmp_path):
    """Told in few digits, half of the frames are alike by chance; the others are another step away."""
    def tell(change):
        def told(result, k):
            result.vectors.add(name="share", value=np.round(change(np.random.default_rng(k).uniform(0.2, 0.8, 6), k), 2))
        return told
    moved = lambda v, k: v + 0.01 * (np.arange(6) == 2) if k in SOME else v  # noqa: E731
    assert judged(tmp_path, outputs(), tell(moved), tell(lambda v, k: v), keep_outputs=False)["findings"] == []


def test_depths_of_points(tmp_path):
    def tell(change):
        def told(result, k):
            for i, (x, y) in enumerate(points(k)):
                result.keypoints.add(x=x, y=y, z=change(np.random.default_rng(100 * k + i).normal()), score=1, id=i)
        return told
    assert judged(made(tmp_path / "same"), outputs(), tell(lambda z: np.float16(z)), tell(lambda z: z))["verdict"] == "pass"
    f = told_finding(judged(made(tmp_path / "unit"), outputs(), tell(lambda z: 1000 * z), tell(lambda z: z)))
    assert "depths of keypoints is 1000 times" in f["summary"] and f["evidence"]["kind"] == "scaled"


@pytest.mark.parametrize("named", [True, False])
def test_points_listed_otherwise(tmp_path, named):
    """Their ids say which is which; where ids only count, the order does."""
    order = np.random.default_rng(5).permutation(17)

    def tell(order):
        def told(result, k):
            for i, at in enumerate(order):
                result.keypoints.add(x=points(k)[at][0], y=points(k)[at][1], score=1, id=at if named else i)
        return told
    verdict = judged(tmp_path, outputs(), tell(order), tell(range(17)))
    if named:
        assert verdict["findings"] == []
    else:
        assert told_finding(verdict)["evidence"]["kind"] == "order"


def motion(k):
    return np.random.default_rng(k + 210).uniform([5, -40, 100], [30, 40, 900])


def heading(k):
    return np.random.default_rng(k + 230).uniform(-180, 180, 2)


def last(k, length, how):
    return how([motion(max(k - i, 0)) for i in range(length)], 0)


@pytest.mark.parametrize("edge, reference, called, says", [
    (lambda k: motion(k)[[1, 0, 2]], motion, "order", "place 0 has that of 1, place 1 has that of 0"),
    (lambda k: np.roll(wave(k), 1), wave, "order", "place 0 has that of 47, place 1 has that of 0"),
    (lambda k: motion(k) / np.sqrt(motion(k)[2]), motion, "scaled", "another length in each frame"),
    (lambda k: motion(k) * [1, 1, 1000], motion, "scaled", "place 2 is 1000 times place 2"),
    (lambda k: motion(k)[[1, 0, 2]] * [1, 3.6, 1], motion, "exchanged", "place 1 is 3.6 times place 0"),
    (lambda k: heading(k) % 360, heading, "wrapped", "360 apart"),
    (lambda k: last(k, 3, np.mean), motion, "smoothed", "the mean of the last 3"),
    (lambda k: last(k, 3, np.median), motion, "smoothed", "the median of the last 3"),
    (lambda k: np.floor(wave(k) * 2) / 2, lambda k: np.floor(wave(k) * 2) / 2 + 0.25, "shifted", "plus -0.25")],
    ids=["two exchanged", "moved on", "a length", "a unit", "exchanged and a unit", "an angle", "mean", "median", "half a step"])
def test_values_at_places_and_over_time(tmp_path, edge, reference, called, says):
    f = told_finding(judged(tmp_path, outputs(), lambda r, k: told_vector(lambda v, k: edge(k))(r, k), lambda r, k: told_vector(lambda v, k: reference(k))(r, k)))
    assert f["evidence"]["kind"] == called and says in f["summary"], f


def flags(k):
    return (np.random.default_rng(k + 250).uniform(size=12) > 0.5).astype(float)


def slow(k):
    return 100 + 1e-3 * k + np.arange(5)


@pytest.mark.parametrize("edge, reference, called", [
    (lambda k: wave(k)[:5] * (1 + 6e-4 * (k == 30) * np.array([1, -1, 1, 1, -1])), lambda k: wave(k)[:5], "vector"),
    (lambda k: slow(k) * (1 + 6e-4 * (k == 30) * np.array([1, -1, 1, 1, -1])), slow, "vector"),
    (lambda k: np.where((np.arange(12) == 3) & (k in (2, 5)), 1 - flags(k), flags(k)), flags, "places")], ids=["one frame", "one frame of what hardly changes", "0 or 1"])
def test_what_looks_like_another_order_or_time(tmp_path, edge, reference, called):
    """Values that all have their own place are in no other order, those of the frames before are as good where nothing changes, and 0 and 1 are no angle."""
    many = [{"scores": np.random.default_rng(k).normal(0, 1, (1, 40)).astype(np.float32)} for k in range(60)]
    f = told_finding(judged(tmp_path, many, told_vector(lambda v, k: edge(k)), told_vector(lambda v, k: reference(k))))
    assert f["evidence"]["kind"] == called, f


@pytest.mark.parametrize("values", [1, 2, 3])
def test_a_picture_shown_again_and_again_shows_no_factor(tmp_path, values):
    """What other kernels make of it is the same each time, and any two values lie on one line."""
    x, noise = np.array([2.0, 3.1, 4.7])[:values], np.array([0.01, -0.012, 0.02])[:values]
    verdict = judged(tmp_path, 2 * outputs(), told_vector(lambda v, k: x * (1 + noise)), told_vector(lambda v, k: x), keep_outputs=False)
    assert verdict["findings"] == [], verdict["findings"]


def two_vectors(first, second, order=(0, 1)):
    def tell(result, k):
        both = [("age", first(k)), ("weight", second(k))]
        for i in order:
            result.vectors.add(name=both[i][0], value=both[i][1])
    return tell


def test_two_vectors_exchanged(tmp_path):
    age, weight = lambda k: [20 + 3.7 * k], lambda k: [50 + 2.2 * k]
    f = told_finding(judged(tmp_path, outputs(), two_vectors(weight, age), two_vectors(age, weight)))
    assert f["evidence"]["kind"] == "exchanged" and "age and weight" in f["summary"]
    assert judged(made(tmp_path / "order"), outputs(), two_vectors(age, weight, (1, 0)), two_vectors(age, weight))["verdict"] == "pass"


@pytest.mark.parametrize("kind", ["mask", "points", "vector"])
def test_missing_in_some_frames(tmp_path, kind):
    def tell(lacks):
        own = teller(kind)
        def told(result, k):
            result.text = "seen"
            if k not in lacks:
                own(result, k)
        return told
    assert judged(made(tmp_path / "alike"), outputs(), tell((1, 3)), tell((1, 3)))["verdict"] == "pass"
    f = told_finding(judged(made(tmp_path / "missing"), outputs(), tell((1, 3)), tell(())))
    assert f["evidence"]["kind"] == "missing" and "in 2 of the frames" in f["summary"]
    assert told_finding(judged(made(tmp_path / "extra"), outputs(), tell(()), tell((2,))))["evidence"]["kind"] == "extra"


def test_results_in_messages_of_their_own(tmp_path):
    """Boxes, a text and a vector of a frame are a message each: all of them are compared."""
    def write(folder, role, text):
        with Recording(folder, role) as log:
            for k, values in enumerate(outputs()):
                begin = log.time
                log.tensor("/input/x", np.random.default_rng(k).normal(0, 1, (1, 64)).astype(np.float32), frame=k)
                log.tensor("/output/scores", values["scores"], frame=k)
                boxes, words = PB["Result"](frame=k), PB["Result"](frame=k, text=text)
                boxes.boxes.add(x_min=0.1, y_min=0.2, x_max=0.5, y_max=0.6 + 0.01 * k, id=k, score=0.9)
                log.add("/result", "Result", boxes)
                log.add("/result", "Result", words)
                log.add("/frame", "Frame", PB["Frame"](index=k, source=str(k), begin_ns=begin, end_ns=log.time + 10, inference_ns=2_000_000))
        return folder
    reference = write(tmp_path / "r", "reference", "three things")
    assert validate(write(tmp_path / "same", "edge", "three things"), reference)["verdict"] == "pass"
    f = told_finding(validate(write(tmp_path / "other", "edge", "two things"), reference))
    assert f["where"]["tensor"] == "text"


def test_an_activation_that_the_application_knows_is_a_warning(tmp_path):
    """One model ends with a sigmoid, the other without, and both applications tell the same boxes."""
    scores = np.random.default_rng(8).normal(0, 2, (FRAMES, 1, 40)).astype(np.float32)
    def write(folder, role, change):
        with Recording(folder, role) as log:
            for k in range(FRAMES):
                begin, result = log.time, PB["Result"](frame=k)
                log.tensor("/input/x", np.random.default_rng(k).normal(0, 1, (1, 64)).astype(np.float32), frame=k)
                log.tensor("/output/scores", change(scores[k]).astype(np.float32), frame=k)
                result.boxes.add(x_min=0.1, y_min=0.2, x_max=0.5, y_max=0.6, id=k, score=float(1 / (1 + np.exp(-scores[k].max()))))
                log.add("/result", "Result", result)
                log.add("/frame", "Frame", PB["Frame"](index=k, source=str(k), begin_ns=begin, end_ns=log.time + 10, inference_ns=2_000_000))
        return folder
    verdict = validate(write(tmp_path / "e", "edge", lambda s: 1 / (1 + np.exp(-s))), write(tmp_path / "r", "reference", lambda s: s))
    assert verdict["verdict"] == "pass" and [(f["cause"], f["severity"]) for f in verdict["findings"]] == [("output.activation", "warning")]


def told_points(change):
    def tell(result, k):
        for i, (x, y) in enumerate(change(points(k), k)):
            result.keypoints.add(x=x, y=y, score=1, id=i)
    return tell


@pytest.mark.parametrize("change, called", [(lambda p, k: p * [-1, 1] + [1, 0] if k in (1, 3) else p, "mirrored"),
                                            (lambda p, k: points(k - 1) if k in (2, 3) else p, "late")], ids=["mirrored", "late"])
def test_some_frames_only(tmp_path, change, called):
    f = told_finding(judged(tmp_path, outputs(), told_points(change), told_points(lambda p, k: p)))
    assert f["evidence"]["kind"] == called and "in 2 of 5 frames only" in " ".join(f["details"])


def labels(threshold, best_first=False):
    def tell(result, k):
        scores = 1 / (1 + np.exp(-outputs()[k]["scores"][0]))
        for i in sorted(np.flatnonzero(scores >= threshold), key=lambda i: -scores[i] if best_first else i):
            result.classes.add(id=int(i), score=scores[i])
    return tell


def test_sets_of_labels(tmp_path):
    task = {"task": "multi_label"}
    assert judged(made(tmp_path / "same"), outputs(), labels(0.5, True), labels(0.5), **task)["verdict"] == "pass"
    f = told_finding(judged(made(tmp_path / "more"), outputs(), labels(0.3), labels(0.5), **task))
    assert f["evidence"]["kind"] == "extra" and "lower threshold" in f["summary"]
    f = told_finding(judged(made(tmp_path / "fewer"), outputs(), labels(0.7), labels(0.5), **task))
    assert f["evidence"]["kind"] == "missing" and "higher threshold" in f["summary"]


def test_scores_of_labels_and_labels_behind_noise(tmp_path):
    """The same set with other scores; and where the sides' outputs are not equal to the bit, other labels all the same."""
    def changed(change):
        def tell(result, k):
            labels(0.5)(result, k)
            for c in result.classes:
                c.id, c.score = change(c.id, c.score)
        return tell

    task = {"task": "multi_label"}
    f = told_finding(judged(made(tmp_path / "half"), outputs(), changed(lambda i, s: (i, s / 2)), labels(0.5), **task))
    assert f["evidence"]["kind"] == "scaled"
    other = changed(lambda i, s: (39 - i, s))
    assert judged(made(tmp_path / "noise"), outputs(), other, labels(0.5), edge_noise=1e-6, **task)["verdict"] == "fail"
    assert judged(made(tmp_path / "right"), outputs(), labels(0.5, True), labels(0.5), edge_noise=1e-6, **task)["verdict"] == "pass"
