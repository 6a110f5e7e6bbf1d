"""What is set for the libraries in Paddle, which read it from the environment."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("paddle", reason="the Paddle engine is not installed")

from ppocr_lite.predict.bundle import read_bundle
from ppocr_lite.predict.engines import paddle_inference
from ppocr_lite.predict.released import released_model

AMD = "vendor_id\t: AuthenticAMD\nflags\t\t: fpu sse2 fma avx avx2\n"


@pytest.mark.parametrize(
    ("described", "expected"),
    [
        (AMD, True),
        (AMD.replace("AuthenticAMD", "GenuineIntel"), False),
        (AMD.replace("avx2", ""), False),
        (AMD.replace("fma", "fma4"), False),
        (None, False),
    ],
)
def test_an_amd_processor_with_avx2_is_known_by_its_description(
    tmp_path: Path, described: str | None, expected: bool
) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    if described is not None:
        cpuinfo.write_text(described, encoding="utf-8")
    assert paddle_inference.is_amd_with_avx2(cpuinfo) is expected


def test_libraries_are_set_up_and_what_the_user_set_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(AMD, encoding="utf-8")
    monkeypatch.setattr(paddle_inference, "CPUINFO", cpuinfo)
    environment: dict[str, str] = {}
    paddle_inference.set_up_libraries(environment)
    assert environment == {
        "ONEDNN_PRIMITIVE_CACHE_CAPACITY": paddle_inference.COMPILED_LAYERS,
        "KMP_BLOCKTIME": paddle_inference.WAIT_MILLISECONDS,
        "MKL_DEBUG_CPU_TYPE": "5",
    }
    chosen = dict.fromkeys(environment, "4")
    paddle_inference.set_up_libraries(chosen)
    assert set(chosen.values()) == {"4"}


@pytest.mark.parametrize(("given", "run"), [(1, 1), (2, 3), (3, 3), (4, 6), (6, 6), (7, 7)])
def test_a_batch_is_filled_up_to_the_next_size(given: int, run: int) -> None:
    batch = np.ones((given, 3, 4, 5), np.float32)
    filled = paddle_inference._filled(batch)
    assert filled.shape == (run, 3, 4, 5)
    assert np.array_equal(filled[:given], batch)
    assert not filled[given:].any()


def test_what_a_batch_was_filled_with_is_not_returned() -> None:
    runner = paddle_inference.PaddleRunner(read_bundle(released_model("rec", "en")))
    lines = np.random.default_rng(0).uniform(-1, 1, (2, 3, 32, 64)).astype(np.float32)
    (both,) = runner.run_all(lines)
    alone = np.concatenate([runner.run_all(line[None])[0] for line in lines])
    assert both.shape == alone.shape
    np.testing.assert_allclose(both, alone, atol=1e-4)
