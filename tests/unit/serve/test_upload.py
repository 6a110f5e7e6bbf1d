"""Uploads are kept in a bounded room, and nothing of them is left."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from tests.limits import file_size_limit

upload = pytest.importorskip("ppocr_lite.serve.upload", reason="the extra [serve] is not installed")


@pytest.fixture
def spool() -> Iterator[Any]:
    made = upload.Spool(max_bytes=1000)
    yield made
    made.close()


def receive(one: Any, *chunks: bytes) -> None:
    async def come() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    asyncio.run(one.receive(come()))


def test_a_body_is_kept_while_it_is_needed(spool: Any) -> None:
    one = spool.upload()
    receive(one, b"ab", b"c")
    assert (one.body.read_bytes(), one.size, spool.used) == (b"abc", 3, 3)
    one.close()
    assert (one.folder.exists(), spool.used) == (False, 0)


def test_all_bodies_share_one_room(spool: Any) -> None:
    first, second = spool.upload(), spool.upload()
    receive(first, bytes(900))
    with pytest.raises(upload.ProblemError, match="Other uploads take all the room") as caught:
        receive(second, bytes(60), bytes(60))
    assert (caught.value.status, caught.value.kind) == (429, "no-room")
    second.close()
    assert spool.used == 900
    first.close()
    third = spool.upload()
    receive(third, bytes(900))
    third.close()


def test_on_a_full_disk_an_upload_is_refused(spool: Any) -> None:
    one = spool.upload()
    with file_size_limit(100), pytest.raises(upload.ProblemError, match="no room for the upload") as caught:
        receive(one, bytes(60), bytes(60))
    assert (caught.value.status, caught.value.kind) == (503, "no-room")
    one.close()
    assert spool.used == 0


def test_nothing_is_left(spool: Any) -> None:
    folder = spool.upload().folder.parent
    spool.close()
    assert not folder.exists()
