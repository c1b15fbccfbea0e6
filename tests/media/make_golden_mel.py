"""Makes golden_mel.npz: mel spectrograms by librosa 0.11.0 and tensorflow-cpu 2.20 or later, which are too large to be installed
for every test run.

    python make_golden_mel.py librosa|tensorflow   (adds its own to the file)
"""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
GOLDEN = Path(__file__).with_name("golden_mel.npz")


def sound():
    """Half a second at 16 kHz: two gliding voices, clicks, a hiss of whole numbers that any numpy makes alike."""
    time = np.arange(8000) / 16000
    out = 0.3 * np.sin(2 * np.pi * (300 * time + 400 * time**2)) + 0.1 * np.sin(2 * np.pi * (4000 * time - 1500 * time**2) + 1)
    out += 0.02 * ((np.arange(8000) * 7919 % 1009) / 504.5 - 1)
    out[2000::1500] += 0.5
    out[6000:6600] = 0
    return out.astype(np.float32)


# Options of ours, by the name of theirs.
LIBROSA = {
    "librosa defaults": dict(n_fft=2048, hop_length=512, n_mels=128, center=1, scale=1, slaney_norm=1),
    "librosa dB": dict(n_fft=512, hop_length=256, n_mels=64, center=1, scale=1, slaney_norm=1, log=3),
    "librosa HTK": dict(n_fft=512, hop_length=160, n_mels=40, scale=0, fmin=20, fmax=7600),
    "librosa HTK short window": dict(n_fft=512, win_length=400, hop_length=160, n_mels=40, center=2, scale=0, power=1),
    "librosa magnitude dB": dict(n_fft=400, hop_length=200, n_mels=32, scale=1, power=1, log=3),
    "librosa not centred, short window": dict(n_fft=1024, win_length=640, hop_length=320, n_mels=32, pad=1, scale=1, slaney_norm=1, window=2),
    "librosa odd length": dict(n_fft=399, hop_length=133, n_mels=20, scale=0, slaney_norm=1),
    "whisper's": dict(n_fft=400, hop_length=160, n_mels=80, center=2, scale=1, slaney_norm=1, log=2),
}
TENSORFLOW = {
    "tf magnitude": dict(n_fft=512, win_length=480, hop_length=320, n_mels=40, fmin=125, fmax=7500, triangles=1, power=1),
    "tf log": dict(n_fft=512, win_length=400, hop_length=160, n_mels=64, fmin=125, fmax=7500, triangles=1, power=1, log=1, offset=0.001),
    "tf power": dict(n_fft=1024, win_length=1024, hop_length=256, n_mels=80, fmin=80, fmax=7600, triangles=1, power=2, log=1, offset=1e-6),
}


def by_librosa(n_fft, hop_length, n_mels, win_length=None, center=0, scale=0, slaney_norm=0, power=2, log=0, fmin=0.0, fmax=None, pad=0, window=0):
    import librosa

    made = librosa.feature.melspectrogram(
        y=sound(),
        sr=16000,
        n_fft=n_fft,
        win_length=win_length,
        hop_length=hop_length,
        window="hamming" if window else "hann",
        center=center > 0,
        pad_mode="reflect" if center == 2 else "constant",
        power=power,
        n_mels=n_mels,
        fmin=fmin,
        fmax=fmax,
        htk=scale == 0,
        norm="slaney" if slaney_norm else None,
    )
    if log == 3:
        made = (librosa.power_to_db if power == 2 else librosa.amplitude_to_db)(made, top_db=None)
    if log == 2:
        made = np.log10(np.maximum(made, 1e-10))
    return made.T


def by_tensorflow(n_fft, win_length, hop_length, n_mels, fmin, fmax, power, triangles, log=0, offset=0.0):
    import tensorflow as tf

    # In doubles: in floats its transforms are off by more than 1e-4 where a window is nearly silent.
    spectrum = tf.abs(tf.signal.stft(sound().astype(np.float64), win_length, hop_length, n_fft)) ** power
    bank = tf.signal.linear_to_mel_weight_matrix(n_mels, n_fft // 2 + 1, 16000, fmin, fmax, tf.float64)
    made = tf.tensordot(spectrum, bank, 1) + offset
    return (tf.math.log(made) if log else made).numpy()


if __name__ == "__main__":
    which, make = (LIBROSA, by_librosa) if sys.argv[1] == "librosa" else (TENSORFLOW, by_tensorflow)
    golden = dict(np.load(GOLDEN)) if GOLDEN.exists() else {}
    golden |= {name: make(**options).astype(np.float32) for name, options in which.items()}
    np.savez_compressed(GOLDEN, **golden)
    print({name: value.shape for name, value in golden.items()})
