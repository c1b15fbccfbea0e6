"""`replay --jobs`: pictures that are prepared ahead, on several threads, are what they are one by one."""

import subprocess

import numpy as np
import pytest
import testdata
from explain_support import write
from mcap.reader import make_reader
from mcap_protobuf.decoder import DecoderFactory
from pipeline_support import pipeline_text
from validate_support import EXRAY

pytestmark = pytest.mark.data


def told(log):
    """What a log says, but for times: every record in its order."""
    found, prepared = [], 0
    with open(log, "rb") as file:
        for _, channel, _, message in make_reader(file, decoder_factories=[DecoderFactory()]).iter_decoded_messages():
            prepared += "preprocess" in str(message)
            if channel.topic.startswith("/latency"):
                continue
            if channel.topic == "/frame":
                found.append((message.index, message.source))
            elif not channel.topic.startswith("/system"):
                found.append((channel.topic, message.SerializeToString(deterministic=True)))
    return found, prepared


def test_the_log_does_not_depend_on_the_threads(tmp_path, jpeg):
    cameras = list(jpeg[0]) * 2
    data, media = cameras[3]
    cameras[3] = data[: len(data) // 2], media  # one that cannot be decoded
    edge = write(tmp_path / "edge.mcap", "edge", [np.zeros((4, 4, 3), np.float32)] * len(cameras), cameras)
    (tmp_path / "p.yaml").write_text(pipeline_text("bilinear 224x224 antialias"))
    logs, said = {}, set()
    for jobs in ("1", "2", "5", None):
        out = tmp_path / f"{jobs}.mcap"
        done = subprocess.run([EXRAY, "replay", edge, "--model", testdata.model("mobilenet_v1_0.25_224_uint8.tflite"), "--pipeline",
                               tmp_path / "p.yaml", "--capture", "io", "-o", out, *(["--jobs", jobs] if jobs else [])],
                              capture_output=True, text=True, timeout=100)
        assert done.returncode == 0, done.stderr
        said.add(done.stderr.replace(str(out), "LOG"))
        logs[jobs], prepared = told(out)
        assert prepared == len(cameras) - 1
    assert len(said) == 1 and "ends early" in said.pop()
    assert all(log == logs["1"] for log in logs.values()) and len(logs["1"]) > 2 * len(cameras)


@pytest.mark.parametrize("jobs", ["0", "-1", "x", "1.5", "2000", ""])
def test_what_is_no_number_of_threads(jobs):
    done = subprocess.run([EXRAY, "replay", "a.mcap", "--jobs", jobs, "--model", "m", "-o", "o"], capture_output=True, text=True)
    assert done.returncode == 2 and "--jobs takes a number of threads" in done.stderr
