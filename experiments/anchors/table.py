"""Train the detectors with and without anchors on the same receipts at the same budget, and print the table.

python experiments/anchors/table.py ../shared/data/receipts_en --minutes 60
python experiments/anchors/table.py ../shared/data/receipts_en --minutes 60 --only db two_stage
python experiments/anchors/table.py ../shared/data/receipts_en --minutes 60 --table    # print what is there

The folder holds ``train.txt``, from whose pages all rows learn, and ``val.txt``, of which none has seen a page.  Four
windows of each page are cut out first, in the size in which pages are read later.  Each row gets ``--minutes`` of
processor time for its updates: a few are timed first, which says how many fit, and the learning rate falls to 0 over
these.  The last checkpoint is exported, and ONNX Runtime reads whole pages with it, on one thread; size and figures are
of the exported folder.  A row that is done is not repeated, and one that was interrupted goes on from its last
checkpoint.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ppocr_lite.engine.build import build_eval_dataset, build_trainer, load_config, prepare_folder
from ppocr_lite.engine.hooks import Hook
from ppocr_lite.metrics import METRICS
from ppocr_lite.predict.stages import load_detector

CONFIGS = Path("configs/det")
STARTS_FROM = "ppocr_lite/models/det/model.safetensors"
SIDE = 1280  # of a page, longer side
WINDOW, WINDOWS = 416, 4  # pixels of a training image; how many of each page
TIMED = range(4, 13)  # updates whose cost is measured, after those that warm up


@dataclass(frozen=True)
class Row:
    """A line of the table.

    Attributes:
        title: What stands in it.
        config: Name in :data:`CONFIGS`.
        targets: The transforms that make what this family learns from.
        keys: What a batch holds of a sample.
        overrides: What else differs from the config.
        like: The row whose updates cost the same, so that both get as many.
    """

    title: str
    config: str
    targets: str
    keys: str
    overrides: tuple[str, ...] = ()
    like: str | None = None


def rate(optimizer: str, learning_rate: float) -> str:
    """Return the override for an optimizer and its learning rate."""
    return (
        f"Optimizer={{name: {optimizer}, clip_norm_global: 10.0, "
        f"lr: {{name: Cosine, learning_rate: {learning_rate}, warmup_steps: 20}}}}"
    )


def ctpn(title: str, *overrides: str, like: str | None = None, optimizer: str = rate("Momentum", 0.02)) -> Row:
    """Return a row of CTPN."""
    targets = "{MakeCTPNTargets: {stride: 16, high: 0.7, low: 0.5, samples: 128, positive_fraction: 0.5}}"
    keys = "image, anchor_labels, anchor_vertical, anchor_sides, anchor_side_mask"
    own = ("PostProcess.max_distance=20", "Global.reinit=[neck,head,backbone.stage3]")
    return Row(title, "ctpn_mv3.yml", targets, keys, (*own, optimizer, *overrides), like)


ROWS = {
    "db": Row(
        "DB",
        "det_mv3_db.yml",
        "{MakeBorderMap: {shrink_ratio: 0.4, thresh_min: 0.3, thresh_max: 0.7}}, "
        "{MakeShrinkMap: {shrink_ratio: 0.4, min_text_size: 8}}",
        "image, threshold_map, threshold_mask, shrink_map, shrink_mask",
        (rate("Adam", 0.001),),
    ),
    "ctpn_gru": ctpn("CTPN, GRU"),
    "ctpn_lstm": ctpn("CTPN, LSTM", "Architecture.Head.recurrent=lstm"),
    "ctpn_none": ctpn("CTPN, no recurrent layer", "Architecture.Head.recurrent=none"),
    "ctpn_adam": ctpn("CTPN, GRU, Adam instead of SGD", like="ctpn_gru", optimizer=rate("Adam", 0.001)),
    "ctpn_default_init": ctpn("CTPN, GRU, layers start in their own way", "Architecture.init=null", like="ctpn_gru"),
    "two_stage": Row(
        "two-stage",
        "det_mv3_mask_rcnn.yml",
        "{MakeRegionTruth: {min_size: 4}}",
        "image, truth",
        (rate("Adam", 0.001), "Architecture.Head.detections.max_detections=150"),
    ),
}


class Results:
    """What is known of each row, in one file.

    Args:
        path: A JSON file; need not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def of(self, name: str) -> dict[str, Any]:
        """Return what is known of a row."""
        known: dict[str, dict[str, Any]] = json.loads(self.path.read_text()) if self.path.is_file() else {}
        return known.get(name, {})

    def add(self, name: str, **values: Any) -> dict[str, Any]:
        """Add to what is known of a row, and return it."""
        everything = json.loads(self.path.read_text()) if self.path.is_file() else {}
        everything[name] = everything.get(name, {}) | values
        draft = self.path.with_suffix(".tmp")
        draft.write_text(json.dumps(everything, indent=1) + "\n", encoding="utf-8")
        draft.replace(self.path)
        return dict(everything[name])


