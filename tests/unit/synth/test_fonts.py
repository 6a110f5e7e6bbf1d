from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from fontTools.ttLib import TTFont

from ppocr_lite.errors import DataError
from ppocr_lite.synth import FontBook, cmap
from tests.unit.synth.conftest import ASCII, TINY, build_font


def test_a_folder_without_fonts_is_an_error_with_advice(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="setup_fonts"):
        FontBook.discover("abc", [tmp_path])


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere"):
        FontBook.discover("abc", [tmp_path / "nowhere"])


def test_a_font_that_lacks_most_of_the_charset_is_left_out(tiny_font: Path) -> None:
    with pytest.raises(DataError, match="90%"):
        FontBook.discover(ASCII, [tiny_font])


def test_a_character_without_glyph_is_not_supported(tiny_font: Path) -> None:
    face = FontBook.discover(TINY, [tiny_font]).faces[0]
    assert face.supports("A")
    assert not face.supports("Z")


def test_a_character_drawn_as_the_missing_glyph_box_is_not_supported(tmp_path: Path) -> None:
    build_font(tmp_path / "Boxed.ttf", "Boxed", TINY, boxes="Z")
    assert FontBook.discover(TINY + "Z", [tmp_path]).faces[0].missing("AZB") == "Z"


def test_a_character_with_an_empty_glyph_is_not_supported(tmp_path: Path) -> None:
    build_font(tmp_path / "Hollow.ttf", "Hollow", TINY, empty="Z")
    assert FontBook.discover(TINY + "Z", [tmp_path]).faces[0].missing("AZB") == "Z"


def test_the_report_lists_what_each_face_lacks(tmp_path: Path) -> None:
    build_font(tmp_path / "Whole.ttf", "Whole", TINY + "Z")
    build_font(tmp_path / "Partial.ttf", "Partial", TINY)
    assert FontBook.discover(TINY, [tmp_path]).report(TINY + "Z") == {"Partial": "Z", "Whole": "Z"}
    assert FontBook.discover(TINY + "Z", [tmp_path]).report(TINY + "Z") == {"Partial": "Z"}


def test_a_broken_file_is_left_out(tiny_font: Path) -> None:
    (tiny_font / "Broken.ttf").write_bytes(b"not a font at all")
    assert FontBook.discover(TINY, [tiny_font]).families() == ["Tiny"]


def test_symbol_fonts_are_left_out(tiny_font: Path) -> None:
    build_font(tiny_font / "TinyDingbats.ttf", "Tiny Dingbats", TINY)
    assert FontBook.discover(TINY, [tiny_font]).families() == ["Tiny"]


@pytest.fixture
def many(tmp_path: Path) -> Path:
    for i in range(24):
        build_font(tmp_path / f"F{i}.ttf", f"Family{i:02d}", TINY)
        build_font(tmp_path / f"F{i}-Bold.ttf", f"Family{i:02d} Bold", TINY)
    return tmp_path


def test_the_split_keeps_five_families_and_all_their_weights_for_validation(many: Path) -> None:
    train, val = (FontBook.discover(TINY, [many], split) for split in ("train", "val"))
    assert len(val.families()) == 5
    assert len(val) == 10
    assert not set(train.families()) & set(val.families())
    assert len(train) + len(val) == 48


def test_the_split_can_be_given_as_names(many: Path) -> None:
    val = FontBook.discover(TINY, [many], "val", validation=("Family03",))
    assert val.families() == ["Family03"]


def test_a_single_family_serves_both_sides(tiny_font: Path) -> None:
    assert len(FontBook.discover(TINY, [tiny_font], "train")) == len(FontBook.discover(TINY, [tiny_font], "val")) == 1


def test_a_pickled_book_draws_the_same_faces(many: Path) -> None:
    book = FontBook.discover(TINY, [many])
    copy = pickle.loads(pickle.dumps(book))  # noqa: S301
    assert [copy.pick(np.random.default_rng(i)) for i in range(5)] == [
        book.pick(np.random.default_rng(i)) for i in range(5)
    ]


def test_cmap_agrees_with_fonttools_on_installed_fonts(fonts: FontBook) -> None:
    codes = np.array([*range(32, 0x600), *range(0x4E00, 0x4F00), 0xFFFD, 0x1F600, 0x20000], np.int64)
    files = sorted({face.path for face in fonts.faces if not face.path.endswith(".ttc")})
    for path in files[:: max(1, len(files) // 12)]:
        with TTFont(path, lazy=True) as font:
            known = font.getBestCmap()
            expected = [known.get(int(code), ".notdef") != ".notdef" for code in codes]
            assert cmap.mapped(font.reader["cmap"], codes).tolist() == expected, path


def test_faces_of_small_capitals_only_are_known(fonts: FontBook) -> None:
    by_name = {face.name: face for face in fonts.faces}
    for name, expected in (("BebasNeue-Regular", True), ("DejaVuSans", False), ("LiberationSans-Regular", False)):
        if name in by_name:
            assert by_name[name].capitals_only is expected
