"""Small, seeded damage to bytes and to text, such as files meet in transfer and attackers do on purpose."""

from __future__ import annotations

import numpy as np

NUMBERS = (
    b"\x00",
    b"\xff",
    b"\xff\xff",
    b"\x00\x00",
    b"\x7f\xff",
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff",
    b"\x00\x01",
)
KIND = (0.2, 0.2, 0.1, 0.1, 0.05, 0.1, 0.1, 0.1, 0.05)  # how often each change is made; the fifth cuts off the rest
TOKENS = (
    "[", "]", "{", "}", ":", "- ", "&a ", "*a", "!!bool ", "!!int ", "!!python/object:x ", "null", "1e400", "-1",
    "10000000000000000000000", "1000000", ".nan", ".inf", "0x" + "f" * 99, "'", '"', "\x07", "\t", "é", "\n", "<<: ",
    "true", "[[[[[[[[", "${HOME}", "${x", "2001-99-99", "~",
)  # fmt: skip


def damage(data: bytes, rng: np.random.Generator, other: bytes = b"") -> bytes:
    """Return *data* with one to three changes, mostly one; one kind of change splices *other* in."""
    mutable = bytearray(data)
    for _ in range(int(rng.choice([1, 1, 2, 3]))):
        _change(mutable, rng, other)
    return bytes(mutable)


def _change(data: bytearray, rng: np.random.Generator, other: bytes) -> None:
    # Half of the places lie in the header, where the sizes are.
    size = max(1, len(data))
    at = int(rng.integers(0, min(size, 200) if rng.random() < 0.5 else size))
    length = int(rng.integers(1, 64))
    kind = int(rng.choice(9, p=KIND))
    if kind == 0 and data:
        data[at] ^= 1 << int(rng.integers(8))
    elif kind == 1 and data:
        data[at] = int(rng.integers(256))
    elif kind in (2, 3):
        number = NUMBERS[int(rng.integers(len(NUMBERS)))]
        data[at : at + len(number)] = number
    elif kind == 4:
        del data[at:]
    elif kind == 5:
        del data[at : at + length]
    elif kind == 6:
        data[at:at] = rng.bytes(length)
    elif kind == 7:
        data[at:at] = data[at : at + length] * int(rng.integers(1, 50))
    elif other:
        cut = int(rng.integers(0, len(other)))
        data[at:] = other[cut:]


def damage_text(text: str, rng: np.random.Generator) -> str:
    """Return *text* with one to three changes, of lines, characters and what YAML takes for special."""
    for _ in range(int(rng.choice([1, 1, 2, 3]))):
        lines = text.split("\n")
        at = int(rng.integers(len(lines)))
        place = int(rng.integers(len(text) + 1))
        token = TOKENS[int(rng.integers(len(TOKENS)))]
        kind = int(rng.integers(0, 7))
        if kind == 0:
            del lines[at]
        elif kind == 1:
            lines.insert(at, lines[int(rng.integers(len(lines)))])
        elif kind == 2:
            lines[at] = "  " + lines[at]
        elif kind == 3 and ":" in lines[at]:
            lines[at] = f"{lines[at].partition(':')[0]}: {token}"
        text = "\n".join(lines)
        if kind == 4:
            text = text[:place] + token + text[place:]
        elif kind == 5:
            text = text[:place] + text[place + int(rng.integers(1, 9)) :]
        elif kind == 6:
            text = (
                text[:place] if rng.random() < 0.2 else text[:place] + chr(int(rng.integers(1, 0xD800))) + text[place:]
            )
    return text
