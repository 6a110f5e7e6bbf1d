"""Train recognisers of one language on a GPU, from weights that are there, on the lines of the pools.

python experiments/gpu/rec.py zh --store /dev/shm/gpu --packs .gpu --control CONTROL --output OUTPUT

Several widths learn from the same batches: the lines, not the GPU, are what there is too little of.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from common import Run, Student, grow, parser
from make import REC, read_lines, read_pack, unpack
from ring import Ring
from torch import Tensor

from ppocr_lite.charset import Charset
from ppocr_lite.engine.checkpoint import read_weights
from ppocr_lite.engine.transfer import carry_characters
from ppocr_lite.losses import LOSSES
from ppocr_lite.modeling.layers import make_divisible
from ppocr_lite.postprocess import CTCLabelDecode

POOLS = {
    "en": {"en": 0.5, "real_en": 0.38, "scene_en": 0.12},
    "zh": {"zh": 0.5, "real_zh": 0.24, "scene_zh": 0.06, "en": 0.1, "real_en": 0.1},
}
INNER, LAST = (16, 72, 88, 96, 240, 240, 120, 144, 288, 576, 576), 576  # MobileNetV3-small: Howard et al., table 2
NEW_BIAS = -4.0  # of characters that the network does not know yet
WIDTHS = (128, 224, 352, 640)
AHEAD = 16  # batches kept ready
GROUPS = {
    "en": ("receipts_en", "scene_en", "scan_en_typed", "pdf_en_forms", "wire_tags"),
    "zh": ("pdf_zh_docs", "pdf_zh_tex", "web_zh_docs", "web_zh_admin", "web_zh_phone", "receipts_en", "plates_zh"),
}


def architecture(inner: float) -> dict:
    """Return the Architecture section of MobileNetV3-small ×0.5 with units *inner* times as wide within as the paper's.

    The maps between units stay as wide as they are: with other widths other units would have a shortcut, and a wider
    network could not begin as the narrow one.
    """
    backbone = {"name": "MobileNetV3", "scale": 0.5, "model_name": "small", "small_stride": [2, 2, 2, 2]}
    if inner != 0.5:
        backbone["expanded"] = [make_divisible(inner * width) for width in INNER]
        backbone["last_channels"] = round(inner * LAST)
    return {
        "model_type": "rec",
        "algorithm": "CRNN",
        "Backbone": backbone,
        "Neck": {"name": "SequenceEncoder", "encoder_type": "rnn", "hidden_size": 64},
        "Head": {"name": "CTCHead", "fc_decay": 0.00001},
    }


def padded(width: int) -> int:
    """Return the width that a batch is padded to."""
    return next(each for each in WIDTHS if each >= width)


def supply(store: Path, shares: dict[str, float], characters: tuple[str, ...], pixels: int, ready: Any) -> None:
    """Put batches of lines into *ready* for ever: images (N, 32, W, 3) uint8, labels (N, L), and lengths and widths.

    W is one of few widths and N follows from it, because cuDNN plans anew, for seconds, for each new shape.
    """
    torch.set_num_threads(1)
    charset, rng = Charset(characters), np.random.default_rng(0)
    rings = {name: Ring(store, name) for name in shares}
    waiting: dict[int, list[tuple[np.ndarray, list[int], int]]] = {width: [] for width in WIDTHS}
    while True:
        filled = [name for name in rings if rings[name].filled().sum() >= 64]
        if not filled:
            time.sleep(0.5)
            continue
        weights = np.array([shares[name] for name in filled])
        counts = rng.multinomial(512, weights / weights.sum())
        for name, count in zip(filled, counts, strict=True):
            for slot in rings[name].draw(rng, int(count)):
                sample = take(rings[name], int(slot), charset)
                if sample is not None:
                    waiting[padded(sample[2])].append(sample)
        for width, samples in waiting.items():
            size = lines_of(width, pixels)
            if len(samples) >= size:
                ready.put(join([samples.pop() for _ in range(size)], width))


def lines_of(width: int, pixels: int) -> int:
    """Return how many lines of a width make a batch of so many pixels of length."""
    return max(1, pixels // width)


def take(ring: Ring, slot: int, charset: Charset) -> tuple[np.ndarray, list[int], int] | None:
    """Return image, label and width of a slot; None if it is being written or cannot be spelled."""
    version, width = int(ring.versions[slot]), int(ring.widths[slot])
    text = ring.text(slot)
    if version % 2 or width < 1 or not text or charset.missing(text):
        return None
    image = np.array(ring.images[slot, :, :width])
    return (image, charset.encode(text), width) if version == int(ring.versions[slot]) else None


def join(samples: list[tuple[np.ndarray, list[int], int]], width: int) -> tuple[Tensor, Tensor, Tensor]:
    """Make a batch."""
    images = np.zeros((len(samples), 32, width, 3), np.uint8)
    labels = np.zeros((len(samples), max(len(label) for _, label, _ in samples)), np.int32)
    for place, (image, label, own) in enumerate(samples):
        images[place, :, :own] = image
        labels[place, : len(label)] = label
    shape = np.array([[len(label), own] for _, label, own in samples]).T
    return torch.from_numpy(images), torch.from_numpy(labels), torch.from_numpy(np.ascontiguousarray(shape))


def prepare(images: Tensor, widths: Tensor, device: str, vary: bool = True) -> Tensor:
    """Return (N, 3, 32, W) in [-1, 1], 0 beyond each line's end; changed a little, since lines come more than once."""
    x = images.to(device, non_blocking=True).permute(0, 3, 1, 2).float() / 127.5 - 1
    count, _, height, width = x.shape
    ends = widths.to(device).view(-1, 1, 1, 1)
    inside = torch.arange(width, device=device).view(1, 1, 1, -1) < ends
    if vary:

        def some(share: float) -> Tensor:
            return (torch.rand(count, 1, 1, 1, device=device) < share).float()

        def spread(size: float) -> Tensor:
            return (torch.rand(count, 1, 1, 1, device=device) * 2 - 1) * size

        x = x * (1 + some(0.5) * spread(0.25)) + some(0.5) * spread(0.25)
        theta = torch.zeros(count, 2, 3, device=device)
        moved = some(0.5).view(-1)
        theta[:, 0, 0] = 1 + moved * spread(0.06).view(-1)
        theta[:, 1, 1] = 1 + moved * spread(0.05).view(-1)
        theta[:, 0, 1] = moved * spread(0.10).view(-1) * height / width
        theta[:, 1, 2] = moved * spread(0.06).view(-1)
        theta[:, 0, 2] = theta[:, 0, 0] - 1  # the beginning stays where it is
        grid = F.affine_grid(theta, [count, 3, height, width], align_corners=False)
        x = F.grid_sample(x, grid, mode="bilinear", padding_mode="border", align_corners=False)
        x = x + some(0.15) * torch.randn_like(x) * 0.08
        soft = F.avg_pool2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), 3, 1)
        blurred = some(0.12) * torch.rand(count, 1, 1, 1, device=device)
        x = x + (soft - x) * blurred
        inside = torch.arange(width, device=device).view(1, 1, 1, -1) < ends / theta[:, 0, 0].view(-1, 1, 1, 1)
    return torch.where(inside, x.clamp(-1, 1), torch.zeros_like(x)).contiguous(memory_format=torch.channels_last)


