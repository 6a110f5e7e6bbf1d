"""An exported model folder: its ``inference.yml`` read, written and checked.

A folder holds the network (``inference.json``, or ``inference.pdmodel`` from Paddle 2), its weights
(``inference.pdiparams``), optionally ``model.onnx``, and ``inference.yml`` with everything else a stage needs.
Folders that PaddleOCR and PaddleX export are read too, see :mod:`ppocr_lite.predict.official`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ppocr_lite import files
from ppocr_lite.charset import Charset
from ppocr_lite.config.check import check_arguments, check_component
from ppocr_lite.config.family import check_model_type
from ppocr_lite.config.load import read_yaml
from ppocr_lite.config.reading import ReadingPolicy, check_reading
from ppocr_lite.config.validate import check_transforms
from ppocr_lite.errors import ConfigError, ModelError
from ppocr_lite.postprocess import POSTPROCESSES
from ppocr_lite.predict import official
from ppocr_lite.predict.network_file import read_input
from ppocr_lite.transforms import TRANSFORMS
from ppocr_lite.transforms.base import Compose

BUNDLE_VERSION = 2  # 1 had no section Reading
DESCRIPTION = "inference.yml"
PROGRAMS = ("inference.json", "inference.pdmodel")
WEIGHTS = "inference.pdiparams"
ONNX = "model.onnx"
FOREIGN_ONNX = "inference.onnx"  # as PaddleX calls what it converts
ModelType = str  # a family, see ppocr_lite.config.family


@dataclass(frozen=True)
class TensorSpec:
    """What a network takes.

    Attributes:
        name: Name of the input.
        shape: Its sides, -1 where they vary.
        dtype: Type of its numbers.
    """

    name: str = "x"
    shape: tuple[int, ...] = (-1, 3, -1, -1)
    dtype: str = "float32"


@dataclass(frozen=True)
class Bundle:
    """The contents of ``inference.yml``.

    Attributes:
        folder: Where the files are.
        model_type: Which stage it serves.
        transforms: Checked component nodes of the pre-processing, in order.
        postprocess: Checked component node of the post-processing.
        characters: For rec: what classes 1, 2, … stand for; None otherwise.
        reading: How lines are read; the defaults where the file does not say it.
        metrics: As measured at export.
        created_by: Who wrote it.
        input: What the network takes.
        outputs: Names of what it returns.
        algorithm: Name of the method, for people.
        foreign: PaddleOCR or PaddleX exported it: its characters may repeat, and may lack the space.
    """

    folder: Path
    model_type: ModelType
    transforms: tuple[dict[str, Any], ...]
    postprocess: dict[str, Any]
    characters: tuple[str, ...] | None = None
    reading: ReadingPolicy = ReadingPolicy()
    metrics: dict[str, Any] = field(default_factory=dict)
    created_by: str = ""
    input: TensorSpec = TensorSpec()
    outputs: tuple[str, ...] = ("maps",)
    algorithm: str = ""
    foreign: bool = False

    @property
    def program(self) -> Path | None:
        """The file of the network for Paddle, None if the folder has none."""
        return next((self.folder / name for name in PROGRAMS if (self.folder / name).is_file()), None)

    @property
    def onnx(self) -> Path | None:
        """The file of the network for ONNX engines, None if the folder has none."""
        return next((self.folder / name for name in (ONNX, FOREIGN_ONNX) if (self.folder / name).is_file()), None)

    @property
    def charset(self) -> Charset | None:
        """The characters as the decoder wants them."""
        return None if self.characters is None else Charset(self.characters, allow_duplicates=self.foreign)

    def build_preprocess(self) -> Compose:
        """Return the pipeline from an image (H, W, 3) to what the network takes."""
        steps = [TRANSFORMS.build(node) for node in self.transforms]
        return Compose(steps, available=("image",), path="PreProcess.transforms")

    def build_postprocess(self) -> Any:
        """Return the step from what the network returns to results."""
        return POSTPROCESSES.build(self.postprocess, charset=self.charset)


def read_bundle(folder: Path | str, model_type: ModelType | None = None) -> Bundle:
    """Read a model folder, as strictly as a training config.

    Args:
        folder: What this package, PaddleOCR or PaddleX exported.
        model_type: What it is to be used as; needed only for a folder of PaddleOCR that does not say it.

    Raises:
        ModelError: If the folder or a file is missing, ``inference.yml`` is newer than this release, or something
            in it is unknown or of the wrong type; names the file and the place in it.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ModelError(f"There is no model folder at {folder}. Export one with tools/export_model.py.")
    path = folder / DESCRIPTION
    try:
        node = read_yaml(path.read_text(encoding="utf-8"), str(path)) if path.is_file() else None
        foreign = node is None or official.is_official(node)
        bundle = _parse_foreign(folder, node or {}, model_type) if foreign else _parse(folder, node)
    except ConfigError as error:
        raise ModelError(f"{path}: {error}") from error
    except UnicodeDecodeError as error:
        raise ModelError(f"{path} is not UTF-8 text: {error}") from error
    _check_files(bundle)
    return bundle


