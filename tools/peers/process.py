"""A reader in a process of its own: starts peers/child.py in another environment and talks to it."""

from __future__ import annotations

import json
import math
import os
import subprocess
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from peers.child import Found

CHILD = Path(__file__).with_name("child.py")
# The pools of OpenMP, OpenBLAS and OpenCV, for packages that have no argument for them.
POOLS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OPENCV_FOR_THREADS_NUM")


class PeerError(Exception):
    """A reader that cannot read, or go on; says which and why."""


class PeerProcess:
    """An OCR package, loaded in another process.

    Args:
        reader: ``NAME`` or ``NAME:VARIANT``, as peers/child.py knows it.
        python: Interpreter of the environment that has the package.
        threads: Threads it may use.
        lang: ``en`` or ``ch``.
        timeout: Seconds it may take to load, and for each page.

    Attributes:
        name: With version and models.
        loading: Seconds it took to import and to load, the start of Python not included.

    Raises:
        PeerError: If it is not installed, does not start, or does not speak the protocol.
    """

    def __init__(self, reader: str, python: str, threads: int, lang: str = "en", timeout: float = 300) -> None:
        self._reader = reader
        self._timeout = timeout
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115, it is open as long as the process
        command = [python, "-I", str(CHILD), reader, "--threads", str(threads), "--lang", lang]
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                env={**os.environ, **dict.fromkeys(POOLS, str(threads))},
            )
        except OSError as error:
            self._errors.close()
            raise PeerError(f"{reader}: {python} cannot be started ({error.strerror})") from error
        try:
            greeting = self._receive("while loading")
            if "missing" in greeting:
                raise PeerError(f"{reader}: {greeting['missing']}")
            self.name = str(self._field(greeting, "ready"))
            self.loading = self._seconds(greeting, "seconds")
        except PeerError:
            self.close()
            raise

    def read(self, path: Path) -> tuple[float, float, Found]:
        """Read one page.

        Returns:
            Seconds, processor seconds, and what was found.

        Raises:
            PeerError: If the process ended, took too long, or gave something other than a reading.
        """
        place = f"at {path}"
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(str(path.resolve())).encode() + b"\n")
            self._process.stdin.flush()
        except OSError as error:  # a broken pipe: it ended after the last page
            raise PeerError(self._end(place)) from error
        answer = self._receive(place)
        outlines, texts = self._field(answer, "polygons"), self._field(answer, "texts")
        try:
            found = [np.array(outline, np.float32).reshape(-1, 2) for outline in outlines], list(map(str, texts))
        except (TypeError, ValueError) as error:
            raise PeerError(f"{self._reader}: gave outlines {place} that are not points ({error})") from error
        if len(found[0]) != len(found[1]):
            raise PeerError(f"{self._reader}: gave {len(found[0])} outlines and {len(found[1])} texts {place}")
        return self._seconds(answer, "seconds"), self._seconds(answer, "cpu_seconds"), found

    def close(self) -> None:
        """End the process, kindly if it listens."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                try:
                    stream.close()
                except BrokenPipeError:
                    continue  # it has ended, with what was last sent to it unread
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._errors.close()

    def _receive(self, place: str) -> Mapping[str, Any]:
        assert self._process.stdout is not None
        late = threading.Event()

        def give_up() -> None:
            late.set()
            self._process.kill()

        timer = threading.Timer(self._timeout, give_up)
        timer.start()
        line = self._process.stdout.readline()
        timer.cancel()
        if late.is_set():
            raise PeerError(f"{self._reader}: gave nothing for {self._timeout:g} seconds {place}")
        if not line:
            raise PeerError(self._end(place))
        try:
            answer = json.loads(line)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise PeerError(f"{self._reader}: gave something other than a JSON object {place}: {line[:80]!r}")
        return answer

    def _end(self, place: str) -> str:
        try:
            status = self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:  # it has closed its output, and goes on
            self._process.kill()
            status = self._process.wait()
        self._errors.seek(0)
        lines = [line for line in self._errors.read().decode(errors="replace").splitlines() if line.strip()]
        return (
            f"{self._reader}: ended with status {status} {place}: {lines[-1].strip() if lines else 'it said nothing'}"
        )

    def _field(self, answer: Mapping[str, Any], key: str) -> Any:
        if key not in answer:
            raise PeerError(f"{self._reader}: an answer has no {key!r}. Received: {', '.join(answer) or 'nothing'}")
        return answer[key]

    def _seconds(self, answer: Mapping[str, Any], key: str) -> float:
        value = self._field(answer, key)
        if not isinstance(value, int | float) or not (math.isfinite(value) and value >= 0):
            raise PeerError(f"{self._reader}: {key!r} is not a time. Received: {value!r}")
        return float(value)
