"""Where both logs have a pipeline file, a fix names the reference's value of the key that the finding is about."""

import numpy as np
import pytest
from validate_support import Recording, finding, textures, validate

FRAMES, SIDE = 4, 96


def write(path, role, pictures, text, name="pipeline.yaml"):
    with Recording(path, role) as log:
        if text is not None:
            log.writer.add_attachment(1, 1, name, "text/yaml", text.encode())
        for p in pictures:
            log.frame([("/input/image", np.ascontiguousarray(p[None], np.float32), {})])
    return path


def pair(tmp_path, change, *texts, **name):
    right = [p / np.float32(127.5) - 1 for p in textures(FRAMES, SIDE, seed=4)]
    edge = write(tmp_path / "edge.mcap", "edge", [change(p) for p in right], texts[0], **name)
    return validate(edge, write(tmp_path / "reference.mcap", "reference", right, texts[1], **name))


def planes(p):
    return p.transpose(2, 0, 1).reshape(p.shape)


def image(*lines):
    return "image:\n" + "".join(f"  {line}\n" for line in lines)


@pytest.mark.parametrize(
    ("edge", "reference", "said"),
    [
        (image("layout: nchw"), image("layout: nhwc"), "as the reference's: `layout: nhwc`."),
        (image("layout: nchw"), image("crop: none"), "as the reference's: leave `layout` out."),
        ("image: {layout: nchw, crop: none}", "image: {layout: nhwc, crop: none}", "as the reference's: `layout: nhwc`."),
        # Equal there, or not to be read, or nothing to compare with: nothing is said.
        (image("layout: nchw"), image("layout: nchw"), None),
        (image("layout: nchw"), "image:\n  steps:\n    - layout: nhwc\n", None),
        (image("layout: nchw"), "image: [layout", None),
        (image("layout: nchw"), "image: 3\n", None),
        (image("layout: nchw"), image("layout: `x`"), None),
        (image("layout: nchw"), image(f"layout: {'x' * 500}"), None),
        (image("layout: nchw"), "", None),
        (image("layout: nchw"), None, None),
        (None, image("layout: nhwc"), None),
    ],
)
def test_the_key_of_a_layout(tmp_path, edge, reference, said):
    fix = finding(pair(tmp_path, planes, edge, reference), "input.layout")["fix"]
    assert said in fix if said else "pipeline files differ" not in fix


@pytest.mark.parametrize("name,read", [("input.yaml", True), ("input.yml", True), ("My_Pipeline", True), ("yaml", False), ("input.yaml.sha256", False)])
def test_which_attachment_is_a_pipeline_file(tmp_path, name, read):
    fix = finding(pair(tmp_path, planes, image("layout: nchw"), image("layout: nhwc"), name=name), "input.layout")["fix"]
    assert ("pipeline files differ" in fix) == read


def test_values_that_are_maps(tmp_path):
    """A gain that the fix names as what undoes it, not as a key."""
    texts = [image("normalize: {mean: 127.5, std: [100, 127.5, 90]}"), image("normalize: {mean: 127.5, std: 127.5}")]
    fix = finding(pair(tmp_path, lambda p: p * np.float32([1.275, 1, 1.4167]), *texts), "input.normalization")["fix"]
    assert "`normalize: {mean: " in fix and "127.5" in fix


@pytest.mark.parametrize("constants", ["{mean: 128, std: 127}", "{mean: [128.0, 128, 128], std: 127}", "model", "{std: 127}", "{mean: {a: 1}, std: [1]}", "{mean: [], std: 1}"])
def test_constants_that_are_measured_nearly(tmp_path, constants):
    """The file's, where they are others than those that were measured."""
    texts = [image("normalize: {mean: 0, std: 255}"), image(f"normalize: {constants}")]
    fix = finding(pair(tmp_path, lambda p: (p + 1) / 2, *texts), "input.normalization")["fix"]
    said = "The reference's pipeline file has `normalize: {mean: [128, 128, 128], std: [127, 127, 127]}`."
    assert ("`normalize: {mean: [127.5, 127.5, 127.5], std: [127.5, 127.5, 127.5]}`" in fix) and (said in fix) == ("128" in constants)


def test_a_value_that_is_measured_is_not_told_twice(tmp_path):
    texts = [image("channels: bgr"), image("channels: rgb")]
    fix = finding(pair(tmp_path, lambda p: p[..., ::-1], *texts), "input.channel_order")["fix"]
    assert fix.count("`channels: ") == 1 and "pipeline files differ" not in fix


def test_other_keys_are_not_mentioned(tmp_path):
    texts = [image("layout: nchw", "crop: center 0.5"), image("layout: nhwc", "crop: none")]
    fix = finding(pair(tmp_path, planes, *texts), "input.layout")["fix"]
    assert "`layout: nhwc`" in fix and "crop" not in fix
