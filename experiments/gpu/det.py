"""Train detectors on a GPU, from weights that are there: packed real pages and the made pages of the pool.

python experiments/gpu/det.py --store /dev/shm/gpu --packs .gpu --control CONTROL --output OUTPUT

All pages lie on the GPU with their target maps, and crops are scaled, turned, mirrored and damaged there.  Several
widths learn from the same crops.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import time
import zipfile
from collections import Counter
from dataclasses import dataclass

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from common import Run, Student, grow, parser
from make import read_pack
from pagemaps import IGNORED, page_layers
from ring import Ring
from torch import Tensor

from ppocr_lite.engine.checkpoint import read_weights
from ppocr_lite.losses import LOSSES

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
LEAST = 4.5  # pixels of height in the crop, below which a text is not learnt
MADE = "made"
SHARES = {
    "scene_en": 0.30, "receipts_en": 0.15, "receipts_en_more": 0.05, "wire_tags": 0.04, "scan_en_typed": 0.02,
    "scan_fr_typed": 0.02, "pdf_zh_docs": 0.03, "pdf_zh_tex": 0.04, "pdf_zh_theses": 0.03, "web_zh_docs": 0.02,
    "web_zh_phone": 0.02, "web_zh_admin": 0.01, "pdf_en_papers": 0.015, "pdf_en_forms": 0.02, "web_en_docs": 0.015,
    "negatives": 0.05, MADE: 0.17,
}  # fmt: skip
CLEAN = ("pdf_", "web_")


def architecture(scale: float) -> dict:
    """Return the Architecture section of a width."""
    return {
        "model_type": "det",
        "algorithm": "DB",
        "Backbone": {"name": "MobileNetV3", "scale": scale, "model_name": "large", "disable_se": True},
        "Neck": {"name": "DBFPN", "out_channels": 96},
        "Head": {"name": "DBHead", "k": 50},
    }


def prepare_page(job: tuple[bytes, list, list]) -> np.ndarray:
    """Return the layers of a packed page."""
    cv2.setNumThreads(1)
    data, polygons, ignored = job
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    return page_layers(image, [np.asarray(p, np.float32) for p in polygons], ignored)


Page = tuple[Tensor, np.ndarray]  # layers on the device, and (x, y) of some pixels of text


class Pages:
    """The pages on the GPU, by set."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        store, packs, workers = arguments.store, arguments.packs, arguments.workers
        self.device, self.ring, self.slots = arguments.device, Ring(store, "pages"), arguments.slots
        self.shares = {**SHARES, **dict(arguments.share)}
        self.sets: dict[str, list[Page]] = {}
        self.val: dict[str, list[Page]] = {}
        self.taken = np.zeros_like(self.ring.made)
        rows = json.loads(read_pack(packs / "pages.zip", "labels.json"))
        order = np.random.default_rng(0).permutation(len(rows))
        with zipfile.ZipFile(packs / "pages.zip") as pack:
            files = {row["name"]: pack.read(row["name"]) for row in rows}
        order = self.chosen(rows, order, dict(arguments.most))
        self.names = [(rows[i]["group"], rows[i]["split"]) for i in order]
        jobs = [(files[rows[i]["name"]], rows[i]["polygons"], rows[i]["ignored"]) for i in order]
        self.pool = multiprocessing.get_context("spawn").Pool(workers)
        self.coming = self.pool.imap(prepare_page, jobs, chunksize=4)
        self.done = 0

    def chosen(self, rows: list[dict], order: np.ndarray, most: dict[str, float]) -> list[int]:
        """Return the pages that are kept: all for validation, and of each set with a share at most so many."""
        kept, counts = [], Counter[str]()
        for place in order:
            group = rows[place]["group"]
            if rows[place]["split"] == "train":
                if not self.shares.get(group) or counts[group] >= most.get(group, math.inf):
                    continue
                counts[group] += 1
            kept.append(int(place))
        return kept

    def fetch(self, seconds: float) -> None:
        """Take what is ready: real pages until all are there, and made ones."""
        until = time.time() + seconds
        while self.done < len(self.names) and time.time() < until:
            group, split = self.names[self.done]
            (self.sets if split == "train" else self.val).setdefault(group, []).append(self.page(next(self.coming)))
            self.done += 1
        made = self.sets.setdefault(MADE, [])
        for writer, (start, end) in enumerate(zip(self.taken, self.ring.made.copy(), strict=True)):
            for number in range(max(int(start), int(end) - self.ring.part), int(end))[:12]:
                page = self.page(np.array(self.ring.images[writer * self.ring.part + number % self.ring.part]))
                if len(made) < self.slots:
                    made.append(page)
                else:
                    made[int(torch.randint(self.slots, ()))] = page
                self.taken[writer] = number + 1

    def page(self, layers: np.ndarray) -> Page:
        """Put a page on the device; where its text is stays here, so that nobody waits for the GPU to say it."""
        text = np.argwhere(layers[::8, ::8, 4])[:, ::-1].astype(np.float32) * 8
        return torch.from_numpy(layers).permute(2, 0, 1).contiguous().to(self.device), text

    def batch(self, rng: np.random.Generator, size: int, side: int) -> tuple[Tensor, Tensor]:
        """Return crops (N, 6, side, side), float32: picture 0 to 255, threshold, text, height; and which are clean."""
        names = [name for name, share in self.shares.items() if share and self.sets.get(name)]
        weights = np.array([self.shares[name] for name in names])
        chosen = [names[place] for place in rng.choice(len(names), size, p=weights / weights.sum())]
        pages = [self.sets[name][int(rng.integers(len(self.sets[name])))] for name in chosen]
        views = [View.draw(page, text, rng, side) for page, text in pages]
        theta = torch.from_numpy(np.stack([view.theta for view in views])).to(self.device)
        grids = F.affine_grid(theta, [size, 1, side, side], align_corners=False)
        crops = [view.cut(page, grid[None]) for view, (page, _), grid in zip(views, pages, grids, strict=True)]
        clean = torch.tensor([name.startswith(CLEAN) for name in chosen])
        return torch.stack(crops), clean.to(self.device)


