"""The sections of docs/benchmarks.md: each measurement writes its own, and leaves the others as they are."""

import re
from pathlib import Path

ORDER = (
    "Remote tools against embedded ones", "The MCP server against the same tool in Python",
    "The functions as they are deployed", "A large object in S3", "Learning",
)
HEAD = """# Benchmarks

Written by `make bench`, each section by the run that measured it. Ratios are of figures of one run, ours and theirs by turns.
"""


def put(path, title, text):
    """Replaces the section of that title, or puts it where it belongs."""
    assert title in ORDER, f"{title!r} has no place: {ORDER}"
    path = Path(path)
    found = dict(re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", path.read_text(encoding="utf-8") if path.exists() else "", re.M | re.S))
    found[title] = text
    written = [f"## {title}\n{found[title].strip()}\n" for title in ORDER if title in found]
    path.write_text("\n".join([HEAD, *written]), encoding="utf-8")
