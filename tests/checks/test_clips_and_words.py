"""Pictures that are not one of 8 bits: clips of several, pixels of 16 bits, frames with a scale of their own; and a tone curve."""

import numpy as np
import pytest
from PIL import Image
from validate_support import PB, Recording, causes, finding, textures, validate

HIGH, WIDE = 24, 32


def log(path, role, frames, sensor=None):
    with Recording(path, role) as r:
        for i, x in enumerate(frames):
            records = [("/sensor/camera", sensor[i], {"media": PB["Media"](format="gray16", width=WIDE, height=HIGH)})] if sensor else []
            r.frame([*records, ("/input/x", np.ascontiguousarray(x, np.float32)[None], {}), ("/output/y", np.array([[.2, .8]], np.float32), {})], source=str(i))
    return path


@pytest.fixture
def judge(tmp_path):
    return lambda edge, reference, sensor=None: validate(log(tmp_path / "e.mcap", "edge", edge, sensor), log(tmp_path / "r.mcap", "reference", reference, sensor))


# ---- Clips ----

MOVIE = [p[:HIGH, :WIDE] / np.float32(255) for p in textures(8, WIDE, seed=9)]
CLIPS = [np.stack(MOVIE[k:k + 4]) for k in range(0, 5)]
FIRST = lambda c: c.transpose(3, 0, 1, 2)  # channels first
SECOND = lambda c: c.transpose(0, 3, 1, 2)  # behind the pictures
TURNS = pytest.mark.parametrize("turn", [lambda c: c, FIRST, SECOND], ids=["T,H,W,C", "C,T,H,W", "T,C,H,W"])


@TURNS
@pytest.mark.parametrize("order, kind", [([3, 2, 1, 0], "reversed"), ([0, 2, 1, 3], "exchanged")])
def test_pictures_of_a_clip_in_another_order(judge, turn, order, kind):
    found = finding(judge([turn(c[order]) for c in CLIPS], [turn(c) for c in CLIPS]), "input.frame_order")
    assert found["evidence"]["kind"] == kind and found["evidence"]["pictures"] == 4
    assert found["evidence"]["places"] == ", ".join(map(str, order))


def test_all_pictures_of_a_clip_are_the_last_one(judge):
    apart = [np.stack(MOVIE[k:k + 4]) for k in (0, 4)]  # clips that do not overlap: no state
    found = finding(judge([np.stack([c[-1]] * 4) for c in apart], apart), "input.frame_order")
    assert found["evidence"]["kind"] == "repeated" and "last" in found["summary"]


@TURNS
@pytest.mark.parametrize("change, cause", [
    (lambda c: c[..., ::-1], "input.channel_order"), (lambda c: c[:, :, ::-1], "input.flip"), (lambda c: c * 255, "input.normalization"),
    (lambda c: c[:, ::-1], "input.flip"), (lambda c: c[:, ::-1, ::-1], "input.rotation")],
    ids=["BGR", "mirrored", "times 255", "upside down", "turned"])
def test_what_is_done_to_every_picture_of_a_clip(judge, change, cause, turn):
    assert causes(judge([turn(change(c)) for c in CLIPS], [turn(c) for c in CLIPS])) == [cause]


@TURNS
def test_another_part_of_every_picture_of_a_clip(judge, turn):
    def zoomed(p):
        return np.asarray(Image.fromarray(p).resize((96, 64), Image.BICUBIC, box=(12, 8, 84, 56))) / np.float32(255)
    pictures = [p[:64] for p in textures(8, 96, seed=4)]
    edge, reference = ([turn(np.stack(movie[k:k + 4])) for k in range(5)] for movie in ([zoomed(p) for p in pictures], [p / np.float32(255) for p in pictures]))
    assert causes(judge(edge, reference)) == ["input.crop"]


@pytest.mark.parametrize("read", range(3))
@pytest.mark.parametrize("written", range(3))
def test_a_clip_written_in_another_order_of_its_dimensions(judge, read, written):
    orders = (lambda c: c, FIRST, SECOND)
    given = [orders[written](c).reshape(orders[read](c).shape) for c in CLIPS]
    assert causes(judge(given, [orders[read](c) for c in CLIPS])) == ([] if read == written else ["input.layout"])


@TURNS
@pytest.mark.parametrize("late", [1, -1, 2])
def test_pictures_that_come_late(judge, turn, late):
    whole = [p[:HIGH, :WIDE] / np.float32(255) for p in textures(28, WIDE, seed=3)]
    clips = lambda by: [turn(np.stack(whole[4 + 4 * k - by:8 + 4 * k - by])) for k in range(5)]
    found = finding(judge(clips(late), clips(0)), "input.delay")
    assert found["evidence"]["late_pictures"] == late


@TURNS
def test_clips_with_a_scale_of_their_own(judge, turn):
    edge = [c * np.float32(1 - .1 * k) + np.float32(.02 * k) for k, c in enumerate(CLIPS)]
    found = finding(judge([turn(c) for c in edge], [turn(c) for c in CLIPS]), "input.normalization")
    assert found["evidence"]["kind"] == "own_line"