@dataclass(frozen=True)
class View:
    """Where a crop lies on a page.

    Attributes:
        window: x0, y0, x1, y1 of the part of the page that is looked at.
        theta: Output in [-1, 1] to the window in [-1, 1], (2, 3).
        scale: Pixels of the crop for one of the page.
        thin: Least of the scales of the two sides, as text heights are counted.
        area: Whether a smaller picture is averaged, not interpolated.
        fill: Grey beyond the page.
    """

    window: tuple[int, int, int, int]
    theta: np.ndarray
    scale: float
    thin: float
    area: bool
    fill: float

    @classmethod
    def draw(cls, page: Tensor, text: np.ndarray, rng: np.random.Generator, side: int) -> View:
        """Scale, turn and mirror at random; most crops hold text, if the page does."""
        height, width = page.shape[1:]
        scale = math.exp(rng.uniform(math.log(0.45), math.log(1.9)))
        stretch = math.exp(rng.uniform(-0.15, 0.15)) if rng.random() < 0.4 else 1.0
        form = rng.random()
        degrees = rng.uniform(-8, 8) if form < 0.5 else rng.uniform(-45, 45) if form < 0.62 else 0.0
        degrees += 90 * int(rng.integers(1, 4)) if rng.random() < 0.08 else 0
        turn, mirror = math.radians(degrees), -1.0 if rng.random() < 0.5 else 1.0
        reach = [side / scale * stretch / 2, side / scale / stretch / 2]  # half the sides of the crop, in page pixels
        if len(text) and rng.random() < 0.75:
            centre = text[int(rng.integers(len(text)))] + rng.uniform(-0.6, 0.6, 2) * reach
        else:
            centre = np.array([random_centre(rng, width, min(reach)), random_centre(rng, height, min(reach))])
        span = math.hypot(*reach)
        x0, x1 = max(0, int(centre[0] - span) - 2), min(width, int(centre[0] + span) + 3)
        y0, y1 = max(0, int(centre[1] - span) - 2), min(height, int(centre[1] + span) + 3)
        if x1 - x0 < 4 or y1 - y0 < 4:
            x0, y0, x1, y1 = 0, 0, width, height
        cos, sin = math.cos(turn), math.sin(turn)
        # (u, v) in [-1, 1] of the crop → page pixels: centre + R · (u · reach x, v · reach y) → [-1, 1] of the window.
        theta = np.array([
            [mirror * cos * reach[0], -sin * reach[1], centre[0] - x0],
            [mirror * sin * reach[0], cos * reach[1], centre[1] - y0],
        ])  # fmt: skip
        theta /= np.array([[(x1 - x0) / 2], [(y1 - y0) / 2]])
        theta[:, 2] -= 1
        fill = rng.random() * 255 if rng.random() < 0.5 else 0.0
        thin = scale / max(stretch, 1 / stretch)
        return cls((x0, y0, x1, y1), theta.astype(np.float32), scale, thin, rng.random() < 0.5, fill)

    def cut(self, page: Tensor, grid: Tensor) -> Tensor:
        """Return the crop, (6, side, side) float32."""
        x0, y0, x1, y1 = self.window
        window = page[:, y0:y1, x0:x1]
        picture, maps = window[:3].float()[None], window[3:].float()[None]
        if self.scale < 0.8:  # average before sampling, as a resize to a smaller page does
            size = [max(2, round(length * self.scale)) for length in picture.shape[2:]]
            picture = F.interpolate(picture, size, mode="area" if self.area else "bilinear")
        picture = F.grid_sample(picture - self.fill, grid, "bilinear", "zeros", align_corners=False) + self.fill
        maps = F.grid_sample(maps, grid, "nearest", "zeros", align_corners=False)
        found = torch.cat((picture, maps), dim=1)[0]
        learnt = (found[5] > 0) & (found[5] < IGNORED)
        found[5] = torch.where(learnt, (found[5] * self.thin).clamp(max=IGNORED - 1), found[5])
        return found


