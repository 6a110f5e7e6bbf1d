from __future__ import annotations

import threading
import warnings
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from ppocr_lite.errors import ImageError, OCRError
from ppocr_lite.io import images
from ppocr_lite.io.pages import list_files, page_numbers, read_every_page, read_page, read_pages
from ppocr_lite.io.pdf_reader import PDFReader


def frames(*values: int) -> list[PIL.Image.Image]:
    return [PIL.Image.new("RGB", (30, 20), (value, value, value)) for value in values]


def save_frames(path: Path, *values: int) -> Path:
    first, *rest = frames(*values)
    first.save(path, save_all=True, append_images=rest)
    return path


def test_a_folder_lists_its_images_by_name(tmp_path: Path) -> None:
    for name in ("b.png", "a.JPG", "notes.txt", "c.pdf"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "d.png").write_bytes(b"x")
    assert [p.name for p in list_files(tmp_path)] == ["a.JPG", "b.png", "c.pdf"]
    assert [p.name for p in list_files(tmp_path, recursive=True)] == ["a.JPG", "b.png", "c.pdf", "d.png"]


def test_a_pattern_lists_what_it_matches(tmp_path: Path) -> None:
    for name in ("a1.png", "a2.png", "b.png"):
        (tmp_path / name).write_bytes(b"x")
    assert [p.name for p in list_files(tmp_path / "a*.png")] == ["a1.png", "a2.png"]


def test_a_file_whose_name_looks_like_a_pattern_is_a_file(tmp_path: Path) -> None:
    path = tmp_path / "scan[1].png"
    path.write_bytes(b"x")
    assert list_files(path) == [path]


@pytest.mark.parametrize("name", ["absent.png", "*.png", "."])
def test_nothing_to_read_is_an_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(ImageError, match="no such file|no images"):
        list_files(tmp_path / name)


def test_page_numbers_understand_ranges_and_open_ends() -> None:
    ranges = page_numbers("1-3, 7,9-")
    assert ranges is not None
    assert [n for n in range(1, 13) if any(n in r for r in ranges)] == [1, 2, 3, 7, 9, 10, 11, 12]


@pytest.mark.parametrize("pages", ["", "a", "0", "3-1", "1--2", "-3"])
def test_other_page_numbers_are_refused(pages: str) -> None:
    with pytest.raises(ValueError, match="pages"):
        page_numbers(pages)


@pytest.mark.parametrize("suffix", ["tiff", "gif", "tif"])
def test_frames_are_pages(tmp_path: Path, suffix: str) -> None:
    path = save_frames(tmp_path / f"scan.{suffix}", 10, 120, 250)
    pages = list(read_pages(path))
    assert [name for name, _ in pages] == [f"{path}#{n}" for n in (1, 2, 3)]
    assert [int(image.mean()) for _, image in pages] == pytest.approx([10, 120, 250], abs=2)


def test_only_the_wanted_frames_are_read(tmp_path: Path) -> None:
    path = save_frames(tmp_path / "scan.tiff", 10, 120, 250)
    assert [name for name, _ in read_pages(path, "2-")] == [f"{path}#2", f"{path}#3"]


@pytest.mark.parametrize("pages, count", [(None, 3), ("2-9", 2), ("7", 0)])
def test_how_many_pages_there_are_is_told_before_the_first(tmp_path: Path, pages: str | None, count: int) -> None:
    told: list[int] = []
    path = save_frames(tmp_path / "a.tif", 10, 20, 30)
    read = read_every_page(path, pages, counted=told.append)
    assert len([name for name, found in read if told == [count] and not isinstance(found, OCRError)]) == count


def test_a_lone_frame_keeps_the_path(tmp_path: Path) -> None:
    path = save_frames(tmp_path / "scan.tiff", 10)
    assert [name for name, _ in read_pages(path)] == [str(path)]


