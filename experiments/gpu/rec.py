"""Train recognisers of one language on a GPU, from weights that are there, on the lines of the pools.

    python experiments/gpu/rec.py zh --store /dev/shm/gpu --packs .gpu --control CONTROL --output OUTPUT

Several widths learn from the same batches: the lines, not the GPU, are what there is too little of.
"""

from __future__ import annotations

import argparse
import json
import queue
import threading
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from common import Clock, Log, Student, check_against_cpu, grow, load
from make import REC, read_lines, read_pack, unpack
from ppocr_lite.charset import BLANK, Charset
from ppocr_lite.engine.backends.torch.base import LOSSES
from ppocr_lite.engine.backends.torch.layers import make_divisible
from ppocr_lite.engine.transfer import carry_characters
from ring import Ring

POOLS = {
    "en": {"en": 0.5, "real_en": 0.38, "scene_en": 0.12},
    "zh": {"zh": 0.5, "real_zh": 0.24, "scene_zh": 0.06, "en": 0.1, "real_en": 0.1},
}
INNER, LAST = (16, 72, 88, 96, 240, 240, 120, 144, 288, 576, 576), 576  # MobileNetV3-small: Howard et al., table 2
NEW_BIAS = -4.0  # of characters that the network does not know yet
SURELY = 24  # batches made ahead
GROUPS = {
    "en": ("receipts_en", "scene_en", "scan_en_typed", "pdf_en_forms", "wire_tags"),
    "zh": ("pdf_zh_docs", "pdf_zh_tex", "web_zh_docs", "web_zh_admin", "web_zh_phone", "receipts_en", "plates_zh"),
}


def architecture(inner: float, hidden: int) -> dict:
    """Return the Architecture section of a MobileNetV3-small ×0.5 whose units are *inner* times those of the paper within.

    The maps between units stay as wide as they are: with other widths other units would have a shortcut, and a wider
    network could not begin as the narrow one.
    """
    backbone = {"name": "MobileNetV3", "scale": 0.5, "model_name": "small", "small_stride": [2, 2, 2, 2]}
    if inner != 0.5:
        backbone |= {"expanded": [make_divisible(inner * width) for width in INNER], "last_channels": round(inner * LAST)}
    return {
        "model_type": "rec",
        "algorithm": "CRNN",
        "Backbone": backbone,
        "Neck": {"name": "SequenceEncoder", "encoder_type": "rnn", "hidden_size": hidden},
        "Head": {"name": "CTCHead", "fc_decay": 0.00001},
    }


