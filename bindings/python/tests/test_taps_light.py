"""Taps against the frameworks themselves: ONNX Runtime and LiteRT."""

import platform
import warnings

import numpy as np
import onnxruntime
import pytest
import wakeword_models
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from small_tflite import TfliteModel

import exray
from conftest import ROOT

pytestmark = pytest.mark.filterwarnings("ignore:.*experimental_preserve_all_tensors")
PLAIN = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(5).random((3, 1, 224, 224, 3), dtype=np.float32) * 2 - 1


def fit(images, given):
    """The pictures in the shape of an ONNX model's input."""
    if given.shape[-1] != 3:
        images = images.transpose(0, 1, 4, 2, 3)
        return images[..., : given.shape[2], : given.shape[3]].copy()
    return images[:, :, : given.shape[1], : given.shape[2]].copy()


@pytest.mark.parametrize("name", ["mobilenet_v2_dogs_float.onnx", "mobilenet_v2_dogs_int8.onnx"])
def test_onnx(tmp_path, model_file, images, name):
    path = model_file(name)
    plain = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    given = plain.get_inputs()[0]
    images = fit(images, given)
    with exray.Recorder(tmp_path / "a.mcap", capture="full") as r:
        session = exray.onnx.Session(path, r)
        for i, image in enumerate(images):
            with r.frame(source=str(i)):
                outputs = session.run(None, {given.name: image})
                assert np.array_equal(outputs[0], plain.run(None, {given.name: image})[0])
    with exray.open(tmp_path / "a.mcap") as log:
        assert log.model.engine == "onnxruntime" and log.model.engine_version == onnxruntime.__version__
        assert len(log) == 3 and len(log.constants) > 50
        for frame, image in zip(log, images):
            wanted = plain.run(None, {given.name: image})[0]
            assert np.array_equal(frame.outputs[0].numpy(), wanted)
            assert np.array_equal(frame.inputs[given.name].numpy(), image)
            assert len(frame.layers) >= len(log.model.nodes) - 2 and frame.inference_ns > 0


def test_onnx_layers_equal_the_programs(tmp_path, model_file, images, program):
    """exray's own adapter, through the C API, on the same input."""
    path = model_file("mobilenet_v2_dogs_float.onnx")
    session_input = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).get_inputs()[0]
    image = fit(images, session_input)[0]
    with exray.Recorder(tmp_path / "a.mcap", capture="full", role="edge") as r:
        session = exray.onnx.tap(path, r)
        with r.frame(source="x"):
            session.run(None, {session_input.name: image})
    (tmp_path / "p.yaml").write_text("task: classification\n")
    program("replay", tmp_path / "a.mcap", "--engine", "onnxruntime", "--model", path, "--pipeline",
            tmp_path / "p.yaml", "--from", "input", "--capture", "full", "-o", tmp_path / "b.mcap")
    mine, theirs = exray.open(tmp_path / "a.mcap"), exray.open(tmp_path / "b.mcap")
    assert [(n.op, n.name) for n in mine.model.nodes] == [(n.op, n.name) for n in theirs.model.nodes]
    for index, tensor in theirs[0].layers.items():
        assert np.array_equal(mine[0].layers[index].numpy(), tensor.numpy()), index
    assert exray.validate(mine, theirs).verdict == "pass"


def interpreter(path, resolver=PLAIN, preserve=True):
    made = Interpreter(str(path), experimental_preserve_all_tensors=preserve, experimental_op_resolver_type=resolver)
    made.allocate_tensors()
    return made


def feed(made, image):
    details = made.get_input_details()[0]
    scale, zero = details["quantization"]
    made.set_tensor(details["index"], image if not scale else
                    np.clip(np.round(image / scale) + zero, -128, 127).astype(details["dtype"]))


