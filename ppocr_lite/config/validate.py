"""From a plain mapping to a checked :class:`Config`: every section, component and cross-field rule."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ppocr_lite.config.architecture import Registries, check_architecture, check_further, mapping, only
from ppocr_lite.config.check import check_arguments, check_component
from ppocr_lite.config.distillation import plain_postprocess
from ppocr_lite.config.family import check_model_type
from ppocr_lite.config.reading import check_reading
from ppocr_lite.config.schema import Config, GlobalSection, Loader, Node, Split
from ppocr_lite.errors import ConfigError, suggest
from ppocr_lite.registry import Registry

SECTIONS = ("Global", "Architecture", "Loss", "Optimizer", "PostProcess", "Reading", "Metric", "Train", "Eval")
_IGNORED = ("profiler_options",)  # printed by PaddleOCR's trainer among the sections; means nothing here
_DATASET_LISTS = ("datasets",)


def check_config(
    raw: Mapping[str, Any], registries: Registries, families: Mapping[str, Any] = MappingProxyType({})
) -> Config:
    """Check every section of *raw* and return it in its final form; reads no data and builds nothing.

    Args:
        raw: As :func:`ppocr_lite.config.load.load` returns it.
        registries: Under ``backbone``, ``neck``, ``head``, ``loss``, ``optimizer``, ``schedule``, ``transform``,
            ``dataset``, ``postprocess``, ``metric``.
        families: Name → what a config of that family has by default, and what must hold in it, as a
            :class:`ppocr_lite.families.base.Family` says it.

    Raises:
        ConfigError: At the first thing that is unknown, missing or of the wrong type; names its path.
    """
    for name in raw:
        if name not in SECTIONS and name not in _IGNORED:
            raise ConfigError(f"{name} is not a section.{suggest(str(name), SECTIONS)}")
    sections = {name: mapping(raw.get(name), name) for name in SECTIONS}
    general = GlobalSection(**check_arguments(GlobalSection, _blank_to_none(sections["Global"] or {}), "Global"))
    architecture = check_architecture(sections["Architecture"], registries) if sections["Architecture"] else None
    said = (architecture or {}).get("model_type")
    if general.model_type and said and general.model_type != said:
        raise ConfigError(f"Global.model_type is {general.model_type!r} but Architecture.model_type is {said!r}.")
    family = general.model_type or said
    rules = families.get(check_model_type(family, "Global.model_type")) if family else None
    defaults: Mapping[str, Node] = rules.defaults if rules is not None else {}
    optimizer, schedule = check_optimizer(sections["Optimizer"] or {}, registries)

    if sections["PostProcess"]:
        networks = (architecture or {}).get("Models") or ()
        sections["PostProcess"] = plain_postprocess(sections["PostProcess"], set(registries["postprocess"]), networks)

    def component(section: str, kind: str) -> Node | None:
        node = sections[section] or defaults.get(section)
        return None if node is None else check_component(registries[kind], node, section)

    loss = component("Loss", "loss")
    if loss is not None and hasattr(registries["loss"].get(loss["name"]), "check"):
        check_further(registries["loss"].get(loss["name"]), loss, "Loss")
    elif loss is not None:
        _check_combined(loss, registries["loss"])
    config = Config(
        Global=general,
        Architecture=architecture,
        Loss=loss,
        Optimizer=optimizer,
        schedule=schedule,
        PostProcess=component("PostProcess", "postprocess"),
        Reading=check_reading(sections["Reading"], family),
        Metric=component("Metric", "metric"),
        Train=_check_split(sections["Train"], "Train", registries),
        Eval=_check_split(sections["Eval"], "Eval", registries),
        source=dict(raw),
    )
    check_rules(config)
    if rules is not None:
        rules.check(config, registries)
    return config


def check_optimizer(node: Node, registries: Registries) -> tuple[Node, Node]:
    """Return the optimizer node without its schedule, and the schedule node; Adam at 0.001 where unsaid."""
    given = {"name": "Adam"} | node
    schedule: Any = given.pop("lr", 0.001)
    if isinstance(schedule, int | float) and not isinstance(schedule, bool):
        schedule = {"learning_rate": schedule}
    if not isinstance(schedule, dict):
        raise ConfigError(f"Optimizer.lr must be a mapping or a number. Received: {schedule!r}")
    schedule = {"name": "Const"} | schedule
    return (
        check_component(registries["optimizer"], given, "Optimizer"),
        check_component(registries["schedule"], schedule, "Optimizer.lr"),
    )


def check_transforms(nodes: Any, registry: Registry[Any], path: str) -> list[Node]:
    """Return ``[{"name": Class, …}, …]`` from the file's ``- Class: {…}`` items."""
    if not isinstance(nodes, list):
        raise ConfigError(f"{path} must be a list of '- Class: {{argument: value}}'. Received: {nodes!r}")
    return [_check_item(node, registry, f"{path}[{index}]") for index, node in enumerate(nodes)]