class Batches(threading.Thread):
    """Draws batches of lines of like width from the pools, ahead of the trainer."""

    def __init__(self, store: Path, language: str, charset: Charset, size: int, seed: int = 0) -> None:
        super().__init__(daemon=True)
        self.rings = {name: Ring(store, name) for name in POOLS[language]}
        self.shares, self.charset, self.size = POOLS[language], charset, size
        self.rng = np.random.default_rng(seed)
        self.ready: queue.Queue = queue.Queue(SURELY)

    def made(self) -> int:
        """Return how many lines there are."""
        return sum(int(ring.made.sum()) for ring in self.rings.values())

    def run(self) -> None:
        """Draw for ever: eight batches at a time, sorted by width."""
        names = [name for name in self.shares]
        while True:
            filled = [name for name in names if self.rings[name].filled().sum() >= 64]
            if not filled:
                time.sleep(0.5)
                continue
            weights = np.array([self.shares[name] for name in filled])
            counts = self.rng.multinomial(8 * self.size, weights / weights.sum())
            found = []
            for name, count in zip(filled, counts, strict=True):
                ring = self.rings[name]
                slots = ring.draw(self.rng, int(count))
                found += [(int(ring.widths[slot]), name, int(slot)) for slot in slots]
            found = sorted(item for item in found if item[0] > 0)
            parts = [found[i * len(found) // 8 : (i + 1) * len(found) // 8] for i in range(8)]
            for place in self.rng.permutation(8):
                batch = self.batch(parts[place])
                if batch is not None:
                    self.ready.put(batch)

    def batch(self, items: list[tuple[int, str, int]]) -> tuple[Tensor, Tensor, Tensor] | None:
        """Return images (N, 32, W, 3) uint8, labels (N, L) and lengths, with the widths in the last column."""
        images, labels, widths = [], [], []
        most = -(-max(width for width, *_ in items) // 32) * 32
        for width, name, slot in items:
            ring = self.rings[name]
            version = int(ring.versions[slot])
            text = ring.text(slot)
            if not text or self.charset.missing(text):
                continue
            image = ring.images[slot, :, :most]
            if version % 2 == 0 and version == int(ring.versions[slot]):
                images.append(np.array(image))
                labels.append(self.charset.encode(text))
                widths.append(width)
        if not images:
            return None
        lengths = np.array([len(label) for label in labels])
        padded = np.zeros((len(labels), max(lengths)), np.int32)
        for row, label in zip(padded, labels, strict=True):
            row[: len(label)] = label
        return torch.from_numpy(np.stack(images)), torch.from_numpy(padded), torch.from_numpy(np.stack([lengths, widths]))


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
    """Reads validation lines."""

    def __init__(self, packs: Path, language: str, charset: Charset) -> None:
        self.charset, self.groups = charset, {}
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
        found = {}
        for group, lines in self.groups.items():
            right = 0
            for start in range(0, len(lines), 128):
                part = lines[start : start + 128]
                width = -(-max(image.shape[1] for image, _ in part) // 32) * 32
                images = np.zeros((len(part), 32, width, 3), np.uint8)
                for row, (image, _) in zip(images, part, strict=True):
                    row[:, : image.shape[1]] = image
                widths = torch.tensor([image.shape[1] for image, _ in part])
                x = prepare(torch.from_numpy(images), widths, student.device, vary=False)
                best = student.average(x).argmax(2).cpu().numpy()
                for steps, (_, text) in zip(best, part, strict=True):
                    kept = steps[np.insert(steps[1:] != steps[:-1], 0, True)]
                    seen = self.charset.decode(kept[kept != BLANK].tolist())
                    right += plain(seen) == plain(text)
            found[group] = right / max(len(lines), 1)
        return found


def plain(text: str) -> str:
    """Return *text* without spaces and case."""
    return text.replace(" ", "").lower()


def start(name: str, inner: float, hidden: int, source: Path, charset: Charset, device: str) -> Student:
    """Return a student that begins with released weights, wider and with more characters."""
    student = Student(name, architecture(inner, hidden), device, charset.num_classes)
    given, wanted = load(source / "model.safetensors"), student.weights()
    old = Charset(json.loads((source / "characters.json").read_text()))
    for key in wanted:  # characters that are new
        if key.startswith("head") and key.endswith("bias"):
            wanted[key][:] = NEW_BIAS
    rows = {key: value for key, value in given.items() if key.startswith("head")}
    narrow = {key: np.array(value) for key, value in wanted.items()}
    for key, value in rows.items():
        narrow[key] = wanted[key][tuple(slice(0, n) for n in (*value.shape[:-1], charset.num_classes))]
    given = given | carry_characters(rows, {key: narrow[key] for key in rows}, old, charset)
    student.begin(grow(given, wanted))
    return student


def main() -> None:
    """Train until the deadline."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("language", choices=("en", "zh"))
    for name in ("store", "packs", "control", "output"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--batch", type=int, default=384)
    parser.add_argument("--rate", type=float, default=0.002)
    parser.add_argument("--inner", type=float, nargs="+", default=(0.5, 0.75))
    parser.add_argument("--judge-every", type=float, default=75)
    parser.add_argument("--log-every", type=int, default=100)
    arguments = parser.parse_args()
    torch.set_num_threads(2)
    torch.backends.cudnn.benchmark = False  # widths change from batch to batch
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    cuda = arguments.device == "cuda"
    log = Log(arguments.output, f"rec_{arguments.language}")
    charset = Charset.load("ch" if arguments.language == "zh" else "en")
    source = arguments.packs / f"rec_{'ch' if arguments.language == 'zh' else 'en'}"
    students = [
        start(f"rec_{arguments.language}_{inner:g}", inner, 64, source, charset, arguments.device)
        for inner in arguments.inner
    ]
    loss = LOSSES.build({"name": "CTCLoss"})
    batches = Batches(arguments.store, arguments.language, charset, arguments.batch)
    batches.start()
    while batches.made() < 2000:
        time.sleep(0.5)

    def loss_of(network: torch.nn.Module, device: str) -> Tensor:
        x = prepare(first[0][:32], first[2][1][:32], device, vary=False)
        batch = {"label": first[1][:32].to(device), "length": first[2][0][:32].to(device)}
        return loss(network(x), batch)["loss"]

    first = batches.ready.get()
    for student in students:
        log(check=student.name, **check_against_cpu(student, loss_of), classes=charset.num_classes)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    clock, judge = Clock(arguments.control, arguments.rate), None
    seen, judged, since, waited = 0, time.time() - arguments.judge_every + 20, time.time(), 0.0
    sums = {student.name: torch.zeros((), device=arguments.device) for student in students}
    step = 0
    while clock.gone() < 1:
        begun = time.time()
        images, labels, shape = batches.ready.get()
        waited += time.time() - begun
        x = prepare(images.pin_memory() if cuda else images, shape[1], arguments.device)
        batch = {"label": labels.to(arguments.device), "length": shape[0].to(arguments.device)}
        for student in students:
            student.network.train()
            with torch.autocast(arguments.device, torch.bfloat16, enabled=cuda):
                outputs = student.network(x)
            value = loss({"logits": outputs["logits"].float()}, batch)["loss"]
            student.update(value, clock.rate())
            sums[student.name] += value.detach()
        step += 1
        seen += len(images)
        if step % arguments.log_every == 0:
            clock.read()
            now = time.time()
            means = {name: float(total) / arguments.log_every for name, total in sums.items()}
            log(step=step, lines=seen, made=batches.made(), rate=clock.rate(), **means,
                lines_a_second=arguments.log_every * len(images) / (now - since), waited=waited / (now - since))  # fmt: skip
            since, waited = now, 0.0
            for total in sums.values():
                total.zero_()
        if time.time() - judged > arguments.judge_every and (arguments.packs / "lines.zip").exists():
            judge = judge or Judge(arguments.packs, arguments.language, charset)
            for student in students:
                log(step=step, judged=student.name, **judge(student))
                student.save(arguments.output)
            judged = since = time.time()
    if judge is None and (arguments.packs / "lines.zip").exists():
        judge = Judge(arguments.packs, arguments.language, charset)
    for student in students:
        student.save(arguments.output)
        log(step=step, lines=seen, made=batches.made(), judged=student.name, last=True, **(judge(student) if judge else {}))
    (arguments.output / f"rec_{arguments.language}.done").touch()


if __name__ == "__main__":
    main()
