"""Pictures of the night, of so few levels that what is done to them is hardly more than noise, but leaves nothing beyond rounding: colors, and turns of what
is normalized otherwise, too."""

import numpy as np
import pytest
from camera_support import camera, judged, norm, resized, text  # noqa: F401 (fixture)
from explain_support import named
from validate_support import finding


def night_of(camera, levels):
    """A sensor's noise of a level in each color."""
    return [np.floor(resized(p) / 256 * levels + np.random.default_rng(k).uniform(0, 1, resized(p).shape)) for k, p in enumerate(camera)]


def gray(p, weights=(.299, .587, .114), rounds=lambda y: np.floor(y + .5)):
    return np.repeat(rounds((p * np.array(weights)).sum(-1))[..., None], 3, -1)


COLORS = {
    "gray by BT.601": (gray, "grey"),
    "gray by BT.709": (lambda p: gray(p, (.2126, .7152, .0722)), "grey"),
    "gray by the mean, cut off": (lambda p: gray(p, (1 / 3, 1 / 3, 1 / 3), np.floor), "grey"),
    "half of the color": (lambda p: np.floor((p + gray(p, rounds=lambda y: y)) / 2 + .5), "saturation is 0.50"),
    "green lost to red": (lambda p: np.stack([p[..., 0], np.floor((p[..., 0] + p[..., 1]) / 2 + .5), p[..., 2]], -1), "mixture"),
}


@pytest.mark.parametrize("name, levels", [(n, k) for n in COLORS for k in (12, 24) if (n, k) != ("half of the color", 12)])  # which is within two levels
def test_colors_at_night(tmp_path, camera, name, levels):
    change, says = COLORS[name]
    night = night_of(camera, levels)
    verdict = judged(tmp_path, [norm(change(p)) for p in night], [norm(p) for p in night])
    assert named(verdict) == ["color_space"] and says in text(finding(verdict, "input.color_space")), verdict["findings"]


@pytest.mark.parametrize("unit", [norm, lambda p: np.float32((p - 37) / 91.3)], ids=["known", "unknown"])
@pytest.mark.parametrize("levels", [8, 12])
def test_colors_at_night_without_blue(tmp_path, camera, unit, levels):
    """A channel that is one value throughout: nothing follows it, and of a mixture's parts nothing is known then."""
    night = [p * [1, 1, 0] for p in night_of(camera, levels)]
    verdict = judged(tmp_path, [unit(gray(p)) for p in night], [unit(p) for p in night])
    assert named(verdict) == ["color_space"] and "mixture" in text(finding(verdict, "input.color_space")), verdict["findings"]
    noisy = [np.clip(p + np.random.default_rng(k).integers(-1, 2, p.shape), 0, 255) * [1, 1, 0] for k, p in enumerate(night)]
    assert judged(tmp_path, [unit(p) for p in noisy], [unit(p) for p in night])["verdict"] == "pass"


def test_gray_at_night_of_some_frames(tmp_path, camera):
    night = night_of(camera, 16)
    verdict = judged(tmp_path, [norm(gray(p) if k in (1, 4) else p) for k, p in enumerate(night)], [norm(p) for p in night])
    assert named(verdict) == ["color_space"] and "frames 1 and 4" in text(finding(verdict, "input.color_space"))


def smoothed(p):
    """Chroma of half the size, enlarged: what decoders do otherwise."""
    luma = gray(p, rounds=lambda y: y)
    chroma = p - luma
    small = chroma.reshape(p.shape[0] // 2, 2, p.shape[1] // 2, 2, 3).mean((1, 3))
    return np.clip(np.floor(luma + small.repeat(2, 0).repeat(2, 1) + .5), 0, 255)


NOISE = {
    "of the sensor": lambda p, k: np.clip(p + np.random.default_rng(k).integers(-1, 2, p.shape), 0, 255),
    "more of the sensor": lambda p, k: np.clip(p + np.round(np.random.default_rng(k).normal(0, .8, p.shape)), 0, 255),
    "of chroma that is enlarged": lambda p, k: smoothed(p),
}


@pytest.mark.parametrize("levels", [6, 12, 24])
@pytest.mark.parametrize("name", NOISE)
def test_noise_of_the_night(tmp_path, camera, name, levels):
    night = night_of(camera, levels)
    verdict = judged(tmp_path, [norm(NOISE[name](p, k)) for k, p in enumerate(night)], [norm(p) for p in night])
    assert "color_space" not in named(verdict) or name == "of chroma that is enlarged", verdict["findings"]
    assert not any("mixture" in text(f) or "grey" in text(f) for f in verdict["findings"])


def test_gray_pictures_at_night(tmp_path, camera):
    """Both sides gray, an infrared camera's that is made gray again, and one that is all but gray."""
    night = night_of(camera, 12)
    green = [np.repeat(p[..., 1:2], 3, -1) for p in night]
    faint = [np.clip(g + np.random.default_rng(k).integers(-1, 2, g.shape), 0, 255) for k, g in enumerate(green)]
    for edge, reference in (([gray(p) for p in night], [gray(p) for p in night]), ([gray(p) for p in green], green), ([gray(p) for p in faint], faint)):
        assert judged(tmp_path, [norm(p) for p in edge], [norm(p) for p in reference])["verdict"] == "pass"


TURNS = {"mirrored": (lambda p: p[:, ::-1], "flip"), "half a turn": (lambda p: p[::-1, ::-1], "rotation"), "a quarter turn": (np.rot90, "rotation")}
UNITS = {
    "ImageNet's": (lambda p: (p - np.array([123.675, 116.28, 103.53])) / np.array([58.395, 57.12, 57.375]), "error"),
    "another convention": (lambda p: (p - 127) / 128, "warning"),
    "levels": (lambda p: p, "error"),
}


@pytest.mark.parametrize("divisor", [60, 100])
@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("turn", TURNS)
def test_turns_of_other_units(tmp_path, camera, turn, unit, divisor):
    (change, cause), (other, severity) = TURNS[turn], UNITS[unit]
    night = [resized(p) // np.float64(divisor) for p in camera]
    edge, reference = [np.float32(change(p) / 127.5 - 1) for p in night], [np.float32(other(p)) for p in night]
    verdict = judged(tmp_path, edge, reference)
    assert cause in named(verdict) and finding(verdict, "input.normalization")["severity"] == severity, verdict["findings"]
    assert finding(verdict, f"input.{cause}")["confidence"] > .8
    verdict = judged(tmp_path, [np.float32(p / 127.5 - 1) for p in night], reference)
    assert named(verdict) == (["normalization"] if severity == "error" else []), verdict["findings"]  # less than two levels in so few is noise


def test_turns_of_symmetric_pictures_of_other_units(tmp_path, camera):
    halves = [np.concatenate([p[:, :p.shape[1] // 2], p[:, :p.shape[1] // 2][:, ::-1]], 1) for p in (resized(p) // np.float64(60) for p in camera)]
    verdict = judged(tmp_path, [np.float32(p[:, ::-1] / 127.5 - 1) for p in halves], [np.float32((p - 127) / 128) for p in halves])
    assert not {"flip", "rotation"} & set(named(verdict)), verdict["findings"]
