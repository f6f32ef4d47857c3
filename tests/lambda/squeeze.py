"""Packs the zips of `make zips` again with zopfli: the same programs in the same format, some hundredths smaller.

usage: squeeze.py FOLDER        (…/<function>/bootstrap.zip; what was packed so already is left alone)

Beside the program nothing of a zip depends on when or where it was made.
"""

import os
import struct
import sys
import zipfile
import zlib
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from zopfli.zlib import compress

DONE = b"zopfli"
# 1 January 1980, where the dates of zips begin.
EPOCH = 1 << 5 | 1
# A file that everybody may read and start, as Unix says it.
MODE = 0o100755 << 16


def packed(name, program):
    """A zip of one file (APPNOTE.TXT of PKWARE, 4.3: local header, data, central directory, its end)."""
    # Between two bytes of header and four of checksum zlib's format holds what a zip does.
    data = compress(program, numiterations=5)[2:-4]
    about = struct.pack("<HHHHHIIIHH", 20, 0, zipfile.ZIP_DEFLATED, 0, EPOCH, zlib.crc32(program), len(data), len(program), len(name), 0)
    local = b"PK\x03\x04" + about + name + data
    directory = b"PK\x01\x02" + struct.pack("<H", 3 << 8 | 20) + about + struct.pack("<HHHII", 0, 0, 0, MODE, 0) + name
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(directory), len(local), len(DONE)) + DONE
    return local + directory + end


def squeeze(path):
    """The sizes of a zip before and after."""
    before = path.stat().st_size
    with zipfile.ZipFile(path) as archive:
        if archive.comment == DONE:
            return before, before
        [name] = archive.namelist()
        program = archive.read(name)
    smaller = path.with_suffix(".new")
    smaller.write_bytes(packed(name.encode(), program))
    with zipfile.ZipFile(smaller) as archive:
        assert archive.read(name) == program and archive.testzip() is None, f"{path} would not be the same"
    os.replace(smaller, path)
    return before, path.stat().st_size


def main():
    paths = sorted(Path(sys.argv[1]).glob("*/bootstrap.zip"))
    with ProcessPoolExecutor() as processes:
        for path, (before, after) in zip(paths, processes.map(squeeze, paths)):
            if after < before:
                print(f"{path.parent.name:18} {before / 1e6:5.2f} MB, now {after / 1e6:5.2f}")


if __name__ == "__main__":
    main()
