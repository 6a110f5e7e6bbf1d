"""Optimizers and learning-rate schedules, without any framework."""

from ppocr_lite.optim.base import OPTIMIZERS, SCHEDULES, Schedule
from ppocr_lite.optim.optimizers import Adam, AdamW, Momentum, Regularizer
from ppocr_lite.optim.schedules import Const, Cosine, Linear, OneCycle, Piecewise

__all__ = [
    "OPTIMIZERS",
    "SCHEDULES",
    "Adam",
    "AdamW",
    "Const",
    "Cosine",
    "Linear",
    "Momentum",
    "OneCycle",
    "Piecewise",
    "Regularizer",
    "Schedule",
]
