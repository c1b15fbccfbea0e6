"""The HTML report in a real browser: nothing is loaded, nothing complains, and it can be used by
mouse and by keyboard.  `make browser-test` installs the browser."""

import json

import pytest
from browser import CHROMIUM, Browser
from html_logs import boxes, write_classes, write_drawn, write_hostile, write_pair, write_results
from html_support import write_html

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium: make browser-test")


@pytest.fixture(scope="module")
def browser():
    b = Browser()
    yield b
    b.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    return write_html(folder / "report.html", *write_pair(folder, layer_fault=3.0))


def chosen(browser):
    return browser.run("document.querySelector('#details h3').textContent")


def test_loads_nothing_and_says_nothing(browser, report):
    browser.open(report)
    assert browser.requests()[0].startswith("file://")
    assert all(url.startswith("data:") for url in browser.requests()[1:])
    assert browser.complaints() == []
    assert browser.run("[...document.images].every((i) => i.complete && i.naturalWidth > 0)")
    # Every chart is drawn inside its frame.
    assert browser.run("[...document.querySelectorAll('svg.chart')].length") == 3
    assert browser.run("[...document.querySelectorAll('svg.chart *')].every((e) => !e.getBBox || [...Object.values(e.getBBox())]"
                       ".every((v) => v === undefined || Number.isFinite(v) || typeof v === 'function'))")


def test_hostile_text_does_nothing(browser, tmp_path):
    target = write_html(tmp_path / "r.html", *write_hostile(tmp_path))
    browser.open(target)
    assert browser.complaints() == [] and len([u for u in browser.requests() if not u.startswith("data:")]) == 1
    assert browser.run("document.querySelectorAll('img[src=x], [onload], [onerror]').length") == 0
    assert browser.run("document.querySelector('#details .sub').textContent").count("<img src=x onerror=alert(1)>") == 1


def test_the_wrong_layer_is_open_already(browser, report):
    browser.open(report)
    assert chosen(browser) == "Layer 0, CONV_2D"
    assert browser.run("document.querySelector('.details .r-origin').textContent") == "wrong by itself"
    # Histograms and channels are drawn, each with a name to read aloud.
    assert browser.run("[...document.querySelectorAll('#details svg')].map((s) => s.getAttribute('aria-label'))") == [
        "Histograms of the edge (line) and the reference (filled)", "Error of each channel"]


def column(browser, chart, index, count):
    """Where a column of a chart lies in the window."""
    box = browser.place(chart)
    scale = box["width"] / 1040
    return box["x"] + (72 + (1028 - 72) / count * (index + 0.5)) * scale, box["y"] + box["height"] / 2


def test_hover_and_click_on_the_chart(browser, report):
    browser.open(report)
    browser.hover(*column(browser, "#chart-error", 2, 4))  # input, two layers, output
    assert chosen(browser) == "Layer 1, MEAN"
    browser.click(*column(browser, "#chart-error", 1, 4))
    assert chosen(browser) == "Layer 0, CONV_2D"
    browser.hover(*column(browser, "#chart-range", 2, 4))
    assert chosen(browser) == "Layer 0, CONV_2D"  # held by the click
    browser.click(*column(browser, "#chart-range", 2, 4))
    assert chosen(browser) == "Layer 1, MEAN"
    assert browser.run("document.querySelector('#row-1').classList.contains('chosen')")
    assert browser.run("document.querySelectorAll('.cursor.on').length") == 2


def test_click_in_the_table(browser, report):
    browser.open(report)
    box = browser.place("#row-1 button")
    browser.click(box["x"] + 5, box["y"] + 5)
    assert chosen(browser) == "Layer 1, MEAN"


def test_keys_alone(browser, report):
    browser.open(report)
    browser.key("Tab", 9)
    assert browser.run("document.activeElement.className") == "skip"
    seen = []
    for _ in range(60):
        browser.key("Tab", 9)
        seen.append(browser.run("document.activeElement.id || document.activeElement.tagName"))
        if seen[-1] == "pick":
            break
    assert seen[-1] == "pick", seen
    browser.key("ArrowRight", 39)
    assert chosen(browser) == "Layer 1, MEAN"
    assert browser.run("document.activeElement.getAttribute('aria-valuetext')").startswith("1 MEAN")
    browser.key("ArrowLeft", 37)
    assert chosen(browser) == "Layer 0, CONV_2D"
    # Focus is always to be seen.
    assert browser.run("getComputedStyle(document.activeElement).outlineStyle") != "none"


