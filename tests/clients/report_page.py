"""The report in headless Chromium: no horizontal scroll at 390 and 1280 pixels, no external request, prints, and the
numbers on the page are those of the JSON beside it.

usage: report_page.py BINARY
"""

import json
import os
import re
import subprocess
import sys
import tempfile

CHROMIUM = [
    "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]

# The page measures itself: a script that the test adds writes what it finds into the title.
MEASURE = """<script>addEventListener('load', () => {
  const frame = document.createElement('div');
  const over = [...document.querySelectorAll('body *')].filter(e => !e.closest('svg') && !e.closest('[data-scroll]')
    && e.getBoundingClientRect().right > innerWidth + 1).map(e => e.tagName + '.' + e.className).slice(0, 5);
  const requests = performance.getEntriesByType('resource').map(e => e.name);
  document.title = JSON.stringify({width: innerWidth, scroll: document.documentElement.scrollWidth, over, requests});
});</script></body>"""


def chromium(*arguments):
    with tempfile.TemporaryDirectory() as profile:
        command = [*CHROMIUM, f"--user-data-dir={profile}", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    return done.stdout


def measure(page, width):
    """Loads the page in a frame of that width: headless windows have a least width of their own."""
    with open(page, encoding="utf-8") as file:
        html = file.read().replace("</body>", MEASURE)
    # The page forbids every script by its own policy; the ruler is one.
    html, policies = re.subn(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", html)
    assert policies == 1, "the page says that it loads nothing"
    folder = os.path.dirname(page)
    inner = os.path.join(folder, "measured.html")
    outer = os.path.join(folder, "frame.html")
    with open(inner, "w", encoding="utf-8") as file:
        file.write(html.replace("document.title =", "parent.document.title ="))
    with open(outer, "w", encoding="utf-8") as file:
        file.write(f'<!doctype html><title>?</title><iframe src="measured.html" width="{width}" height="2000"></iframe>')
    dump = chromium("--allow-file-access-from-files", "--disable-web-security", "--virtual-time-budget=5000",
                    "--window-size=1600,2200", "--dump-dom", f"file://{outer}")
    os.remove(inner)
    os.remove(outer)
    title = re.search(r"<title>(.*?)</title>", dump, re.S).group(1).replace("&quot;", '"')
    return json.loads(title)


def numbers_of(value, found):
    if isinstance(value, dict):
        for item in value.values():
            numbers_of(item, found)
    elif isinstance(value, list):
        for item in value:
            numbers_of(item, found)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        found.append(float(value))
    return found


def check(binary, issue, home):
    done = subprocess.run([binary, "run", issue, "--json"], env={**os.environ, "MLOPS_HOME": home},
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    output = json.loads(done.stdout)
    page = output["report_uri"].removeprefix("file://")
    with open(page, encoding="utf-8") as file:
        html = file.read()
    with open(page.replace("report.html", "report.json"), encoding="utf-8") as file:
        report = json.load(file)
    assert not re.search(r'(?:src|href)="(?!#|data:)[^"]*//', html), "the page names no other address"
    assert "<script" not in html, "the page needs no script"
    for width in (390, 1280):
        seen = measure(page, width)
        assert seen["width"] == width, seen
        assert seen["scroll"] <= width and not seen["over"], seen
        assert not [name for name in seen["requests"] if not name.startswith("data:")], seen
    # Every metric on the page is the metric of the run, and stands in the JSON.
    known = numbers_of(report, [])
    for name, value in output["metrics"].items():
        if value is None:
            continue
        assert any(abs(number - value) < 1e-12 for number in known), f"{name} is not in report.json"
        shown = {f"{value:.{digits}f}" for digits in range(2, 7)} | {f"{value * 100:.{digits}f}" for digits in range(3)}
        shown |= {text.rstrip("0").rstrip(".") for text in shown} | {f"{value:,.{digits}f}" for digits in range(4)}
        assert any(text in html for text in shown), f"{name} = {value} is not on the page"
    pdf = os.path.join(home, "report.pdf")
    chromium(f"--print-to-pdf={pdf}", "--no-pdf-header-footer", f"file://{page}")
    assert os.path.getsize(pdf) > 10_000, "the page prints"
    print(f"report of {issue}: fits 390 and 1280 px, no request, prints ({os.path.getsize(pdf)} bytes of PDF)")


if __name__ == "__main__":
    for example in ("examples/penguins-classification.md", "examples/penguins-regression-ja.md"):
        check(os.path.abspath(sys.argv[1]), example, tempfile.mkdtemp())
