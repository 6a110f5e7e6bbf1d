"""Read very many pages into a table: a row a page, as Parquet or JSON Lines.

    ppocr-lite bulk scans/ --recursive --output pages/
    ppocr-lite bulk shards/*.tar --output pages.parquet
    ppocr-lite bulk s3://bucket/scans --output pages/ --ray

A SOURCE is an image, a PDF or TIFF of several pages, a tar file (WebDataset), a Parquet file with encoded images, a
folder or a pattern of these; as a path, or as a URL of any file system that fsspec knows.  What cannot be read becomes
a row with its error.

Stopped or killed at any moment, the same command goes on where it was: no page is read twice into the output, and none
is lost.  Exit status: 0 all read; 1 some pages have an error; 2 wrong usage, or an output begun with other settings;
130 and 143 stopped by Ctrl-C and SIGTERM.  Needs the extra [bulk]; --ray, for a cluster, the extra [ray].
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from tqdm import tqdm

from ppocr_lite.bulk.document import FORMATS, Format, Options, Row
from ppocr_lite.bulk.journal import PART_SECONDS
from ppocr_lite.bulk.processes import PAGE_SECONDS
from ppocr_lite.bulk.run import Count, read_many
from ppocr_lite.commands.console import DONE, FAILED, Progress, add_quiet, complain, say
from ppocr_lite.commands.inputs import MAX_NAMED, add_ocr_options, ocr_options
from ppocr_lite.engine.stopping import StopOnSignal
from ppocr_lite.errors import ConfigError

SIGNALLED = 128  # what shells add to the number of a signal


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    parser.add_argument("sources", nargs="+", metavar="SOURCE", help="file, folder, pattern or URL")
    parser.add_argument("--output", required=True, metavar="PLACE", help="folder, FILE.parquet or FILE.jsonl")
    parser.add_argument("--format", choices=FORMATS, help="of a folder (default: parquet)")
    parser.add_argument("--recursive", action="store_true", help="look into subfolders too")
    parser.add_argument("--pages", help="of each PDF or multi-page file, e.g. 1-5")
    parser.add_argument("--password", help="of encrypted PDF files")
    parser.add_argument("--column", metavar="NAME", help="of Parquet files with several columns of bytes: the images")
    parser.add_argument("--workers", type=int, metavar="N", help="processes or Ray actors (default: one a processor)")
    parser.add_argument("--share", type=_share, metavar="I/N", help="read the I-th of N shares of all documents")
    parser.add_argument("--retry", action="store_true", help="read pages again whose rows have an error")
    parser.add_argument("--ray", action="store_true", help="read on the cluster that RAY_ADDRESS names")
    parser.add_argument(
        "--page-seconds", type=float, default=PAGE_SECONDS, metavar="N", help=f"most for one page ({PAGE_SECONDS:g})"
    )
    parser.add_argument(
        "--part-seconds", type=float, default=PART_SECONDS, metavar="N", help=f"between two writes ({PART_SECONDS:g})"
    )
    add_quiet(parser)
    add_ocr_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Read everything that is given; return the exit status."""
    options = Options(ocr_options(arguments), _format(arguments), arguments.pages, arguments.password, arguments.column)
    with StopOnSignal() as stop, _Told() as told:
        count = read_many(
            arguments.sources,
            arguments.output,
            options,
            recursive=arguments.recursive,
            share=arguments.share,
            retry=arguments.retry,
            backend="ray" if arguments.ray else "processes",
            workers=arguments.workers,
            page_seconds=arguments.page_seconds,
            part_seconds=arguments.part_seconds,
            tell=told,
            stopped=lambda: stop.received,
        )
    failed = count.failed + count.failed_before
    rate = f", {count.pages / count.seconds:.1f} pages a second" if count.pages else ""
    say(f"{arguments.output}: {count.pages + count.before:,} pages, {count.before:,} of them read before{rate}")
    if failed:
        complain(f"{failed:,} pages could not be read; the column error says why.")
    if not count.finished:
        complain("Stopped before the end. Run the same command again to go on.")
        return SIGNALLED + stop.number
    return FAILED if failed else DONE


def _share(text: str) -> tuple[int, int]:
    number, _, of = text.partition("/")
    if not (number.isdigit() and of.isdigit() and 1 <= int(number) <= int(of)):
        raise argparse.ArgumentTypeError(f"must be like 3/100. Received: {text!r}")
    return int(number), int(of)


def _format(arguments: argparse.Namespace) -> Format:
    """Return the format of the output, which the name of a file says."""
    suffix = Path(arguments.output).suffix.lower().removeprefix(".")
    named: Format | None = suffix if suffix in FORMATS else None
    if named and arguments.format and named != arguments.format:
        raise ConfigError(f"--output {arguments.output} is to be {named}, and --format says {arguments.format}.")
    return named or arguments.format or "parquet"


class _Told:
    """Shows how far a run has come, and names the first pages that cannot be read."""

    EVERY = 10.0  # seconds between two lines, where there is no terminal
    REDRAWN = 0.5  # seconds, where there is one

    def __init__(self) -> None:
        self._bar = tqdm(bar_format="{desc}", disable=not (Progress.shown and sys.stderr.isatty()))
        self._shown = time.monotonic()
        self._named = 0

    def __enter__(self) -> _Told:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def __call__(self, count: Count, row: Row | None) -> None:
        """Show *count*; name the error of *row*, if it has one."""
        if row is not None and row.error is not None:
            self._named += 1
            if self._named <= MAX_NAMED:
                complain(row.error)
            if self._named == MAX_NAMED:
                complain("More that cannot be read are not named here; the column error of the output says why.")
        now = time.monotonic()
        if not Progress.shown or now - self._shown < (self.EVERY if self._bar.disable else self.REDRAWN):
            return
        self._shown = now
        if self._bar.disable:
            sys.stderr.write(f"{progress(count)}\n")
        else:
            self._bar.set_description_str(progress(count))


def progress(count: Count) -> str:
    """Return a line that says how far a run has come."""
    rate = count.pages / max(count.seconds, 1e-9)
    text = f"{count.pages:,} {'page' if count.pages == 1 else 'pages'}, {rate:.1f} a second"
    if not count.complete:
        return f"{text}; still looking, {count.total:,} documents so far"
    left = count.total - count.documents
    text += f"; {left:,.0f} of {count.total:,} documents left"
    return f"{text}, {_span(left * count.seconds / count.documents)}" if count.documents else text


def _span(seconds: float) -> str:
    """Return a time as people say it."""
    for unit, length in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} seconds"
