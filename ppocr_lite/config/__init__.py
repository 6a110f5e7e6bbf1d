"""From a YAML file to a checked config."""

from ppocr_lite.config.check import check_arguments, check_component, convert
from ppocr_lite.config.load import apply_override, load, read_yaml
from ppocr_lite.config.reading import ReadingPolicy
from ppocr_lite.config.schema import Config, GlobalSection, Loader, Quantization, Split
from ppocr_lite.config.validate import check_config

__all__ = [
    "Config",
    "GlobalSection",
    "Loader",
    "Quantization",
    "ReadingPolicy",
    "Split",
    "apply_override",
    "check_arguments",
    "check_component",
    "check_config",
    "convert",
    "load",
    "read_yaml",
]