def test_an_image_is_page_one(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    frames(7)[0].save(path)
    assert len(list(read_pages(path, "1"))) == 1
    with pytest.raises(ImageError, match=r"a\.png: there is no page 2; it has 1"):
        list(read_pages(path, "2"))


def test_pages_beyond_the_end_are_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = save_frames(tmp_path / "scan.tiff", 10, 120, 250)
    with pytest.raises(ImageError, match=r"there is no page 5, 7-9; it has 3"):
        list(read_pages(path, "5,7-9"))
    ((name, error),) = read_every_page(path, "4-")
    assert name == str(path)
    assert "there is no page 4-; it has 3" in str(error)
    assert not caplog.records
    assert [name for name, _ in read_pages(path, "2-5,7")] == [f"{path}#2", f"{path}#3"]
    assert "there is no page 7; it has 3" in caplog.text


def test_a_pdf_is_rendered_page_by_page(tmp_path: Path) -> None:
    pytest.importorskip("pypdfium2")
    path = tmp_path / "scan.pdf"
    save_frames(path, 10, 250)
    ((name, image),) = read_pages(path, "2")
    assert name == f"{path}#2"
    assert image.dtype == np.uint8
    assert image.shape[2] == 3
    assert int(image.mean()) == pytest.approx(250, abs=3)


@pytest.mark.parametrize("suffix", ["tiff", "gif", "pdf", "png"])
def test_a_text_file_of_that_name_is_an_error_that_names_it(tmp_path: Path, suffix: str) -> None:
    if suffix == "pdf":
        pytest.importorskip("pypdfium2")
    path = tmp_path / f"bad.{suffix}"
    path.write_text("just words")
    with pytest.raises(ImageError, match=rf"bad\.{suffix}"):
        list(read_pages(path))


def write_pdf(path: Path, *objects: bytes) -> Path:
    """Write a PDF of numbered objects, from 1, the catalogue; readers find them without a cross-reference table."""
    body = b"".join(b"%d 0 obj\n%s\nendobj\n" % (number, content) for number, content in enumerate(objects, 1))
    path.write_bytes(b"%PDF-1.7\n" + body + b"trailer\n<< /Root 1 0 R >>\n%%EOF\n")
    return path


def test_what_is_filled_into_a_form_is_seen(tmp_path: Path) -> None:
    pytest.importorskip("pypdfium2")
    black = b"0 g 0 0 40 20 re f"
    place = b"/F 4 /Rect [10 10 50 30] /P 3 0 R"
    look = b"<< /Type /XObject /Subtype /Form /BBox [0 0 40 20] /Length %d >>\nstream\n%s\nendstream"
    path = write_pdf(
        tmp_path / "form.pdf",
        b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [4 0 R] >> >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 72 72] /Annots [4 0 R] >>",
        b"<< /Type /Annot /Subtype /Widget /FT /Tx /T (a) /V (b) %s /AP << /N 5 0 R >> >>" % place,
        look % (len(black), black),
    )
    ((_, image),) = read_pages(path)
    assert image.shape == (200, 200, 3)
    assert image[150, 80].tolist() == [0, 0, 0]  # 25 points right and 18 points up, at 200 dots an inch
    assert image[20, 20].tolist() == [255, 255, 255]


def test_a_damaged_page_is_named_and_the_pages_before_it_are_read(tmp_path: Path) -> None:
    pytest.importorskip("pypdfium2")
    path = write_pdf(
        tmp_path / "two.pdf",
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R 4 0 R] /Count 2 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 72 72] >>",
        b"(no page)",
    )
    pages = read_pages(path)
    assert next(pages)[0] == f"{path}#1"
    with pytest.raises(ImageError, match=r"two\.pdf#2: the page is damaged"):
        next(pages)


def test_pages_after_a_damaged_one_are_read(tmp_path: Path) -> None:
    pytest.importorskip("pypdfium2")
    leaf = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 72 72] >>"
    tree = b"<< /Type /Pages /Kids [3 0 R 4 0 R 5 0 R] /Count 3 >>"
    path = write_pdf(tmp_path / "a.pdf", b"<< /Type /Catalog /Pages 2 0 R >>", tree, leaf, b"(no page)", leaf)
    found = dict(read_every_page(path))
    assert list(found) == [f"{path}#{number}" for number in (1, 2, 3)]
    assert isinstance(found[f"{path}#2"], ImageError)
    assert [name for name, _ in read_every_page(path, "3")] == [f"{path}#3"]