def random_centre(rng: np.random.Generator, size: int, reach: float) -> float:
    """Return a random centre along one side of a page."""
    low, high = min(reach, size / 2), max(size - reach, size / 2)
    return float(rng.uniform(low, high)) if high > low else size / 2


def damage(x: Tensor, clean: Tensor) -> Tensor:
    """Return pictures (N, 3, H, W), 0 to 255, with other light, colour, sharpness and noise."""
    count, device = len(x), x.device

    def some(share: float) -> Tensor:
        return (torch.rand(count, 1, 1, 1, device=device) < share).float()

    def spread(size: float, channels: int = 1) -> Tensor:
        return (torch.rand(count, channels, 1, 1, device=device) * 2 - 1) * size

    mean = x.mean((1, 2, 3), keepdim=True)
    x = (x - mean) * (1 + some(0.6) * spread(0.4)) + mean * (1 + some(0.6) * spread(0.35))
    x = x * (1 + some(0.4) * spread(0.15, 3))
    worn = clean.float().view(-1, 1, 1, 1)
    light = F.interpolate(torch.rand(count, 1, 3, 3, device=device), x.shape[2:], mode="bicubic", align_corners=False)
    x = x * (1 - (0.1 + 0.4 * worn) * some(0.5) * (1 - light.clamp(0, 1)) * torch.rand(count, 1, 1, 1, device=device))
    x = torch.where(some(0.06).bool(), 255 - x, x)
    for share, size in ((0.18, 3), (0.10, 5)):
        soft = F.avg_pool2d(F.pad(x, [size // 2] * 4, mode="replicate"), size, 1)
        x = x + (soft - x) * some(share) * torch.rand(count, 1, 1, 1, device=device)
    small = F.interpolate(x, scale_factor=0.6, mode="area")
    low = F.interpolate(small, x.shape[2:], mode="bilinear", align_corners=False)
    x = torch.where(some(0.15).bool(), low, x)
    return (x + some(0.3) * torch.randn_like(x) * torch.rand(count, 1, 1, 1, device=device) * 14).clamp(0, 255)


def targets(found: Tensor) -> dict[str, Tensor]:
    """Return what DBLoss compares with, from crops as ``Pages.batch`` returns them."""
    threshold, text, height = found[:, 3], found[:, 4], found[:, 5]
    ignored = (height >= IGNORED) | ((height > 0) & (height < LEAST))
    return {
        "shrink_map": ((text > 127) & ~ignored).float(),
        "shrink_mask": (~ignored).float(),
        "threshold_map": ((threshold - 1) / 254).clamp(min=0),
        "threshold_mask": ((threshold > 0) & ~ignored).float(),
    }


def normalise(x: Tensor) -> Tensor:
    """Return pictures as the network takes them."""
    mean, std = (torch.tensor(v, device=x.device).view(1, 3, 1, 1) for v in (MEAN, STD))
    return ((x / 255 - mean) / std).contiguous(memory_format=torch.channels_last)


@torch.no_grad()
def judge(student: Student, pages: Pages, side: int = 960, most: int = 40) -> dict[str, float]:
    """Return the overlap (2 · both ÷ sum) of found and true text cores on whole validation pages."""
    found = {}
    for group, layers in pages.val.items():
        both = total = 0.0
        for page, _ in layers[:most]:
            scale = min(1.0, side / max(page.shape[1:]))
            size = [max(32, round(s * scale / 32) * 32) for s in page.shape[1:]]
            beyond = [0, side - size[1], 0, side - size[0]]  # one shape for all pages
            x = F.pad(F.interpolate(page[None, :3].float(), size, mode="bilinear", align_corners=False), beyond)
            maps = F.pad(F.interpolate(page[None, 3:].float(), size, mode="nearest"), beyond)
            seen = student.average.predict(normalise(x))["maps"][:, 0] > 0.3
            truth, mask = maps[:, 1] > 127, maps[:, 2] < IGNORED
            both += float((seen & truth & mask).sum())
            total += float((seen & mask).sum() + (truth & mask).sum())
        found[group] = 2 * both / max(total, 1.0)
    return found


def number_of(text: str) -> tuple[str, float]:
    """Return what ``SET=NUMBER`` says."""
    name, _, number = text.partition("=")
    if name not in SHARES:
        raise argparse.ArgumentTypeError(f"no set {name!r}; known: {', '.join(SHARES)}")
    return name, float(number)


def main() -> None:
    """Train until the deadline."""
    options = parser(__doc__, rate=0.0015)
    options.add_argument("--batch", type=int, default=24)
    options.add_argument("--side", type=int, default=640)
    options.add_argument("--scales", type=float, nargs="+", default=(0.5, 0.75))
    options.add_argument("--workers", type=int, default=8, help="processes that draw the maps of packed pages")
    options.add_argument("--pages", type=int, default=400, help="real pages that must be there to begin")
    options.add_argument("--slots", type=int, default=2400, help="made pages kept on the device")
    for name, what in (("share", "weight of a set in the crops; 0 leaves it out"), ("most", "pages of a set")):
        options.add_argument(f"--{name}", type=number_of, action="append", default=[], metavar="SET=NUMBER", help=what)
    arguments = options.parse_args()
    torch.set_num_threads(arguments.threads)
    while not (arguments.packs / "pages.zip").exists():  # comes with a later command
        time.sleep(0.5)
    pages = Pages(arguments)
    given = read_weights(arguments.packs / "det" / "model.safetensors")
    students = []
    for scale in arguments.scales:
        students.append(Student(f"det_{scale:g}", architecture(scale), arguments.device))
        students[-1].begin(grow(given, students[-1].weights()))
    while pages.done < min(arguments.pages, len(pages.names)):
        pages.fetch(2)
    rng, db_loss = np.random.default_rng(0), LOSSES.build({"name": "DBLoss"})

    def draw(size: int = arguments.batch, side: int = arguments.side) -> tuple[int, tuple[Tensor, dict[str, Tensor]]]:
        pages.fetch(0.01)
        found, clean = pages.batch(rng, size, side)
        return size, (normalise(damage(found[:, :3], clean)), targets(found))

    def loss(network: torch.nn.Module, batch: tuple[Tensor, dict[str, Tensor]]) -> Tensor:
        return db_loss(network(batch[0]), batch[1])["loss"]

    run = Run("det", students, arguments)
    _, (x, truth) = draw(2, 320)
    run.check(lambda network, place: loss(network, (x.to(place), {k: v.to(place) for k, v in truth.items()})))
    run.fit(
        draw, loss, lambda student: judge(student, pages), lambda: {"pages": pages.done, "made": len(pages.sets[MADE])}
    )


if __name__ == "__main__":
    main()