def test_finding_and_sorting(browser, report):
    browser.open(report)
    browser.run("document.querySelector('#find').focus()")
    for letter in "mean":
        browser.key(letter, ord(letter.upper()), letter)
    visible = "[...document.querySelectorAll('#rows tbody tr')].filter((r) => !r.hidden).map((r) => r.id)"
    assert browser.run(visible) == ["row-1"]
    assert browser.run("document.querySelector('#shown').textContent") == "1 of 2"
    browser.run("(() => { const f = document.querySelector('#find'); f.value = ''; f.dispatchEvent(new Event('input')); })()")
    assert browser.run(visible) == ["row-0", "row-1"]
    box = browser.place("#rows thead th:nth-child(4) button")
    browser.click(box["x"] + 3, box["y"] + 3)
    assert browser.run("document.querySelector('#rows thead th:nth-child(4)').getAttribute('aria-sort')") == "ascending"
    errors = browser.run("[...document.querySelectorAll('#rows tbody tr')].map((r) => parseFloat(r.cells[3].textContent))")
    assert errors == sorted(errors)
    box = browser.place("#rows thead th:nth-child(4) button")
    browser.click(box["x"] + 3, box["y"] + 3)
    assert browser.run("[...document.querySelectorAll('#rows tbody tr')].map((r) => parseFloat(r.cells[3].textContent))") == errors[::-1]


@pytest.mark.parametrize("width", [400, 1280])
@pytest.mark.parametrize("dark", [False, True])
def test_fits_and_can_be_read(browser, report, width, dark):
    browser.open(report, width=width, dark=dark)
    assert browser.run("document.documentElement.scrollWidth") <= width
    # Contrast of text and ground, as WCAG has it: 4.5 for text.
    ratios = json.loads(browser.run("""(() => {
      const parse = (c) => c.match(/[\\d.]+/g).map(Number);
      const light = (c) => parse(c).slice(0, 3).map((v) => v / 255).map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
        .reduce((s, v, i) => s + v * [0.2126, 0.7152, 0.0722][i], 0);
      const ground = (e) => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor);
        if (c.length < 4 || c[3] > 0) return getComputedStyle(e).backgroundColor; } };
      const out = [];
      for (const e of document.querySelectorAll('h1, h2, h3, h4, p, dt, dd, td, th, code, a, figcaption, span, summary, strong, button')) {
        if (!e.textContent.trim() || !e.offsetParent) continue;
        const a = light(getComputedStyle(e).color), b = light(ground(e));
        out.push([(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), e.tagName + '.' + e.className]);
      }
      return JSON.stringify(out);
    })()"""))
    assert len(ratios) > 100
    assert min(ratios)[0] >= 4.5, sorted(ratios)[:5]


def test_the_dark_page_is_dark(browser, report):
    import io

    import numpy as np
    from PIL import Image

    means = []
    for dark in (False, True):
        browser.open(report, dark=dark)
        means.append(np.asarray(Image.open(io.BytesIO(browser.screenshot())).convert("L")).mean())
    assert means[0] > 200 and means[1] < 60


def test_prints(browser, report):
    browser.open(report)
    pdf = browser.print()
    assert pdf.startswith(b"%PDF") and len(pdf) > 20_000
    browser.open(report, media="print")
    assert browser.run("getComputedStyle(document.querySelector('.top')).display") == "none"
    assert browser.run("getComputedStyle(document.querySelector('#table .scroll')).overflowX") == "visible"


def test_without_its_script(browser, report):
    """Charts, pictures and tables are there; only what the script would do is left out."""
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    browser.open(report)
    browser.call("Emulation.setScriptExecutionDisabled", value=False)
    assert browser.run("document.querySelectorAll('#chart-error .mark').length") == 4
    assert browser.run("document.querySelector('.pick').hidden && document.querySelector('.tools').hidden")


