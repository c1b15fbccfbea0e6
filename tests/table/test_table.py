"""The table's parts that run nothing: fixes done to a pipeline file, rows kept, the page."""

import sys
from pathlib import Path

import pytest
import yaml

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parents[1] / "faults")]

import page
from named_fix import fixed
from rows import Row, Rows

EDGE = "task: classification\nimage:\n  resize: nearest 224x224\n  normalize: {mean: [0, 0, 0], std: [1, 1, 1]}\n  layout: nchw\noutput: {label_offset: 1}\n"


@pytest.mark.parametrize(
    ("fix", "section", "key", "value"),
    [
        ("Normalize as the reference does (pipeline: `normalize: {mean: [127, 127, 127], std: [128, 128, 128]}`).", "image", "normalize",
         {"mean": [127, 127, 127], "std": [128, 128, 128]}),
        ("Turn it (pipeline: `rotate: 90`; ...).", "image", "rotate", 90),
        ("Transpose (pipeline: `layout`; in C, ...). The pipeline files differ; as the reference's: leave `layout` out.", "image", "layout", None),
        ("Set label_offset so that classes are 1 lower.", "output", "label_offset", 2),
        ("Resize with its filter (pipeline: `resize: bicubic antialias`).", "image", "resize", "bicubic 224x224 antialias"),
    ],
)
def test_named_keys(fix, section, key, value):
    text, changed = fixed(EDGE, [fix])
    assert changed and yaml.safe_load(text)[section].get(key) == value


@pytest.mark.parametrize("fix", ["Feed the model the frame that is recorded.", "Normalize (pipeline: `normalize: {mean: ..., std: ...}`; until then ...).",
                                 "Fill the ground (`crop: letterbox PAD`).", "Scale (`scale: int16`)."])
def test_nothing_is_guessed(fix):
    """Without a value, or for a section that the file has not."""
    text, changed = fixed(EDGE, [fix])
    assert not changed and yaml.safe_load(text) == yaml.safe_load(EDGE)


def test_keys_of_sounds():
    text, changed = fixed("task: audio\naudio: {rate: 8000 hold}\n", ["Resample (`rate: 16000`; ...)."])
    assert changed and yaml.safe_load(text)["audio"] == {"rate": 16000}


def test_features_and_offsets():
    text, changed = fixed("audio:\n  features: mel {n_mels: 40, log: db}\n", ["As the reference's: `features: {mel: {n_mels: 40, log: natural}}`."])
    assert changed and yaml.safe_load(text)["audio"]["features"] == {"mel": {"n_mels": 40, "log": "natural"}}
    text, changed = fixed("output: {label_offset: 1}\n", ["Set label_offset so that classes are 1 higher. As the reference's: leave `label_offset` out."])
    assert changed and yaml.safe_load(text)["output"] == {}


def row(fault, number, **more):
    return Row("tasks", "detection", "ssd", fault, number, "ssd.tflite", "boxes", before=0.5, named=["input.flip"], found=True, causes=["input.flip"], **more)


def test_rows_are_kept_in_one_order(tmp_path):
    rows = Rows(tmp_path / "rows.json")
    for number, fault in ((2, "mirrored"), (1, "bgr"), (3, "gone")):
        rows.put(row(fault, number))
    rows.keep("tasks", "ssd", ["bgr", "mirrored"])
    again = Rows(tmp_path / "rows.json")
    assert [r.fault for r in again.ordered()] == ["bgr", "mirrored"]
    assert again.get("tasks", "ssd", "bgr") == rows.get("tasks", "ssd", "bgr") and again.get("tasks", "ssd", "gone") is None


def test_the_page_tells_what_is_not_as_it_should_be(tmp_path):
    rows = Rows(None)
    rows.put(Row("tasks", "detection", "ssd", "none", 0, measure="boxes", before=1.0, note="-"))
    rows.put(row("mirrored", 1, after=1.0))
    assert "Nothing of what was tried." in page.markdown(rows)
    rows.put(row("shifted", 2, after=0.7))
    rows.put(Row("tasks", "detection", "ssd", "lost", 3, measure="boxes", before=0.2, causes=["input.crop"], note="no key named"))
    text = page.markdown(rows)
    for line in ("- ssd, shifted: 70.0 % after the named fix, not 100.0 %", "- ssd, lost: not found; 20.0 % with it", "2 found, 2 with the right cause first"):
        assert line in text
