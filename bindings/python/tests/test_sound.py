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


@pytest.mark.parametrize("dtype", [np.int16, np.float32, np.float64])
@pytest.mark.parametrize("channels", [0, 1, 2])
def test_samples(dtype, channels, tmp_path):
    given = np.random.default_rng(2).integers(-32768, 32768, (50, channels) if channels else 50)
    given = given.astype(np.int16) if dtype == np.int16 else (given / 32768).astype(dtype)
    with exray.Recorder(tmp_path / "log.mcap") as r, r.frame():
        r.sound("microphone", given, 8000)
    frame = exray.open(tmp_path / "log.mcap")[0]
    rate, samples = frame.sound()
    tensor = frame.sensors["microphone"]
    assert (rate, tensor.media.format, tensor.media.channels) == (8000, "s16" if dtype == np.int16 else "f32", channels or 1)
    assert tensor.shape == (50, channels or 1)
    wanted = given / 32768 if dtype == np.int16 else given
    np.testing.assert_array_equal(samples, wanted.reshape(50, -1).astype(np.float32))


@pytest.mark.parametrize(
    "given, rate, says",
    [
        (np.zeros(4, np.int32), 8000, "is int16 or floats"),
        (np.zeros((2, 2, 2), np.int16), 8000, "is int16 or floats"),
        (np.zeros((3, 0), np.int16), 8000, "is int16 or floats"),
        (np.zeros(4, np.int16), 0, "rate"),
        (None, 8000, "sound 'microphone'"),
    ],
)
def test_no_samples(given, rate, says, tmp_path):
    with exray.Recorder(tmp_path / "log.mcap") as r, r.frame():
        with pytest.raises(exray.ArgumentError, match=says):
            r.sound("microphone", given, rate)


@pytest.mark.parametrize(
    "change, says",
    [
        (lambda w: w[:20] + struct.pack("<H", 6) + w[22:], "coding .tag 6"),  # A-law
        (lambda w: w[:34] + struct.pack("<H", 12) + w[36:], "12 bits"),
        (lambda w: w[:22] + struct.pack("<H", 0) + w[24:], "0 channels"),
        (lambda w: w[:36], "no samples behind a format"),
    ],
)
def test_wav_files_that_are_not_read(change, says, tmp_path):
    whole = wav(np.arange(60).reshape(30, 2), 16000, 2)
    with pytest.raises(exray.Error, match=says) as failed:
        logged(tmp_path / "log.mcap", change(whole)).sound()
    assert "\n" not in str(failed.value)


def test_wav_files_of_another_kind_are_read(tmp_path):
    eight = np.arange(80).reshape(10, 8)
    assert logged(tmp_path / "8.mcap", wav(eight, 16000, 3)).sound()[1].shape == (10, 8)
    assert logged(tmp_path / "0.mcap", wav(eight[:0], 16000, 2)).sound()[1].shape == (0, 8)
    lying = bytearray(wav(eight, 16000, 2))
    lying[40:44] = struct.pack("<I", 0xFFFFFFF0)  # more samples than there are
    assert logged(tmp_path / "lying.mcap", bytes(lying)).sound()[1].shape == (10, 8)