# ---- Batches, and pictures behind each other in the channels ----

SMALL = [p[:40, :48] / np.float32(255) for p in textures(10, 48, seed=6)]
SETS = {
    "batch": lambda pictures: np.stack(pictures).transpose(0, 3, 1, 2),
    "batch of pixels": np.stack,
    "channels": lambda pictures: np.concatenate([p.transpose(2, 0, 1) for p in pictures]),
    "channels of pixels": lambda pictures: np.concatenate(pictures, -1),
}


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("change, told", [
    (lambda p: p, []), (lambda p: [q[..., ::-1] for q in p], ["input.channel_order"]), (lambda p: [q[:, ::-1] for q in p], ["input.flip"]),
    (lambda p: [q[::-1, ::-1] for q in p], ["input.rotation"]), (lambda p: p[::-1], ["input.frame_order"]), (lambda p: [p[0]] * len(p), ["input.frame_order"]),
    (lambda p: [q * 2 - 1 for q in p], ["input.normalization"]),
    (lambda p: [np.clip(np.round(q * 255) + np.random.default_rng(3).integers(-1, 2, q.shape), 0, 255) / np.float32(255) for q in p], [])],
    ids=["right", "BGR", "mirrored", "turned", "in reverse", "repeated", "-1 to 1", "noise"])
def test_several_pictures_in_one_input(tmp_path, name, change, told):
    def written(role, change):
        with Recording(tmp_path / f"{role}.mcap", role) as r:
            for k in range(4):
                x = np.ascontiguousarray(SETS[name](change(SMALL[2 * k:2 * k + 3])), np.float32)
                r.frame([("/input/x", x if name.startswith("batch") else x[None], {}), ("/output/y", np.array([[.2, .8]], np.float32), {})], source=str(k))
        return tmp_path / f"{role}.mcap"
    verdict = validate(written("edge", change), written("reference", lambda p: p))
    assert causes(verdict) == told


@pytest.mark.parametrize("shape", [(6, 40, 40), (40, 40, 12), (1, 16, 40, 40)], ids=["6 channels", "12 bands", "a volume"])
def test_features_have_no_levels(judge, shape):
    """Values between the levels of 8 bits are not supposed to have been rounded to them, where they may be no pictures."""
    given = [np.random.default_rng(k).random(shape) for k in range(4)]
    apart = [x + np.random.default_rng(k + 9).uniform(-.005, .005, shape) for k, x in enumerate(given)]
    assert judge(given, given)["verdict"] == "pass"
    assert judge(apart, given)["verdict"] == "fail"


def test_one_wrong_picture_of_each_clip(judge):
    """The others must not hide it."""
    wrong = [np.stack([*c[:3], c[3] * .6 + .1]) for c in CLIPS]
    assert judge(wrong, CLIPS)["verdict"] == "fail"
    assert causes(judge([np.stack([*c[:3], c[3][::-1]]) for c in CLIPS], CLIPS)) == ["input.unknown"]  # not all are turned


@pytest.mark.parametrize("of_edge, of_reference", [(a, b) for a in range(3) for b in range(3) if a != b])
def test_clips_whose_dimensions_are_in_another_order_in_another_engine(judge, of_edge, of_reference):
    """What the values prove is healthy; what is wrong within has its name; what they do not prove is told."""
    edge, reference = ((lambda c: c, FIRST, SECOND)[i] for i in (of_edge, of_reference))
    told = lambda change: causes(judge([edge(change(c)) for c in CLIPS], [reference(c) for c in CLIPS]))  # noqa: E731
    assert told(lambda c: c) == []
    assert told(lambda c: c * 255) == ["input.normalization"]
    assert told(lambda c: np.random.default_rng(1).random(c.shape)) != []
    wrong = [reference(c).reshape(edge(c).shape) for c in CLIPS]  # written as the other engine's model reads it
    assert causes(judge(wrong, [reference(c) for c in CLIPS])) == ["input.layout" if {of_edge, of_reference} == {0, 2} else "input.shape"]


@TURNS
def test_equal_clips(judge, turn):
    assert causes(judge([turn(c) for c in CLIPS], [turn(c + np.float32(1e-7)) for c in CLIPS])) == []


@TURNS
def test_a_level_of_noise_in_clips(judge, turn):
    """Of 8 bits a level is 1 / 255, wherever the channels are."""
    noisy = [np.clip(np.round(c * 255) + np.random.default_rng(k).integers(-1, 2, c.shape), 0, 255) / np.float32(255) for k, c in enumerate(CLIPS)]
    assert judge([turn(c) for c in noisy], [turn(c) for c in CLIPS])["verdict"] == "pass"


