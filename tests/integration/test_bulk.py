"""`ppocr-lite bulk`: the same results as `OCR.ocr`, from every kind of source, whatever happens on the way."""

from __future__ import annotations

import io
import json
import os
import random
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import pytest

fsspec = pytest.importorskip("fsspec", reason="the extra [bulk] is not installed")

from ppocr_lite import OCR, OCRResult  # noqa: E402
from ppocr_lite.bulk import Count, Options, read_many, result_of  # noqa: E402
from ppocr_lite.commands.bulk import progress  # noqa: E402
from ppocr_lite.errors import ConfigError, ModelError, OCRError  # noqa: E402
from ppocr_lite.predict.released import FOLDER, released  # noqa: E402
from tests.bulk import children, kill, packed, picture, rows_of, run, several, start, write_pages  # noqa: E402

pytestmark = pytest.mark.skipif("det" not in released(), reason="no released models are here")
ROOT = Path(__file__).parents[2]
JSON = Options(format="jsonl")


@pytest.fixture(scope="module")
def ocr() -> OCR:
    return OCR(threads=1)


def same(row: dict[str, Any], expected: OCRResult) -> bool:
    found = result_of(row)
    return row["error"] is None and len(found) > 0 and (found.lines, found.size) == (expected.lines, expected.size)


def test_two_processes_read_what_ocr_reads(tmp_path: Path, ocr: OCR) -> None:
    folder = write_pages(tmp_path / "pages", range(10))
    (folder / "scan.pdf").write_bytes(several("PDF", 20, 21))
    said = run(folder, "--output", tmp_path / "out", "--format", "jsonl", "--workers", "2")
    assert f"{tmp_path / 'out'}: 12 pages, 0 of them read before, " in said
    rows = rows_of(tmp_path / "out")
    assert [(row["source"], row["page"], row["pages"]) for row in rows] == [
        *((str(path), 1, 1) for path in sorted(folder.glob("*.png"))),
        *((str(folder / "scan.pdf"), page, 2) for page in (1, 2)),
    ]
    expected = list(ocr.stream(folder))
    assert all(same(row, page) for row, page in zip(rows, expected, strict=True))
    assert [result_of(row).source for row in rows] == [page.source for page in expected]
    again = run(folder, "--output", tmp_path / "out", "--format", "jsonl", "--workers", "2")
    assert "12 pages, 12 of them read before\n" in again
    assert rows_of(tmp_path / "out") == rows


@pytest.fixture
def everything(tmp_path: Path) -> tuple[list[str], dict[str, bytes]]:
    """Sources of every kind in ``memory://``, and what each page is called."""
    arrow = pytest.importorskip("pyarrow", reason="the extra [bulk] is not installed")
    parquet = pytest.importorskip("pyarrow.parquet")
    system = fsspec.filesystem("memory")
    for path in list(system.store):
        system.rm(path)
    table = io.BytesIO()
    pictures = [picture(seed, ".jpg") for seed in (5, 6)]
    parquet.write_table(arrow.table({"image": [*pictures, several("TIFF", 7, 8)], "label": ["a", "b", "c"]}), table)
    files = {
        "/in/a.png": picture(0),
        "/in/b.tif": several("TIFF", 1, 2),
        "/in/deep/c.pdf": several("PDF", 3),
        "/shard.tar": packed({"1.png": picture(4), "1.json": b"{}", "2.tif": several("TIFF", 9, 10)}),
        "/table.parquet": table.getvalue(),
    }
    for path, data in files.items():
        system.pipe(path, data)
    return ["memory://in", "memory://shard.tar", "memory://table.parquet"], files


def test_every_kind_of_source_is_read(everything: tuple[list[str], dict[str, bytes]], tmp_path: Path, ocr: OCR) -> None:
    sources, files = everything
    count = read_many(sources, tmp_path / "out.parquet", recursive=True, backend="here")
    assert (count.pages, count.failed, count.finished) == (11, 0, True)
    rows = {result_of(row).source: row for row in rows_of(tmp_path / "out.parquet")}
    singles = {
        "memory:///in/a.png": 0,
        "memory:///shard.tar::1.png": 4,
        **{f"memory:///shard.tar::2.tif#{page}": 8 + page for page in (1, 2)},
        **{f"memory:///in/b.tif#{page}": page for page in (1, 2)},
        **{f"memory:///table.parquet::row 3#{page}": 6 + page for page in (1, 2)},
    }
    assert all(same(rows[name], ocr.ocr(picture(seed))) for name, seed in singles.items())
    for number in (1, 2):
        assert same(rows[f"memory:///table.parquet::row {number}"], ocr.ocr(picture(4 + number, ".jpg")))
    (tmp_path / "c.pdf").write_bytes(files["/in/deep/c.pdf"])
    assert same(rows["memory:///in/deep/c.pdf"], next(ocr.stream(tmp_path / "c.pdf")))
    assert read_many(sources, tmp_path / "out.parquet", recursive=True, backend="here").pages == 0


