from __future__ import annotations

from pathlib import Path

import pytest

from ppocr_lite.charset import Charset
from ppocr_lite.errors import ConfigError, DataError


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "dict.txt"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


ASCII = tuple(map(chr, range(0x21, 0x7F)))


def test_ascii_list_is_printable_ascii_and_the_space() -> None:
    charset = Charset.load("ascii")
    assert charset.characters == (*ASCII, " ")
    assert charset.num_classes == 96


def test_english_list_adds_the_letters_of_latin_1_and_signs() -> None:
    charset = Charset.load("en", use_space_char=False)
    latin1 = bytes(range(0xC0, 0x100)).decode("latin-1")
    letters = (*ASCII, *(letter for letter in latin1 if letter.isalpha()))
    assert charset.characters[: len(letters)] == letters
    assert set("°£€¥±§©®™µ½¼¾×÷−–—‘’“”•…¿¡«»") <= set(charset.characters[len(letters) :])


def test_chinese_list_can_write_all_that_the_english_one_can() -> None:
    assert set(Charset.load("en").characters) <= set(Charset.load("ch").characters)


def test_chinese_list_holds_ascii_and_every_hanzi_of_gb_2312() -> None:
    charset = Charset.load("ch")
    hanzi = [c for c in charset.characters if "\u4e00" <= c <= "\u9fff"]
    assert set(ASCII) <= set(charset.characters)
    assert len(hanzi) == 3755 + 3008
    assert all(len(c.encode("gb2312")) == 2 for c in hanzi)


def test_space_is_left_out_on_request() -> None:
    assert Charset.load("ascii", use_space_char=False).num_classes == 95


def test_space_of_the_file_is_not_appended_again(tmp_path: Path) -> None:
    assert Charset.load(write(tmp_path, "a\n \nb\n")).characters == ("a", " ", "b")


def test_first_character_has_index_one() -> None:
    assert Charset("abc").encode("ab") == [1, 2]


def test_decode_undoes_encode_and_leaves_blanks_out() -> None:
    charset = Charset("abc")
    assert charset.decode([0, *charset.encode("cab"), 0]) == "cab"


def test_order_of_the_file_is_kept(tmp_path: Path) -> None:
    assert Charset.load(write(tmp_path, "乙\na\n甲\n"), use_space_char=False).characters == ("乙", "a", "甲")


@pytest.mark.parametrize(("text", "expected"), [("# a comment\na\n", ("a",)), ("#\na\n", ("#", "a"))])
def test_only_a_longer_first_line_is_a_comment(tmp_path: Path, text: str, expected: tuple[str, ...]) -> None:
    assert Charset.load(write(tmp_path, text), use_space_char=False).characters == expected


def test_windows_line_ends_and_a_byte_order_mark_are_no_characters(tmp_path: Path) -> None:
    path = write(tmp_path, b"\xef\xbb\xbfa\r\nb\r\n")
    assert Charset.load(path, use_space_char=False).characters == ("a", "b")


def test_unusual_line_separators_are_characters(tmp_path: Path) -> None:
    assert Charset.load(write(tmp_path, "\u2028\n\x85\n"), use_space_char=False).characters == ("\u2028", "\x85")


def test_repeated_character_is_refused_with_both_lines(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"dict\.txt:3: 'a' is already on line 1"):
        Charset.load(write(tmp_path, "a\nb\na\n"))


def test_line_of_two_code_points_is_refused_with_their_codes(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"dict\.txt:2: .*U\+0065 U\+0301"):
        Charset.load(write(tmp_path, "a\ne\u0301\n"))


def test_empty_line_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="exactly one character"):
        Charset.load(write(tmp_path, "a\n\nb\n"))


@pytest.mark.parametrize("text", ["", "# only a comment\n"])
def test_empty_file_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError):
        Charset.load(write(tmp_path, text), use_space_char=False)


def test_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="UTF-8"):
        Charset.load(write(tmp_path, b"\xc4\xe3\n"))


def test_missing_file_names_the_known_lists() -> None:
    with pytest.raises(ConfigError, match="no dictionary file at nowhere.*Known:.*en"):
        Charset.load("nowhere")


def test_repeated_character_is_kept_for_published_models_on_request() -> None:
    charset = Charset("a b ", allow_duplicates=True)
    assert charset.num_classes == 5
    assert charset.encode(" ") == [2]
    assert charset.decode([4]) == " "


def test_unknown_characters_are_all_named() -> None:
    with pytest.raises(DataError, match="'éß'.*'aéßé'"):
        Charset("abc").encode("aéßé")


def test_flags_of_two_code_points_are_one_character_on_request() -> None:
    charset = Charset(["a", "🇸🇪", "🇸"], allow_sequences=True)
    assert charset.encode("a🇸🇪🇸") == [1, 2, 3]
    assert charset.decode([2, 1]) == "🇸🇪a"
    assert charset.missing("🇸🇪b") == ["b"]
    with pytest.raises(ConfigError, match="exactly one character"):
        Charset(["a", "🇸🇪"])