def test_pictures_of_a_clip_that_are_there_twice(judge):
    apart = [np.stack(MOVIE[k:k + 4]) for k in (0, 4)]
    found = finding(judge([c[[0, 0, 2, 2]] for c in apart], apart), "input.frame_order")
    assert found["evidence"]["kind"] == "repeated" and found["evidence"]["places"] == "0, 0, 2, 2"


def test_still_clips(judge):
    """Every picture may be any other."""
    still = [np.stack([c[0]] * 4) for c in CLIPS]
    assert causes(judge(still, [c + np.float32(1e-7) for c in still])) == []


# ---- 16 bits ----

def relief(seed):
    """Hills, as a sensor of depth sees them: not in steps of 8 bits."""
    y, x = np.mgrid[:HIGH, :WIDE] / HIGH
    a, b, c, d = np.random.default_rng(seed).uniform(2, 9, 4)
    made = np.sin(a * x + b) * np.cos(c * y + d) + x * y
    return (made - made.min()) / np.ptp(made)


GRAY = [relief(i) for i in range(4)]


def words(top):
    return [np.round(g * top).astype(np.uint16) for g in GRAY]


MISTAKES = {"bytes_exchanged": (8000, lambda w: w.byteswap() / 8000), "low_byte": (16000, lambda w: (w & 255) / 255), "signed": (60000, lambda w: w.view(np.int16) / 60000)}  # as metres, say


@pytest.mark.parametrize("recorded", [False, True], ids=["no sensor", "sensor"])
@pytest.mark.parametrize("kind", MISTAKES)
def test_a_mistake_on_the_two_bytes(judge, kind, recorded):
    top, wrong = MISTAKES[kind]
    given = words(top)
    verdict = judge([wrong(w)[..., None] for w in given], [w[..., None] / top for w in given], given if recorded else None)
    assert causes(verdict) == ["input.dtype"] and finding(verdict, "input.dtype")["evidence"]["kind"] == kind


@pytest.mark.parametrize("kind", MISTAKES)
def test_a_mistake_on_the_two_bytes_of_each_color(judge, kind):
    top, wrong = MISTAKES[kind]
    given = [np.stack([w, w[::-1], w[:, ::-1]], -1) for w in words(top)]
    verdict = judge([wrong(w) for w in given], [w / top for w in given])
    assert causes(verdict) == ["input.dtype"] and finding(verdict, "input.dtype")["evidence"]["kind"] == kind


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_the_low_byte_of_fewer_than_16_bits(judge, bits):
    given = words((256 << bits) - 1)
    verdict = judge([(w & 255)[..., None] / 255 for w in given], [(w >> bits)[..., None] / 255 for w in given])
    assert finding(verdict, "input.dtype")["evidence"]["kind"] == "low_byte" and causes(verdict) == ["input.dtype"]


def test_pixels_of_16_bits_in_float16(judge):
    given = words(8000)
    assert causes(judge([(w / 8000).astype(np.float16)[..., None] for w in given], [w[..., None] / 8000 for w in given])) == []


# ---- A scale of each frame, a curve of all ----


@pytest.mark.parametrize("own, kind", [(lambda g: (g - g.min()) / (g.max() - g.min()), "own_range"), (lambda g: (g - g.mean()) / g.std(), "own_moments")])
def test_each_frame_scaled_by_itself(judge, own, kind):
    darker = [g * (1 - .15 * i) + .02 * i for i, g in enumerate(GRAY)]
    verdict = judge([own(g)[..., None] for g in darker], [g[..., None] for g in darker])
    found = finding(verdict, "input.normalization")
    assert causes(verdict) == ["input.normalization"] and found["evidence"]["kind"] == kind
    assert found["evidence"]["least_gain"] < .9 * found["evidence"]["most_gain"]


@pytest.mark.parametrize("edge, turn", [(lambda c: c, lambda c: c), (SECOND, lambda c: c), (lambda c: c, SECOND), (SECOND, SECOND), (FIRST, FIRST)])
def test_each_clip_scaled_by_itself(judge, edge, turn):
    """Also where the two sides have the channels at different places."""
    clips = [c * (1 - .15 * i) + np.float32(.02 * i) for i, c in enumerate(CLIPS)]
    verdict = judge([edge((c - c.min()) / (c.max() - c.min())) for c in clips], [turn(c) for c in clips])
    assert causes(verdict) == ["input.normalization"] and finding(verdict, "input.normalization")["evidence"]["kind"] == "own_range"


def test_a_tone_curve(judge):
    curve = lambda t: t * t * (3 - 2 * t)
    verdict = judge([curve(p) for p in MOVIE], MOVIE)
    assert causes(verdict) == ["input.color_space"] and finding(verdict, "input.color_space")["evidence"]["kind"] == "tone_curve"


def test_noise_follows_no_curve(judge):
    noise = [np.random.default_rng(i).normal(0, .1, p.shape).astype(np.float32) for i, p in enumerate(MOVIE)]
    assert causes(judge([p + n for p, n in zip(MOVIE, noise, strict=True)], MOVIE)) == ["input.unknown"]