class Judge:
    """Reads validation lines, once they are there.

    Args:
        packs: Folder of ``lines.zip``, which may come later.
        language: Whose ``GROUPS`` are read.
        charset: Of the recogniser.
    """

    def __init__(self, packs: Path, language: str, charset: Charset) -> None:
        self.packs, self.language, self.decode = packs, language, CTCLabelDecode(charset)
        self.groups: dict[str, list[tuple[np.ndarray, str]]] = {}

    def _read(self) -> None:
        packs, language = self.packs, self.language
        rows = [row for row in json.loads(read_pack(packs / "lines.zip", "labels.json")) if row["split"] == "val"]
        images = read_lines(packs / "lines.zip")
        for group in GROUPS[language]:
            lines = []
            for row in [row for row in rows if row["group"] == group]:
                image = unpack(images, row)
                if row["share"] < 1:
                    line = row["share"] * image.shape[0]
                    cut = round((image.shape[0] - line) / 2 - 0.05 * line)
                    image = image[cut : image.shape[0] - cut, cut : image.shape[1] - cut]
                if min(image.shape[:2]) >= 4:
                    lines.append((REC.pixels(np.ascontiguousarray(image)), row["text"]))
            self.groups[group] = sorted(lines, key=lambda line: line[0].shape[1])

    @torch.no_grad()
    def __call__(self, student: Student) -> dict[str, float]:
        """Return the share of lines read without a fault; spaces are left out, and case where there is English."""
        if not self.groups and (self.packs / "lines.zip").exists():
            self._read()
        found = {}
        for group, lines in self.groups.items():
            right = 0
            for start in range(0, len(lines), 128):
                part = lines[start : start + 128]
                images = np.zeros((128, 32, padded(part[-1][0].shape[1]), 3), np.uint8)
                widths = torch.ones(128, dtype=torch.long)
                for place, (image, _) in enumerate(part):
                    images[place, :, : image.shape[1]] = image
                    widths[place] = image.shape[1]
                x = prepare(torch.from_numpy(images), widths, student.device, vary=False)
                texts = self.decode(student.average.predict(x)["probabilities"].cpu().numpy())
                right += sum(plain(seen.text) == plain(text) for seen, (_, text) in zip(texts, part, strict=False))
            found[group] = right / max(len(lines), 1)
        return found