def test_pages_can_be_chosen(tmp_path: Path) -> None:
    (tmp_path / "scan.tif").write_bytes(several("TIFF", 1, 2, 3))
    (tmp_path / "page.png").write_bytes(picture(4))
    options = Options(format="jsonl", pages="2-")
    count = read_many([str(tmp_path)], tmp_path / "out", options, backend="here")
    assert (count.pages, count.failed) == (3, 1)
    rows = rows_of(tmp_path / "out")
    assert [(Path(row["source"]).name, row["page"], row["pages"]) for row in rows] == [
        ("page.png", 2, 1),
        ("scan.tif", 2, 2),
        ("scan.tif", 3, 2),
    ]
    assert "there is no page 2-; it has 1" in rows[0]["error"]
    assert read_many([str(tmp_path)], tmp_path / "out", options, backend="here").pages == 0


def bad_sources(folder: Path) -> dict[str, str]:
    """Write inputs that cannot be read; return their names, with what the error must say."""
    whole = picture(1)
    protected = io.BytesIO()
    pikepdf = pytest.importorskip("pikepdf", reason="the extra [pdf] is not installed")
    with pikepdf.open(io.BytesIO(several("PDF", 1))) as pdf:
        pdf.save(protected, encryption=pikepdf.Encryption(owner="secret", user="secret"))
    broken = packed({"good.png": whole, "bad.png": whole[:300], "none.png": b""})
    files = {
        "cut.png": (whole[: len(whole) // 2], "truncated or damaged"),
        "empty.jpg": (b"", "the file is empty"),
        "text.png": (b"no picture", "not an image file"),
        "locked.pdf": (protected.getvalue(), "encrypted. Give its password"),
        "damaged.pdf": (b"%PDF-1.4 nothing", "not a readable PDF"),
        "cut.tif": (several("TIFF", 1, 2)[:-200], "damaged"),
        "shard.tar": (broken, ""),
        "cut.tar": (broken[:1000], "damaged behind its first 1 members"),
        "not.parquet": (b"PAR1", "not a Parquet file with images"),
    }
    folder.mkdir()
    for name, (data, _) in files.items():
        (folder / name).write_bytes(data)
    return {name: error for name, (_, error) in files.items()}


def test_what_cannot_be_read_is_a_row_with_its_error(tmp_path: Path, ocr: OCR) -> None:
    pytest.importorskip("pyarrow", reason="the extra [bulk] is not installed")
    bad = bad_sources(tmp_path / "bad")
    out, missing = tmp_path / "out", tmp_path / "missing.png"
    command = (missing, tmp_path / "bad", "--output", out, "--format", "jsonl", "--workers", "1")
    said = run(*command, status=1)
    rows = rows_of(out)
    assert {Path(row["source"]).name for row in rows} == {*bad, "missing.png"}
    failed = [row for row in rows if row["error"] is not None]
    for row in failed:
        assert row["error"].startswith(row["source"])
        assert (row["lines"], row["text"], row["score"], row["width"]) == ([], "", None, None)
    for name, error in {**bad, "missing.png": "there is no such file"}.items():
        assert any(error in row["error"] for row in failed if Path(row["source"]).name == name), name
    (good,) = (row for row in rows if row["member"] == "good.png" and row["source"].endswith("shard.tar"))
    assert same(good, ocr.ocr(picture(1)))
    assert [(row["page"], same(row, ocr.ocr(picture(1)))) for row in rows if row["source"].endswith("cut.tif")][0] == (
        1,
        True,
    )
    members = {row["member"]: row["error"] for row in rows if row["source"].endswith("shard.tar")}
    assert list(members) == ["bad.png", "good.png", "none.png"]
    assert [error is None for error in members.values()] == [False, True, False]
    assert "missing.png: there is no such file" in said
    assert f"{len(failed)} pages could not be read" in said
    assert "0 of them read before" not in run(*command, status=1)
    assert rows_of(out) == rows


def test_a_password_opens_and_is_not_kept(tmp_path: Path) -> None:
    bad_sources(tmp_path / "bad")
    output = tmp_path / "out"
    options = Options(format="jsonl", password="secret")
    assert read_many([str(tmp_path / "bad" / "locked.pdf")], output, options, backend="here").failed == 0
    assert "secret" not in (output / "_bulk.json").read_text()


def test_other_options_are_refused_and_speed_may_change(tmp_path: Path) -> None:
    folder = write_pages(tmp_path / "pages", [1])
    output = tmp_path / "out"
    read_many([str(folder)], output, JSON, backend="here")
    assert read_many([str(folder)], output, Options({"threads": 2}, "jsonl"), backend="here").finished
    with pytest.raises(ConfigError, match="'drop_score': 0.9"):
        read_many([str(folder)], output, Options({"drop_score": 0.9}, "jsonl"), backend="here")
    assert "begun with other settings" in run(folder, "--output", output, "--format", "jsonl", "--lang", "ch", status=2)


def test_networks_of_a_folder_are_told_apart_by_what_they_hold(tmp_path: Path) -> None:
    folder, output = write_pages(tmp_path / "pages", [1]), tmp_path / "out"
    shutil.copytree(FOLDER / "rec_en", tmp_path / "rec")
    options = Options({"rec_model": str(tmp_path / "rec")}, "jsonl")
    read_many([str(folder)], output, options, backend="here")
    with (tmp_path / "rec" / "inference.yml").open("a") as file:
        file.write("# changed\n")
    with pytest.raises(ConfigError, match="networks"):
        read_many([str(folder)], output, options, backend="here")


def test_a_url_is_no_output(tmp_path: Path) -> None:
    assert "a URL. Give a local path" in run(tmp_path, "--output", "memory://out", status=2)


def test_the_output_may_lie_in_a_source(tmp_path: Path) -> None:
    folder = write_pages(tmp_path, range(2))
    for _ in range(2):
        count = read_many([str(folder)], folder / "out.jsonl", JSON, recursive=True, backend="here")
        assert count.pages + count.before == 2


def test_a_long_document_is_shared_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("document", "reading", "processes"):
        monkeypatch.setattr(f"ppocr_lite.bulk.{module}.CHUNK", 2)
    (tmp_path / "scan.tif").write_bytes(several("TIFF", *range(5)))
    whole = read_many([str(tmp_path / "scan.tif")], tmp_path / "whole", JSON, backend="here")
    assert whole.pages == 5
    begun: list[int] = []
    first = read_many(
        [str(tmp_path / "scan.tif")],
        tmp_path / "out",
        JSON,
        workers=2,
        tell=lambda count, row: begun.append(row.page) if row else None,
        stopped=lambda: len(begun) >= 2,
    )
    assert not first.finished
    second = read_many([str(tmp_path / "scan.tif")], tmp_path / "out", JSON, workers=2)
    assert second.pages == 5 - first.pages
    assert rows_of(tmp_path / "out") == rows_of(tmp_path / "whole")


def wait_for_parts(output: Path, count: int, process: Any) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        if len(list(output.glob("part-*"))) >= count:
            return
        time.sleep(0.01)
    pytest.fail(f"fewer than {count} parts: {process.communicate()[0]}")


def killed_and_resumed(tmp_path: Path, sources: list[str | Path], kills: int, seed: int) -> Path:
    """Kill a run so often, at random moments after it has written something, and let it end; return its output."""
    rng = random.Random(seed)
    output = tmp_path / "killed"
    command = (*sources, "--output", output, "--format", "jsonl", "--workers", "2", "--part-seconds", "0.05")
    for _ in range(kills):
        before = len(list(output.glob("part-*")))
        process = start(*command)
        wait_for_parts(output, before + 1, process)
        time.sleep(rng.uniform(0, 0.4))
        kill(process)
    run(*command)
    return output


def test_a_killed_run_goes_on_and_equals_an_unbroken_one(tmp_path: Path) -> None:
    folder = write_pages(tmp_path / "pages", range(24))
    (folder / "scan.tif").write_bytes(several("TIFF", *range(6)))
    read_many([str(folder)], tmp_path / "whole", JSON, backend="here")
    output = killed_and_resumed(tmp_path, [folder], kills=1, seed=1)
    assert rows_of(output) == rows_of(tmp_path / "whole")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_many_kills_lose_nothing_and_repeat_nothing(tmp_path: Path, seed: int) -> None:
    folder = write_pages(tmp_path / "pages", range(150))
    shard = tmp_path / "shard.tar"
    shard.write_bytes(packed({f"{number}.png": picture(number) for number in range(50)}))
    (folder / "scan.pdf").write_bytes(several("PDF", *range(40)))
    read_many([str(folder), str(shard)], tmp_path / "whole", JSON, workers=2)
    output = killed_and_resumed(tmp_path, [folder, shard], kills=5, seed=seed)
    assert len(rows_of(output)) == 240
    assert rows_of(output) == rows_of(tmp_path / "whole")


@pytest.mark.parametrize(
    ("number", "whole_group"), [(signal.SIGTERM, False), pytest.param(signal.SIGINT, True, marks=pytest.mark.slow)]
)
def test_a_signal_ends_a_run_that_can_go_on(number: int, whole_group: bool, tmp_path: Path) -> None:
    folder = write_pages(tmp_path / "pages", range(36))
    command = (folder, "--output", tmp_path / "out.jsonl", "--workers", "2", "--part-seconds", "0.2")
    process = start(*command)
    wait_for_parts(tmp_path / "out.jsonl.parts", 1, process)
    (os.killpg if whole_group else os.kill)(process.pid, number)
    said = process.communicate(timeout=60)[0]
    assert process.returncode == 128 + number, said
    assert "Run the same command again to go on" in said
    begun = sum(len(part.read_bytes().splitlines()) for part in (tmp_path / "out.jsonl.parts").glob("part-*"))
    assert 0 < begun < 36
    assert f"36 pages, {begun} of them read before" in run(*command)
    assert len(rows_of(tmp_path / "out.jsonl")) == 36


def test_a_process_that_is_killed_is_replaced_and_nothing_is_lost(tmp_path: Path) -> None:
    folder = write_pages(tmp_path / "pages", range(12))
    read_many([str(folder)], tmp_path / "whole", JSON, backend="here")
    victims: list[int] = []

    def tell(count: Any, row: Any) -> None:
        if count.pages in (2, 5) and row is not None:
            victims.append(children(os.getpid())[0])
            os.kill(victims[-1], signal.SIGKILL)

    count = read_many([str(folder)], tmp_path / "out", JSON, workers=2, tell=tell)
    assert (len(victims), count.pages, count.failed) == (2, 12, 0)
    assert rows_of(tmp_path / "out") == rows_of(tmp_path / "whole")


def test_a_page_that_takes_too_long_is_a_row_with_that_error(tmp_path: Path) -> None:
    folder = write_pages(tmp_path / "pages", range(3))
    os.mkfifo(folder / "page_001a.png")  # a page that nobody ever writes
    count = read_many([str(folder)], tmp_path / "out", JSON, workers=2, page_seconds=2)
    rows = rows_of(tmp_path / "out")
    assert (count.pages, count.failed) == (4, 1)
    assert [row["error"] is None for row in rows] == [True, True, False, True]
    assert "page_001a.png: not read twice: it took longer than 2 seconds" in rows[2]["error"]


def test_a_run_in_which_every_process_dies_ends(tmp_path: Path) -> None:
    folder = write_pages(tmp_path / "pages", range(6))

    def tell(count: Any, row: Any) -> None:
        for process in children(os.getpid()):
            os.kill(process, signal.SIGKILL)

    with pytest.raises(OCRError, match=r"processes were lost one after the other.*ended with status -9"):
        read_many([str(folder)], tmp_path / "out", JSON, workers=2, tell=tell)
    assert read_many([str(folder)], tmp_path / "out", JSON, backend="here").finished


def test_networks_that_cannot_be_loaded_end_a_run(tmp_path: Path) -> None:
    folder = write_pages(tmp_path / "pages", range(6))
    with pytest.raises(ModelError, match="nothing_here"):
        read_many([str(folder)], tmp_path / "out", Options({"det_model": "nothing_here"}, "jsonl"), workers=2)


def test_progress_says_how_fast_and_how_much_is_left() -> None:
    looking = Count(pages=50, seconds=10, documents=40, total=1000)
    assert progress(looking) == "50 pages, 5.0 a second; still looking, 1,000 documents so far"
    known = Count(pages=50_000, seconds=10_000, documents=40_000, total=1_000_000, complete=True)
    assert progress(known) == "50,000 pages, 5.0 a second; 960,000 of 1,000,000 documents left, 3 days"


@pytest.mark.slow
def test_ray_reads_the_same(tmp_path: Path) -> None:
    pytest.importorskip("ray.data", reason="the extra [ray] is not installed")
    folder = write_pages(tmp_path / "pages", range(20))
    (folder / "scan.tif").write_bytes(several("TIFF", 1, 2, 3))
    (folder / "cut.png").write_bytes(picture(1)[:300])
    read_many([str(folder)], tmp_path / "whole", JSON, backend="here")
    command = (folder, "--output", tmp_path / "out", "--format", "jsonl", "--workers", "2", "--ray")
    run(*command, status=1)
    assert rows_of(tmp_path / "out") == rows_of(tmp_path / "whole")
    sorted((tmp_path / "out").glob("part-*"))[-1].unlink()  # as after a kill
    run(*command, status=1)
    assert rows_of(tmp_path / "out") == rows_of(tmp_path / "whole")
    assert json.loads((tmp_path / "out" / "_bulk.json").read_text())["format"] == "jsonl"
