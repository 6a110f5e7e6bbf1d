"""Measure `ppocr-lite bulk`: pages a second by processes and by Ray, memory, kills; and what a million pages cost.

    python experiments/bulk.py pages --data ../shared/data --output /tmp/pages --count 2000
    python experiments/bulk.py speed --pages /tmp/pages
    python experiments/bulk.py kills --pages /tmp/pages
    python experiments/bulk.py writer --pages /tmp/pages
    python experiments/bulk.py cost --rate 6.5 --writer 3000 --cores 16 --machines 100

`pages` cuts receipts into strips: the scans of receipts_en and receipts_en_more, in the order of their names, each into
bands of its full width and 240 pixels high from the top, one under the other; a band with hardly any ink (a standard
deviation of gray below 20) and what is left at the foot are left out. They are saved as JPEG of quality 90.

`speed` reads all of them with one process of one thread, then with as many processes as there are processors, then with
as many Ray actors (if Ray is installed), each into a new output and from a cold start, and prints a table: seconds as
the command takes them, from start to end; of those the seconds before the first row; pages a second, over all and from
the first row on; how many times one process that is, divided by the number of processes; and the memory (proportional
set size) of all processes together when a tenth, half and all pages were read.

`kills` reads them once unbroken and once killed by SIGKILL, the whole process group, at random moments after each
start has begun to write; it prints whether the two outputs are equal: the same rows, each once, in all columns but
`seconds`. Exit status 1 if not.

`writer` reads twenty pages, and prints how many such rows a second one process can write, in processor time: what
limits a cluster whose rows all come to one machine.

`cost` computes what a million pages take at a rate of one processor, and of the writer.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import random
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import cv2

from ppocr_lite.bulk import Count, Options, read_many
from ppocr_lite.bulk.document import Row
from ppocr_lite.bulk.journal import Journal
from ppocr_lite.bulk.reading import Reader
from ppocr_lite.bulk.sources import Source, find_documents

SETS = ("receipts_en", "receipts_en_more")
BAND, QUALITY, LEAST_INK = 240, 90, 20.0
TENTHS = (0.1, 0.5, 1.0)
MILLION = 1_000_000
WRITER_PAGES, WRITER_ROWS = 20, 20_000
LOOK = 0.5  # seconds between two looks at the memory


def cut_pages(arguments: argparse.Namespace) -> int:
    """Cut receipts into small pages."""
    arguments.output.mkdir(parents=True, exist_ok=True)
    done = 0
    for name in SETS:
        for path in sorted((arguments.data / name / "images").iterdir()):
            image = cv2.imread(str(path))
            for top in range(0, image.shape[0] - BAND + 1, BAND):
                band = image[top : top + BAND]
                if done == arguments.count or cv2.cvtColor(band, cv2.COLOR_BGR2GRAY).std() < LEAST_INK:
                    continue
                target = arguments.output / f"{path.stem}_{top:05d}.jpg"
                cv2.imwrite(str(target), band, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
                done += 1
    print(f"{arguments.output}: {done} pages")
    return 0 if done == arguments.count else 1


def read_once(arguments: argparse.Namespace) -> int:
    """Read all pages with one backend, and print what was measured as JSON."""
    began = time.perf_counter()
    total = len(list(arguments.pages.iterdir()))
    first = 0.0
    memory: list[float] = []
    looked = 0.0

    def tell(count: Count, row: object) -> None:
        nonlocal first, looked
        if row is not None and not first:
            first = time.perf_counter() - began
        # Looking costs some milliseconds, so only near the tenths that are shown.
        due = len(memory) < len(TENTHS) and count.pages >= TENTHS[len(memory)] * total
        if due and time.perf_counter() - looked > LOOK:
            looked = time.perf_counter()
            memory.append(held(os.getpid()))

    count = read_many(
        [str(arguments.pages)], arguments.output, backend=arguments.backend, workers=arguments.workers, tell=tell
    )
    seconds = time.perf_counter() - began
    said = {"pages": count.pages, "failed": count.failed, "seconds": seconds, "first": first, "memory": memory}
    print(json.dumps(said))
    return 0


def held(process: int) -> float:
    """Return MiB that a process and all that it started hold, what they share counted once."""
    try:
        rollup = Path(f"/proc/{process}/smaps_rollup").read_text()
        children = [
            int(child)
            for task in Path(f"/proc/{process}/task").iterdir()
            for child in (task / "children").read_text().split()
        ]
    except OSError:  # it has just ended
        return 0.0
    own = sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
    return own / 1024 + sum(map(held, children))


def measure_speed(arguments: argparse.Namespace) -> int:
    """Print a table of all backends."""
    many = arguments.workers
    runs = [("processes", 1), ("processes", many)] + ([("ray", many)] if has_ray() else [])
    columns = ("", "workers", "seconds", "before the first row", "pages a second", "from the first row on")
    columns += ("of linear", "of linear from the first row on", "MiB at 10, 50, 100 %")
    print(f"| {' | '.join(columns)} |\n|{' --- |' * len(columns)}")
    single = None
    for backend, workers in runs:
        with tempfile.TemporaryDirectory(prefix="bulk-") as folder:
            command = [sys.executable, __file__, "once", "--pages", str(arguments.pages), "--output", f"{folder}/out"]
            command += ["--backend", backend, "--workers", str(workers)]
            done = subprocess.run(command, env=environment(), stdout=subprocess.PIPE, text=True, check=True)
        found = json.loads(done.stdout.splitlines()[-1])
        rates = found["pages"] / found["seconds"], (found["pages"] - 1) / (found["seconds"] - found["first"])
        single = single or rates
        linear = [rate / one / workers for rate, one in zip(rates, single, strict=True)]
        memory = ", ".join(f"{value:.0f}" for value in found["memory"])
        numbers = f"{found['seconds']:.1f} | {found['first']:.1f} | {rates[0]:.2f} | {rates[1]:.2f}"
        print(f"| {backend} | {workers} | {numbers} | {linear[0]:.2f} | {linear[1]:.2f} | {memory} |", flush=True)
        if found["failed"]:
            print(f"{found['failed']} pages failed", file=sys.stderr)
    return 0


def measure_kills(arguments: argparse.Namespace) -> int:
    """Read once unbroken and once with kills, and compare."""
    rng = random.Random(arguments.seed)
    total = len(list(arguments.pages.iterdir()))
    with tempfile.TemporaryDirectory(prefix="bulk-") as folder:
        whole, broken = Path(folder, "whole"), Path(folder, "broken")
        started = time.perf_counter()
        start(arguments, whole).wait()
        unbroken = time.perf_counter() - started
        print(f"unbroken: {len(rows_of(whole))} rows in {unbroken:.0f} seconds")
        for number in range(1, arguments.kills + 1):
            before = parts_of(broken)
            process = start(arguments, broken)
            while len(parts_of(broken)) == len(before) and process.poll() is None:
                time.sleep(0.05)  # until it has begun to write
            time.sleep(rng.uniform(0, 0.8) * unbroken / (arguments.kills + 1))
            ended = process.poll() is not None
            if not ended:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            late = ", but it had ended" if ended else ""
            print(f"kill {number}: {len(rows_of(broken))} of {total} rows are in whole parts{late}", flush=True)
        status = start(arguments, broken).wait()
        found, expected = rows_of(broken), rows_of(whole)
        equal = found == expected and len(found) == total and status == 0
        print(f"after the last run: {len(found)} rows, exit status {status}; equal to the unbroken run: {equal}")
    return 0 if equal else 1


def start(arguments: argparse.Namespace, output: Path) -> subprocess.Popen[bytes]:
    """Start the command in a process group of its own."""
    command = [sys.executable, "-m", "ppocr_lite", "bulk", str(arguments.pages), "--output", str(output), "--quiet"]
    command += ["--format", "jsonl", "--part-seconds", "2", "--workers", str(arguments.workers)]
    command += ["--ray"] if arguments.ray else []
    return subprocess.Popen(command, env=environment(), stdout=subprocess.DEVNULL, start_new_session=True)


def parts_of(output: Path) -> list[Path]:
    """Return the parts of an output."""
    return sorted(output.glob("part-*.jsonl"))


def rows_of(output: Path) -> list[dict[str, Any]]:
    """Return the rows of an output by id, without their seconds."""
    rows = [json.loads(line) for part in parts_of(output) for line in part.read_text(encoding="utf-8").splitlines()]
    return sorted(({**row, "seconds": None} for row in rows), key=lambda row: str(row["id"]))


def measure_writer(arguments: argparse.Namespace) -> int:
    """Print how many rows a second are written."""
    pages = sorted(arguments.pages.iterdir())[:WRITER_PAGES]
    options = Options({"threads": 1})
    read = list(Reader(options).read(find_documents([Source.of(str(page)) for page in pages])))
    rows = [row for row in read if isinstance(row, Row)]
    with (
        tempfile.TemporaryDirectory(prefix="bulk-") as folder,
        closing(Journal(Path(folder, "out"), "parquet", {})) as out,
    ):
        sent = [pickle.dumps(row) for row in rows]  # as they come through a pipe
        began = time.process_time()
        for number in range(WRITER_ROWS):
            out.add(pickle.loads(sent[number % len(sent)]))
            out.tick()
        out.flush()
        seconds = time.process_time() - began
    size = sum(map(len, sent)) / len(sent) / 1024
    print(f"{WRITER_ROWS} rows of {size:.1f} KiB: {WRITER_ROWS / seconds:.0f} rows a second")
    return 0


def print_cost(arguments: argparse.Namespace) -> int:
    """Print what a million pages take."""
    cpu_hours = MILLION / arguments.rate / 3600
    efficient = cpu_hours / arguments.linear
    print(f"{arguments.rate:g} pages a second and processor: {cpu_hours:.0f} processor hours for a million pages,")
    print(f"{efficient:.0f} at {arguments.linear:g} of linear.")
    print("| machines | processors each | pages a second | a million pages, an output a machine | one writer (Ray) |")
    print("| --- | --- | --- | --- | --- |")
    for machines in dict.fromkeys((1, 10, arguments.machines)):
        rate = arguments.rate * arguments.linear * arguments.cores * machines
        capped = min(rate, arguments.writer)
        print(f"| {machines} | {arguments.cores} | {rate:.0f} | {span(rate)} | {span(capped)} |")
    if arguments.price:
        print(f"At {arguments.price:g} an hour and processor: {efficient * arguments.price:.0f}.")
    return 0


def span(rate: float) -> str:
    """Return how long a million pages take at a rate."""
    minutes = MILLION / rate / 60
    return f"{minutes:.0f} minutes" if minutes < 100 else f"{minutes / 60:.1f} hours"


def has_ray() -> bool:
    """Say whether Ray is installed."""
    done = subprocess.run([sys.executable, "-c", "import ray.data"], capture_output=True, check=False)
    return done.returncode == 0


def environment() -> dict[str, str]:
    """Return the environment of what is measured: libraries take no thread of their own."""
    return os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[1])}


def main() -> int:
    """Do what is asked; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    processors = len(os.sched_getaffinity(0))

    def verb(name: str, work: Any, *paths: str) -> argparse.ArgumentParser:
        made = verbs.add_parser(name, help=work.__doc__)
        made.set_defaults(work=work)
        for path in paths:
            made.add_argument(path, type=Path, required=True)
        return made

    verb("pages", cut_pages, "--data", "--output").add_argument("--count", type=int, default=2000)
    verb("speed", measure_speed, "--pages").add_argument("--workers", type=int, default=processors)
    once = verb("once", read_once, "--pages", "--output")
    once.add_argument("--backend", choices=("processes", "ray"), required=True)
    once.add_argument("--workers", type=int, required=True)
    kills = verb("kills", measure_kills, "--pages")
    kills.add_argument("--kills", type=int, default=3)
    kills.add_argument("--seed", type=int, default=0)
    kills.add_argument("--workers", type=int, default=processors)
    kills.add_argument("--ray", action="store_true")
    verb("writer", measure_writer, "--pages")
    cost = verb("cost", print_cost)
    cost.add_argument("--rate", type=float, required=True, help="pages a second of one processor")
    cost.add_argument("--writer", type=float, required=True, help="rows a second of one writer")
    cost.add_argument("--linear", type=float, default=0.9, help="how much of linear all processors reach")
    cost.add_argument("--cores", type=int, default=16)
    cost.add_argument("--machines", type=int, default=100)
    cost.add_argument("--price", type=float, help="of an hour of one processor")
    arguments = parser.parse_args()
    return int(arguments.work(arguments))


if __name__ == "__main__":
    sys.exit(main())
