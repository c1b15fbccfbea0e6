"""Sounds in logs: against Python's own wave module, and files of every width that is read."""

import io
import struct
import wave

import numpy as np
import pytest

import testdata

import exray


def wav(samples, rate, width):
    """[length, channels] of integers, by the wave module."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(samples.shape[1])
        file.setsampwidth(width)
        file.setframerate(rate)
        bias = 128 if width == 1 else 0
        file.writeframes(b"".join(int(v + bias).to_bytes(width, "little", signed=width > 1) for v in samples.ravel()))
    return out.getvalue()


def float_wav(samples, rate):
    data = samples.tobytes()
    size = samples.itemsize
    form = struct.pack("<HHIIHH", 3, samples.shape[1], rate, rate * size * samples.shape[1], size * samples.shape[1], 8 * size)
    body = b"WAVEfmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


def logged(path, data, **media):
    with exray.Recorder(path) as r, r.frame():
        r.encoded("microphone", data, **media)
    return exray.open(path)[0]


@pytest.mark.parametrize("width", [1, 2, 3, 4])
@pytest.mark.parametrize("channels", [1, 2])
def test_pcm(width, channels, tmp_path):
    half = 1 << (8 * width - 1)
    numbers = np.random.default_rng(width).integers(-half, half, (500, channels))
    numbers[:2] = [[-half] * channels, [half - 1] * channels]
    rate, samples = logged(tmp_path / "log.mcap", wav(numbers, 22050, width)).sound()
    assert rate == 22050 and samples.dtype == np.float32 and not samples.flags.writeable
    np.testing.assert_array_equal(samples, (numbers / half).astype(np.float32))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_float(dtype, tmp_path):
    values = np.random.default_rng(1).normal(0, 0.4, (300, 2)).astype(dtype)
    rate, samples = logged(tmp_path / "log.mcap", float_wav(values, 48000)).sound("microphone")
    assert rate == 48000
    np.testing.assert_array_equal(samples, values.astype(np.float32))


@pytest.mark.data
def test_real_sounds(tmp_path):
    sounds = testdata.AUDIO.glob("*.wav")
    assert sounds
    for path in sounds:
        rate, samples = logged(tmp_path / "log.mcap", path.read_bytes()).sound()
        with wave.open(str(path)) as file:
            assert (rate, samples.shape) == (file.getframerate(), (file.getnframes(), file.getnchannels()))
            expected = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768
        np.testing.assert_array_equal(samples.ravel(), expected.astype(np.float32))


def test_what_is_no_sound(tmp_path):
    frame = logged(tmp_path / "log.mcap", float_wav(np.zeros((4, 1), np.float32), 8000)[:30])
    with pytest.raises(exray.FormatError, match="WAV"):
        frame.sound()
    with exray.Recorder(tmp_path / "p.mcap") as r, r.frame():
        r.image("camera", np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(exray.NotRecorded, match="no sound; its sensors: .'camera'"):
        exray.open(tmp_path / "p.mcap")[0].sound()
