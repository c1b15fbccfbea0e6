"""How many frames were compared: too few are no verdict, unless the log says why."""

import numpy as np
import pytest
from log_writer import PB
from validate_support import Recording, causes, validate


def write(path, role, which, indices=None, dropped=0, sources=None, wrong=False, **metadata):
    random = np.random.default_rng(0)
    data = random.random((40, 1, 8), dtype=np.float32)
    with Recording(path, role, **metadata) as log:
        for k in which:
            log.count = k if indices is None else indices[k]
            if dropped:
                log.add("/system", "System", PB["System"](frame=log.count, dropped_records=dropped))
            log.frame([("/input/x", data[k], {}), ("/output/y", data[k] * 2 + (k == 1 and wrong), {})],
                      source=f"{k}.jpg" if sources is None else sources)
    return path


@pytest.fixture
def reference(tmp_path):
    return write(tmp_path / "r", "reference", range(40))


def test_four_of_forty_are_no_verdict(tmp_path, reference):
    edge = write(tmp_path / "e", "edge", range(4))
    verdict = validate(edge, reference, status=3)
    assert "4 of the 40 frames" in verdict["reason"] and "--min-coverage" in verdict["reason"]
    assert causes(verdict) == ["log.coverage"] and verdict["findings"][0]["severity"] == "warning"
    assert verdict["findings"][0]["evidence"] == {"frames": 40, "frames_matched": 4, "frames_explained": 0}
    # The other way round, and what the user allows.
    assert "4 of the 40 frames of the edge log" in validate(write(tmp_path / "f", "edge", range(40)), write(tmp_path / "s", "reference", range(4)), status=3)["reason"]
    assert causes(validate(edge, reference, "--min-coverage", "0.1", status=0)) == ["log.coverage"]


def test_what_is_wrong_in_a_few_frames_is_wrong(tmp_path, reference):
    edge = write(tmp_path / "e", "edge", range(4), wrong=True)
    assert validate(edge, reference, status=1)["verdict"] == "fail"


def test_most_of_the_frames_suffice_and_it_is_said(tmp_path, reference):
    verdict = validate(write(tmp_path / "e", "edge", range(36)), reference, status=0)
    assert [(f["cause"], f["severity"]) for f in verdict["findings"]] == [("log.coverage", "info")]
    assert validate(write(tmp_path / "f", "edge", range(40)), reference, status=0)["findings"] == []


def test_one_frame_suffices(tmp_path):
    edge, reference = write(tmp_path / "e", "edge", [0]), write(tmp_path / "r", "reference", [0])
    assert validate(edge, reference, status=0)["findings"] == []


@pytest.mark.parametrize("frames, options, words", [
    (range(4), {"frames": "4"}, "limit of 4"),
    (range(0, 40, 10), {}, "pass over"),
    (range(36, 40), {}, "pass over"),
    ([0, 1, 2, 20, 39], {}, "pass over"),
    (range(4), {"dropped": 90}, "dropped 90 records"),
])
def test_what_the_log_says_itself_explains_the_rest(tmp_path, reference, frames, options, words):
    verdict = validate(write(tmp_path / "e", "edge", frames, **options), reference, status=0)
    assert [(f["cause"], f["severity"]) for f in verdict["findings"] if f["cause"] == "log.coverage"] == [("log.coverage", "info")]
    found = next(f for f in verdict["findings"] if f["cause"] == "log.coverage")
    assert words in found["details"][0]


def test_a_limit_that_was_not_reached_explains_nothing(tmp_path, reference):
    validate(write(tmp_path / "e", "edge", range(4), frames="100"), reference, status=3)


def test_few_drops_explain_few_frames(tmp_path, reference):
    validate(write(tmp_path / "e", "edge", range(4), dropped=9), reference, status=3)


def test_some_gaps_explain_some_frames(tmp_path, reference):
    """Frames 0 to 3 and 5, and nothing after."""
    validate(write(tmp_path / "e", "edge", [0, 1, 2, 3, 5]), reference, status=3)


# ---- Sources of other names ----


def sourced(path, role, names, data, wrong=False):
    """x differs from frame to frame; mask does not."""
    with Recording(path, role) as log:
        for name, x in zip(names, data):
            log.frame([("/input/x", x, {}), ("/input/mask", np.ones((1, 8), np.float32), {}), ("/output/y", x * 2 + wrong, {})], source=name)
    return path