def overrides(row: Row, data: Path, windows: Path, folder: Path) -> list[str]:
    """Return everything that is changed in the config of a row."""
    scaling = "scale: 1./255., mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225], order: hwc"
    steps = f"{{DecodeImage: {{img_mode: BGR}}}}, {{DetLabelEncode: }}, {row.targets}"
    last = f"{{NormalizeImage: {{{scaling}}}}}, {{ToCHWImage: }}, {{KeepKeys: {{keep_keys: [{row.keys}]}}}}"
    return [
        "Global.engine=torch",
        "Global.threads=1",
        f"Global.save_model_dir={folder}",
        f"Global.pretrained_model={STARTS_FROM}",
        "Global.reinit=[neck,head]",
        "Global.eval_batch_step=0",
        "Global.save_batch_step=25",
        "Global.keep_checkpoints=1",
        "Architecture.Backbone.scale=0.75",
        "Train.loader.num_workers=0",
        "Train.loader.batch_size_per_card=4",
        f"Train.dataset.data_dir={windows}",
        f"Train.dataset.label_file_list=[{windows}/train.txt]",
        f"Train.dataset.transforms=[{steps}, {last}]",
        f"Eval.dataset.data_dir={data}",
        f"Eval.dataset.label_file_list=[{data}/val.txt]",
        f"Eval.dataset.transforms[2].DetResizeForTest={{limit_side_len: {SIDE}, limit_type: max}}",
        *row.overrides,
    ]


class Costs(Hook):
    """Notes the processor time at each update."""

    def __init__(self) -> None:
        self.seconds: dict[int, float] = {}

    def on_log(self, state: Any, values: Mapping[str, float]) -> None:
        """Note it."""
        del values
        self.seconds[state.step] = time.process_time()


def seconds_per_update(config: Path, changed: list[str]) -> float:
    """Return what an update of a row costs, in seconds of processor time."""
    with tempfile.TemporaryDirectory() as folder:
        extra = [f"Global.save_model_dir={folder}", f"Global.max_steps={TIMED[-1]}", "Global.print_batch_step=1"]
        loaded = load_config(config, [*changed, *extra, "Eval="])
        trainer = build_trainer(loaded, prepare_folder(loaded, resuming=True))
        costs = Costs()
        trainer.hooks = (*trainer.hooks, costs)
        trainer.fit()
    return (costs.seconds[TIMED[-1]] - costs.seconds[TIMED[0]]) / (len(TIMED) - 1)


@contextmanager
def spending(results: Results, name: str) -> Iterator[None]:
    """Add the processor time of the programs that are called inside to what a row has spent on training."""
    before = sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
    try:
        yield
    finally:
        spent = sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2]) - before
        results.add(name, spent=round(results.of(name).get("spent", 0.0) + spent, 1))


def call(command: list[str], log: Path) -> None:
    """Run a command, its output appended to *log*; end it if this process ends.

    Raises:
        RuntimeError: If it fails.
    """
    with log.open("a", encoding="utf-8") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        try:
            status = process.wait()
        finally:
            if process.poll() is None:
                process.terminate()  # the training ends with a checkpoint
                process.wait()
    if status:
        raise RuntimeError(f"{' '.join(command[:5])} … ended with status {status}; see {log}")


def read_pages(folder: Path, config: Any) -> dict[str, Any]:
    """Return the metric of an exported folder on whole pages, what a page costs, and the size of the network."""
    detector = load_detector(folder, engine="onnxruntime", threads=1)
    metric: Any = METRICS.build(config.Metric)
    dataset = build_eval_dataset(config, charset=None)
    costs = []
    for index in range(len(dataset)):
        sample = dataset[0, index]
        started = time.process_time()
        found = detector.detect(sample["image"])
        costs.append((time.process_time() - started) * 1000)
        metric.update({"polygons": found.polygons}, {"polys": sample["polys"], "ignore_tags": sample["ignore_tags"]})
    values = {key: round(value, 4) for key, value in metric.compute().items()}
    megabytes = (folder / "model.onnx").stat().st_size / 1e6
    return {"metrics": values, "milliseconds": round(statistics.median(costs)), "megabytes": round(megabytes, 2)}


