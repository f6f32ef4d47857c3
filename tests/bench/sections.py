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
    _, found = split(read(path), "##")
    Path(path).write_text(joined(HEAD, found | {title: text}, "##", ORDER), encoding="utf-8")


def put_part(path, section, head, order, title, text):
    """Replaces one part of a section, whose parts have that order, and what stands before the parts."""
    _, found = split(read(path), "##")
    _, parts = split(found.get(section, ""), "###")
    put(path, section, joined(head, parts | {title: text}, "###", order))


def read(path):
    return Path(path).read_text(encoding="utf-8") if Path(path).exists() else ""


def split(text, mark):
    """What stands before the first title of that rank, and the text under each."""
    head, *rest = re.split(rf"^{mark} (.*)\n", text, flags=re.M)
    return head, dict(zip(rest[::2], rest[1::2]))


def joined(head, found, mark, order):
    for title in found:
        assert title in order, f"{title!r} has no place: {order}"
    return "\n".join([head.strip() + "\n", *(f"{mark} {title}\n{found[title].strip()}\n" for title in order if title in found)])

