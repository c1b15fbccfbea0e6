"""A pipeline file after the fixes that `validate` names: its keys get the values that stand in backquotes, and nothing else."""

import re

import yaml

SECTIONS = {
    "image": ("orient", "crop", "region", "resize", "rotate", "flip", "channels", "normalize", "pad", "layout"),
    "audio": ("rate", "channels", "scale", "window", "features"),
    "text": ("tokenizer", "vocabulary", "lower_case", "pattern", "special", "length", "pad", "truncate"),
    "output": ("label_offset", "head", "threshold", "nms", "boxes", "anchors", "classes", "sigmoid"),
}
TOP = ("inputs", "state")
KEY = re.compile(r"`([a-z_]+): ([^`]*)`")
LEFT_OUT = re.compile(r"leave `([a-z_]+)` out")
OFFSET = re.compile(r"label_offset so that classes are (\d+) (lower|higher)")
SHORT = re.compile(r"(?m)\b(mel|microfrontend) (\{[^{}]*\})$")  # of `features`
OPEN = re.compile(r"\.\.\.|\b[A-Z]{3,}\b")  # the fix leaves the value to the reader


def _section(document, key):
    """The part of the file in which a key is meant; None: the key is none of a pipeline's."""
    for name, keys in SECTIONS.items():
        if key in keys and (name == "output" or name in document):
            document[name] = document.get(name) or {}
            return document[name]
    return document if key in TOP else None


def _written_out(text):
    """What the pipeline's parser does before it reads YAML."""
    return SHORT.sub(r"{\1: \2}", text)


def _kept_size(before, value):
    """A resize of which the fix names the filter has the size that it had."""
    sizes = [w for w in str(before or "").split() if w[0].isdigit()]
    words = value.split()
    return value if any(w[0].isdigit() for w in words) else " ".join([*words[:1], *sizes, *words[1:]])


def fixed(text, fixes):
    """The file's new text, and whether a key was named."""
    document, changed = yaml.safe_load(_written_out(text)) or {}, False
    if any("steps" in (document.get(s) or {}) for s in SECTIONS):
        return text, False
    for fix in fixes:
        for key, value in KEY.findall(fix):
            section = _section(document, key)
            if section is not None and not OPEN.search(value):
                section[key] = _kept_size(section.get(key), value) if key == "resize" else yaml.safe_load(_written_out(value))
                changed = True
        for key in LEFT_OUT.findall(fix):
            section = _section(document, key)
            if section is not None:
                section.pop(key, None)
                changed = True
        for by, where in [] if "`label_offset" in fix else OFFSET.findall(fix):
            output = document.setdefault("output", {})
            output["label_offset"] = output.get("label_offset", 0) + int(by) * (1 if where == "lower" else -1)
            changed = True
    return yaml.safe_dump(document, sort_keys=False, default_flow_style=None, width=10000), changed
