"""Products of 8-bit integers that another processor adds up in 16 bits, with saturation: emulated in NumPy, written
through the Python package."""

import numpy as np
import pytest
from validate_support import causes, finding, validate

import exray

ROWS, DEPTH, WIDTH, SIZE = 24, 64, 32, 9
ZERO, STEP = 12, 0.02  # of the activations


def saturated(a, w):
    """a [rows][depth] unsigned, w [depth][columns]: adjacent products added with saturation."""
    if a.shape[1] % 2:
        a, w = np.pad(a, ((0, 0), (0, 1))), np.pad(w, ((0, 1), (0, 0)))
    total = np.zeros((a.shape[0], w.shape[1]), np.int64)
    for k in range(0, a.shape[1], 2):
        total += np.clip(a[:, k:k + 2].astype(np.int64) @ w[k:k + 2].astype(np.int64), -32768, 32767)
    return total


def exact(a, w):
    return a.astype(np.int64) @ w.astype(np.int64)


def wrong(a, w):
    """A kernel that forgets the last products."""
    return exact(a[:, :-6], w[:-6])


def sums(kind, a, w, add):
    """With the zero points taken off."""
    if kind == "conv":  # [1][channels][size][size] by [columns][channels][3][3], padded by the zero point
        padded = np.pad(a, ((0, 0), (0, 0), (1, 1), (1, 1)), constant_values=ZERO)
        # places first, as channels-last kernels have them
        rows = np.stack([padded[0, :, y:y + 3, x:x + 3].transpose(1, 2, 0).ravel() for y in range(SIZE) for x in range(SIZE)])
        columns = w.transpose(2, 3, 1, 0).reshape(-1, w.shape[0])
        total = add(rows, columns) - ZERO * columns.astype(np.int64).sum(0)
        return total.T.reshape(1, -1, SIZE, SIZE)
    return add(a, w) - ZERO * w.astype(np.int64).sum(0)


def write(path, role, kind, add, weight_bits=8, seed=3, signed=False, level=250):
    random = np.random.default_rng(seed)
    conv, whole = kind == "conv", kind == "MatMulInteger"
    shape = (1, 8, SIZE, SIZE) if conv else (ROWS, DEPTH)
    most = 127 if weight_bits == 8 else 63
    w = np.clip(random.normal(0, most, (16, 8, 3, 3) if conv else (DEPTH, WIDTH)), -most, most).astype(np.int8)
    columns = w.shape[0] if conv else w.shape[1]
    scales = random.uniform(.004, .008, columns).astype(np.float32)
    bias = random.integers(-4000, 4000, columns).astype(np.int32)
    out_step = 0.4
    x_type = exray.TensorInfo("x", "int8" if signed else "uint8", shape, quantization=exray.Quantization((STEP,), (ZERO - 128 * signed,), 0))
    w_type = exray.TensorInfo("w", "int8", w.shape, quantization=exray.Quantization(tuple(map(float, scales)), (0,) * columns, 0 if conv else 1),
                              constant=True)
    y_shape = (1, columns, SIZE, SIZE) if conv else (ROWS, columns)
    y_type = exray.TensorInfo("y", "int32", y_shape) if whole else \
        exray.TensorInfo("y", "uint8", y_shape, quantization=exray.Quantization((out_step,), (128,), 0))
    names = ["xs", "xz", "ws", "wz", "ys", "yz"]
    constants = {"xs": np.float32(STEP), "xz": np.int8(ZERO - 128) if signed else np.uint8(ZERO), "ws": scales, "wz": np.zeros(columns, np.int8),
                 "ys": np.float32(out_step), "yz": np.uint8(128), "b": bias}
    tensors = (x_type, w_type, y_type) + tuple(exray.TensorInfo(n, str(v.dtype), v.shape, constant=True) for n, v in constants.items())
    at = {t.name: i for i, t in enumerate(tensors)}
    if whole:
        op, read, attributes = "MatMulInteger", ["x", "w", "xz"], {}
    else:
        op, read = ("QLinearConv" if conv else "QLinearMatMul"), ["x", *names[:2], "w", *names[2:]] + ["b"] * conv
        attributes = {"pads": "1,1,1,1", "kernel_shape": "3,3"} if conv else {}
    node = exray.Node(op, "n", tuple(at[n] for n in read), (at["y"],), attributes=attributes)
    with exray.Recorder(path, role=role, capture="full") as log:
        log.model(exray.Model("m", "onnxruntime", tensors=tensors, nodes=(node,), inputs=(0,), outputs=(2,), sha256=bytes(range(32))))
        for name, value in {"w": w, **constants}.items():
            log.constant(at[name], np.asarray(value))
        for i in range(3):
            x = np.clip(np.abs(random.normal(0, level, shape)), 0, 255).astype(np.uint8)
            total = sums(kind, x, w, add)
            if not whole:
                per = (slice(None), None, None) if conv else slice(None)
                real = (total + (bias[per] if conv else 0)) * (STEP * scales.astype(np.float64))[per]
                total = np.clip(np.round(real / out_step) + 128, 0, 255)
            y = total.astype(np.int32 if whole else np.uint8)
            with log.frame(source=str(i)):
                log.input("x", (x.astype(np.int16) - 128).astype(np.int8) if signed else x)
                log.layer(0, "y", y)
                log.output("y", y)
    return path


