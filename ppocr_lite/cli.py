"""The command ``ppocr-lite``: a table of verbs; each lives in a module of its own, imported when it is chosen.

Exit status: 0 all done; 1 something failed, each input that did is named on standard error and the others are done;
2 wrong usage or a wrong config; 130 interrupted by Ctrl-C; 143 `bulk` ended by SIGTERM.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import warnings
from collections.abc import Sequence

from ppocr_lite.commands.console import DONE, FAILED, USAGE, Progress, report_errors
from ppocr_lite.errors import suggest
from ppocr_lite.version import __version__

WITH_PATHS = ("ocr", "det", "cls", "rec")  # verbs that do what scripts of PaddleOCR do
__all__ = ["DONE", "FAILED", "USAGE", "VERBS", "main"]

# verb → (module, what it does)
VERBS: dict[str, tuple[str, str]] = {
    "ocr": ("ppocr_lite.commands.ocr", "read pages: text, JSON, drawings"),
    "det": ("ppocr_lite.commands.det", "find text regions only"),
    "cls": ("ppocr_lite.commands.cls", "tell which way up line images are"),
    "rec": ("ppocr_lite.commands.rec", "read line images"),
    "bulk": ("ppocr_lite.commands.bulk", "read very many pages into a table, on one machine or on many"),
    "serve": ("ppocr_lite.commands.serve", "read over HTTP, with a web page"),
    "label": ("ppocr_lite.commands.label", "label pages or line images by reading them, for review"),
    "train": ("ppocr_lite.commands.train", "train a network from a config"),
    "eval": ("ppocr_lite.commands.eval", "score a checkpoint on the evaluation data of a config"),
    "export": ("ppocr_lite.commands.export", "write a checkpoint as a model folder for prediction"),
    "synth": ("ppocr_lite.commands.synth", "make training data"),
    "convert": ("ppocr_lite.commands.convert", "labels of other programs, and LMDB, to label files and back"),
    "check-data": ("ppocr_lite.commands.check_data", "validate label files, naming line numbers"),
    "show-data": ("ppocr_lite.commands.show_data", "draw what each transform makes of a sample"),
    "show-maps": ("ppocr_lite.commands.show_maps", "draw the maps of a detector over pages"),
    "bench": ("ppocr_lite.commands.bench", "time each stage"),
    "models": ("ppocr_lite.commands.models", "list model sets: what is here, and what installing would bring"),
    "doctor": ("ppocr_lite.commands.doctor", "versions, engines, models, and what is wrong"),
    "show-config": ("ppocr_lite.commands.show_config", "print a checked config"),
    "components": ("ppocr_lite.commands.components", "list what a config may name, with signatures"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb and return the exit status.

    Args:
        argv: Arguments without the program name; those of the process by default.
    """
    given = list(sys.argv[1:] if argv is None else argv)
    warnings.filterwarnings("ignore", message="No ccache found")  # Paddle, about compiling, which nobody does here
    return report_errors(lambda: _run(given))


def _run(given: list[str]) -> int:
    verb, rest = _choose(given)
    if verb is None:
        return DONE
    if verb in WITH_PATHS:
        _refuse_old_options(f"ppocr-lite {verb}", rest)
    module = importlib.import_module(VERBS[verb][0])
    parser = argparse.ArgumentParser(
        f"ppocr-lite {verb}", description=module.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    module.add_arguments(parser)
    arguments = parser.parse_args(rest)
    Progress.shown = not getattr(arguments, "quiet", False)
    return int(module.run(arguments))


def _refuse_old_options(program: str, words: list[str]) -> None:
    """Name the new way of saying what an option of PaddleOCR says."""
    translation = importlib.import_module("ppocr_lite.commands.paddleocr")
    for word, value in zip(words, [*words[1:], ""], strict=True):
        said = translation.advice(word if "=" in word or value.startswith("-") else f"{word}={value}")
        if said:
            sys.stderr.write(f"{program}: {said}\n")
            raise SystemExit(USAGE)


def _choose(given: list[str]) -> tuple[str | None, list[str]]:
    """Return the verb and its arguments; None after printing help or the version."""
    if not given or given[0] in ("-h", "--help"):
        width = max(map(len, VERBS))
        lines = "\n".join(f"  {verb:{width}}  {what}" for verb, (_, what) in VERBS.items())
        sys.stdout.write(f"usage: ppocr-lite VERB ...\n\n{lines}\n\nppocr-lite VERB --help says more.\n")
        return None, []
    if given[0] == "--version":
        sys.stdout.write(f"ppocr-lite {__version__}\n")
        return None, []
    if given[0].startswith("-"):
        _refuse_old_options("ppocr-lite", given)
    if given[0] not in VERBS:
        sys.stderr.write(f"ppocr-lite: there is no verb {given[0]!r}.{suggest(given[0], VERBS)}\n")
        raise SystemExit(USAGE)
    return given[0], given[1:]


if __name__ == "__main__":
    sys.exit(main())
