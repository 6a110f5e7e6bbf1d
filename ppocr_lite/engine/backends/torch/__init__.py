"""The torch training engine: one update, weights under Paddle's names, devices, the loader."""

from ppocr_lite.engine.backends.torch.backend import TorchBackend

__all__ = ["TorchBackend"]