KINDS = ["conv", "QLinearMatMul", "MatMulInteger"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("side", ["edge", "reference"])
def test_sums_clipped_at_16_bits_are_named(tmp_path, kind, side, signed):
    adds = [saturated, exact] if side == "edge" else [exact, saturated]
    report = validate(*(write(tmp_path / f"{r}.mcap", r, kind, add, signed=signed) for r, add in zip(["edge", "reference"], adds)))
    assert causes(report) == ["layer.kernel"]
    found = finding(report, "layer.kernel")
    assert "16 bits" in found["summary"] and f"the {side}'s processor" in found["summary"]
    assert all(word in found["fix"] for word in ["reduce_range=True", "session.x64quantprecision", "VNNI"])


def test_few_clipped_sums_within_the_noise_of_8_bits_are_named(tmp_path):
    """Sums of integers are exact: of equal ones of one model file nothing may differ."""
    report = validate(write(tmp_path / "edge.mcap", "edge", "MatMulInteger", saturated, level=100),
                      write(tmp_path / "reference.mcap", "reference", "MatMulInteger", exact, level=100))
    assert report["layers"][0]["error_to_signal"] < 0.08
    assert causes(report) == ["layer.kernel"] and "16 bits" in finding(report, "layer.kernel")["summary"]


@pytest.mark.parametrize("kind", KINDS)
def test_weights_of_7_bits_are_healthy(tmp_path, kind):
    report = validate(write(tmp_path / "edge.mcap", "edge", kind, saturated, weight_bits=7),
                      write(tmp_path / "reference.mcap", "reference", kind, exact, weight_bits=7))
    assert report["verdict"] == "pass" and causes(report) == []


@pytest.mark.parametrize("kind", KINDS)
def test_another_wrong_kernel_is_not_said_to_clip(tmp_path, kind):
    report = validate(write(tmp_path / "edge.mcap", "edge", kind, wrong),
                      write(tmp_path / "reference.mcap", "reference", kind, exact))
    found = finding(report, "layer.kernel")
    assert "16 bits" not in found["summary"] and "reduce_range" not in found["fix"]


def write_sum(path, role, factor):
    """Integers, unpacked and added to their positive part in floats."""
    random, step = np.random.default_rng(3), .05
    integers = exray.TensorInfo("q", "int8", (1, 64), quantization=exray.Quantization((step,), (0,)))
    floats = [exray.TensorInfo(n, "float32", (1, 64)) for n in ("x", "d", "r", "s")]
    constants = [exray.TensorInfo("qs", "float32", (), constant=True), exray.TensorInfo("qz", "int8", (), constant=True)]
    nodes = (exray.Node("QuantizeLinear", "q", (0, 5, 6), (1,)), exray.Node("DequantizeLinear", "d", (1, 5, 6), (2,)),
             exray.Node("Relu", "r", (2,), (3,)), exray.Node("Add", "s", (2, 3), (4,)))
    with exray.Recorder(path, role=role, capture="full") as log:
        log.model(exray.Model("m", "onnxruntime", tensors=(floats[0], integers, *floats[1:], *constants), nodes=nodes, inputs=(0,), outputs=(4,),
                              sha256=bytes(range(32))))
        log.constant(5, np.float32(step))
        log.constant(6, np.int8(0))
        for i in range(4):
            x = random.normal(0, 1, (1, 64)).astype(np.float32)
            q = np.clip(np.round(x / step), -128, 127).astype(np.int8)
            d = q.astype(np.float32) * np.float32(step)
            s = (d + np.maximum(d, 0) * np.float32(factor)).astype(np.float32)
            with log.frame(source=str(i)):
                log.input("x", x)
                for n, (name, value) in enumerate([("q", q), ("d", d), ("r", np.maximum(d, 0)), ("s", s)]):
                    log.layer(n, name, value)
                log.output("s", s)
    return path


def test_equal_inputs_of_one_file_bring_no_noise_of_8_bits(tmp_path):
    reference = write_sum(tmp_path / "reference.mcap", "reference", 1)
    report = validate(write_sum(tmp_path / "edge.mcap", "edge", 1.04), reference)
    assert causes(report) == ["layer.kernel"] and finding(report, "layer.kernel")["where"]["tensor"] == "s"
    assert 0.001 < finding(report, "layer.kernel")["evidence"]["error_to_signal"] < 0.03
    healthy = validate(write_sum(tmp_path / "healthy.mcap", "edge", 1 + 1e-6), reference)
    assert healthy["verdict"] == "pass" and causes(healthy) == []
