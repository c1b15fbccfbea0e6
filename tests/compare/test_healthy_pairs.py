"""One model, other optimizations or kernels, or a copy in float16: nothing is wrong, and all that can be is compared."""

import level_pairs
import pytest
import testdata
from level_pairs import SUBJECTS
from validate_support import EXRAY, validate

pytest.importorskip("onnx")
pytest.importorskip("ai_edge_litert")
pytestmark = pytest.mark.data
FAST = [(name, *levels) for name, s in SUBJECTS.items() if s.fast for levels in s.levels]
FAST += [(name, "float16", "default") for name in ("ocr_upside_down", "voice", "voice_16k")] + [("ocr_upside_down", "dynamic", "default")]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder, made = tmp_path_factory.mktemp("levels"), {}

    def log(name, kernels):
        subject = SUBJECTS[name]
        testdata.need(subject.path)
        if name not in made:
            made[name] = level_pairs.write_inputs(subject, folder / f"{name}.inputs.mcap")
        if (name, kernels) not in made:
            made[name, kernels] = level_pairs.replay(EXRAY, subject, kernels, made[name], folder / f"{name}-{kernels}.mcap")
        return made[name, kernels]
    return log


@pytest.mark.parametrize(("name", "edge", "reference"), FAST)
def test_levels_of_optimization(name, edge, reference, run):
    report = validate(run(name, edge), run(name, reference))
    told = [(f["cause"], f["summary"]) for f in report["findings"] if f["severity"] != "info" and not f["cause"].startswith("perf.")]
    assert report["verdict"] == "pass" and told == []
    assert level_pairs.covered(report) >= level_pairs.ENOUGH, report["coverage"]