def cut_windows(arguments: argparse.Namespace) -> None:
    """Cut the training images, unless they are there."""
    if arguments.windows.is_dir():
        return
    draft = arguments.windows.with_suffix(".draft")
    command = [sys.executable, "experiments/anchors/cut_receipts.py", str(arguments.data / "train.txt")]
    command += ["--output", str(draft), "--count", str(10**6), "--windows", str(WINDOWS)]
    command += ["--page-side", str(SIDE), "--side", str(WINDOW), "--scale", "1"]
    call(command, arguments.output / "windows.log")
    draft.rename(arguments.windows)


def budget(name: str, arguments: argparse.Namespace, results: Results) -> None:
    """Find out how many updates a row gets."""
    row = ROWS[name]
    cost = results.of(row.like or name).get("seconds_per_update")
    if cost is None:
        changed = overrides(row, arguments.data, arguments.windows, arguments.output / name)
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
            cost = pool.submit(seconds_per_update, CONFIGS / row.config, changed).result()
    results.add(name, seconds_per_update=cost, updates=max(1, round(arguments.minutes * 60 / cost)))


def work(name: str, arguments: argparse.Namespace, results: Results) -> None:
    """Do what is left of a row."""
    row, folder, known = ROWS[name], arguments.output / name, results.of(name)
    config, changed = CONFIGS / row.config, overrides(row, arguments.data, arguments.windows, folder)
    changed.append(f"Global.max_steps={known['updates']}")
    log = folder.with_suffix(".log")
    print(f"{name}: {known['updates']} updates of {known['seconds_per_update']:.2f} s", flush=True)
    if not known.get("trained"):
        with spending(results, name):
            call([sys.executable, "tools/train.py", "-c", str(config), "--resume", "-o", *changed], log)
        results.add(name, trained=True, **_last_losses(folder))
    exported = arguments.output / f"{name}_exported"
    command = [sys.executable, "tools/export_model.py", "-c", str(config), "--output", str(exported)]
    call([*command, "--weights", str(folder), "-o", *changed, "Global.engine=paddle"], log)
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        found = pool.submit(read_pages, exported, load_config(config, changed)).result()
    results.add(name, **found)


def _last_losses(folder: Path) -> dict[str, Any]:
    rows = [json.loads(line) for line in (folder / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    return {"loss": round([row["loss"] for row in rows if row["event"] == "log"][-1], 4)}


def table(results: Results) -> str:
    """Return the Markdown of what is known."""
    lines = [
        "| | updates | CPU minutes | last loss | hmean | precision | recall | ms a page | MB |",
        f"|{' --- |' * 9}",
    ]
    for name, row in ROWS.items():
        found = results.of(name)
        if "metrics" not in found:
            lines.append(f"| {row.title} |{' – |' * 8}")
            continue
        figures = [f"{found['metrics'][key]:.3f}" for key in ("hmean", "precision", "recall")]
        cells = [row.title, found["updates"], f"{found['spent'] / 60:.1f}", f"{found['loss']:.3f}", *figures]
        cells += [found["milliseconds"], f"{found['megabytes']:.1f}"]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def main() -> int:
    """Parse, do the rows that are left, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder with train.txt and val.txt")
    parser.add_argument("--minutes", type=float, required=True, help="of processor time for the updates of each row")
    parser.add_argument("--output", type=Path, help="default: output/anchors_table/MINUTES")
    parser.add_argument("--only", nargs="+", choices=list(ROWS), default=list(ROWS), metavar="ROW")
    parser.add_argument("--table", action="store_true", help="only print what is there")
    parser.add_argument("--nice", type=int, default=10, help="how far to give way to other work (default: 10)")
    arguments = parser.parse_args()
    arguments.output = arguments.output or Path("output/anchors_table") / f"{arguments.minutes:g}"
    arguments.output.mkdir(parents=True, exist_ok=True)
    arguments.windows = arguments.output / "windows"
    results = Results(arguments.output / "results.json")
    os.environ["OMP_NUM_THREADS"] = "1"
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # runs what must be tidied up
    if not arguments.table:
        os.nice(arguments.nice)
        cut_windows(arguments)
        for name in ROWS:  # all one after the other, for how busy the machine is changes what an update costs
            if "updates" not in results.of(name):
                budget(name, arguments, results)
        for name in arguments.only:
            if "metrics" not in results.of(name):
                work(name, arguments, results)
    print(table(results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
