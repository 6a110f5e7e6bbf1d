"""An exported model folder: its ``inference.yml`` read, written and checked.

A folder holds the network (``inference.json``, or ``inference.pdmodel`` from Paddle 2), its weights
(``inference.pdiparams``), optionally ``model.onnx``, and ``inference.yml`` with everything else a stage needs.
Folders that PaddleOCR and PaddleX export, and bare ONNX files of any name, are read too, see
:mod:`ppocr_lite.predict.bundle.official`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ppocr_lite.charset import Charset
from ppocr_lite.config.check import check_arguments, check_component
from ppocr_lite.config.family import check_model_type
from ppocr_lite.config.load import read_yaml
from ppocr_lite.config.reading import ReadingPolicy, check_reading
from ppocr_lite.config.validate import check_transforms
from ppocr_lite.errors import ConfigError, ModelError
from ppocr_lite.files import write_text
from ppocr_lite.postprocess import POSTPROCESSES
from ppocr_lite.predict.bundle import official
from ppocr_lite.predict.bundle.checksums import check_files, list_files
from ppocr_lite.predict.bundle.network_file import NetworkFile, read_network
from ppocr_lite.transforms import TRANSFORMS
from ppocr_lite.transforms.base import Compose

BUNDLE_VERSION = 3  # 1 had no section Reading, 2 no list of files
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
        foreign: PaddleOCR or PaddleX exported it, or others did: its characters may repeat, may be several code points,
            and may lack the space.
        file: The network, where it was given by itself or has a name of its own.
        dictionary: Where the characters come from, for messages; empty for the folder's description.
        height_known: Whether a recogniser's height is declared somewhere; if not, the network has to be asked.
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
    file: Path | None = None
    dictionary: str = ""
    height_known: bool = True

    @property
    def source(self) -> Path:
        """What was given: the file, or the folder."""
        return self.file or self.folder

    @property
    def program(self) -> Path | None:
        """The file of the network for Paddle, None if there is none."""
        if self.file is not None:
            return None
        return next((self.folder / name for name in PROGRAMS if (self.folder / name).is_file()), None)

    @property
    def onnx(self) -> Path | None:
        """The file of the network for ONNX engines, None if there is none."""
        if self.file is not None:
            return self.file
        return next((self.folder / name for name in (ONNX, FOREIGN_ONNX) if (self.folder / name).is_file()), None)

    @property
    def charset(self) -> Charset | None:
        """The characters as the decoder wants them."""
        return (
            None
            if self.characters is None
            else Charset(self.characters, allow_duplicates=self.foreign, allow_sequences=self.foreign)
        )

    def build_preprocess(self) -> Compose:
        """Return the pipeline from an image (H, W, 3) to what the network takes."""
        steps = [TRANSFORMS.build(node) for node in self.transforms]
        return Compose(steps, available=("image",), path="PreProcess.transforms")

    def build_postprocess(self) -> Any:
        """Return the step from what the network returns to results."""
        return POSTPROCESSES.build(self.postprocess, charset=self.charset)


def read_bundle(
    model: Path | str, model_type: ModelType | None = None, settings: official.Settings = official.NO_SETTINGS
) -> Bundle:
    """Read a model folder, as strictly as a training config, or a bare ONNX file.

    Args:
        model: A folder that this package, PaddleOCR or PaddleX exported, or with an ONNX file of any name; or an ONNX
            file.
        model_type: What it is to be used as; of several ONNX files in a folder, the one that is such a network is
            read.
        settings: What is said about networks that have no description of their own.

    Raises:
        ModelError: If the folder or a file is missing, ``inference.yml`` is newer than this release, something in it
            is unknown or of the wrong type, or the network is another kind than *model_type*; names the file and the
            place in it.
    """
    path = Path(model)
    if not path.exists():
        raise ModelError(
            f"There is no model folder at {path}, and no ONNX file. Export one with tools/export_model.py."
        )
    folder = path if path.is_dir() else path.parent
    file = None if path.is_dir() or (path.name in (ONNX, FOREIGN_ONNX) and _described(folder)) else path
    if file is not None and file.suffix.lower() != ".onnx":
        raise ModelError(f"{path} is no ONNX file. Of a network of Paddle give the folder that holds {WEIGHTS}.")
    path = folder / DESCRIPTION
    try:
        node = read_yaml(path.read_text(encoding="utf-8"), str(path)) if file is None and path.is_file() else None
        foreign = node is None or official.is_official(node)
        bundle = _parse_foreign(folder, file, node or {}, model_type, settings) if foreign else _parse(folder, node)
    except ConfigError as error:
        raise ModelError(f"{path}: {error}") from error
    except UnicodeDecodeError as error:
        raise ModelError(f"{path} is not UTF-8 text: {error}") from error
    _check_files(bundle)
    return bundle


def _described(folder: Path) -> bool:
    return (folder / DESCRIPTION).is_file()


def write_bundle(bundle: Bundle) -> Path:
    """Write ``inference.yml`` into the folder of *bundle*, with size and SHA-256 of its networks; return its path."""
    transforms = [
        {node["name"]: {k: _plain(v) for k, v in node.items() if k != "name"} or None} for node in bundle.transforms
    ]
    reading = _plain(bundle.reading.part(bundle.model_type))
    files = list_files(bundle.folder, (*PROGRAMS, WEIGHTS, ONNX))
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
        **({"files": files} if files else {}),
        "metrics": _plain(bundle.metrics),
        "characters": None if bundle.characters is None else list(bundle.characters),
    }
    path = bundle.folder / DESCRIPTION
    text = yaml.safe_dump(node, allow_unicode=True, sort_keys=False, width=120, default_flow_style=None)
    write_text(path, text)
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
    check_files(folder, fields.pop("files", None) or {})
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


def _parse_foreign(
    folder: Path, file: Path | None, node: Mapping[str, Any], model_type: ModelType | None, settings: official.Settings
) -> Bundle:
    """Return the bundle of a folder that PaddleOCR or PaddleX exported, or of a bare ONNX file."""
    draft = Bundle(folder, "det", (), {}, foreign=True, file=file)
    if draft.program is None and draft.onnx is None:
        draft = dataclasses.replace(draft, file=_only_onnx(folder, model_type))
    _check_files(draft)
    found = draft.program or draft.onnx
    network = read_network(found)  # type: ignore[arg-type]
    wanted = official.check_kind(draft.source, network, official.family(node) or model_type)
    listed = official.find_characters(folder, file, network, settings) if wanted == "rec" else None
    return Bundle(
        folder=folder,
        model_type=wanted,
        input=TensorSpec(network.name, network.shape),
        outputs=_name_outputs(network, wanted),
        foreign=True,
        file=draft.file,
        **official.translate(node, wanted, network.shape, settings, listed),
    )


def _name_outputs(network: NetworkFile, model_type: ModelType) -> tuple[str, ...]:
    """Return the names by which stages know what a foreign network returns."""
    known = "maps" if model_type == "det" else "probabilities"
    return tuple(network.outputs) if len(network.outputs) > 1 else (known,)


def _only_onnx(folder: Path, model_type: ModelType | None) -> Path:
    """Return the one ONNX file of a folder, or the one that is a network of that kind.

    Raises:
        ModelError: If there is none, or several would do; names them.
    """
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() == ".onnx" and path.is_file())
    if not files:
        raise ModelError(
            f"{folder} has no {DESCRIPTION} of ppocr_lite, no network that PaddleOCR exported, and no ONNX file."
        )
    fitting = [path for path in files if len(files) == 1 or official.kinds(read_network(path)) == {model_type}]
    if len(fitting) == 1:
        return fitting[0]
    names = ", ".join(path.name for path in fitting or files)
    raise ModelError(
        f"{folder} holds {'several' if fitting else 'no'} ONNX files that are {official.named(model_type)}: {names}. "
        "Give the path of the one you mean."
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
    files: dict[str, Any] | None = None,
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