@pytest.mark.parametrize("name", ["mobilenet_v1_0.25_224_float.tflite", "efficientnet_lite0_int8.tflite"])
@pytest.mark.parametrize("resolver", [PLAIN, OpResolverType.AUTO], ids=["builtin", "xnnpack"])
def test_litert(tmp_path, model_file, images, name, resolver):
    path = model_file(name)
    plain, tapped = interpreter(path, resolver), interpreter(path, resolver)
    with exray.Recorder(tmp_path / "a.mcap", capture="full") as r:
        tap = exray.litert.tap(tapped, r, path)
        for i, image in enumerate(images):
            with r.frame(source=str(i)):
                feed(tapped, image)
                tapped.invoke()
        tap.remove()
        tapped.invoke()
    with exray.open(tmp_path / "a.mcap") as log:
        model = log.model
        assert model.engine == "litert" and model.name == name and len(log) == 3 and len(log.constants) > 50
        assert model.kernels == ("builtin" if resolver == PLAIN else "xnnpack")
        details = plain._get_ops_details()
        names = {d["index"]: d["name"] for d in plain.get_tensor_details()}
        for frame, image in zip(log, images):
            feed(plain, image)
            plain.invoke()
            assert np.array_equal(frame.outputs[0].numpy(), plain.get_tensor(plain.get_output_details()[0]["index"]))
            compared = 0
            for i, tensor in frame.layers.items():
                node = model.nodes[i]
                op = next(d for d in details if names[d["outputs"][0]] == model.tensors[node.outputs[0]].name)
                assert np.array_equal(tensor.numpy(), plain.get_tensor(op["outputs"][0])), node
                compared += 1
            assert compared == len(model.nodes) and frame.inference_ns > 0
        quantized = [d for d in plain.get_tensor_details() if len(d["quantization_parameters"]["scales"]) == 1]
        by_name = {t.name: t for t in model.tensors}
        for d in quantized:
            q = by_name[d["name"]].quantization
            assert np.float32(q.scale[0]) == d["quantization_parameters"]["scales"][0]
        convolution = next(n for node in model.nodes for n in (node, *node.inner) if n.op == "CONV_2D")
        assert "stride_h" in str(convolution.attributes) or convolution.attributes


def test_litert_layers_equal_the_programs(tmp_path, model_file, images, program):
    path = model_file("mobilenet_v1_0.25_224_float.tflite")
    with exray.Recorder(tmp_path / "a.mcap", capture="full", role="edge") as r:
        made = interpreter(path)
        exray.litert.tap(made, r, path)
        with r.frame(source="x"):
            feed(made, images[0])
            made.invoke()
    (tmp_path / "p.yaml").write_text("task: classification\n")
    program("replay", tmp_path / "a.mcap", "--engine", "litert", "--model", path, "--pipeline", tmp_path / "p.yaml",
            "--from", "input", "--kernels", "builtin", "--capture", "full", "-o", tmp_path / "b.mcap")
    report = exray.validate(tmp_path / "a.mcap", tmp_path / "b.mcap")
    assert report.verdict == "pass", report.text
    assert len(report.layers) == len(exray.open(tmp_path / "a.mcap").model.nodes)
    assert max(layer.max_abs for layer in report.layers if layer.max_abs is not None) < 1e-3


def test_litert_says_what_it_needs(tmp_path, model_file):
    path = model_file("mobilenet_v1_0.25_224_float.tflite")
    with exray.Recorder(tmp_path / "a.mcap", capture="full") as r:
        with pytest.raises(exray.EngineError, match="experimental_preserve_all_tensors"):
            exray.litert.tap(interpreter(path, preserve=False), r)
    with exray.Recorder(tmp_path / "b.mcap", capture="io") as r:
        made = interpreter(path, preserve=False)
        exray.litert.tap(made, r)
        for _ in range(2):  # no frame is open: each run is one
            made.invoke()
        with r.frame():
            made.invoke()
            made.invoke()
    log = exray.open(tmp_path / "b.mcap")
    assert len(log) == 4 and all(len(f.outputs) == 1 and not f.layers for f in log)


def test_litert_reads_no_layer_that_the_output_overwrites(tmp_path):
    m = TfliteModel()
    x, a, b, y = (m.tensor(n, [1, 64]) for n in "xaby")
    for op, tensors in (("ABS", (x, a)), ("NEG", (a, b)), ("COS", (b, y))):
        m.op(op, tensors[:1], tensors[1:])
    path = m.save(tmp_path / "m.tflite", [x], [y])
    with exray.Recorder(tmp_path / "a.mcap", capture="full") as r:
        with pytest.raises(exray.EngineError, match="experimental_preserve_all_tensors"):
            exray.litert.tap(interpreter(path, preserve=False), r)
        exray.litert.tap(interpreter(path), r)