def plain(text: str) -> str:
    """Return *text* without spaces and case."""
    return text.replace(" ", "").lower()


def start(name: str, inner: float, source: Path, charset: Charset, device: str) -> Student:
    """Return a student that begins with released weights, wider and with more characters."""
    student = Student(name, architecture(inner), device, charset.num_classes)
    given, wanted = read_weights(source / "model.safetensors"), student.weights()
    old = Charset(json.loads((source / "characters.json").read_text()))
    for key in wanted:  # characters that are new
        if key.startswith("head") and key.endswith("bias"):
            wanted[key][:] = NEW_BIAS
    rows = {key: value for key, value in given.items() if key.startswith("head")}
    given = given | carry_characters(rows, {key: wanted[key] for key in rows}, old, charset)
    student.begin(grow(given, wanted))
    return student


class Lines:
    """Batches of lines that other processes make.

    Args:
        store: Folder of the pools.
        shares: Of each pool.
        charset: Of the recogniser.
        pixels: Length of all lines of a batch.
        device: Where batches go.
    """

    def __init__(self, store: Path, shares: dict[str, float], charset: Charset, pixels: int, device: str) -> None:
        self.rings, self.device = [Ring(store, name) for name in shares], device
        context = torch.multiprocessing.get_context("spawn")
        self.ready: Any = context.Queue(AHEAD)
        values = (store, shares, charset.characters, pixels, self.ready)
        context.Process(target=supply, args=values, daemon=True).start()

    def made(self) -> int:
        """Return how many lines have been made so far."""
        return sum(int(ring.made.sum()) for ring in self.rings)

    def draw(self, vary: bool = True) -> tuple[int, tuple[Tensor, dict[str, Tensor]]]:
        """Return the number of lines of a batch, pictures and labels."""
        images, labels, (lengths, widths) = self.ready.get()
        x = prepare(images.pin_memory() if self.device == "cuda" else images, widths, self.device, vary)
        return len(images), (x, {"label": labels.to(self.device), "length": lengths.to(self.device)})


def main() -> None:
    """Train until the deadline."""
    options = parser(__doc__, rate=0.002)
    options.add_argument("language", choices=("en", "zh"))
    options.add_argument("--pixels", type=int, default=72_000, help="length of all lines of a batch")
    options.add_argument("--inner", type=float, nargs="+", default=(0.5, 0.75), help="widths, see architecture()")
    options.add_argument("--shares", nargs="+", help="of the pools, as NAME=SHARE; by default POOLS")
    options.add_argument("--start", type=Path, help="weights of the same network and characters to go on from")
    arguments = options.parse_args()
    torch.set_num_threads(arguments.threads)
    language, name = arguments.language, {"en": "en", "zh": "ch"}[arguments.language]
    charset = Charset.load(name)
    students = []
    for inner in arguments.inner:
        student = start(f"rec_{language}_{inner:g}", inner, arguments.packs / f"rec_{name}", charset, arguments.device)
        if arguments.start is not None:
            student.begin(read_weights(arguments.start))
        students.append(student)
    shares = POOLS[language]
    if arguments.shares:
        shares = {pool: float(share) for pool, share in (item.split("=") for item in arguments.shares)}
    lines = Lines(arguments.store, shares, charset, arguments.pixels, arguments.device)
    ctc = LOSSES.build({"name": "CTCLoss"})

    def loss(network: torch.nn.Module, batch: tuple[Tensor, dict[str, Tensor]]) -> Tensor:
        return ctc(network(batch[0]), batch[1])["loss"]

    run = Run(f"rec_{language}", students, arguments)
    _, (x, truth) = lines.draw(vary=False)
    run.check(lambda network, place: loss(network, (x[:32].to(place), {k: v[:32].to(place) for k, v in truth.items()})))
    judge = Judge(arguments.packs, language, charset)
    run.fit(lines.draw, loss, judge, lambda: {"made": lines.made()})


if __name__ == "__main__":
    main()
