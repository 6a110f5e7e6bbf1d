"""The command ``ppocr-lite``: a table of verbs; each lives in a module of its own, imported when it is chosen.

Exit status: 0 all done; 1 something failed, each input that did is named on standard error and the others are done;
2 wrong usage or a wrong config.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import warnings
from collections.abc import Sequence
from types import ModuleType

from ppocr_lite.errors import ConfigError, OCRError, suggest
from ppocr_lite.install import install_command
from ppocr_lite.version import __version__

# verb → (module, what it does)
VERBS: dict[str, tuple[str, str]] = {
    "ocr": ("ppocr_lite.commands.ocr", "read pages: text, JSON, drawings"),
    "det": ("ppocr_lite.commands.det", "find text regions only"),
    "cls": ("ppocr_lite.commands.cls", "tell which way up line images are"),
    "rec": ("ppocr_lite.commands.rec", "read line images"),
    "train": ("ppocr_lite.commands.train", "train a network from a config"),
    "eval": ("ppocr_lite.commands.eval", "score a checkpoint on the evaluation data of a config"),
    "export": ("ppocr_lite.commands.export", "write a checkpoint as a model folder for prediction"),
    "synth": ("ppocr_lite.commands.synth", "make training data"),
    "check-data": ("ppocr_lite.commands.check_data", "validate label files, naming line numbers"),
    "show-data": ("ppocr_lite.commands.show_data", "draw what each transform makes of a sample"),
    "show-maps": ("ppocr_lite.commands.show_maps", "draw the maps of a detector over pages"),
    "bench": ("ppocr_lite.commands.bench", "time each stage"),
    "doctor": ("ppocr_lite.commands.doctor", "versions, engines, models, and what is wrong"),
    "show-config": ("ppocr_lite.commands.show_config", "print a checked config"),
    "components": ("ppocr_lite.commands.components", "list what a config may name, with signatures"),
}
DONE, FAILED, USAGE = 0, 1, 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb and return the exit status.

    Args:
        argv: Arguments without the program name; those of the process by default.
    """
    given = list(sys.argv[1:] if argv is None else argv)
    warnings.filterwarnings("ignore", message="No ccache found")  # Paddle, about compiling, which nobody does here
    try:
        verb, rest = _choose(given)
        if verb is None:
            return DONE
        module = _load(verb)
        parser = argparse.ArgumentParser(
            f"ppocr-lite {verb}", description=module.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        module.add_arguments(parser)
        return int(module.run(parser.parse_args(rest)))
    except SystemExit as leaving:  # argparse has said why
        return int(leaving.code or 0)
    except ConfigError as error:
        return _complain(error, USAGE)
    except OCRError as error:
        return _complain(error, FAILED)
    except BrokenPipeError:  # the reader of our output has seen enough
        sys.stderr.close()
        return DONE


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
    if given[0] not in VERBS:
        sys.stderr.write(f"ppocr-lite: there is no verb {given[0]!r}.{suggest(given[0], VERBS)}\n")
        raise SystemExit(USAGE)
    return given[0], given[1:]


def _load(verb: str) -> ModuleType:
    """Import the module of *verb*.

    Raises:
        OCRError: If it needs a package that is not installed.
    """
    try:
        return importlib.import_module(VERBS[verb][0])
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if missing.startswith("ppocr_lite"):
            raise
        raise OCRError(f"{verb} needs {missing}, which is not installed: {install_command(missing)}") from error


def _complain(error: OCRError, status: int) -> int:
    sys.stderr.write(f"{type(error).__name__}: {error}\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