def check_rules(config: Config) -> None:
    """Check what concerns more than one field.

    Raises:
        ConfigError: If two fields contradict each other or a number makes no sense.
    """
    general = config.Global
    for name in ("epoch_num", "accumulate", "print_batch_step", "log_smooth_window", "keep_checkpoints"):
        if getattr(general, name) < 1:
            raise ConfigError(f"Global.{name} must be at least 1. Received: {getattr(general, name)}")
    for name in ("max_steps", "threads"):
        if getattr(general, name) is not None and getattr(general, name) < 1:
            raise ConfigError(f"Global.{name} must be at least 1. Received: {getattr(general, name)}")
    if general.seed < 0:
        raise ConfigError(f"Global.seed must not be negative. Received: {general.seed}")
    if not 0 <= general.max_bad_samples <= 1:
        raise ConfigError(f"Global.max_bad_samples is a share from 0 to 1. Received: {general.max_bad_samples}")
    if isinstance(general.eval_batch_step, list) and len(general.eval_batch_step) != 2:
        raise ConfigError(f"Global.eval_batch_step must be N or [first, N]. Received: {general.eval_batch_step}")
    splits = {"Train": config.Train, "Eval": config.Eval}
    for name, split in splits.items():
        _check_steps(split.transforms if split else [], f"{name}.dataset.transforms")
    heights = {name: _input_height(split) for name, split in splits.items()}
    if None not in heights.values() and heights["Train"] != heights["Eval"]:
        raise ConfigError(
            f"Train and Eval must resize lines to one height. Received: {heights['Train']} and {heights['Eval']}"
        )


def _check_split(node: Node | None, path: str, registries: Registries) -> Split | None:
    if not node:
        return None
    only(node, ("dataset", "loader"), path)
    dataset = dict(mapping(node.get("dataset"), f"{path}.dataset") or {})
    transforms = check_transforms(dataset.pop("transforms", []), registries["transform"], f"{path}.dataset.transforms")
    checked = _check_dataset(dataset, registries["dataset"], f"{path}.dataset")
    loader = mapping(node.get("loader"), f"{path}.loader") or {}
    options = Loader(**check_arguments(Loader, loader, f"{path}.loader"))
    positive = min(options.batch_size_per_card, options.bucket_batches, options.size_divisibility or 1) >= 1
    if options.size_divisibility == 0 or not positive or options.num_workers < 0 or options.num_sections != 1:
        limits = "batch_size_per_card, bucket_batches and size_divisibility ≥ 1, num_workers ≥ 0, num_sections = 1"
        raise ConfigError(f"{path}.loader needs {limits}. Received: {loader}")
    return Split(checked, transforms, options)


def _check_dataset(node: Any, registry: Registry[Any], path: str) -> Node:
    checked = check_component(registry, node, path)
    for key in set(checked) & set(_DATASET_LISTS):
        checked[key] = [
            _check_dataset(inner, registry, f"{path}.{key}[{index}]") for index, inner in enumerate(checked[key])
        ]
    return checked


def _check_combined(loss: Node, registry: Registry[Any]) -> None:
    for index, item in enumerate(loss.get("loss_config_list") or ()):
        path = f"Loss.loss_config_list[{index}]"
        given = next(iter(item.values()), None) if isinstance(item, dict) and len(item) == 1 else None
        if not isinstance(given, dict) or "weight" not in given:
            raise ConfigError(f"{path} must be '- Class: {{weight: …, …}}'. Received: {item!r}")
        name = next(iter(item))
        _check_item({name: {key: value for key, value in given.items() if key != "weight"}}, registry, path)


def _check_item(item: Any, registry: Registry[Any], path: str) -> Node:
    if not isinstance(item, dict) or len(item) != 1 or not isinstance(next(iter(item)), str):
        raise ConfigError(f"{path} must be '- Class: {{argument: value}}'. Received: {item!r}")
    name, arguments = next(iter(item.items()))
    if name not in set(registry):
        raise ConfigError(f"{path}: no {registry.kind} is called {name!r}.{suggest(name, registry)}")
    given = mapping(arguments, f"{path}.{name}") or {}
    return {"name": name} | check_arguments(registry.get(name), given, f"{path}.{name}", registry.runtime)


def _check_steps(nodes: list[Node], path: str) -> None:
    """Check what no list of transforms may hold: what prediction would not do, and what leaves nothing to learn."""
    for index, node in enumerate(nodes):
        where = f"{path}[{index}].{node['name']}"
        if node["name"] == "DecodeImage" and node.get("img_mode", "BGR") != "BGR":
            raise ConfigError(f"{where}.img_mode must be BGR, as in prediction. Received: {node['img_mode']!r}")
        if node["name"] == "KeepKeys" and "image" not in node["keep_keys"]:
            raise ConfigError(f"{where}.keep_keys must name 'image'. Received: {node['keep_keys']}")


def _input_height(split: Split | None) -> int | None:
    for node in split.transforms if split else ():
        if node["name"] in ("RecResizeImg", "ClsResizeImg") and "image_shape" in node:
            return int(node["image_shape"][1])
    return None


def _blank_to_none(node: Node) -> Node:
    """PaddleOCR writes "" and an empty value for "not given"; leave those keys out."""
    return {key: value for key, value in node.items() if value is not None and value != ""}
