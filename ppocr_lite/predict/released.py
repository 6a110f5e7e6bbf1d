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


def released_model(stage: str, lang: str) -> Path:
    """Return the folder of a released model: the one for the language, else the one for any.

    Args:
        stage: ``"det"``, ``"cls"`` or ``"rec"``.
        lang: ``"ch"`` or ``"en"``.

    Raises:
        ModelError: If there is none; names what there is.
    """
    for name in (f"{stage}_{lang}",) if stage == "rec" else (f"{stage}_{lang}", stage):
        if (FOLDER / name / "inference.yml").is_file():
            return FOLDER / name
    raise ModelError(
        f"No {stage} model for lang={lang!r} comes with this package. There are: {', '.join(released()) or 'none'}. "
        f"Give {stage}_model=<exported folder>."
    )