@pytest.mark.parametrize("edge, reference", [("/sdcard/IMG_{}.jpg", "testset/{}.png"), ("/sdcard/DCIM/{}.jpg", "testset/{}.jpg")])
def test_sources_of_other_folders_or_names(tmp_path, edge, reference):
    """By the files' names, or by index where the inputs show that these are the same frames."""
    data = np.random.default_rng(0).random((12, 1, 8), dtype=np.float32)
    names = lambda pattern: [pattern.format(k) for k in range(12)]  # noqa: E731
    r = sourced(tmp_path / "r", "reference", names(reference), data)
    verdict = validate(sourced(tmp_path / "e", "edge", names(edge), data), r, status=0)
    assert verdict["findings"] == [] and verdict["frames"]["matched"] == 12
    validate(sourced(tmp_path / "f", "edge", names(edge), data, wrong=True), r, status=1)
    order = np.random.default_rng(1).permutation(12)
    shuffled = sourced(tmp_path / "g", "edge", [edge.format(k) for k in order], data[order])
    verdict = validate(shuffled, r, status=None)
    assert (verdict["verdict"], verdict["frames"]["matched"]) == (("pass", 12) if "DCIM" in edge else ("inconclusive", 0))


@pytest.mark.parametrize("name, matched", [("{:04}.png", 0), ("frame_{}.jpg", 0), ("{}.png", 0), ("{:012}.jpg", 12), ("{}_left.png", 12), ("cat{}.png", 12)])
def test_names_that_only_count_are_backed_by_data(tmp_path, name, matched):
    """Of other data: the names of a data set's pictures tell what they are, those of a recording's frames do not."""
    data = np.random.default_rng(0).random((24, 1, 8), dtype=np.float32)
    number = (lambda k: k * k * 7919 % 100003) if matched else lambda k: k + 1
    log = lambda role, folder, x: sourced(tmp_path / f"{role} {folder}", role, [f"/{folder}/" + name.format(number(k)) for k in range(12)], x)  # noqa: E731
    e = log("edge", "a", data[:12])
    verdict = validate(e, log("reference", "b", data[12:]), status=None)
    assert verdict["frames"]["matched"] == matched and verdict["verdict"] == ("fail" if matched else "inconclusive")
    assert validate(e, log("reference", "c", data[:12]), status=0)["frames"]["matched"] == 12


@pytest.mark.parametrize("anew, wrong, matched", [(False, [], 8), (False, [3], 8), (False, [0, 2, 5], 8), (False, [0, 1, 2, 5], 8), (False, range(8), 8),
                                                  (True, [3], 8), (True, [0, 2, 5], 8), (True, [0, 1, 2, 5], 0), (True, range(8), 0)])
def test_most_frames_with_equal_data_back_names_that_only_count(tmp_path, anew, wrong, matched):
    """What is wrong in some frames is a finding, and no reason to compare nothing; mirrored ones are known again, others are not."""
    data = np.random.default_rng(0).random((8, 1, 64), dtype=np.float32)
    other = data.copy()
    other[list(wrong)] = np.random.default_rng(1).random((len(wrong), 1, 64)) if anew else other[list(wrong), :, ::-1]
    e = sourced(tmp_path / "e", "edge", [f"/sd/{k:04}.png" for k in range(8)], other)
    r = sourced(tmp_path / "r", "reference", [f"/data/{k % 2}/{k:04}.png" for k in range(8)], data)
    verdict = validate(e, r, status=None)
    assert verdict["frames"]["matched"] == matched
    assert verdict["verdict"] == ("inconclusive" if not matched else "fail" if wrong else "pass")


def test_one_picture_in_most_frames_backs_no_names(tmp_path):
    """A camera that is stuck, or a still scene, tells no frames apart."""
    data = np.random.default_rng(0).random((8, 1, 64), dtype=np.float32)
    e, r = data.copy(), data.copy()
    e[:6] = r[:6] = data[0]
    e[7] = data[1]
    e = sourced(tmp_path / "e", "edge", [f"/sd/{k:04}.png" for k in range(8)], e)
    assert validate(e, sourced(tmp_path / "r", "reference", [f"/data/{k:04}.png" for k in range(8)], r), status=None)["frames"]["matched"] == 0


FOLDERS = [f"{'ab'[k // 6]}/{k % 6}" for k in range(12)]
NUMBERS = [f"IMG_{k * k * 7:05}" for k in range(12)]


