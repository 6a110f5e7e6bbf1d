from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from ppocr_lite.charset import Charset
from ppocr_lite.errors import DataError
from ppocr_lite.synth import Corpus
from tests.unit.synth.conftest import ASCII


def draws(corpus: Corpus, count: int, **limits: int) -> list[str]:
    rng = np.random.default_rng(5)
    return [corpus.phrase(rng, **limits) for _ in range(count)]


def test_phrases_keep_to_charset_and_length() -> None:
    for text in draws(Corpus("abc123 "), 300, min_chars=2, max_chars=9):
        assert set(text) <= set("abc123 ")
        assert 2 <= len(text) <= 9
        assert text == text.strip()


def test_without_any_file_every_ascii_character_is_drawn() -> None:
    assert set("".join(draws(Corpus(ASCII), 6000))) == set(ASCII)


def test_upper_title_and_lower_case_all_occur() -> None:
    texts = [text for text in draws(Corpus(ASCII), 500) if text.isalpha()]
    assert any(t.isupper() for t in texts) and any(t.islower() for t in texts) and any(t.istitle() for t in texts)


def test_running_text_comes_from_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("zygote quokka " * 400)
    texts = " ".join(draws(Corpus(ASCII, [tmp_path / "a.txt"]), 300)).lower()
    assert texts.count("zygote") > 30


def test_counted_lists_give_words_without_their_counts(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("\n".join(f"wurd{chr(97 + i % 26)} {9000 - i}" for i in range(300)))
    corpus = Corpus(ASCII, [tmp_path / "words.txt"])
    rng = np.random.default_rng(0)
    assert sum(corpus.word(rng).startswith("wurd") for _ in range(200)) > 80


def test_typographic_quotes_become_plain_where_the_charset_lacks_them() -> None:
    assert Corpus(ASCII).clean("\u201cit\u2019s\u201d \u2014 é") == '"it\'s" - '


def test_chinese_text_is_drawn_from_a_chinese_charset(tmp_path: Path) -> None:
    (tmp_path / "zh.txt").write_text("今天天气很好我们去公园散步吧" * 300, "utf-8")
    charset = ASCII + "今天气很好我们去公园散步吧年月日元"
    texts = "".join(draws(Corpus(charset, [tmp_path / "zh.txt"]), 200))
    assert texts.count("天气很好") > 10
    assert set(texts) <= set(charset)


def test_a_chinese_text_with_an_english_beginning_is_chinese(tmp_path: Path) -> None:
    (tmp_path / "zh.txt").write_text(
        "title: a page\nms.date: 11/15/2016\n" * 200 + "今天天气很好我们去公园散步吧" * 300, "utf-8"
    )
    charset = ASCII + "今天气很好我们去公园散步吧"
    texts = "".join(draws(Corpus(charset, [tmp_path / "zh.txt"]), 200))
    assert texts.count("天气很好") > 10


def test_chinese_phrases_have_the_signs_of_documents() -> None:
    texts = draws(Corpus(ASCII + "今天【】《》“”：、（）×÷℃年月日元"), 3000)
    assert set("【】《》“”：、（）×÷℃年月日元") <= set("".join(texts))
    assert any(re.fullmatch(r"[\d.]+([-+×÷][\d.]+)+=", text) for text in texts)


def test_signs_that_no_keyboard_has_are_drawn_where_the_charset_has_them() -> None:
    wanted = set("°£€¥±§©®™µ½¼¾×÷−–—‘’“”•…")
    drawn = set("".join(draws(Corpus("".join(Charset.load("en").characters)), 6000)))
    assert wanted <= drawn
    assert not wanted & set("".join(draws(Corpus(ASCII), 2000)))


def test_text_files_keep_typographic_quotes_that_the_charset_has(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("we don’t “know” — yet " * 400, "utf-8")
    texts = " ".join(draws(Corpus(ASCII + "’“”—", [tmp_path / "a.txt"]), 400))
    assert "don’t" in texts
    assert "“know”" in texts


def test_lone_characters_are_drawn() -> None:
    lengths = [len(text) for text in draws(Corpus(ASCII), 2000)]
    assert sum(length == 1 for length in lengths) > 30


def test_a_binary_file_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "bad.txt").write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(DataError, match="bad.txt"):
        Corpus(ASCII, [tmp_path / "bad.txt"])


def test_an_empty_charset_is_refused() -> None:
    with pytest.raises(DataError, match="charset"):
        Corpus(" ")
