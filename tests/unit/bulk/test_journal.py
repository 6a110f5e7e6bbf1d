"""Parts are whole or not there, and say what is done."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ppocr_lite.bulk.document import Document, Format, Row, identity
from ppocr_lite.bulk.journal import Journal
from ppocr_lite.bulk.rows import make_row, result_of
from ppocr_lite.errors import ConfigError, DataError
from ppocr_lite.results import OCRResult
from ppocr_lite.textline import TextLine, Word
from tests.bulk import ROOT, rows_of
from tests.limits import file_size_limit

SETTINGS = {"ocr": {"lang": "en"}}
RESULT = OCRResult(
    (
        TextLine(
            [[0.1, 0], [9, 0], [9, 5], [0, 5]],  # type: ignore[arg-type]
            "Grüße 42",
            0.75,
            0.5,
            180,
            (Word("Grüße", ((0.1, 0.0), (4.0, 0.0), (4.0, 5.0), (0.1, 5.0))),),
        ),
        TextLine([[0, 6], [9, 6], [9, 9]], "", 0.25),  # type: ignore[arg-type]
    ),
    (20, 30),
    angle=90,
    block_sizes=(1, 1),
)


@pytest.fixture(params=["jsonl", "parquet"])
def form(request: pytest.FixtureRequest) -> Format:
    if request.param == "parquet":
        pytest.importorskip("pyarrow", reason="the extra [bulk] is not installed")
    return request.param  # type: ignore[no-any-return]


def document(name: str) -> Document:
    return Document(identity(name, "1 1"), name, None, "/", name)


def row(name: str, page: int = 1, pages: int = 1, form: Format = "jsonl", error: str | None = None) -> Row:
    return make_row(document(name), page, pages, OCRResult(error=error) if error else RESULT, 0.5, form)


def opened(output: Path, form: Format = "jsonl", settings: dict[str, Any] | None = None) -> Any:
    return closing(Journal(output, form, settings or SETTINGS))


def left(output: Path, form: Format, *names: str) -> list[Document]:
    with opened(output, form) as journal:
        return list(journal.left(document(name) for name in names))


def test_a_row_holds_the_whole_result(tmp_path: Path, form: Format) -> None:
    with opened(tmp_path / "out", form) as journal:
        journal.add(row("a.png", form=form))
        journal.finish()
    (stored,) = rows_of(tmp_path / "out")
    assert stored["text"] == "Grüße 42\n"
    assert (stored["width"], stored["height"], stored["score"], stored["error"]) == (30, 20, 0.5, None)
    again = result_of(stored)
    assert (again.source, again.size, again.angle, again.block_sizes) == ("a.png", (20, 30), 90, (1, 1))
    assert again.lines == RESULT.lines


def test_what_is_in_a_part_is_done(tmp_path: Path, form: Format) -> None:
    with opened(tmp_path / "out", form) as journal:
        for one in (row("a.png", form=form), row("b.pdf", 1, 3, form), row("b.pdf", 3, 3, form)):
            journal.add(one)
        journal.flush()
        journal.add(row("c.png", form=form))  # held when the run ends, and lost
    todo = left(tmp_path / "out", form, "a.png", "b.pdf", "c.png", "d.png")
    assert [one.source for one in todo] == ["b.pdf", "c.png", "d.png"]
    assert (todo[0].pages, todo[0].seen) == (3, {1, 3})
    with opened(tmp_path / "out", form) as journal:
        journal.add(row("b.pdf", 2, 3, form))
        journal.add(row("none.pdf", 0, 1, form, "there is no such file."))
        journal.finish()
        assert [path.name for path in journal.parts()] == [f"part-00000{number}.{form}" for number in (1, 2)]
    with opened(tmp_path / "out", form) as journal:
        assert (journal.rows, journal.failed) == (5, 1)
    assert left(tmp_path / "out", form, "a.png", "b.pdf", "none.pdf") == []


def test_what_a_kill_leaves_of_a_part_is_removed_and_read_again(tmp_path: Path, form: Format) -> None:
    with opened(tmp_path / "out", form) as journal:
        journal.add(row("a.png", form=form))
        journal.flush()
    part = tmp_path / "out" / f"part-000001.{form}"
    (tmp_path / "out" / ".1234-5678.tmp").write_bytes(part.read_bytes()[:100])  # killed before the rename
    assert [one.source for one in left(tmp_path / "out", form, "a.png", "b.png")] == ["b.png"]
    assert not list((tmp_path / "out").glob("*.tmp"))


def test_a_damaged_part_is_named(tmp_path: Path, form: Format) -> None:
    with opened(tmp_path / "out", form) as journal:
        journal.add(row("a.png", form=form))
        journal.flush()
    part = tmp_path / "out" / f"part-000001.{form}"
    part.write_bytes(b"damage" + part.read_bytes()[6:-6])
    with pytest.raises(DataError, match=f"part-000001.{form} is damaged.*Remove it"):
        left(tmp_path / "out", form)


def test_a_file_is_put_together_of_all_parts(tmp_path: Path, form: Format) -> None:
    output = tmp_path / f"pages.{form}"
    with opened(output, form) as journal:
        for name in "ab":
            journal.add(row(name, form=form))
            journal.flush()
        assert not output.exists()
        journal.finish()
    assert [one["source"] for one in rows_of(output)] == ["a", "b"]
    assert not list(output.with_name(f"{output.name}.parts").glob("part-*"))
    with opened(output, form) as journal:  # more is added to it
        assert [one.source for one in journal.left(map(document, "abc"))] == ["c"]
        journal.add(row("c", form=form))
        journal.finish()
    assert [one["source"] for one in rows_of(output)] == ["a", "b", "c"]


def test_a_kill_between_joining_and_removing_gives_no_row_twice(tmp_path: Path, form: Format) -> None:
    output, parts = tmp_path / f"pages.{form}", tmp_path / f"pages.{form}.parts"
    with opened(output, form) as journal:
        journal.add(row("a", form=form))
        journal.flush()
        part = journal.parts()[0]
        data = part.read_bytes()
        journal.finish()
    part.write_bytes(data)  # as if it had not been removed
    with opened(output, form) as journal:
        assert not list(parts.glob("part-*"))
        journal.add(row("b", form=form))
        journal.finish()
    assert [one["source"] for one in rows_of(output)] == ["a", "b"]


def test_a_kill_while_joining_leaves_nothing_beside_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    output = tmp_path / "pages.jsonl"
    with opened(output) as journal:
        journal.add(row("a"))
        journal.flush()
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(Path, "unlink", lambda *_, **__: None)  # a kill removes nothing
            patch.setattr("ppocr_lite.files.sync", lambda path: (_ for _ in ()).throw(KeyboardInterrupt))
            journal.finish()
    assert [path.name for path in tmp_path.iterdir()] == ["pages.jsonl.parts"]
    with opened(output) as journal:
        journal.finish()
    assert sorted(path.name for path in tmp_path.rglob("*")) == [
        ".lock",
        "_bulk.json",
        "pages.jsonl",
        "pages.jsonl.parts",
    ]


@pytest.mark.parametrize("joined", [False, True])
def test_rows_with_an_error_can_be_tried_again(tmp_path: Path, form: Format, joined: bool) -> None:
    output = tmp_path / (f"pages.{form}" if joined else "out")
    with opened(output, form) as journal:
        journal.add(row("a", form=form))
        journal.add(row("b", 1, 2, form))
        journal.add(row("b", 2, 2, form, "damaged"))
        journal.flush()
        journal.add(row("c", 0, 1, form, "not there"))
        journal.finish()
    assert left(output, form, *"abc") == []
    with closing(Journal(output, form, SETTINGS, retry=True)) as journal:
        assert (journal.rows, journal.failed) == (2, 0)
        todo = list(journal.left(map(document, "abc")))
        assert [(one.source, one.seen) for one in todo] == [("b", {1}), ("c", frozenset())]
        journal.add(row("b", 2, 2, form))
        journal.add(row("c", form=form))
        journal.finish()
    assert [(one["source"], one["error"]) for one in rows_of(output)] == [(name, None) for name in "abbc"]


def test_rows_of_other_settings_are_not_added(tmp_path: Path) -> None:
    with opened(tmp_path / "out"):
        pass
    with pytest.raises(
        ConfigError, match=r"begun with other settings.*ocr: \{'lang': 'en'\} then, \{'lang': 'ch'\} now"
    ):
        opened(tmp_path / "out", settings={"ocr": {"lang": "ch"}})
    with opened(tmp_path / "out"):
        pass  # and the refusal has let it go


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("precious")
    with pytest.raises(ConfigError, match="mine.txt is there already"):
        opened(tmp_path)
    (tmp_path / "pages.jsonl").write_text("precious")
    with pytest.raises(ConfigError, match="pages.jsonl is there already"):
        opened(tmp_path / "pages.jsonl")
    with pytest.raises(ConfigError, match="a file. Give a folder"):
        opened(tmp_path / "mine.txt")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.txt", "pages.jsonl"]


def test_one_run_writes_at_a_time(tmp_path: Path) -> None:
    code = (
        "from ppocr_lite.bulk.journal import Journal; from pathlib import Path; import sys\n"
        f"Journal(Path(sys.argv[1]), 'jsonl', {SETTINGS!r})"
    )
    with opened(tmp_path / "out"):
        command = [sys.executable, "-c", code, str(tmp_path / "out")]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert f"process {os.getpid()} writes there" in done.stderr


def test_a_full_disk_is_an_error_and_nothing_is_lost(tmp_path: Path, form: Format) -> None:
    with opened(tmp_path / "out", form) as journal:
        journal.add(row("a", form=form))
        journal.flush()
        for name in "bc":
            journal.add(row(name, form=form))
        with file_size_limit(100), pytest.raises(OSError, match="part-000002") as failed:
            journal.flush()
        assert failed.value.errno == errno.EFBIG
    assert [one.source for one in left(tmp_path / "out", form, *"abc")] == ["b", "c"]
    assert [path.name for path in (tmp_path / "out").glob("*part*")] == [f"part-000001.{form}"]


def test_parts_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ppocr_lite.bulk.journal.PART_ROWS", 2)
    with opened(tmp_path / "out") as journal:
        for name in "abcde":
            journal.add(row(name))
        assert [len(path.read_bytes().splitlines()) for path in journal.parts()] == [2, 2]
    monkeypatch.setattr("ppocr_lite.bulk.journal.PART_BYTES", 1)
    with opened(tmp_path / "other") as journal:
        journal.add(row("a"))
        assert len(journal.parts()) == 1


def test_many_pages_are_told_apart(tmp_path: Path) -> None:
    names = [f"{number}.png" for number in range(2000)]
    with opened(tmp_path / "out") as journal:
        for name in names[::2]:
            journal.add(row(name))
        journal.finish()
    assert [one.source for one in left(tmp_path / "out", "jsonl", *names)] == names[1::2]


def test_settings_stand_beside_the_parts(tmp_path: Path) -> None:
    with opened(tmp_path / "out"):
        pass
    assert json.loads((tmp_path / "out" / "_bulk.json").read_text()) == SETTINGS
