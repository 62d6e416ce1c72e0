"""Which files of a folder can be read, and what is said of the others.

    python -m benchmarks.sweep FOLDER [--gib 3] [--all]

Every image file below FOLDER is read as the page reads it, in a process with a limit of time and of
memory. Printed are, for each folder directly below FOLDER, how many files were read, were read
with a remark, were refused with a sentence, ended the process or never ended; then every reason
with its number and an example.
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

from benchmarks import report
from benchmarks.table import Table
from pointprompt.server.readers import CRASHED, TOO_SLOW, Readers
from pointprompt.sources.framing import Framing
from pointprompt.sources.photos import DEFAULT_LIMITS, ImageError

# What is taken for an image file, and what people take for one.
# fmt: off
SUFFIXES = {
    ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".webp", ".gif", ".bmp", ".dib",
    ".tif", ".tiff", ".btf", ".heic", ".heif", ".hif", ".avif", ".avifs", ".jxl", ".jp2", ".j2k",
    ".jpf", ".jpx", ".j2c", ".jpc", ".pbm", ".pgm", ".ppm", ".pnm", ".pam", ".pfm", ".tga", ".icb",
    ".vda", ".vst", ".qoi", ".ico", ".cur", ".psd", ".psb", ".icns", ".svg", ".dng", ".nef", ".cr2",
    ".cr3", ".arw", ".raf", ".rw2", ".orf", ".pef", ".srw", ".3fr", ".crw", ".mrw", ".x3f", ".pdf",
    ".eps", ".xpm", ".exr", ".hdr", ".dds", ".jxr", ".fits",
}
# fmt: on
OUTCOMES = ("read", "remark", "refused", "crash", "hang")
_ENDS = {CRASHED: "crash", TOO_SLOW: "hang"}


def main() -> None:
    """Sweep the folder that the command line names."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.sweep",
        description="Try to read every image file below a folder.",
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--gib", type=float, default=3, help="of memory for one file")
    parser.add_argument("--all", action="store_true", help="files of any suffix")
    parser.add_argument("--list", action="store_true", help="print every file's outcome")
    report.add_option(parser)
    given = parser.parse_args()
    files = sorted(
        file
        for file in given.folder.rglob("*")
        if file.is_file() and (given.all or file.suffix.lower() in SUFFIXES)
    )
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    reasons: dict[tuple[str, str], list[Path]] = defaultdict(list)
    for file, outcome, words in outcomes(files, given.gib):
        relative = file.relative_to(given.folder)
        counts[relative.parts[0] if len(relative.parts) > 1 else "."][outcome] += 1
        reasons[outcome, words].append(relative)
        if given.list:
            print(outcome, relative, words, sep="\t", flush=True)
    table = folder_table(counts)
    print(table)
    print_reasons(reasons)
    if given.docs:
        report.publish("sweep", table, parser.prog)


def folder_table(counts: dict[str, Counter[str]]) -> Table:
    """How many files of each folder came to which outcome."""
    total: Counter[str] = sum(counts.values(), Counter())
    of_folders = [*sorted(counts.items()), ("all", total)]
    rows = [[folder, *(count[kind] for kind in OUTCOMES)] for folder, count in of_folders]
    return Table(["folder", *OUTCOMES], rows)


def print_reasons(reasons: dict[tuple[str, str], list[Path]]) -> None:
    """Print every reason with its number and an example, the most frequent first."""
    for (outcome, words), files in sorted(reasons.items(), key=lambda item: -len(item[1])):
        if words:
            print(f"{len(files):5} {outcome}: {words}  ({files[0]})")


def outcomes(files: list[Path], gib: float) -> Iterator[tuple[Path, str, str]]:
    """Yield each file, one of `OUTCOMES`, and the words that came with it."""
    readers = Readers(most=1, max_image_bytes=int(gib * 2**30))
    with readers.reader() as read:
        for file in files:
            try:
                photo, _ = read(file, file.name, Framing(64), DEFAULT_LIMITS)
            except ImageError as error:
                yield file, _ENDS.get(str(error), "refused"), str(error)
            else:
                yield file, "remark" if photo.remark else "read", photo.remark
    readers.close()


if __name__ == "__main__":
    main()
