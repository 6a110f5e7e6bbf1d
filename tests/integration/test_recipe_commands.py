"""The commands for CML and U-DML in doc/recipes.md run as they stand there, on small data under the same paths."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from safetensors.numpy import save_file

from ppocr_lite.engine.backends.base import Task
from ppocr_lite.engine.build import create_backend, load_config

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

ROOT = Path(__file__).parents[2]
WORDS = ("Paper", "Lantern", "42.50", "Orchard", "harbour", "Tuesday", "Quartz", "ivory")


def command(config: str) -> list[str]:
    """Return the arguments of the `ppocr-lite train` that doc/recipes.md gives for a config, overrides included."""
    text = (ROOT / "doc" / "recipes.md").read_text(encoding="utf-8").replace("\\\n", " ")
    (line,) = re.findall(rf"^ppocr-lite (train -c \S*{config}\.yml\s+-o .*)$", text, re.MULTILINE)
    return shlex.split(line)


@pytest.fixture
def workplace(tmp_path: Path) -> Path:
    """A folder with configs/ and train_data/, as a checkout has them."""
    (tmp_path / "configs").symlink_to(ROOT / "configs")
    return tmp_path


def run(workplace: Path, words: list[str], name: str) -> list[dict[str, float]]:
    """Run a command and return the rows of its log."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "ppocr_lite.cli", *words], cwd=workplace, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    lines = (workplace / "output" / name / "log.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def draw(text: str, height: int) -> np.ndarray:
    image = np.full((height, 200, 3), 235, np.uint8)
    cv2.putText(image, text, (6, height - 10), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (30, 30, 30), 2)
    return image


def test_cml(workplace: Path) -> None:
    data = workplace / "train_data" / "det"
    data.mkdir(parents=True)
    box = [[4, 4], [180, 4], [180, 44], [4, 44]]
    for index in range(3):
        cv2.imwrite(str(data / f"{index}.png"), draw(WORDS[index], 48))
    label = json.dumps([{"transcription": "x", "points": box}])
    rows = [f"{index}.png\t{label}\n" for index in range(3)]
    (data / "train.txt").write_text("".join(rows))
    (data / "val.txt").write_text(rows[0])
    teacher = load_config(ROOT / "configs" / "det" / "det_r18vd_db.yml")
    backend = create_backend("paddle")
    backend.build(Task(teacher.Architecture or {}, seed=1))
    folder = workplace / "output" / "det_r18vd_db" / "checkpoints"
    (folder / "step_00000001").mkdir(parents=True)
    save_file({k: v.copy() for k, v in backend.weights().items()}, folder / "step_00000001" / "model.safetensors")
    (folder / "latest").write_text("step_00000001")
    words = command("ch_PP-OCRv2_det_cml")
    log = run(workplace, [*words, "Global.print_batch_step=1"], "ch_PP-OCRv2_det_cml")
    first = next(row for row in log if row["event"] == "log")
    fields = {"lr", "loss", "dila_dbloss_Student_Teacher", "dila_dbloss_Student2_Teacher", "dml_thrink_maps_0"}
    maps = ("shrink", "threshold", "binary")
    fields |= {f"db_{name}_loss_{kind}_maps" for name in ("Student", "Student2") for kind in maps}
    assert fields <= set(first)
    assert "hmean" in next(row for row in log if row["event"] == "eval")


def test_u_dml(workplace: Path) -> None:
    data = workplace / "train_data" / "rec"
    data.mkdir(parents=True)
    for index, word in enumerate(WORDS):
        cv2.imwrite(str(data / f"{index}.png"), draw(word, 32))
    rows = [f"{index % len(WORDS)}.png\t{WORDS[index % len(WORDS)]}\n" for index in range(64)]
    (data / "train.txt").write_text("".join(rows))
    (data / "val.txt").write_text("".join(rows[:4]))
    words = command("ch_PP-OCRv2_rec_distillation")
    log = run(workplace, [*words, "Global.print_batch_step=1"], "ch_PP-OCRv2_rec_distillation")
    first = next(row for row in log if row["event"] == "log")
    fields = {"loss_ctc_Student_0", "loss_ctc_Teacher_1", "dml_0", "loss_distance_l2_Student_Teacher_0", "loss", "lr"}
    assert fields <= set(first)
    assert {"acc", "norm_edit_dis"} <= set(next(row for row in log if row["event"] == "eval"))
