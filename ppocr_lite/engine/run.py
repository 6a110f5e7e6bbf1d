"""What ``tools/train.py``, ``tools/eval.py`` and the command line call."""

from __future__ import annotations

import argparse
import logging
import sys
from contextlib import nullcontext
from pathlib import Path

from ppocr_lite.config.arguments import add_config
from ppocr_lite.config.schema import Config
from ppocr_lite.engine import checkpoint
from ppocr_lite.engine.build import (
    build_evaluator,
    build_trainer,
    evaluator_of,
    load_charset,
    load_config,
    prepare_folder,
    write_config,
)
from ppocr_lite.engine.checkpoint import TrainState
from ppocr_lite.engine.evaluate import as_plain
from ppocr_lite.engine.lock import lock
from ppocr_lite.engine.open import open_checkpoint
from ppocr_lite.errors import CheckpointError, OCRError
from ppocr_lite.families import family_of
from ppocr_lite.install import need
from ppocr_lite.predict.runner import Engine

log = logging.getLogger(__name__)

LINE = "[%(asctime)s] %(name)s %(levelname)s: %(message)s"


def train(config: Config, *, resume: bool = False) -> TrainState:
    """Train until the end of the run, or until it is told to stop.

    Args:
        config: A checked config.
        resume: Continue the newest checkpoint of Global.save_model_dir if there is one.
            Global.checkpoints continues that run or checkpoint, whatever *resume* says.

    Returns:
        Where the run ended.

    Raises:
        OCRError: If the run cannot begin, or must not go on; the log file says so, too.
    """
    need("safetensors", "rapidfuzz", "shapely")  # now, not at the first checkpoint
    folder = prepare_folder(config, resuming=resume or config.Global.checkpoints is not None)
    file = add_log_file(folder / "train.log")
    try:
        start = checkpoint_to_continue(config, folder, resume=resume)
        trainer = build_trainer(config, folder, resuming=start is not None)
        log.info(
            "%d samples, %d updates per epoch, %d updates in all; config and checkpoints in %s.",
            trainer.batches.length, trainer.steps_per_epoch, trainer.plan.steps, folder,
        )  # fmt: skip
        with lock(folder) if trainer.backend.rank == 0 else nullcontext():
            if start is not None:
                trainer.resume(start)
            write_config(config, folder)
            return trainer.fit()
    except OSError as error:
        raise CheckpointError(f"{folder}: {error}. What was saved before is whole; continue with --resume.") from error
    except OCRError as error:  # for the file alone: whoever called this tells the user
        cause = type(error), error, error.__traceback__
        file.handle(log.makeRecord(log.name, logging.ERROR, __file__, 0, "The run failed.", (), cause))
        raise
    finally:
        logging.getLogger("ppocr_lite").removeHandler(file)
        file.close()


def checkpoint_to_continue(config: Config, folder: Path, *, resume: bool) -> Path | None:
    """Return the checkpoint that a run in *folder* begins at; None for the beginning.

    Raises:
        CheckpointError: If Global.checkpoints, or the pointer in *folder*, names none.
    """
    if config.Global.checkpoints is not None:
        return checkpoint.resolve(Path(config.Global.checkpoints))
    if not resume:
        return None
    if not (folder / "checkpoints" / "latest").is_file():
        log.info("There is no checkpoint in %s yet; start from the beginning.", folder)
        return None
    return checkpoint.resolve(folder)


def evaluate_run(config: Config, weights: Path | None = None) -> dict[str, float]:
    """Evaluate a checkpoint on the Eval data.

    Args:
        config: A checked config with Architecture and Eval.
        weights: Checkpoint folder, run folder or weight file; by default Global.checkpoints, else
            Global.pretrained_model, else the best of Global.save_model_dir.
    """
    return as_plain(build_evaluator(config, open_checkpoint(config, weights), load_charset(config))())


def evaluate_bundle(config: Config, folder: Path, engine: Engine = "auto") -> dict[str, float]:
    """Evaluate an exported folder on the Eval data, with the folder's own pre- and post-processing and reading policy.

    Args:
        config: A checked config with Eval and Metric.
        folder: The exported folder.
        engine: What runs it: ``auto``, ``paddle``, ``onnxruntime`` or ``openvino``.
    """
    return as_plain(evaluator_of(config, family_of(config).load(folder, engine), charset=None)())


def argument_parser(description: str | None) -> argparse.ArgumentParser:
    """Return a parser that knows ``-c config.yml`` and ``-o Section.key=value …``."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_config(parser)
    return parser


def read_config(arguments: argparse.Namespace) -> Config:
    """Return the config that ``-c`` and ``-o`` describe, checked."""
    return load_config(arguments.config, arguments.opt)


def start_logging(*, debug: bool = False) -> None:
    """Show what the package logs on standard error; for programs, not for the library."""
    logger = logging.getLogger("ppocr_lite")
    logger.propagate = False  # Paddle puts a handler of its own on the root logger
    logger.setLevel(logging.DEBUG if debug else logging.INFO)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter(LINE, "%Y/%m/%d %H:%M:%S"))
    logger.addHandler(handler)


class LogFile(logging.FileHandler):
    """A log file that a full disk ends, in one line instead of a traceback for every line."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name of the library
        """Stop writing, and say so once on standard error."""
        del record
        if self.level <= logging.CRITICAL:
            self.setLevel(logging.CRITICAL + 1)
            sys.stderr.write(
                f"{self.baseFilename} cannot be written: {sys.exc_info()[1]}. The log goes on without it.\n"
            )


def add_log_file(path: Path) -> logging.Handler:
    """Also append what the package logs to *path*."""
    handler = LogFile(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter(LINE, "%Y/%m/%d %H:%M:%S"))
    logging.getLogger("ppocr_lite").addHandler(handler)
    return handler
