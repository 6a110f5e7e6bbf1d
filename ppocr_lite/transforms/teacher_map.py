"""What a teacher saw on a page, computed once and stored beside the labels."""

from __future__ import annotations

import os
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from ppocr_lite.errors import DataError, ImageError
from ppocr_lite.io import images
from ppocr_lite.transforms.base import TRANSFORMS, Sample

SUFFIX = ".png"  # appended to the whole name of the image


@TRANSFORMS.register
class LoadTeacherMap:
    """Load the probability map of a teacher, as ``tools/make_teacher_maps.py`` stores it.

    The map of ``pages/a.jpg`` is ``pages/a.jpg.png`` in *map_dir*. It is stretched to the image, so this step stands
    before every step that moves pixels; those take the map along.

    Args:
        map_dir: Folder of the maps.
        data_dir: Folder that the paths of the label file start from, as the data set has it.

    Raises:
        DataError: When called, if there is no map of the image, or it cannot be read.
    """

    requires: ClassVar[tuple[str, ...]] = ("image", "path")
    provides: ClassVar[tuple[str, ...]] = ("teacher_map",)

    def __init__(self, map_dir: str, data_dir: str = ".") -> None:
        self.map_dir, self.data_dir = Path(map_dir), Path(data_dir)

    def __call__(self, sample: Sample) -> Sample:
        """Return *sample* with ``teacher_map`` uint8 (H, W): 255 times the probability that a pixel is text."""
        file = map_file(self.map_dir, Path(sample["path"]), self.data_dir)
        try:
            stored = images.read(file)[:, :, 0]
        except ImageError as error:
            raise DataError(f"The map of the teacher cannot be read: {error} Make it: make_teacher_maps.py.") from error
        height, width = sample["image"].shape[:2]
        stretched = cv2.resize(stored, (width, height), interpolation=cv2.INTER_LINEAR)
        return sample | {"teacher_map": np.asarray(stretched, np.uint8)}


def map_file(map_dir: Path, image: Path, data_dir: Path) -> Path:
    """Return where the map of an image stands.

    Raises:
        DataError: If the image is not in *data_dir*.
    """
    name = os.path.relpath(image, data_dir)
    if name.startswith(os.pardir):
        raise DataError(f"{image} is not in data_dir {data_dir}, so its map has no name.")
    return map_dir / f"{name}{SUFFIX}"


def to_stored(probabilities: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return a map of probabilities (H, W) as it is stored."""
    return np.round(255.0 * np.clip(probabilities, 0.0, 1.0)).astype(np.uint8)
