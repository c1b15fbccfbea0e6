"""`record --data` of sounds: one recording becomes several frames, and `replay` makes the same of them."""

import wave

import numpy as np
import onnx
import pytest
from demo_support import EXRAY, run
from gathered import messages
from log_writer import DTYPES, PB, Log
from onnx import TensorProto, helper
from sound_support import speechlike


def write_wav(path, samples, rate, channels=1):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.ascontiguousarray(samples, "<i2").tobytes())


def write_model(path, shape):
    """Four numbers of the input, as an answer: its means over the last dimension's quarters do not matter."""
    nodes = [
        helper.make_node("Flatten", ["in"], ["flat"], axis=1),
        helper.make_node("MatMul", ["flat", "weights"], ["out"]),
    ]
    weights = np.random.default_rng(0).normal(0, 0.1, (int(np.prod(shape)), 4)).astype(np.float32)
    graph = helper.make_graph(
        nodes,
        "sound",
        [helper.make_tensor_value_info("in", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, [1, 4])],
        [onnx.numpy_helper.from_array(weights, "weights")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


@pytest.fixture
def work(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sounds" / "more").mkdir(parents=True)
    speech = np.round(speechlike(16000, 0.5) * 32767).astype(np.int16)
    write_wav("sounds/b.wav", speech, 16000)
    write_wav("sounds/more/a.wav", np.stack([speech, speech // 2], 1)[:4000], 8000, 2)
    (tmp_path / "sounds" / "notes.txt").write_text("not a sound")
    write_model("m.onnx", [1, 1600])
    (tmp_path / "p.yaml").write_text("task: audio\naudio: {rate: 16000, window: 1600 hop 800}\n")
    return tmp_path


def record(data="sounds", out="edge.mcap", status=0, model="m.onnx", *options):
    return run(EXRAY, "record", "--model", model, "--pipeline", "p.yaml", "--data", data, "-o", out, *options, status=status)


def replay(out="ref.mcap", model="m.onnx"):
    return run(EXRAY, "replay", "edge.mcap", "--model", model, "--pipeline", "p.yaml", "-o", out)


def of(path, topic):
    return [message for t, message in messages(path) if t == topic]


def test_a_recording_becomes_frames(work):
    record()
    sources = [frame.source for frame in of("edge.mcap", "/frame")]
    assert sources == [f"b.wav@{800 * k}" for k in range(9)] + [f"more/a.wav@{400 * k}" for k in range(9)]
    sensors = of("edge.mcap", "/sensor/microphone")
    assert {(s.media.format, s.media.sample_rate, s.media.channels) for s in sensors} == {("s16", 16000, 1), ("s16", 8000, 2)}
    assert len(sensors[0].data) == 3200 and len(sensors[9].data) == 3200
    with wave.open("sounds/b.wav") as file:
        file.setpos(1600)
        samples = file.readframes(1600)
    assert sensors[2].data == samples
    given = np.frombuffer(of("edge.mcap", "/input/in")[2].data, np.float32)
    assert np.array_equal(given, np.frombuffer(samples, "<i2") / np.float32(32768))


def test_replay_makes_the_same_of_them(work):
    record()
    replay()
    for topic in ("/input/in", "/output/out"):
        assert [m.data for m in of("edge.mcap", topic)] == [m.data for m in of("ref.mcap", topic)]
    assert [f.source for f in of("ref.mcap", "/frame")] == [f.source for f in of("edge.mcap", "/frame")]
    assert "PASS" in run(EXRAY, "validate", "edge.mcap", "ref.mcap").stdout


def test_threads_make_the_same_of_them(work):
    record()
    replay()
    run(EXRAY, "replay", "edge.mcap", "--model", "m.onnx", "--pipeline", "p.yaml", "-o", "jobs.mcap", "--jobs", "3")
    assert [m.data for m in of("ref.mcap", "/input/in")] == [m.data for m in of("jobs.mcap", "/input/in")]


def test_one_file_a_list_and_labels(work):
    record("sounds/b.wav")
    assert len(of("edge.mcap", "/frame")) == 9
    (work / "list.txt").write_text("sounds/more/a.wav\nsounds/b.wav\n")
    (work / "labels.txt").write_text("more/a.wav 2\nb.wav 1\n")
    record("list.txt", "edge.mcap", 0, "m.onnx", "--labels", "labels.txt")
    assert [frame.label for frame in of("edge.mcap", "/frame")] == [2] * 9 + [1] * 9


def test_a_whole_recording_is_a_frame(work):
    (work / "p.yaml").write_text("audio: {rate: 16000, features: mel {win_length: 400, hop_length: 160}}\n")
    write_model("mel.onnx", [1, 48, 40])
    record("sounds/b.wav", "edge.mcap", 0, "mel.onnx")
    replay(model="mel.onnx")
    sensor = of("edge.mcap", "/sensor/microphone")[0]
    assert sensor.media.format == "wav" and sensor.data == (work / "sounds" / "b.wav").read_bytes()
    assert of("edge.mcap", "/input/in")[0].data == of("ref.mcap", "/input/in")[0].data


def test_samples_of_24_bits_are_kept(work):
    values = np.random.default_rng(0).integers(-(1 << 23), 1 << 23, 1700)
    with wave.open("sounds/b.wav", "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(3)
        file.setframerate(16000)
        file.writeframes(b"".join(int(v).to_bytes(3, "little", signed=True) for v in values))
    record("sounds/b.wav")
    sensor = of("edge.mcap", "/sensor/microphone")[0]
    assert sensor.media.format == "f32"
    assert np.array_equal(np.frombuffer(sensor.data, np.float32), (values[:1600] / (1 << 23)).astype(np.float32))


def test_a_stream_of_features_goes_on(work):
    """As microWakeWord hears: 3 new rows for each inference, the estimate of the noise from the beginning."""
    frontend = pytest.importorskip("pymicro_features").MicroFrontend()
    (work / "p.yaml").write_text(
        "audio:\n  rate: 16000\n  window: 800 hop 480\n"
        "  features: microfrontend {window_size: 30, window_step: 10, num_channels: 40, enable_pcan: true}\n"
    )
    write_model("ww.onnx", [1, 3, 40])
    write_wav("sounds/c.wav", np.round(speechlike(16000, 0.5, 5) * 32767).astype(np.int16), 16000)
    (work / "list.txt").write_text("sounds/c.wav\nsounds/b.wav\n")
    record("list.txt", "edge.mcap", 0, "ww.onnx", "--repeat", "2")
    replay(model="ww.onnx")
    made = [np.frombuffer(m.data, np.float32).reshape(3, 40) for m in of("edge.mcap", "/input/in")]
    wanted = []
    for name in ("c.wav", "b.wav"):
        frontend.reset()
        with wave.open(f"sounds/{name}") as file:
            data = file.readframes(8000)
        rows = [frontend.process_samples(data[at : at + 320]).features for at in range(0, len(data) - 319, 320)]
        rows = np.array([row for row in rows if row], np.float32)
        wanted += [rows[k : k + 3] for k in range(0, len(rows) - 2, 3)]
    assert len(made) == 2 * len(wanted)
    for k, rows in enumerate(wanted):
        assert np.array_equal(made[2 * k], rows) and np.array_equal(made[2 * k + 1], rows)
    assert [m.data for m in of("edge.mcap", "/input/in")] == [m.data for m in of("ref.mcap", "/input/in")]


def test_of_several_sensors_the_sound_is_taken(work):
    samples = np.round(speechlike(16000, 0.1) * 32767).astype("<i2")
    log = Log("edge.mcap")
    kind, info = PB["Tensor"], PB["TensorInfo"]
    picture = dict(frame=0, info=info(dtype=DTYPES["uint8"], shape=[2, 2, 3], name="camera"), data=bytes(12))
    log.add("/sensor/camera", "Tensor", kind(media=PB["Media"](format="rgb8", width=2, height=2), **picture))
    sound = dict(frame=0, info=info(dtype=DTYPES["int16"], shape=[1600, 1], name="mic"), data=samples.tobytes())
    log.add("/sensor/mic", "Tensor", kind(media=PB["Media"](format="s16", sample_rate=16000, channels=1), **sound))
    log.add("/frame", "Frame", PB["Frame"](index=0, source="a"))
    log.writer.finish()
    replay()
    given = np.frombuffer(of("ref.mcap", "/input/in")[0].data, np.float32)
    assert np.array_equal(given, samples / np.float32(32768)) and of("ref.mcap", "/sensor/mic")


def test_bad_sounds_are_one_line_each(work):
    good = (work / "sounds" / "b.wav").read_bytes()
    write_wav("sounds/c.wav", np.zeros(1599, np.int16), 16000)
    write_wav("sounds/d.wav", np.zeros(0, np.int16), 16000)
    (work / "sounds" / "e.wav").write_bytes(good[:20] + b"\x06\x00" + good[22:])
    (work / "sounds" / "f.wav").write_bytes(b"RIFF")
    result = record()
    lines = [line for line in result.stderr.splitlines() if "skipped" in line]
    assert [line.split(":")[1].strip() for line in lines] == ["skipped c.wav", "skipped d.wav", "skipped e.wav", "skipped f.wav"]
    assert "the recording has 1599 samples at 16000 Hz, a window of audio.window takes 1600" in lines[0]
    assert "has 0 samples" in lines[1] and "tag 6" in lines[2] and "no WAV file" in lines[3]
    assert len(of("edge.mcap", "/frame")) == 18


def test_a_folder_of_pictures_and_sounds(work):
    """The pipeline says which are meant."""
    (work / "sounds" / "cover.png").write_bytes(b"not looked at")
    assert "skipped" not in record().stderr


def test_a_window_that_does_not_fit_ends_the_run(work):
    (work / "p.yaml").write_text("audio:\n  window: 1500\n")
    result = record(status=2)
    assert "p.yaml:2: audio.window: 1500 samples do not fill the model's input [1,1600]" in result.stderr


def test_a_stream_at_another_rate_is_resampled_as_one(work):
    """Windows are those of the whole resampled recording, whatever the rates: in record, and in replay from windows alone."""
    (work / "p.yaml").write_text("task: audio\naudio: {rate: 16000, window: 480 hop 240}\n")
    write_model("short.onnx", [1, 480])
    rng = np.random.default_rng(3)
    for rate in (8000, 22050, 44100, 48000):
        t = np.arange(rate // 2) / rate
        tones = [(0.1 * rng.uniform(0.5, 1), rng.uniform(100, 3000), rng.uniform(0, 6)) for _ in range(8)]
        wave_of = lambda t: sum(a * np.sin(2 * np.pi * f * t + p) for a, f, p in tones)
        write_wav("sounds/b.wav", np.round(wave_of(t) * 32768), rate)
        record("sounds/b.wav", "edge.mcap", 0, "short.onnx")
        replay(model="short.onnx")
        made = np.array([np.frombuffer(m.data, np.float32) for m in of("edge.mcap", "/input/in")])
        assert [m.data for m in of("edge.mcap", "/input/in")] == [m.data for m in of("ref.mcap", "/input/in")]
        wanted = np.array([wave_of((240 * k + np.arange(480)) / 16000) for k in range(len(made))])
        inner = slice(2, len(made) - 2)  # at a recording's ends a resampler hears silence
        assert np.abs(made - wanted)[inner].max() < 3e-4, rate


@pytest.mark.parametrize("window, hop", [(480, 480), (480, 700)])
def test_what_no_window_has_is_heard_by_neither(work, window, hop):
    """Windows of 44.1 kHz that touch have gaps of a sample: what replay cannot join, record does not hear."""
    (work / "p.yaml").write_text(f"task: audio\naudio: {{rate: 16000, window: {window} hop {hop}}}\n")
    write_model("short.onnx", [1, window])
    write_wav("sounds/b.wav", np.random.default_rng(5).integers(-9000, 9000, 22050), 44100)
    record("sounds/b.wav", "edge.mcap", 0, "short.onnx")
    replay(model="short.onnx")
    assert [m.data for m in of("edge.mcap", "/input/in")] == [m.data for m in of("ref.mcap", "/input/in")]


def test_windows_that_do_not_follow_are_resampled_alone(work):
    """Of other files, of gaps, of samples that are not equal where two overlap: each is heard without the one before."""
    (work / "p.yaml").write_text("task: audio\naudio: {rate: 16000, window: 480 hop 240}\n")
    write_model("short.onnx", [1, 480])
    rng = np.random.default_rng(4)
    sounds = rng.integers(-9000, 9000, (4, 1440)).astype("<i2")
    inputs = {}
    for name, sources in (("alone", "abcd"), ("gap", ["a@0", "a@1500", "a@3000", "a@4500"]), ("unequal", ["a@0", "a@720", "a@1440", "a@2160"])):
        log = Log("edge.mcap")
        for k, source in enumerate(sources):
            log.add("/frame", "Frame", PB["Frame"](index=k, source=source))
            info = PB["TensorInfo"](dtype=DTYPES["int16"], shape=[1440, 1], name="mic")
            media = PB["Media"](format="s16", sample_rate=48000, channels=1)
            log.add("/sensor/mic", "Tensor", PB["Tensor"](frame=k, info=info, media=media, data=sounds[k].tobytes()))
        log.writer.finish()
        replay(model="short.onnx")
        inputs[name] = np.array([np.frombuffer(m.data, np.float32) for m in of("ref.mcap", "/input/in")])
    assert np.abs(inputs["gap"] - inputs["alone"]).max() < 1e-5 and np.abs(inputs["unequal"] - inputs["alone"]).max() < 1e-5


def write_windows(samples, rate, window, sources):
    """Frames of an application that feeds sound as it is, whatever its rate."""
    log = Log("edge.mcap")
    tensor, info, media = PB["Tensor"], PB["TensorInfo"], PB["Media"](format="s16", sample_rate=rate, channels=1)
    rng = np.random.default_rng(0)
    weights = rng.normal(0, 0.1, (window, 4)).astype(np.float32)
    for k, source in enumerate(sources):
        sound = samples[k * window : (k + 1) * window].astype("<i2")
        given = (sound / np.float32(32768)).reshape(1, -1)
        log.add("/frame", "Frame", PB["Frame"](index=k, source=source))
        log.add("/sensor/mic", "Tensor", tensor(frame=k, info=info(dtype=DTYPES["int16"], shape=[window, 1], name="mic"), media=media, data=sound.tobytes()))
        log.add("/input/in", "Tensor", tensor(frame=k, info=info(dtype=DTYPES["float32"], shape=[1, window], name="in"), data=given.tobytes()))
        log.add("/output/out", "Tensor", tensor(frame=k, info=info(dtype=DTYPES["float32"], shape=[1, 4], name="out"), data=(given @ weights).tobytes()))
    log.writer.finish()


@pytest.mark.parametrize("rate, jobs", [(22050, "1"), (22050, "3"), (48000, "1")])
def test_windows_too_short_for_the_model_go_on_into_the_next(work, rate, jobs):
    """Of 16,000 Hz' length, but of a higher rate: the model's window is longer in time, and lies in the frames behind, too."""
    rng = np.random.default_rng(3)
    tones = [(0.1 * rng.uniform(0.5, 1), rng.uniform(100, 3000), rng.uniform(0, 6)) for _ in range(8)]
    wave_of = lambda t: sum(a * np.sin(2 * np.pi * (f + 100 * t) * t + p) for a, f, p in tones)
    write_windows(np.round(wave_of(np.arange(12 * 1600) / rate) * 32768), rate, 1600, [f"a.wav@{1600 * k}" for k in range(12)])
    result = run(EXRAY, "replay", "edge.mcap", "--model", "m.onnx", "--pipeline", "p.yaml", "-o", "ref.mcap", "--jobs", jobs)
    lost = -(-rate // 16000) - 1  # windows at the end, of which the rest was not recorded
    made = [np.frombuffer(m.data, np.float32) for m in of("ref.mcap", "/input/in")]
    assert len(made) == 12 - lost and result.stderr.count("skipped") == lost
    assert "what follows it in the log without a gap it is" in result.stderr
    for k in range(1, len(made) - 1):  # at a recording's ends a resampler hears silence
        first = -(-1600 * k * 16000 // rate)
        assert np.abs(made[k] - wave_of((first + np.arange(1600)) / 16000)).max() < 3e-4, k
    told = run(EXRAY, "validate", "edge.mcap", "ref.mcap", status=1).stdout
    assert "input.sample_rate" in told, told


def test_short_windows_that_nothing_joins_say_what_to_do(work):
    speech = np.round(speechlike(22050, 0.2) * 32767)
    write_windows(speech, 22050, 1600, ["mic", "mic"])
    said = run(EXRAY, "replay", "edge.mcap", "--model", "m.onnx", "--pipeline", "p.yaml", "-o", "ref.mcap", status=2).stderr
    assert "lasts 0.073 s (1600 samples at 22050 Hz), the pipeline's window 0.100 s" in said and "FILE@SAMPLE" in said


@pytest.mark.parametrize("wide", [False, True])
def test_a_resampler_without_a_low_pass_is_told(work, wide):
    """Of sound that has nothing above the band it makes no more of the features than a step of 16 bits does; computed again, it is certain."""
    text = "task: audio\naudio:\n  rate: 16000{}\n  window: 16000\n  features: microfrontend {{window_size: 30, window_step: 20, num_channels: 40, enable_pcan: true}}\n"
    (work / "right.yaml").write_text(text.format(""))
    (work / "p.yaml").write_text(text.format(" hold"))
    write_model("mf.onnx", [1, 49, 40])
    speech = np.concatenate([speechlike(16000, 1.0, k) for k in range(3)]) + np.random.default_rng(1).normal(0, 5e-4, 48000)
    spectrum = np.fft.rfft(speech)
    spectrum[24000 if wide else 23700:] = 0
    speech = np.fft.irfft(np.concatenate([spectrum, np.zeros(48000)]), 144000) * 3
    write_wav("sounds/b.wav", np.round(speech * 20000 / np.abs(speech).max()), 48000)
    record("sounds/b.wav", "edge.mcap", 0, "mf.onnx")
    run(EXRAY, "replay", "edge.mcap", "--model", "mf.onnx", "--pipeline", "right.yaml", "-o", "ref.mcap")
    told = run(EXRAY, "validate", "edge.mcap", "ref.mcap", status=1).stdout
    assert "input.sample_rate" in told and "without a low pass" in told, told
    (work / "p.yaml").write_text(text.format(""))
    record("sounds/b.wav", "edge.mcap", 0, "mf.onnx")
    assert "PASS" in run(EXRAY, "validate", "edge.mcap", "ref.mcap").stdout
