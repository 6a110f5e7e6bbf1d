"""The models that come with the package."""

from __future__ import annotations

from pathlib import Path

from ppocr_lite.errors import ModelError

FOLDER = Path(__file__).parents[1] / "models"
LANGUAGES = ("ch", "en")


def released() -> list[str]:
    """Return the names of the models that are there, e.g. ``["cls", "det", "rec_en"]``."""
    return sorted(path.parent.name for path in FOLDER.glob("*/inference.yml"))


def default_language() -> str:
    """Return ``"en"`` if its recogniser comes with the package, else ``"ch"``, which reads English too, less well."""
    return "en" if "rec_en" in released() or "rec_ch" not in released() else "ch"


def is_released(stage: str, lang: str) -> bool:
    """Say whether :func:`released_model` has one; arguments as there."""
    return _folder(stage, lang) is not None


def released_model(stage: str, lang: str) -> Path:
    """Return the folder of a released model: the one for the language, else the one for any.

    Args:
        stage: ``"det"``, ``"cls"`` or ``"rec"``.
        lang: ``"ch"`` or ``"en"``.

    Raises:
        ModelError: If there is none; names what there is.
    """
    folder = _folder(stage, lang)
    if folder is None:
        raise ModelError(
            f"No {stage} model for lang={lang!r} comes with this package. There are: "
            f"{', '.join(released()) or 'none'}. Give {stage}_model=<exported folder>."
        )
    return folder


def _folder(stage: str, lang: str) -> Path | None:
    names = (f"{stage}_{lang}",) if stage == "rec" else (f"{stage}_{lang}", stage)
    return next((FOLDER / name for name in names if (FOLDER / name / "inference.yml").is_file()), None)