def test_a_run_that_is_refused_is_no_frame(tmp_path, model_file):
    path = model_file("mobilenet_v2_dogs_float.onnx")
    with exray.Recorder(tmp_path / "a.mcap", capture="io") as r:
        session = exray.onnx.Session(path, r)
        given = session.get_inputs()[0]
        for _ in range(2):
            with pytest.raises(Exception, match="INVALID_ARGUMENT|[Dd]imension|[Rr]ank"):
                session.run(None, {given.name: np.zeros((1, 2), np.float32)})
        with r.frame(source="good"):
            session.run(None, {given.name: np.zeros([n if isinstance(n, int) else 1 for n in given.shape], np.float32)})
    log = exray.open(tmp_path / "a.mcap")
    assert [f.source for f in log] == ["good"] and len(log[0].outputs) == 1


def test_a_model_that_is_not_there(tmp_path):
    with exray.Recorder(tmp_path / "a.mcap") as r:
        with pytest.raises(exray.FileError, match="cannot read the model .*no.onnx: No such file"):
            exray.onnx.Session(tmp_path / "no.onnx", r)


@pytest.mark.parametrize("name", ["yamnet_float", "micro_speech_int8", "efficientnet_lite0_int8_per_tensor"])
def test_oddities_of_models_are_the_models(name, tmp_path, model_file):
    """Complex numbers, of which a log has none; one zero point for all scales; and an application that goes on when
    its log has ended."""
    path = model_file(f"{name}.tflite")
    made = interpreter(path)
    with exray.Recorder(tmp_path / "a.mcap", capture="full") as r:
        exray.litert.tap(made, r, path)
        made.invoke()
    made.invoke()
    log = exray.open(tmp_path / "a.mcap")
    assert len(log) == 1 and len(log[0].layers) >= 4 and len(log[0].outputs) >= 1
    scales = [t.quantization for t in log.model.tensors if t.quantization is not None and len(t.quantization.scale) > 1]
    assert all(len(q.zero_point) in (0, len(q.scale)) for q in scales)


def speech(interpreter, frames):
    """Inputs that move the state of a streaming model."""
    shape = interpreter.get_input_details()[0]["shape"]
    return np.random.default_rng(3).integers(-128, 127, (frames, *shape), np.int8, endpoint=True)


@pytest.mark.parametrize("name", wakeword_models.NAMES)
@pytest.mark.parametrize("resolver", [PLAIN, OpResolverType.AUTO], ids=["builtin", "xnnpack"])
@pytest.mark.parametrize("before", [0, 2])
def test_handles_of_resources_are_no_data(tmp_path, name, resolver, before):
    """Variables that keep a model's state: what they hold shows in the layers that read them.  To ask the interpreter
    for a handle's bytes, after a run, ends the process."""
    path = tmp_path / f"{name}.tflite"
    path.write_bytes(wakeword_models.model(name))
    plain, tapped = interpreter(path, resolver), interpreter(path, resolver)
    given, returned = plain.get_input_details()[0]["index"], plain.get_output_details()[0]["index"]
    inputs = speech(plain, before + 4)
    for values in inputs[:before]:
        for made in (plain, tapped):
            made.set_tensor(given, values)
            made.invoke()
    with exray.Recorder(tmp_path / "a.mcap", capture="full") as r:
        exray.litert.tap(tapped, r, path)
        for values in inputs[before:]:
            tapped.set_tensor(given, values)
            tapped.invoke()
    with exray.open(tmp_path / "a.mcap") as log:
        model = log.model
        place = {t.name: d["index"] for t in model.tensors for d in plain.get_tensor_details() if d["name"] == t.name}
        kinds = {d["index"]: d["dtype"] for d in plain.get_tensor_details()}
        handles = {i for i, dtype in kinds.items() if dtype is np.object_}
        assert len(handles) == 6 and len(log) == 4 and len(log.constants) > 20
        for frame, values in zip(log, inputs[before:]):
            plain.set_tensor(given, values)
            plain.invoke()
            assert np.array_equal(frame.outputs[0].numpy(), plain.get_tensor(returned))
            compared = 0
            for tensor in frame.layers.values():
                source = place[model.tensors[model.nodes[tensor.index].outputs[tensor.output]].name]
                assert source not in handles and np.array_equal(tensor.numpy(), plain.get_tensor(source))
                compared += 1
            assert compared >= 20