@pytest.mark.parametrize("width", [390, 1120])
def test_measures_fit(browser, tmp_path, width):
    edge = write_results(tmp_path / "e.mcap", "edge", [boxes(2)] * 2, [boxes(0)] * 2)
    target = write_html(tmp_path / "p.html", edge, write_results(tmp_path / "r.mcap", "reference", [boxes(0.1)] * 2))
    browser.open(target, width=width)
    assert browser.complaints() == [] and browser.run("document.querySelector('#measures details').open") is False
    box = browser.place("#measures summary")
    browser.click(box["x"] + 20, box["y"] + 5)
    assert browser.run("document.querySelector('#measures details').open") is True
    assert browser.run("document.documentElement.scrollWidth") <= width


@pytest.fixture(scope="module")
def stepped(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stepped")
    return write_html(folder / "r.html", *(write_classes(folder, role, 9, wrong=(2, 6)) for role in ("edge", "reference")))


SHOWN = "[...document.querySelectorAll('.frame')].filter((f) => f.offsetParent).map((f) => f.id)"


def test_stepping_through_frames(browser, stepped):
    browser.open(stepped)
    assert browser.complaints() == [] and browser.run(SHOWN) == ["frame-2"]
    assert browser.run("document.querySelectorAll('.strip img').length") == 9
    browser.place("#viewer")
    browser.key("ArrowRight", 39)
    assert browser.run(SHOWN) == ["frame-3"] and browser.run("document.querySelector('.stepper .where').textContent") == "4 of 9"
    browser.key("ArrowLeft", 37)
    browser.key("ArrowLeft", 37)
    assert browser.run(SHOWN) == ["frame-1"]
    box = browser.place(".strip a:nth-child(8)")
    browser.click(box["x"] + 8, box["y"] + 8)
    assert browser.run(SHOWN) == ["frame-7"] and browser.run("document.querySelector('.strip [aria-current]').textContent") == "7"
    assert browser.run("document.documentElement.scrollWidth") <= 1280


def test_differences_only(browser, stepped):
    browser.open(stepped)
    box = browser.place("#only")
    browser.click(box["x"] + 3, box["y"] + 3)
    assert browser.run("[...document.querySelectorAll('.strip a')].filter((a) => a.offsetParent).map((a) => a.textContent)") == ["2", "6"]
    assert browser.run("[...document.querySelectorAll('.facts tbody tr')].every((r) => !r.offsetParent || r.querySelector('.differs'))")
    browser.place("#viewer")
    browser.key("ArrowRight", 39)
    assert browser.run(SHOWN) == ["frame-6"]
    browser.key("ArrowRight", 39)
    assert browser.run(SHOWN) == ["frame-6"]


def test_the_fix_is_copied(browser, report):
    browser.open(report)
    browser.run("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
    box = browser.place(".fix button.copy")
    browser.click(box["x"] + 5, box["y"] + 5)
    assert browser.run("window.copied") == browser.run("document.querySelector('.fix .what').textContent")
    assert browser.run("document.querySelector('.fix button.copy').textContent") == "Copied"


def test_frames_without_the_script_and_in_print(browser, stepped):
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    browser.open(stepped)
    browser.call("Emulation.setScriptExecutionDisabled", value=False)
    notable = browser.run("[...document.querySelectorAll('.notable')].map((f) => f.id)")
    assert browser.run(SHOWN) == notable
    browser.run("location.hash = '#frame-8'")
    assert browser.run(SHOWN) == notable + ["frame-8"]
    browser.open(stepped, media="print")
    assert browser.run(SHOWN) == notable


@pytest.mark.parametrize("width", [390, 1920])
def test_boxes_lie_on_their_picture(browser, tmp_path, width):
    pair = [write_drawn(tmp_path, role, lambda r, i, x=x: r.boxes.add(x_min=x, y_min=0.25, x_max=x + 0.5, y_max=0.75, id=1, score=1))
            for role, x in (("edge", 0.25), ("reference", 0.4))]
    browser.open(write_html(tmp_path / "r.html", *pair), width=width, dark=True)
    assert browser.complaints() == [] and browser.run("document.documentElement.scrollWidth") <= width
    image = browser.place(".stack img")
    mark = browser.run("(() => { const r = document.querySelector('.marks path.edge').getBoundingClientRect(); return [r.x, r.y, r.width, r.height]; })()")
    want = [image["x"] + image["width"] / 4, image["y"] + image["height"] / 4, image["width"] / 2, image["height"] / 2]
    assert max(abs(a - b) for a, b in zip(mark, want)) < 4