@pytest.mark.parametrize("edge, reference", [
    ([f"C:\\data\\{n}.jpg" for n in NUMBERS], [f"/mnt/{n}.jpg" for n in NUMBERS]),  # Windows' separators
    ([f"{n}.jpg".lower() for n in NUMBERS], [f"{n}.JPG" for n in NUMBERS]),  # a system that does not tell cases apart
    ([f"{n}.png" for n in NUMBERS], [f"{n}.jpeg" for n in NUMBERS]),  # converted
    ([f"/sdcard/{n}.jpg" for n in FOLDERS], [f"set/{n}.jpg" for n in FOLDERS]),  # equal names in two folders
    ([f"/sdcard/{n}.png" for n in FOLDERS], [f"set/{n}.jpg" for n in FOLDERS])])
def test_sources_that_are_alike_in_part(tmp_path, edge, reference):
    """In another order, and of other data (which their names tell apart from a count)."""
    data = np.random.default_rng(0).random((24, 1, 8), dtype=np.float32)
    order = np.random.default_rng(1).permutation(12)
    r = sourced(tmp_path / "r", "reference", reference, data[:12])
    verdict = validate(sourced(tmp_path / "e", "edge", [edge[k] for k in order], data[order]), r, status=0)
    assert verdict["frames"]["matched"] == 12 and verdict["findings"] == []
    assert validate(sourced(tmp_path / "f", "edge", edge, data[12:]), r, status=1)["frames"]["matched"] == 12


@pytest.mark.parametrize("change", [lambda x: x[:, ::-1] / 2, lambda x: np.flip(x, -1) - 3, lambda x: np.roll(x, 1, 0), lambda x: x * 0 + 1])
def test_names_that_only_count_are_backed_by_data_that_are_alike(tmp_path, change):
    """A fault of the input leaves a frame likest its own counterpart; frames of another time it does not."""
    random = np.random.default_rng(3)
    data = np.cumsum(random.normal(0, 1, (12, 1, 96)), -1).astype(np.float32)
    same = change(data).shape == data.shape and not np.array_equal(change(data), np.roll(data, 1, 0)) and np.ptp(change(data)) > 0
    name = lambda folder: [f"{folder}/{k}.jpg" for k in range(12)]  # noqa: E731
    edge = sourced(tmp_path / "e", "edge", name("a"), np.ascontiguousarray(change(data)))
    verdict = validate(edge, sourced(tmp_path / "r", "reference", name("b"), data), status=None)
    assert (verdict["verdict"], verdict["frames"]["matched"]) == (("fail", 12) if same else ("inconclusive", 0))


@pytest.mark.parametrize("failed", [[], [("/input/x", np.ones((1, 8), np.float32), {})]])
def test_a_frame_that_was_tried_again(tmp_path, failed):
    """The attempt that failed has no output; the one behind it is the frame."""
    data = np.random.default_rng(0).random((8, 1, 8), dtype=np.float32)
    r = sourced(tmp_path / "r", "reference", [f"{k}.jpg" for k in range(8)], data)
    with Recording(tmp_path / "e", "edge") as log:
        for k, x in enumerate(data):
            if k == 3:
                log.frame(failed, source=f"{k}.jpg")
            log.frame([("/input/x", x, {}), ("/input/mask", np.ones((1, 8), np.float32), {}), ("/output/y", x * 2, {})], source=f"{k}.jpg")
    verdict = validate(tmp_path / "e", r, status=0)
    assert verdict["frames"]["matched"] == 8


@pytest.mark.parametrize("again", [True, False])
def test_frames_that_were_tried_again_and_again(tmp_path, again):
    """What failed, once or twice, is no frame that the other log lacks; what was never done is."""
    data = np.random.default_rng(0).random((8, 1, 8), dtype=np.float32)
    r = sourced(tmp_path / "r", "reference", [f"{k}.jpg" for k in range(8) if again or k not in (1, 4, 6)], data[[k for k in range(8) if again or k not in (1, 4, 6)]])
    with Recording(tmp_path / "e", "edge") as log:
        for k, x in enumerate(data):
            for _ in range({1: 2, 4: 1, 6: 1}.get(k, 0)):
                log.frame([("/input/x", x, {})], source=f"{k}.jpg")
            if again or k not in (1, 4, 6):
                log.frame([("/input/x", x, {}), ("/output/y", x * 2, {})], source=f"{k}.jpg")
    verdict = validate(tmp_path / "e", r, status=0 if again else 3)
    assert verdict["frames"]["matched"] == (8 if again else 5)
    assert [f["severity"] for f in verdict["findings"]] == (["info"] if again else ["warning"]), verdict["findings"]
    assert not again or "4 frames of the edge log have no output" in " ".join(verdict["findings"][0]["details"]), verdict["findings"]


