"""The service under load and abuse: nobody is cut off, everything is bounded, and SIGTERM loses no request.

python -m tests.fuzz.serve --clients 200 --seconds 120 --slow 50 --half 60 --malformed 3000
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import re
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from tests.fuzz.mutate import damage
from tests.fuzz.report import Report
from tests.serving import Answer, Client, png, read_all

ROOT = Path(__file__).parents[2]
SAMPLES = [(ROOT / "doc" / "samples" / name).read_bytes() for name in ("letter.tif", "terminal.png", "browser.png")]
START = b"POST /v1/ocr HTTP/1.1\r\nHost: localhost\r\nContent-Length: 200000\r\n\r\n"
MOST_MB = 1_500
IDLE = 5  # seconds, as the service is told
LIBRARY = """
import sys, time
from ppocr_lite import OCR
ocr, paths = OCR(), sys.argv[1:]
[ocr.ocr(path) for path in paths]
started = time.process_time()
for _ in range(4):
    [ocr.ocr(path) for path in paths]
print((time.process_time() - started) / (4 * len(paths)))
"""


class Watched(Client):
    """A service in a process of its own."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        super().__init__(port)
        self.process, self.peak_mb = process, 0.0

    def memory_mb(self) -> float:
        """What the process holds now; the most is kept."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        held = int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) / 1024
        self.peak_mb = max(self.peak_mb, held)
        return held

    def cpu_seconds(self) -> float:
        """Computing of the process so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / 100