@pytest.mark.parametrize("engine", ["tflite", "litert"])
def test_resources_with_the_program(tmp_path, program, engine):
    """The program's own taps, on what the Python tap recorded."""
    path = tmp_path / "model.tflite"
    path.write_bytes(wakeword_models.model("okay_nabu"))
    library = []
    if engine == "tflite":  # no package of pip's has it
        found = ROOT / "build" / "engines" / f"tflite-{platform.machine()}" / "libtensorflowlite_c.so"
        if not found.exists():
            pytest.skip(f"no {found}: run scripts/bootstrap.sh engine")
        library = ["--engine-lib", found]
    made = interpreter(path)
    with exray.Recorder(tmp_path / "a.mcap", capture="full", role="edge") as r:
        exray.litert.tap(made, r, path)
        for values in speech(made, 6):
            made.set_tensor(made.get_input_details()[0]["index"], values)
            made.invoke()
    for kernels in ("builtin", "xnnpack"):
        program("replay", tmp_path / "a.mcap", "--engine", engine, "--model", path, "--from", "input", "--kernels",
                kernels, *library, "-o", tmp_path / "b.mcap")
        report = exray.validate(tmp_path / "a.mcap", tmp_path / "b.mcap")
        assert report.verdict == "pass" and len(exray.open(tmp_path / "b.mcap")) == 6, report.text
        compared = [layer for layer in report.layers if layer.max_abs is not None]
        assert len(compared) > 20 and (kernels == "xnnpack" or max(layer.max_abs for layer in compared) == 0)


# ---- The time of each operation ----


@pytest.mark.parametrize("resolver", [PLAIN, OpResolverType.BUILTIN, OpResolverType.BUILTIN_REF], ids=["builtin", "xnnpack", "reference"])
def test_litert_latencies(tmp_path, model_file, images, resolver):
    """Each operation that runs has a time, these are the run's, and the outputs stay what they were."""
    path = model_file("mobilenet_v1_0.25_224_float.tflite")
    plain, tapped = interpreter(path, resolver, False), interpreter(path, resolver, False)
    with exray.Recorder(tmp_path / "a.mcap", capture="io") as r:
        with exray.Recorder(tmp_path / "b.mcap", capture="frame") as other:
            exray.litert.tap(tapped, other, path).remove()  # tapped twice: one delegate serves both
        tap = exray.litert.tap(tapped, r, path)
        for image in images:
            for one in (plain, tapped):
                feed(one, image)
                one.invoke()
            outputs = [one.get_tensor(one.get_output_details()[0]["index"]) for one in (plain, tapped)]
            assert np.array_equal(*outputs)
    tap.remove()
    tapped.invoke()
    with exray.open(tmp_path / "a.mcap") as log:
        nodes = len(log.model.nodes)
        assert any(n.op == "DELEGATE" for n in log.model.nodes) == (resolver == OpResolverType.BUILTIN)
        for frame in log:
            assert sorted(node for node, _, _ in frame.latency) == list(range(nodes))
            total = sum(took for _, _, took in frame.latency)
            assert 0.5 * frame.inference_ns < total <= frame.inference_ns
            assert all(a[1] + a[2] <= b[1] for a, b in zip(frame.latency, frame.latency[1:]))


def memory(path):
    """h = tanh(h + x), kept in a variable of an RNN."""
    m, eye = TfliteModel(), np.eye(4, dtype=np.float32)
    x, h, y = m.tensor("x", [1, 4]), m.tensor("h", [1, 4], variable=True), m.tensor("y", [1, 4])
    m.op("RNN", [x, m.tensor("w", data=eye), m.tensor("r", data=eye), m.tensor("b", data=np.zeros(4, np.float32)), h], [y], "RNN",
         fusedActivationFunction=m.schema.ActivationFunctionType.TANH)
    return m.save(path, [x], [y])


@pytest.mark.parametrize("options", [{}, {"latency": False}], ids=["latencies", "none"])
@pytest.mark.parametrize("described", [True, False], ids=["file", "no file"])
def test_litert_forgets_nothing(tmp_path, options, described):
    """A tap in the middle of a run leaves the model's memory, and inputs that are set already."""
    path = memory(tmp_path / "m.tflite")
    plain, tapped = interpreter(path), interpreter(path)
    x = np.array([[.1, -.4, .7, .2]], np.float32)
    for made in (plain, tapped):
        made.set_tensor(made.get_input_details()[0]["index"], x)
        for _ in range(3):
            made.invoke()
    for kind in ("io", "full"):
        with exray.Recorder(tmp_path / f"{kind}.mcap", capture=kind) as r:
            exray.litert.tap(tapped, r, path if described else None, **options)
            for _ in range(2):
                plain.invoke(), tapped.invoke()
                index = plain.get_output_details()[0]["index"]
                assert np.array_equal(plain.get_tensor(index), tapped.get_tensor(index))
    assert plain.get_tensor(index).max() > .8  # it has gone on


