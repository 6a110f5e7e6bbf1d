"""Config → every object of a run; the answer to "where is X created?".

Nothing here imports Paddle or torch: an engine is imported when it is chosen, and a config is checked before.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from ppocr_lite import files
from ppocr_lite.charset import Charset
from ppocr_lite.config.load import drop_keys_of_another_class, load
from ppocr_lite.config.schema import Config, Split
from ppocr_lite.config.validate import SECTIONS, check_config
from ppocr_lite.data import DATASETS, RAW_KEYS, TRAINING_KEYS, BucketLoader, Collate, CollateByWidth, EpochBatches
from ppocr_lite.engine.backends.base import Backend, Batch, Task
from ppocr_lite.engine.evaluate import as_plain, evaluate, split_transforms
from ppocr_lite.engine.hooks import Hook, JsonlHook, LogHook, VisualDLHook
from ppocr_lite.engine.trainer import Plan, Trainer
from ppocr_lite.engine.transfer import load_pretrained
from ppocr_lite.errors import ConfigError
from ppocr_lite.families import FAMILIES, family_of
from ppocr_lite.families.base import Stage
from ppocr_lite.install import install_command
from ppocr_lite.losses import LOSSES
from ppocr_lite.metrics import METRICS
from ppocr_lite.modeling import BACKBONES, HEADS, NECKS, NETWORKS
from ppocr_lite.optim import OPTIMIZERS, SCHEDULES
from ppocr_lite.postprocess import POSTPROCESSES
from ppocr_lite.predict.runner import FunctionRunner, Runner
from ppocr_lite.registry import Registry
from ppocr_lite.transforms import TRANSFORMS
from ppocr_lite.transforms.base import Compose

log = logging.getLogger(__name__)


def load_config(path: Path | str, overrides: Iterable[str] = ()) -> Config:
    """Read a YAML file, apply ``-o`` overrides and check everything; reads no data and builds nothing.

    Args:
        path: The file.
        overrides: ``Section.key=value``, applied in order.

    Raises:
        ConfigError: Names the path of what is wrong, and the nearest known name.
    """
    overrides = list(overrides)
    raw = load(Path(path), overrides, SECTIONS)
    drop_keys_of_another_class(raw, overrides, DATASETS)
    return check_config(raw, registries(), FAMILIES)


def create_backend(engine: str) -> Backend:
    """Import an engine and return it, not yet built; from then on this process computes with it.

    Raises:
        ConfigError: If there is no such engine, it is not installed, or the process computes with another one.
    """
    backend: Backend
    try:
        if engine == "paddle":
            from ppocr_lite.engine.backends.paddle import PaddleBackend  # noqa: PLC0415

            backend = PaddleBackend()
        elif engine == "torch":
            from ppocr_lite.engine.backends.torch import TorchBackend  # noqa: PLC0415

            backend = TorchBackend()
        else:
            raise ConfigError(f"Global.engine must be 'paddle' or 'torch'. Received: {engine!r}")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("paddle", "torch"):
            raise
        raise ConfigError(f"Global.engine: {engine} is not installed ({error}). {install_command(engine)}") from error
    return backend


def registries() -> dict[str, Registry[Any]]:
    """Return every registry a config is checked against."""
    return {
        "transform": TRANSFORMS,
        "dataset": DATASETS,
        "postprocess": POSTPROCESSES,
        "metric": METRICS,
        "optimizer": OPTIMIZERS,
        "schedule": SCHEDULES,
        "backbone": BACKBONES,
        "neck": NECKS,
        "head": HEADS,
        "network": NETWORKS,
        "loss": LOSSES,
    }


def build_trainer(config: Config, folder: Path, *, resuming: bool = False) -> Trainer:
    """Create every object of a training run, here and in this order.

    Args:
        config: A checked config with Architecture and Train.
        folder: Where checkpoints and records go.
        resuming: Whether the caller will load a checkpoint, so that pretrained weights are not asked for.

    Raises:
        ConfigError: If a section is missing or two parts do not fit.
        DataError: If the training or evaluation data cannot be read.
        ImageError: If the evaluation data name an image that is not there.
        CheckpointError: If the pretrained weights do not fit.
    """
    architecture, train = require(config.Architecture, "Architecture"), require(config.Train, "Train")
    general = config.Global
    backend = create_backend(general.engine)
    charset = load_charset(config)
    chain = build_chain(train, charset, general.max_text_length, training=True)
    dataset = DATASETS.build(train.dataset, transforms=chain, seed=general.seed, training=True)
    batches = build_batches(train, len(dataset), backend, general.seed)
    steps_per_epoch = len(batches) // general.accumulate
    if steps_per_epoch == 0:
        raise ConfigError(f"Global.accumulate is {general.accumulate}, but an epoch has only {len(batches)} batches.")
    plan = make_plan(config, steps_per_epoch)
    schedule = SCHEDULES.build(config.schedule, total_steps=plan.steps, steps_per_epoch=steps_per_epoch)
    backend.build(
        Task(
            architecture=architecture,
            num_classes=charset.num_classes if charset else None,
            loss=require(config.Loss, "Loss"),
            optimizer=OPTIMIZERS.build(config.Optimizer),
            amp=config.precision,
            seed=general.seed,
            device=choose_device(config, backend),
            compile=general.compile,
            threads=general.threads,
            predicts=chosen_network(config),
        )
    )
    dataset.transforms = family_of(config).fitting(chain, backend.predict)  # what the network cannot learn is refused
    if not resuming:
        load_pretrained(config, backend, charset)
    loader = build_loader(config, dataset, batches, backend)
    evaluator = build_evaluator(config, backend, charset) if config.Eval else None
    hooks = build_hooks(config, folder, -(-plan.steps // steps_per_epoch)) if backend.rank == 0 else ()
    train_metric = build_train_metric(config, backend, charset)
    place = folder / "checkpoints"
    return Trainer(backend, schedule, loader, batches, plan, place, evaluator, hooks, train_metric, dataset.pool)


def build_evaluator(config: Config, backend: Backend, charset: Charset | None) -> Callable[[], dict[str, float]]:
    """Return a function that evaluates the network of *backend* on the Eval data and returns the metrics."""
    runner = FunctionRunner(backend.predict)
    shard = {"rank": backend.rank, "world_size": backend.world_size, "total": backend.total}
    return evaluator_of(config, build_stage(config, runner, charset), charset, shard)


def evaluator_of(
    config: Config, stage: Stage, charset: Charset | None, shard: Mapping[str, Any] | None = None
) -> Callable[[], dict[str, float]]:
    """Return a function that evaluates any stage, live or exported, on the Eval data and returns the metrics."""
    dataset = build_eval_dataset(config, charset)
    metric, family = require(config.Metric, "Metric"), family_of(config)
    return lambda: evaluate(family, stage, dataset, METRICS.build(metric), **(shard or {}))


def build_eval_dataset(config: Config, charset: Charset | None) -> Any:
    """Create the Eval data with images as they are stored and the truth beside them."""
    split = require(config.Eval, "Eval")
    truth, _ = split_transforms(split.transforms)
    chain = build_chain(dataclasses.replace(split, transforms=truth), charset, config.Global.max_text_length)
    return DATASETS.build(split.dataset, transforms=chain, seed=config.Global.seed, training=False)


def build_stage(config: Config, runner: Runner, charset: Charset | None) -> Stage:
    """Create the stage that predicts as the exported model will: Eval transforms but labels, PostProcess, Reading."""
    _, nodes = split_transforms(require(config.Eval, "Eval").transforms)
    steps = [TRANSFORMS.build(node) for node in nodes]
    preprocess = Compose(steps, available=("image",), path="Eval.dataset.transforms")
    postprocess = POSTPROCESSES.build(require(config.PostProcess, "PostProcess"), charset=charset)
    return family_of(config).stage(runner, preprocess, postprocess, config)


def build_train_metric(
    config: Config, backend: Backend, charset: Charset | None
) -> Callable[[Batch], dict[str, float]] | None:
    """Return what Global.cal_metric_during_train logs: the metric of lines on a training batch; None for no."""
    family = family_of(config)
    if not config.Global.cal_metric_during_train or not family.measures:
        return None
    postprocess = POSTPROCESSES.build(require(config.PostProcess, "PostProcess"), charset=charset)
    node = require(config.Metric, "Metric")

    def measure(batch: Batch) -> dict[str, float]:
        metric: Any = METRICS.build(node)
        found = postprocess(backend.forward(np.asarray(batch["image"])))
        family.measure_batch(found, postprocess, batch, charset, metric)
        return as_plain(metric.compute())

    return measure


def build_chain(split: Split, charset: Charset | None, max_text_length: int, *, training: bool = False) -> Compose:
    """Create the transforms of a split and check that each finds the keys it needs."""
    steps = [TRANSFORMS.build(node, charset=charset, max_text_length=max_text_length) for node in split.transforms]
    available = (*RAW_KEYS, *TRAINING_KEYS) if training else RAW_KEYS
    return Compose(steps, available, path="Train.dataset.transforms" if training else "Eval.dataset.transforms")


def build_batches(split: Split, length: int, backend: Backend, seed: int) -> EpochBatches:
    """Create the sampler of the training data; a part of a batch is left out if there is a whole one."""
    size, options = split.loader.batch_size_per_card, split.loader
    whole = length >= size * backend.world_size
    try:
        return EpochBatches(
            length,
            size,
            seed=seed,
            rank=backend.rank,
            world_size=backend.world_size,
            shuffle=options.shuffle is not False,
            drop_last=whole if options.drop_last is None else options.drop_last,
        )
    except ValueError as error:
        raise ConfigError(f"Train.loader.batch_size_per_card: {error}") from error


def build_loader(config: Config, dataset: Any, batches: EpochBatches, backend: Backend) -> Iterable[Batch]:
    """Return what loads the training data in batches, or in groups of batches of lines of like width."""
    options = require(config.Train, "Train").loader
    family = family_of(config)
    collate = family.collate()
    if options.size_divisibility is not None:
        if family.features != "maps":
            raise ConfigError("Train.loader.size_divisibility is for detectors: it pads pages of several sizes.")
        collate = Collate(size_divisibility=options.size_divisibility)
    if options.bucket_batches == 1:
        return backend.loader(dataset, batches, collate, options.num_workers)
    if not family.buckets:
        raise ConfigError("Train.loader.bucket_batches is for recognisers: other images of a batch have one size.")
    by_width = CollateByWidth(collate, options.batch_size_per_card)
    return BucketLoader(
        batches,
        options.bucket_batches,
        lambda groups: backend.loader(dataset, groups, by_width, options.num_workers),
    )


def make_plan(config: Config, steps_per_epoch: int) -> Plan:
    """Turn the epochs of Global into updates."""
    general = config.Global
    every = general.eval_batch_step
    start, every = every if isinstance(every, list) else (0, every)
    return Plan(
        steps=general.max_steps or general.epoch_num * steps_per_epoch,
        eval_every=every,
        eval_start=start,
        save_every=general.save_batch_step or general.save_epoch_step * steps_per_epoch,
        log_every=general.print_batch_step,
        smooth=general.log_smooth_window,
        accumulate=general.accumulate,
        keep=general.keep_checkpoints,
        minutes=general.max_minutes,
        bad_share=general.max_bad_samples,
        seed=general.seed,
    )


def load_charset(config: Config) -> Charset | None:
    """Return the characters that the network emits, None where it emits none."""
    return family_of(config).charset(config)


def build_hooks(config: Config, folder: Path, epochs: int) -> list[Hook]:
    """Create the watchers of a run."""
    hooks: list[Hook] = [LogHook(epochs), JsonlHook(folder / "log.jsonl")]
    if config.Global.use_visualdl:
        hooks.append(VisualDLHook(folder / "vdl"))
    return hooks


def choose_device(config: Config, backend: Backend) -> str:
    """Return the device: Global.device as it stands, else a GPU if Global.use_gpu asks for one and it is there."""
    if config.Global.device is not None:
        return config.Global.device
    if not config.Global.use_gpu:
        return "cpu"
    if backend.has_gpu():
        return f"gpu:{backend.rank}"
    log.warning("Global.use_gpu is true, but %s sees no GPU here; the CPU does the work.", backend.name)
    return "cpu"


def chosen_network(config: Config) -> str | None:
    """Return which network of a distillation is evaluated and exported; None where there is only one.

    It is the one that Metric.key names, else ``Student``, else the first that learns.

    Raises:
        ConfigError: If Metric.key names none of them.
    """
    models = require(config.Architecture, "Architecture").get("Models")
    if not models:
        return None
    learning = [name for name, model in models.items() if not model.get("freeze_params")]
    name = str((config.Metric or {}).get("key") or ("Student" if "Student" in models else [*learning, *models][0]))
    if name not in models:
        raise ConfigError(f"Metric.key must name one of the networks {sorted(models)}. Received: {name!r}")
    return name


def prepare_folder(config: Config, *, resuming: bool) -> Path:
    """Create Global.save_model_dir.

    Raises:
        ConfigError: If a run is there already and is not to be continued, or a run of another folder is.
    """
    folder = Path(config.Global.save_model_dir)
    begun = (folder / "checkpoints" / "latest").is_file()
    source = config.Global.checkpoints
    if begun and source is not None and not Path(source).resolve().is_relative_to(folder.resolve()):
        raise ConfigError(
            f"Global.save_model_dir: {folder} holds a run already, and Global.checkpoints={source} is of another one. "
            "Choose another folder with -o Global.save_model_dir=…, or leave Global.checkpoints out and say --resume."
        )
    if begun and not resuming:
        raise ConfigError(
            f"Global.save_model_dir: {folder} holds a run already. "
            "Continue it with --resume, or choose another folder with -o Global.save_model_dir=…"
        )
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def write_config(config: Config, folder: Path) -> None:
    """Write what is run, with its overrides, as ``config.yml`` into the folder of the run.

    Without Global.checkpoints: where the run went on from once is not where it goes on from next.
    """
    general = {key: value for key, value in (config.source.get("Global") or {}).items() if key != "checkpoints"}
    text = yaml.safe_dump(config.source | {"Global": general}, allow_unicode=True, sort_keys=False, width=120)
    files.write_text(folder / "config.yml", text)


def require(section: Any, name: str) -> Any:
    """Return *section* if the config has it.

    Raises:
        ConfigError: If it does not.
    """
    if section is None:
        raise ConfigError(f"The config needs a section {name}.")
    return section