def test_frames_after_a_damaged_one_are_read(tmp_path: Path) -> None:
    path = tmp_path / "scan.tif"
    noise = [np.random.default_rng(n).integers(0, 255, (40, 40), np.uint8) for n in range(3)]
    first, *others = map(PIL.Image.fromarray, noise)
    first.save(path, save_all=True, append_images=others, compression="tiff_lzw")
    with PIL.Image.open(path) as picture:
        picture.seek(1)
        offset, size = picture.tag_v2[273][0], picture.tag_v2[279][0]
    data = bytearray(path.read_bytes())
    data[offset : offset + size] = b"\xff" * size
    path.write_bytes(data)
    (_, one), (name, error), (_, three) = read_every_page(path)
    assert (name, type(error)) == (f"{path}#2", ImageError)
    assert "#2" in str(error)
    np.testing.assert_array_equal([one[:, :, 0], three[:, :, 0]], [noise[0], noise[2]])


def test_a_file_that_is_damaged_as_a_whole_is_one_failure(tmp_path: Path) -> None:
    (tmp_path / "bad.tif").write_text("just words")
    ((name, error),) = read_every_page(tmp_path / "bad.tif")
    assert (name, type(error)) == (str(tmp_path / "bad.tif"), ImageError)


def test_several_threads_read_pdfs_at_once(tmp_path: Path) -> None:
    pytest.importorskip("pypdfium2")
    paths = [save_frames(tmp_path / f"{number}.pdf", *range(10, 250, 12)) for number in range(3)]
    means: dict[Path, list[int]] = {}

    def read(path: Path) -> None:
        means[path] = [int(image.mean()) for _, image in read_pages(path)]

    threads = [threading.Thread(target=read, args=(path,)) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(means) == 3
    assert all(found == pytest.approx(list(range(10, 250, 12)), abs=3) for found in means.values())


@pytest.mark.parametrize("suffix", ["tif", "gif", "pdf", "png"])
def test_a_missing_file_is_called_missing(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(ImageError, match=rf"absent\.{suffix}: there is no such file"):
        list(read_pages(tmp_path / f"absent.{suffix}"))


@pytest.mark.parametrize("suffix", ["tiff", "gif", "png"])
def test_more_pixels_than_allowed_are_refused_by_the_name_of_the_option(tmp_path: Path, suffix: str) -> None:
    path = save_frames(tmp_path / f"large.{suffix}", 10)
    assert len(list(read_pages(path, max_pixels=600))) == 1
    with pytest.raises(ImageError, match=rf"large\.{suffix}: 30 x 20 pixels .* max_pixels .*--max-pixels"):
        list(read_pages(path, max_pixels=599))


def test_each_frame_is_held_to_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "growing.tiff"
    small, large = PIL.Image.new("L", (10, 10)), PIL.Image.new("L", (40, 40))
    small.save(path, save_all=True, append_images=[large])
    pages = read_pages(path, max_pixels=100)
    assert next(pages)[0] == f"{path}#1"
    with pytest.raises(ImageError, match=r"growing\.tiff#2: 40 x 40 pixels"):
        next(pages)


@pytest.mark.parametrize("orientation", [3, 6, 8])
@pytest.mark.parametrize("count", [1, 2])
def test_frames_are_turned_as_images_are(tmp_path: Path, orientation: int, count: int) -> None:
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    picture = PIL.Image.new("RGB", (30, 20), "white")
    picture.paste("black", (0, 0, 10, 5))
    path = tmp_path / "turned.tiff"
    picture.save(path, exif=exif, save_all=True, append_images=[picture] * (count - 1))
    pages = [image for _, image in read_pages(path)]
    assert len(pages) == count
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that only the first page is read
        np.testing.assert_array_equal(pages[0], images.read(path))
    assert pages[0].shape == ((20, 30, 3) if orientation == 3 else (30, 20, 3))


def page_of(size: int, content: bytes, resources: bytes = b"", *more: bytes) -> tuple[bytes, ...]:
    """Return the objects of a PDF of one page, *size* points each way; *more* are numbered from 5."""
    return (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %d %d] /Resources << %s >> /Contents 4 0 R >>"
        % (size, size, resources),
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        *more,
    )


def test_a_large_page_is_drawn_smaller_and_the_log_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    pytest.importorskip("pypdfium2")
    path = write_pdf(tmp_path / "sheet.pdf", *page_of(14400, b"0 g 0 0 7200 14400 re f"))
    ((_, image),) = read_pages(path, max_pixels=1_000_000)
    assert 990_000 < image.shape[0] * image.shape[1] <= 1_000_000
    assert (image[500, 10].tolist(), image[500, -10].tolist()) == ([0] * 3, [255] * 3)
    assert "sheet.pdf#1: drawn at 5 dots an inch instead of 200, for max_pixels" in caplog.text


def forms_that_call_each_other(depth: int, often: int) -> tuple[bytes, ...]:
    """Return a page that draws a form often, which draws the next often, and so on: often ** depth boxes."""
    calls = b"/F Do " * often
    form = b"<< /Type /XObject /Subtype /Form /BBox [0 0 72 72] /Resources << /XObject << /F %d 0 R >> >> /Length %d >>"
    forms = [form % (5 + n + 1, len(calls)) + b"\nstream\n" + calls + b"\nendstream" for n in range(depth)]
    box = b"<< /Type /XObject /Subtype /Form /BBox [0 0 72 72] /Length 12 >>\nstream\n0 0 9 9 re f\nendstream"
    return page_of(72, calls, b"/XObject << /F 5 0 R >>", *forms, box)


def test_a_page_that_takes_too_long_is_named_and_threads_wait_for_nobody(tmp_path: Path) -> None:
    pytest.importorskip("pypdfium2")
    path = write_pdf(tmp_path / "forever.pdf", *forms_that_call_each_other(9, 20))
    with PDFReader(path, seconds=1) as document, pytest.raises(ImageError, match=r"forever\.pdf#1: not drawn within 1"):
        document.page(1)


def test_no_process_is_left_when_a_pdf_is_not_read_to_its_end(tmp_path: Path) -> None:
    pytest.importorskip("pypdfium2")
    path = save_frames(tmp_path / "scan.pdf", 10, 250)
    mine = Path(f"/proc/self/task/{threading.get_native_id()}/children")
    before = set(mine.read_text().split())  # an earlier test may have left multiprocessing's tracker of resources
    pages = read_pages(path)
    next(pages)
    started = set(mine.read_text().split()) - before
    assert started
    pages.close()
    assert not started & set(mine.read_text().split())


def test_a_page_is_read_by_its_name(tmp_path: Path) -> None:
    path = save_frames(tmp_path / "scan.tiff", 10, 120, 250)
    assert int(read_page(f"{path}#2").mean()) == 120
    with pytest.warns(UserWarning, match="only the first of 3 pages"):
        assert int(read_page(str(path)).mean()) == 10
    with pytest.raises(ImageError, match="there is no page 4"):
        read_page(f"{path}#4")


def test_a_file_whose_name_looks_like_a_page_is_a_file(tmp_path: Path) -> None:
    path = tmp_path / "scan.png#2"
    frames(7)[0].save(path, format="png")
    assert int(read_page(str(path)).mean()) == 7


@pytest.mark.parametrize("kind", ["pdf", "tiff", "png"])
def test_what_a_file_without_suffix_is_its_bytes_say(kind: str, tmp_path: Path) -> None:
    if kind == "pdf":
        pytest.importorskip("pypdfium2")
    frames = [PIL.Image.new("L", (30, 20), gray) for gray in (230, 10)]
    more = {} if kind == "png" else {"save_all": True, "append_images": frames[1:]}
    path = tmp_path / "scan"
    frames[0].save(path, kind, **more)
    names = [name for name, _ in read_pages(path)]
    assert names == ([str(path)] if kind == "png" else [f"{path}#1", f"{path}#2"])


def test_an_encrypted_pdf_asks_for_its_password(tmp_path: Path) -> None:
    pytest.importorskip("pypdfium2")
    pikepdf = pytest.importorskip("pikepdf")
    plain, path = tmp_path / "plain.pdf", tmp_path / "locked.pdf"
    PIL.Image.new("L", (30, 20), 230).save(plain)
    with pikepdf.open(plain) as document:
        document.save(path, encryption=pikepdf.Encryption(owner="owner", user="päss"))
    with pytest.raises(ImageError, match=r"locked\.pdf: the PDF is encrypted\. Give its password: --password"):
        next(read_pages(path))
    with pytest.raises(ImageError, match="the password does not open it"):
        next(read_pages(path, password="wrong"))
    assert [name for name, _ in read_pages(path, password="päss")] == [f"{path}#1"]