def write_bundle(bundle: Bundle) -> Path:
    """Write ``inference.yml`` into the folder of *bundle* and return its path."""
    transforms = [
        {node["name"]: {k: _plain(v) for k, v in node.items() if k != "name"} or None} for node in bundle.transforms
    ]
    reading = _plain(bundle.reading.part(bundle.model_type))
    node = {
        "bundle_version": BUNDLE_VERSION,
        "model_type": bundle.model_type,
        "algorithm": bundle.algorithm,
        "created_by": bundle.created_by,
        "input": {"name": bundle.input.name, "shape": list(bundle.input.shape), "dtype": bundle.input.dtype},
        "outputs": list(bundle.outputs),
        "PreProcess": {"transforms": transforms},
        "PostProcess": _plain(bundle.postprocess),
        **({"Reading": reading} if reading else {}),
        "metrics": _plain(bundle.metrics),
        "characters": None if bundle.characters is None else list(bundle.characters),
    }
    path = bundle.folder / DESCRIPTION
    text = yaml.safe_dump(node, allow_unicode=True, sort_keys=False, width=120, default_flow_style=None)
    files.write_text(path, text)
    return path


def _parse(folder: Path, node: Any) -> Bundle:
    version = node.get("bundle_version") if isinstance(node, dict) else None
    if type(version) is not int:
        raise ConfigError("there is no bundle_version, so it was not written by ppocr_lite.")
    if version > BUNDLE_VERSION:
        raise ConfigError(
            f"bundle_version {version} is newer than {BUNDLE_VERSION}, the newest this release reads. "
            "Upgrade ppocr-lite, or export the model with this release."
        )
    fields = check_arguments(_schema, {k: v for k, v in node.items() if k != "bundle_version"}, "inference")
    check_model_type(fields["model_type"], "inference.model_type")
    if fields["model_type"] == "rec" and not fields.get("characters"):
        raise ConfigError("a rec model needs its 'characters'.")
    preprocess, postprocess = fields.pop("PreProcess"), fields.pop("PostProcess")
    if set(preprocess) != {"transforms"}:
        raise ConfigError(f"PreProcess must hold 'transforms' and nothing else. Received: {sorted(preprocess)}")
    characters = fields.pop("characters", None)
    reading = check_reading(fields.pop("Reading", None), fields["model_type"])
    tensor = check_arguments(TensorSpec, fields.pop("input", None) or {}, "input")
    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in fields.items() if v is not None}
    bundle = Bundle(
        folder=folder,
        transforms=tuple(check_transforms(preprocess["transforms"], TRANSFORMS, "PreProcess.transforms")),
        postprocess=check_component(POSTPROCESSES, postprocess, "PostProcess"),
        characters=None if characters is None else tuple(characters),
        reading=reading,
        input=TensorSpec(**tensor),
        **values,
    )
    bundle.build_preprocess(), bundle.build_postprocess()  # raise here what does not fit, with the path of the file
    return bundle


def _parse_foreign(folder: Path, node: Mapping[str, Any], model_type: ModelType | None) -> Bundle:
    """Return the bundle of a folder that PaddleOCR or PaddleX exported."""
    draft = Bundle(folder, "det", (), {}, foreign=True)
    if draft.program is None and draft.onnx is None:
        raise ModelError(f"{folder} has no {DESCRIPTION} of ppocr_lite, and no network that PaddleOCR exported.")
    _check_files(draft)
    wanted = official.family(node) or model_type
    if wanted is None:
        raise ModelError(f"{folder} does not say what it is: give it to OCR() as det_model=, cls_model= or rec_model=.")
    tensor = TensorSpec(*read_input(draft.program or draft.onnx))  # type: ignore[arg-type]
    if len(tensor.shape) != 4:
        raise ModelError(f"{folder}: a network for images takes (N, 3, H, W). This one takes {tensor.shape}.")
    return Bundle(
        folder=folder,
        model_type=wanted,
        input=tensor,
        outputs=("maps" if wanted == "det" else "probabilities",),
        foreign=True,
        **official.translate(node, wanted, tensor.shape),
    )


def _check_files(bundle: Bundle) -> None:
    folder = bundle.folder
    if bundle.program is None and bundle.onnx is None:
        raise ModelError(f"{folder} has no network: none of {', '.join((*PROGRAMS, ONNX))} is there.")
    if bundle.program is not None and not (folder / WEIGHTS).is_file():
        raise ModelError(f"{folder} has no {WEIGHTS}, the weights of {bundle.program.name}. Export the model again.")


def _schema(
    model_type: ModelType,
    PreProcess: dict[str, Any],  # noqa: N803 - the key of the file
    PostProcess: dict[str, Any],  # noqa: N803 - the key of the file
    Reading: dict[str, Any] | None = None,  # noqa: N803 - the key of the file
    algorithm: str = "",
    created_by: str = "",
    input: dict[str, Any] | None = None,  # noqa: A002 - the key of the file
    outputs: list[str] | None = None,
    metrics: dict[str, Any] | None = None,
    characters: list[str] | None = None,
) -> None:
    """Keys of ``inference.yml``; only its signature is used."""


def _plain(value: Any) -> Any:
    """Return *value* with tuples as lists, as YAML's safe writer wants it."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
