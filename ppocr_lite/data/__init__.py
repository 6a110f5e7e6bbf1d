"""Where samples come from and how they become batches."""

from ppocr_lite.data.base import DATASETS, RAW_KEYS, TRAINING_KEYS, Dataset
from ppocr_lite.data.dataset import LMDBDataSet, MixedDataSet, SimpleDataSet
from ppocr_lite.data.loader import BucketLoader, Collate, CollateByWidth
from ppocr_lite.data.sampler import EpochBatches
from ppocr_lite.data.steps import FittingLines
from ppocr_lite.data.synthetic import SynthDataSet

__all__ = [
    "DATASETS",
    "RAW_KEYS",
    "TRAINING_KEYS",
    "BucketLoader",
    "Collate",
    "CollateByWidth",
    "Dataset",
    "EpochBatches",
    "FittingLines",
    "LMDBDataSet",
    "MixedDataSet",
    "SimpleDataSet",
    "SynthDataSet",
]
