"""What is given becomes documents, each once, in the same order every time."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

fsspec = pytest.importorskip("fsspec", reason="the extra [bulk] is not installed")

from ppocr_lite.bulk.document import Document  # noqa: E402
from ppocr_lite.bulk.places import read_bytes  # noqa: E402
from ppocr_lite.bulk.sources import Source, find_documents  # noqa: E402
from ppocr_lite.errors import ImageError, OCRError  # noqa: E402
from tests.bulk import packed  # noqa: E402

Memory = Callable[[str, bytes], str]


@pytest.fixture
def memory() -> Memory:
    """A function that writes a file of ``memory://`` and returns its URL; all are gone before each test."""
    system = fsspec.filesystem("memory")
    for path in list(system.store):
        system.rm(path)

    def write(path: str, data: bytes) -> str:
        system.pipe(path, data)
        return f"memory:/{path}"

    return write


def found(*given: str | Path, recursive: bool = False, output: tuple[Path, ...] = ()) -> list[Document]:
    return list(find_documents([Source.of(str(one), recursive) for one in given], output))


def names(*given: str | Path, recursive: bool = False, output: tuple[Path, ...] = ()) -> list[str]:
    return [document.name for document in found(*given, recursive=recursive, output=output)]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("b.png", "a.pdf", "notes.txt", "c/d.jpg", "c/e/f.tif"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    return tmp_path


def test_a_folder_gives_its_images_in_order(tree: Path) -> None:
    assert names(tree) == [str(tree / "a.pdf"), str(tree / "b.png")]


def test_folders_below_are_read_if_asked_for(tree: Path) -> None:
    below = [str(tree / name) for name in ("a.pdf", "b.png", "c/d.jpg", "c/e/f.tif")]
    assert names(tree, recursive=True) == below
    assert names(tree / "**" / "*.[jt]*") == [below[2], below[3], str(tree / "notes.txt")]
    assert names(tree / "*" / "*.jpg") == [below[2]]


def test_a_path_is_absolute_and_a_link_to_a_folder_is_not_followed(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tree / "c" / "up").symlink_to(tree)
    monkeypatch.chdir(tree)
    assert names("b.png", "c", recursive=True) == [str(tree / name) for name in ("b.png", "c/d.jpg", "c/e/f.tif")]


def test_what_is_given_twice_is_read_once(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tree)
    once = names(tree, recursive=True)
    assert sorted(names(tree / "c" / "d.jpg", "c", tree / "c/*.jpg", tree, "./b.png", recursive=True)) == once
    assert names("b.png", tree / "b.png", "c/../b.png") == [str(tree / "b.png")]


def test_an_identity_follows_the_file_and_not_the_run(tree: Path) -> None:
    first = [document.id for document in found(tree)]
    assert [document.id for document in found(tree / "a.pdf", tree / "b.png")] == first
    (tree / "b.png").write_bytes(b"other")
    os.utime(tree / "b.png", ns=(1, 1))
    assert [a == b for a, b in zip(first, [document.id for document in found(tree)], strict=True)] == [True, False]


def test_what_is_not_there_is_a_document_that_fails_when_it_is_read(tmp_path: Path) -> None:
    assert names(tmp_path / "none.png") == [str(tmp_path / "none.png")]


def test_an_empty_folder_is_an_error_at_once(tree: Path) -> None:
    (tree / "empty").mkdir()
    with pytest.raises(ImageError, match="empty: nothing to read there. Looked for .*.pdf.*--recursive"):
        found(tree / "empty")
    with pytest.raises(ImageError, match=r"\*.gif: nothing to read there"):
        found(tree / "*.gif")


def test_shares_are_all_of_it_and_nothing_twice(tmp_path: Path) -> None:
    for number in range(50):
        (tmp_path / f"{number}.png").write_bytes(b"x")
    source = [Source.of(str(tmp_path))]
    shares = [[one.name for one in find_documents(source, share=(number, 3))] for number in (1, 2, 3)]
    assert all(len(share) > 5 for share in shares)
    assert sorted(sum(shares, [])) == sorted(names(tmp_path))


def test_the_output_is_not_read(tree: Path) -> None:
    (tree / "out").mkdir()
    (tree / "out" / "part-000001.png").write_bytes(b"x")
    assert len(names(tree, recursive=True)) == 5
    assert len(names(tree, recursive=True, output=(tree / "out", tree / "b.png"))) == 3


def test_other_file_systems_are_listed_and_read(memory: Memory) -> None:
    for name in ("/in/b.png", "/in/a.png", "/in/deep/c.png", "/in/x.txt"):
        memory(name, name.encode())
    documents = found("memory://in", recursive=True)
    assert [document.name for document in documents] == [
        f"memory:///in/{name}" for name in ("a.png", "b.png", "deep/c.png")
    ]
    assert [document.id for document in found("memory://in/*.png")] == [document.id for document in documents[:2]]
    assert found("memory://in/a.png")[0].id == documents[0].id
    assert read_bytes(documents[2].base, documents[2].path) == b"/in/deep/c.png"


def test_a_url_is_the_same_however_it_is_written(memory: Memory) -> None:
    memory("/in/a.png", b"x")
    assert len(found("memory://in/a.png", "memory:///in/a.png")) == 1


def test_a_local_name_may_look_like_a_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a::b.png").write_bytes(b"x")
    assert names("a::b.png") == [str(tmp_path / "a::b.png")]


def test_a_folder_that_cannot_be_listed_is_a_document_with_that_error(
    memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("/in/a.png", "/in/deep/b.png", "/in/z.png"):
        memory(name, b"x")
    system, listed = fsspec.filesystem("memory"), fsspec.filesystem("memory").ls

    def ls(path: str, **options: object) -> object:
        if path.endswith("deep"):
            raise PermissionError("not for you")
        return listed(path, **options)

    monkeypatch.setattr(system, "ls", ls)
    documents = found("memory://in", recursive=True)
    assert [document.error for document in documents] == [
        None,
        "the folder cannot be listed: PermissionError: not for you",
        None,
    ]


def test_a_url_that_nothing_opens_says_what_is_missing() -> None:
    with pytest.raises(OCRError, match="nosuch://bucket/a.png: cannot be opened: .*nosuch"):
        found("nosuch://bucket/a.png")


def test_members_of_a_tar_file_are_found_by_place(memory: Memory) -> None:
    shard = packed({"1.png": b"first", "1.json": b"{}", "deep/2.jpg": b"second", "3.pdf": b"third"})
    documents = found(memory("/shard.tar", shard))
    assert [document.member for document in documents] == ["1.png", "deep/2.jpg", "3.pdf"]
    for document, data in zip(documents, (b"first", b"second", b"third"), strict=True):
        assert read_bytes(document.base, document.path, document.start, document.start + document.size) == data
    assert len({document.id for document in documents}) == 3


def test_members_of_one_name_are_told_apart(memory: Memory) -> None:
    two = packed({"a.png": b"1"})[: -1024 * 10 + 1024] + packed({"a.png": b"2"})
    assert len({document.id for document in found(memory("/two.tar", two))}) == 2


WHOLE = packed({"1.png": b"1" * 600, "2.png": b"2" * 600})


@pytest.mark.parametrize(
    ("data", "members", "reason"),
    [
        (b"", 0, "empty file"),
        (b"no tar file at all" * 100, 0, "invalid header"),
        (WHOLE[:2048], 2, "unexpected end of data"),
        (WHOLE[:1536] + b"\x01" * 512 + WHOLE[2048:], 1, "no header at byte 1536"),
        (WHOLE[:3072], 2, "mark of its end"),
        (WHOLE[:1000], 1, "unexpected end of data"),
    ],
)
def test_a_damaged_tar_file_gives_what_is_before_the_damage(
    data: bytes, members: int, reason: str, memory: Memory
) -> None:
    documents = found(memory("/bad.tar", data))
    assert [document.error is None for document in documents] == [True] * members + [False]
    assert f"behind its first {members} members" in str(documents[-1].error)
    assert re.search(reason, str(documents[-1].error))


def test_a_compressed_tar_file_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "a.tar.gz").write_bytes(b"x")
    (document,) = found(tmp_path / "a.tar.gz")
    assert "Unpack it" in str(document.error)


def parquet_file(**columns: list[object]) -> bytes:
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    file = io.BytesIO()
    parquet.write_table(arrow.table(columns), file, row_group_size=2)
    return file.getvalue()


def test_rows_of_a_parquet_file_are_documents(memory: Memory) -> None:
    pictures = [b"1", b"2", b"3"]
    documents = found(memory("/a.parquet", parquet_file(image=pictures, label=["a", "b", "c"])))
    assert [(one.member, one.start, one.size) for one in documents] == [
        ("row 1", 0, 0),
        ("row 2", 0, 1),
        ("row 3", 1, 0),
    ]
    assert {one.column for one in documents} == {"image"}
    inside = found(memory("/b.parquet", parquet_file(image=[{"bytes": b"1", "path": "a.png"}], other=[1])))
    assert [one.column for one in inside] == ["image.bytes"]


def test_a_parquet_file_without_images_lists_its_columns(memory: Memory) -> None:
    (document,) = found(memory("/a.parquet", parquet_file(text=["a"], number=[1])))
    assert "no column holds bytes" in str(document.error)
    assert "text (string), number (int64)" in str(document.error)
    (document,) = found(memory("/b.parquet", parquet_file(one=[b"a"], two=[b"b"])))
    assert "2 columns may hold images; say which with --column" in str(document.error)
    url = memory("/c.parquet", b"no table")
    (document,) = found(url)
    assert "not a Parquet file with images" in str(document.error)


def test_a_column_can_be_named(memory: Memory) -> None:
    source = Source.of(memory("/b.parquet", parquet_file(one=[b"a"], two=[b"b"])))
    assert [one.column for one in find_documents([source], column="two")] == ["two"]
    (document,) = find_documents([source], column="three")
    assert "there is no column 'three' of bytes" in str(document.error)
