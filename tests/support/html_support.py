"""The HTML report of a pair of logs, taken apart by Python's own parser."""

import base64
import io
import json
import subprocess
from html.parser import HTMLParser

import numpy as np
from PIL import Image
from validate_support import EXRAY

VOID = {"meta", "img", "input", "br", "hr", "link"}
# Elements that load something, or run something, and must not stand in the page at all.
LOADING = {"link", "iframe", "object", "embed", "base", "video", "source", "form", "frame", "applet", "use", "image"}


class Page(HTMLParser):
    """Elements with attributes and text; complains of what does not nest."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements, self.stack, self.text = [], [], []
        self.feed(text)
        self.close()
        assert not self.stack, f"not closed: {[e['tag'] for e in self.stack]}"

    def handle_starttag(self, tag, attributes):
        assert len({name for name, _ in attributes}) == len(attributes), (tag, attributes)
        element = {"tag": tag, "attributes": dict(attributes), "text": "", "parent": self.stack[-1] if self.stack else None}
        self.elements.append(element)
        if tag not in VOID:
            self.stack.append(element)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.stack.pop()

    def handle_endtag(self, tag):
        assert self.stack and self.stack[-1]["tag"] == tag, f"</{tag}> within {[e['tag'] for e in self.stack[-3:]]}"
        self.stack.pop()

    def handle_data(self, data):
        for element in self.stack:
            element["text"] += data

    def all(self, tag, **attributes):
        wanted = {name.rstrip("_"): value for name, value in attributes.items()}
        return [e for e in self.elements if e["tag"] == tag and all(e["attributes"].get(n) == v for n, v in wanted.items())]

    def having(self, css):
        return [e for e in self.elements if css in (e["attributes"].get("class") or "").split()]

    def one(self, tag, **attributes):
        found = self.all(tag, **attributes)
        assert len(found) == 1, (tag, attributes, len(found))
        return found[0]

    def inside(self, element, tag):
        def is_inside(e):
            while e is not None:
                if e is element:
                    return True
                e = e["parent"]
            return False

        return [e for e in self.elements if e["tag"] == tag and e is not element and is_inside(e)]

    @property
    def data(self):
        return json.loads(self.one("script", id="data")["text"])


def write_html(path, edge, reference, *options):
    command = [EXRAY, "validate", edge, reference, "--html", path, *options]
    result = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=300)
    assert result.returncode in (0, 1, 3), f"exit status {result.returncode}\n{result.stdout}{result.stderr}"
    assert result.stderr == ""
    return path


def read_page(path):
    text = path.read_bytes().decode("utf-8")
    page = Page(text)
    check_contracts(page, text)
    return page


def check_contracts(page, text):
    """What holds of every report, whatever the logs."""
    assert text.startswith("<!DOCTYPE html>")
    assert "http:" not in text and "https:" not in text and "@import" not in text and "url(" not in text
    ids = [e["attributes"]["id"] for e in page.elements if "id" in e["attributes"]]
    assert len(ids) == len(set(ids)), [i for i in ids if ids.count(i) > 1]
    assert {e["tag"] for e in page.elements}.isdisjoint(LOADING)
    for e in page.elements:
        for name, value in e["attributes"].items():
            assert not name.startswith("on") and name != "style", (e["tag"], name)
            if name == "src":
                assert value.startswith("data:audio/wav;base64," if e["tag"] == "audio" else ("data:image/jpeg;base64,", "data:image/png;base64,"))
            if name == "href":
                assert value.startswith("#") and value[1:] in ids, value
            if name in ("aria-labelledby", "for"):
                assert all(i in ids for i in value.split()), value
    scripts = page.all("script")
    assert [s["attributes"].get("type") for s in scripts] == ["application/json", None]
    for image in page.all("img"):
        assert "alt" in image["attributes"]
    for svg in page.all("svg"):
        if svg["attributes"].get("aria-hidden") == "true":
            continue
        assert svg["attributes"]["role"] == "img"
        for tag in ("title", "desc"):
            first = page.inside(svg, tag)[0]
            assert first["parent"] is svg and first["text"].strip()
    headings = [int(e["tag"][1]) for e in page.elements if e["tag"] in ("h1", "h2", "h3", "h4")]
    assert headings.count(1) == 1 and headings[0] == 1
    assert all(b - a <= 1 for a, b in zip(headings, headings[1:])), headings
    assert page.all("html")[0]["attributes"]["lang"] == "en" and page.all("title")[0]["text"].startswith("exray: ")
    policy = page.one("meta", **{"http-equiv": "Content-Security-Policy"})["attributes"]["content"]
    assert policy.startswith("default-src 'none'; img-src data:; media-src data:;") and "unsafe" not in policy
    assert isinstance(page.data["layers"], list)


def image_of(figure_or_page, page):
    source = page.inside(figure_or_page, "img")[0]["attributes"]["src"]
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(source.split(",", 1)[1]))))


def page_writer(write):
    """page_of(folder, edge, reference, ...): the page of two logs that write() makes, and its file; a tuple has a value for each log."""

    def page_of(folder, edge, reference, **keywords):
        keywords = {k: v if isinstance(v, tuple) else (v, v) for k, v in keywords.items()}
        pair = [write(folder, role, given, **{k: v[s] for k, v in keywords.items()})
                for s, (role, given) in enumerate((("edge", edge), ("reference", reference)))]
        target = write_html(folder / "r.html", *pair)
        return read_page(target), target

    return page_of