@contextmanager
def started(*options: str) -> Iterator[Watched]:
    command = [sys.executable, "-m", "ppocr_lite.cli", "serve", "--port=0", f"--idle={IDLE}", *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        assert process.stderr is not None
        try:
            port = next(int(line.split(":")[-1].split()[0]) for line in process.stderr if "running on" in line)
            threading.Thread(target=process.stderr.read, daemon=True).start()
            yield Watched(process, port)
        finally:
            process.kill()


def load(service: Watched, clients: int, seconds: float, report: Report) -> dict[str, object]:
    """Many clients at once, each asking again when it is answered."""
    expected = [service.post("/v1/ocr?format=text", page).body for page in SAMPLES]
    times: list[float] = []
    until, before, pages = time.monotonic() + seconds, service.cpu_seconds(), service.metric("ppocr_pages_total")
    held: list[float] = []

    def ask(number: int) -> None:
        chosen = number % len(SAMPLES)
        while time.monotonic() < until:
            began = time.monotonic()
            try:
                found = service.post("/v1/ocr?format=text", SAMPLES[chosen])
            except (OSError, http.client.HTTPException) as error:
                report.fail(f"load: {type(error).__name__}")
                continue
            report.add("load", f"load {found.status}", 0, service.memory_mb())
            if found.status == 200:
                times.append(time.monotonic() - began)
                if found.body != expected[chosen]:
                    report.fail("load: the answer is of another page")
            else:
                time.sleep(min(5.0, float(found.headers.get("retry-after", 1))))

    def watch() -> None:
        while time.monotonic() < until:
            held.append(service.memory_mb())
            time.sleep(0.5)

    watching = threading.Thread(target=watch)
    watching.start()
    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(ask, range(clients)))
    watching.join()
    read = service.metric("ppocr_pages_total") - pages
    cpu = (service.cpu_seconds() - before) / read
    paths = [str(ROOT / "doc" / "samples" / name) for name in ("letter.tif", "terminal.png", "browser.png")]
    alone = subprocess.run([sys.executable, "-c", LIBRARY, *paths], capture_output=True, text=True, check=True)
    cuts = statistics.quantiles(times, n=100)
    third = max(1, len(held) // 3)
    return {
        "pages": int(read),
        "p50_seconds": round(cuts[49], 2),
        "p99_seconds": round(cuts[98], 2),
        "cpu_seconds_a_page": round(cpu, 3),
        "of_the_library": round(float(alone.stdout), 3),
        "mb_first_third": round(statistics.median(held[:third])),
        "mb_last_third": round(statistics.median(held[-third:])),
    }


def abuse(service: Watched, slow: int, half: int, report: Report) -> dict[str, object]:
    """Clients that send a byte a second, and clients that send half a body and wait; others are served meanwhile."""

    def drip(number: int) -> float:
        began = time.monotonic()
        with service.raw(START + b"x" * (100_000 if number >= slow else 0)) as connection:
            while number < slow and time.monotonic() - began < 10 * IDLE:
                try:
                    connection.sendall(b"x")
                except OSError:
                    break
                time.sleep(1)
            answer = read_all(connection)
        outcome = "slow 408" if b" 408 " in answer else f"slow, {answer[:12]!r}"
        report.add("slow", outcome, 0, service.memory_mb())
        if time.monotonic() - began > 6 * IDLE:
            report.fail(f"slow: held for {time.monotonic() - began:.0f} seconds")
        return time.monotonic() - began

    with ThreadPoolExecutor(slow + half) as pool:
        held = [pool.submit(drip, number) for number in range(slow + half)]
        time.sleep(1)
        served = 0
        while not all(one.done() for one in held):
            served += service.post("/v1/ocr", SAMPLES[0]).status == 200
    if not served:
        report.fail("slow: nobody else was served")
    return {"longest_held_seconds": round(max(one.result() for one in held), 1), "served_meanwhile": served}


def hurt(service: Watched, count: int, seed: int, report: Report) -> None:
    """Damaged documents, forms and JSON, and what is no HTTP."""
    rng = np.random.default_rng(seed)
    good = [png("SMALL"), b'{"image": "AAAA"}', b"%PDF-1.7\n1 0 obj\n", *SAMPLES[:1]]
    kinds = ["image/png", "application/json", "multipart/form-data; boundary=x", "application/pdf", ""]
    for number in range(count):
        body = damage(good[rng.integers(len(good))], rng)
        try:
            if number % 10 == 0:
                with service.raw(damage(START, rng) + b"\r\n\r\n") as connection:
                    connection.shutdown(1)
                    answer = read_all(connection)
                report.add("malformed", f"malformed {answer[9:12]!r}", 0, service.memory_mb())
                continue
            found: Answer = service.post("/v1/ocr", body, str(rng.choice(kinds)))
        except (OSError, http.client.HTTPException) as error:
            report.fail(f"malformed {number}: {type(error).__name__}")
            continue
        report.add("malformed", f"malformed {found.status}", 0, service.memory_mb())
        if found.status >= 500 or (found.status != 200 and not found.problem[1]):
            report.fail(f"malformed {number}: {found.status} {found.body[:100]!r}")


def end(service: Watched, clients: int, report: Report) -> dict[str, object]:
    """SIGTERM while requests are under way: each that was let in is answered."""
    outcomes: Counter[str] = Counter()
    stop = threading.Event()

    def ask(number: int) -> None:
        while not stop.is_set():
            connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=180)
            try:
                connection.connect()
            except OSError:
                outcomes["refused"] += 1
                return
            try:
                connection.request("POST", "/v1/ocr", SAMPLES[number % len(SAMPLES)])
                status = connection.getresponse().status
            except (OSError, http.client.HTTPException) as error:
                outcomes[f"no answer: {type(error).__name__}"] += 1
                return
            finally:
                connection.close()
            outcomes[str(status)] += 1

    with ThreadPoolExecutor(clients) as pool:
        asking = [pool.submit(ask, number) for number in range(clients)]
        time.sleep(3)
        service.process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        service.process.wait(60)
        stop.set()
        for one in asking:
            one.result()
    for outcome, count in outcomes.items():
        report.outcomes[f"end {outcome}"] += count
        if outcome.startswith("no answer"):
            report.fail(f"end: {count} times {outcome}")
    return {"seconds_to_end": round(time.monotonic() - began, 1)}


def main() -> int:
    """Run the campaign, print its figures, return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--slow", type=int, default=50)
    parser.add_argument("--half", type=int, default=60)
    parser.add_argument("--malformed", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    report = Report("serve", given.seed)
    figures: dict[str, object] = {}
    with started() as service:
        steps: list[tuple[str, Callable[[], dict[str, object] | None]]] = [
            ("load", lambda: load(service, given.clients, given.seconds, report)),
            ("slow", lambda: abuse(service, given.slow, given.half, report)),
            ("malformed", lambda: hurt(service, given.malformed, given.seed, report)),
            ("end", lambda: end(service, min(given.clients, 50), report)),
        ]
        for name, step in steps:
            figures[name] = step()
            with contextlib.suppress(OSError):
                told = service.get("/metrics").body.decode()
                rejected = re.findall(r'ppocr_rejected_total{reason="(.*?)"} (\S+)', told)
                figures["rejected"] = {reason: int(float(count)) for reason, count in rejected}
    if report.peak_mb > MOST_MB:
        report.fail(f"{report.peak_mb:.0f} MB")
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
