"""Pages with black and white specks all over, as a bad scanner or a dithered copy has them."""

from __future__ import annotations

import logging

import cv2
import numpy as np

from ppocr_lite.io.images import Image

logger = logging.getLogger(__name__)

SIDE_PX = 512  # of the middle of a page, which is looked at for specks
STANDS_OUT = 60  # gray levels between a speck and the median of the pixels around it
# Share of pixels that are specks with none beside them; serifs, full stops and the grain of photographs stay below half
# of that.
PEPPERED = 0.01


def without_pepper(image: Image) -> Image:
    """Return a BGR page (H, W, 3) without its specks of one pixel; the page itself if it has no more than any has.

    Source:
        Huang et al., A fast two-dimensional median filtering algorithm, IEEE Transactions on Acoustics, Speech, and
        Signal Processing 27, 1979.
    """
    if min(image.shape[:2]) < 3 or _specks(image) < PEPPERED:
        return image
    logger.info("The page is peppered with specks, which are left out.")
    return np.asarray(cv2.medianBlur(image, 3), np.uint8)


def _specks(image: Image) -> float:
    """Return the share of pixels in the middle of a page that stand out, and none of their neighbours."""
    top, left = (max(0, (side - SIDE_PX) // 2) for side in image.shape[:2])
    gray = cv2.cvtColor(image[top : top + SIDE_PX, left : left + SIDE_PX], cv2.COLOR_BGR2GRAY)
    apart = cv2.absdiff(gray, cv2.medianBlur(gray, 3))
    stands_out = cv2.threshold(apart, STANDS_OUT, 1, cv2.THRESH_BINARY)[1]
    around = cv2.boxFilter(stands_out, cv2.CV_8U, (3, 3), normalize=False)  # itself among them
    return float(np.count_nonzero((stands_out == 1) & (around == 1)) / gray.size)