def test_frames_without_outputs_were_not_tried_again(tmp_path):
    """Where nothing has an output, none shows that what comes before it failed."""
    data = np.random.default_rng(0).random((24, 1, 8), dtype=np.float32)

    def write(role, which):
        with Recording(tmp_path / role, role) as log:
            for k in which:
                log.count = k
                log.add("/result", "Result", PB["Result"](frame=k, text=f"{k}"))
                log.frame([("/input/x", data[k], {})], source="camera")
        return tmp_path / role

    verdict = validate(write("edge", range(24)), write("reference", range(1, 24, 4)), status=None)
    details = " ".join(d for f in verdict["findings"] for d in f.get("details", []))
    assert verdict["frames"]["matched"] == 6 and "tried again" not in details, verdict


def test_few_pictures_that_come_twice(tmp_path):
    """In another order on the two sides: each by its turn.  All frames of one camera go by their index."""
    data = np.random.default_rng(0).random((8, 1, 8), dtype=np.float32)
    names = [f"{k % 7}.jpg" for k in range(8)]
    order = [4, 0, 6, 7, 2, 1, 5, 3]
    r = sourced(tmp_path / "r", "reference", names, data)
    assert validate(sourced(tmp_path / "e", "edge", [names[k] for k in order], data[order]), r, status=0)["frames"]["matched"] == 8
    r = sourced(tmp_path / "s", "reference", ["camera"] * 8, data)
    assert validate(sourced(tmp_path / "f", "edge", ["camera"] * 8, data), r, status=0)["frames"]["matched"] == 8


def test_frames_of_other_data_are_not_matched_by_their_numbers(tmp_path):
    data = np.random.default_rng(0).random((24, 1, 8), dtype=np.float32)
    edge = sourced(tmp_path / "e", "edge", [f"street {k}" for k in range(12)], data[:12])
    assert validate(edge, sourced(tmp_path / "r", "reference", [f"lab {k}" for k in range(12)], data[12:]), status=3)["frames"]["matched"] == 0


# ---- Without outputs and layers ----


def told(path, role, words, change=0.0, inputs=True, gains=None):
    data = np.random.default_rng(0).random((3, 1, 8), dtype=np.float32)
    with Recording(path, role) as log:
        for k in range(3):
            log.add("/result", "Result", PB["Result"](frame=log.count, text=words[k]))
            if gains:
                log.stats("/output/y", data[k] * gains[k] if np.isfinite(gains[k]) else np.where(data[k] > data[k].mean(), gains[k], data[k]), log.count)
            log.frame([("/input/x", data[k] + np.float32(change), {})] if inputs else [])
    return path


def test_equal_inputs_with_equal_results_pass(tmp_path):
    words = ["a", "b", "c"]
    reference = told(tmp_path / "r", "reference", words)
    assert validate(told(tmp_path / "e", "edge", words), reference, status=0)["findings"] == []
    validate(told(tmp_path / "f", "edge", ["a", "b", "d"]), reference, status=3)
    validate(told(tmp_path / "g", "edge", words, 0.5), reference, status=1)
    for gain, status in ((1, 0), (0.5, 3)):  # of outputs there are statistics alone: the same, and others in one frame
        e, r = (told(tmp_path / f"{side}{gain}", side, words, gains=gains) for side, gains in (("edge", [1, gain, 1]), ("reference", [1, 1, 1])))
        verdict = validate(e, r, status=status)
        assert status == 0 or "statistics of output y differ in frame 1" in verdict["reason"]
    for value, status in ((np.nan, 3), (np.inf, 0)):  # of the reference alone: an integer type has no infinity
        e, r = (told(tmp_path / f"{side}{value}", side, words, gains=gains) for side, gains in (("edge", [1, 1, 1]), ("reference", [1, value, 1])))
        validate(e, r, status=status)
    validate(told(tmp_path / "h", "edge", words, inputs=False), told(tmp_path / "s", "reference", words, inputs=False), status=3)