def test_litert_without_latencies(tmp_path, model_file, images):
    tapped = interpreter(model_file("mobilenet_v1_0.25_224_float.tflite"), PLAIN, False)
    with exray.Recorder(tmp_path / "a.mcap", capture="io") as r:
        exray.litert.tap(tapped, r, latency=False)
        feed(tapped, images[0])
        tapped.invoke()
    with exray.open(tmp_path / "a.mcap") as log:
        assert log[0].latency == [] and log[0].inference_ns > 0


def test_litert_resized_and_tapped_anew(tmp_path, model_file, images):
    """Resizing takes delegates back and gives them anew: the times go on."""
    tapped = interpreter(model_file("mobilenet_v1_0.25_224_float.tflite"), OpResolverType.BUILTIN, False)
    given = tapped.get_input_details()[0]
    for batch in (2, 1):
        with exray.Recorder(tmp_path / f"{batch}.mcap", capture="io") as r:
            tapped.resize_tensor_input(given["index"], [batch, *given["shape"][1:]])
            tapped.allocate_tensors()
            tap = exray.litert.tap(tapped, r)
            tapped.set_tensor(given["index"], np.repeat(images[0], batch, 0))
            tapped.invoke()
            tap.remove()
        with exray.open(tmp_path / f"{batch}.mcap") as log:
            assert len(log[0].latency) == len(log.model.nodes)
            assert log[0].inputs[given["name"]].shape[0] == batch


@pytest.mark.parametrize("kernels", ["default", "none"])
def test_onnx_latencies(tmp_path, model_file, images, kernels):
    path = model_file("mobilenet_v2_dogs_float.onnx")
    given = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).get_inputs()[0]
    image = fit(images, given)[0]
    for latency in (True, False):
        with exray.Recorder(tmp_path / "a.mcap", capture="io") as r:
            session = exray.onnx.tap(path, r, kernels=kernels, latency=latency)
            for i in range(4):
                with r.frame(source=str(i)):
                    session.run(None, {given.name: image})
        with exray.open(tmp_path / "a.mcap") as log:
            if not latency:
                assert all(frame.latency == [] for frame in log)
                continue
            convolutions = {i for i, n in enumerate(log.model.nodes) if "Conv" in n.op}
            for frame in log:
                assert convolutions <= {node for node, _, _ in frame.latency}
                assert sum(took for _, _, took in frame.latency) > 0.2 * frame.inference_ns


def test_onnx_other_ways_to_run(tmp_path, model_file, images):
    """OrtValues are recorded as arrays are; what is not recorded says so, once, and runs."""
    path = model_file("mobilenet_v2_dogs_float.onnx")
    plain = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    given = plain.get_inputs()[0]
    arrays = list(fit(images[:2], given))
    with exray.Recorder(tmp_path / "a.mcap", capture="full") as r:
        session = exray.onnx.Session(path, r)
        names = [o.name for o in session.get_outputs()]
        value = onnxruntime.OrtValue.ortvalue_from_numpy(arrays[0])
        assert np.array_equal(session.run_with_ort_values(names, {given.name: value})[0].numpy(), plain.run(None, {given.name: arrays[0]})[0])
        session.run(None, {given.name: arrays[1]})
        binding = session.io_binding()
        binding.bind_cpu_input(given.name, arrays[0])
        binding.bind_output(names[0])
        with pytest.warns(UserWarning, match="run_with_iobinding.. is not recorded"):
            session.run_with_iobinding(binding)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            session.run_with_iobinding(binding)
    with exray.open(tmp_path / "a.mcap") as log:
        assert len(log) == 2 and all(np.array_equal(f.inputs[0].numpy(), a) and f.layers for f, a in zip(log, arrays))


def test_litert_runners_are_not_recorded(tmp_path, model_file):
    made = interpreter(model_file("mobilenet_v1_0.25_224_float.tflite"))
    with exray.Recorder(tmp_path / "a.mcap", capture="io") as r:
        tap = exray.litert.tap(made, r)
        with pytest.warns(UserWarning, match="not recorded"), pytest.raises(ValueError):  # the file has no signature
            made.get_signature_runner("serving_default")
        tap.remove()
        with warnings.catch_warnings(), pytest.raises(ValueError):
            warnings.simplefilter("error")
            made.get_signature_runner("serving_default")
