"""What each family of networks is: its stage, data, defaults and evaluation; nothing else asks which one it is."""

from ppocr_lite.families.base import FAMILIES, Family, family_of, register
from ppocr_lite.families.cls import Classifiers
from ppocr_lite.families.det import Detectors
from ppocr_lite.families.rec import Recognizers

__all__ = ["FAMILIES", "Classifiers", "Detectors", "Family", "Recognizers", "family_of", "register"]
