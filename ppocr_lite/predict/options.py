"""The argument names of PaddleOCR 2.x and 3.x, translated."""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ParamSpec

from ppocr_lite.errors import suggest

P = ParamSpec("P")

RENAMED = {
    "det_model_dir": "det_model",
    "cls_model_dir": "cls_model",
    "rec_model_dir": "rec_model",
    "cpu_threads": "threads",
    "det_max_side_len": "det_limit_side_len",
    "det_db_use_dilation": "use_dilation",
    # those of 3.x
    "text_detection_model_dir": "det_model",
    "text_recognition_model_dir": "rec_model",
    "textline_orientation_model_dir": "cls_model",
    "use_textline_orientation": "use_angle_cls",
    "text_det_limit_side_len": "det_limit_side_len",
    "text_det_limit_type": "det_limit_type",
    "text_det_thresh": "det_db_thresh",
    "text_det_box_thresh": "det_db_box_thresh",
    "text_det_unclip_ratio": "det_db_unclip_ratio",
    "text_rec_score_thresh": "drop_score",
    "text_recognition_batch_size": "rec_batch_num",
    "textline_orientation_batch_size": "cls_batch_num",
}
REPLACED = {  # name → what says the same now
    "use_gpu": "device",
    "gpu_id": "device",
    "use_onnx": "engine",
    "use_openvino": "engine",
}
GONE = {  # name → why it has no effect
    "enable_mkldnn": "oneDNN is always on",
    "mkldnn_cache_capacity": "it is set so that memory stays bounded",
    "show_log": "configure logging.getLogger('ppocr_lite')",
    "use_angle_classifier": "use use_angle_cls",
    "use_tensorrt": "TensorRT is not used",
    "use_xpu": "only cpu and gpu are devices",
    "use_npu": "only cpu and gpu are devices",
    "use_fp16": "networks run as exported",
    "precision": "networks run as exported",
    "gpu_mem": "memory grows as needed",
    "ir_optim": "the graph is always optimised",
    "min_subgraph_size": "TensorRT is not used",
    "det_algorithm": "the model folder says it",
    "rec_algorithm": "the model folder says it",
    "cls_image_shape": "the model folder says it",
    "label_list": "the model folder says it",
    "max_text_length": "the recogniser has no limit",
    "use_space_char": "the character list of the model folder says it",
    "ocr_version": "give det_model= and rec_model= instead",
    "type": "there is one kind of result",
    "structure_version": "layout analysis is not part of this package",
    "vis_font_path": "an installed font is found",
    "save_crop_res": "use OCRResult.crops()",
    "crop_res_save_dir": "use OCRResult.crops()",
    "use_mp": "call one OCR from several threads",
    "total_process_num": "call one OCR from several threads",
    "process_id": "call one OCR from several threads",
    "warmup": "models run once when they are loaded",
    "benchmark": "use OCR.profile()",
    "use_mlu": "only cpu and gpu are devices",
    "use_pdserving": "ppocr-lite serve serves",
    "max_batch_size": "use rec_batch_num and cls_batch_num",
    "image_dir": "give it to OCR.ocr() or OCR.stream()",
    "page_num": "give pages= to OCR.stream()",
    "draw_img_save_dir": "use OCRResult.save()",
    "save_log_path": "configure logging.getLogger('ppocr_lite')",
    "rec_image_inverse": "lines are read as they are",
    "return_word_box": "TextLine.words has them",
    "det": "give it to OCR.ocr()",
    "rec": "give it to OCR.ocr()",
    # those of 3.x
    "text_detection_model_name": "give det_model= instead",
    "text_recognition_model_name": "give rec_model= instead",
    "textline_orientation_model_name": "give cls_model= instead",
    "use_doc_orientation_classify": "there is no such model here",
    "use_doc_unwarping": "there is no such model here",
    "text_det_input_shape": "the model folder says it",
    "text_rec_input_shape": "use rec_image_shape",
    "paddlex_config": "arguments say it",
    "enable_hpi": "engine= says what runs",
    "enable_cinn": "engine= says what runs",
}


def translate(
    given: Mapping[str, Any], known: Iterable[str], stacklevel: int = 3, *, warn: bool = True
) -> dict[str, Any]:
    """Return arguments of PaddleOCR under their new names, with a DeprecationWarning for each.

    Args:
        given: Arguments that are not of :class:`~ppocr_lite.predict.system.OCR`.
        known: The names that are.
        stacklevel: How far up the caller stands whom the warning is for.
        warn: Whether there are warnings.

    Raises:
        TypeError: If a name is of neither; names the nearest.
    """
    for name in given:
        if name not in {*RENAMED, *REPLACED, *GONE}:
            raise TypeError(f"OCR() has no argument {name!r}.{suggest(name, known)}")
    translated: dict[str, Any] = {}
    for name, value in given.items():
        if name in RENAMED:
            translated[RENAMED[name]] = value
            advice = f"use {RENAMED[name]}="
        elif name in REPLACED:
            advice = f"use {REPLACED[name]}="
        else:
            advice = f"it has no effect: {GONE[name]}"
        if warn:
            warnings.warn(f"OCR({name}=...) is PaddleOCR's spelling; {advice}.", DeprecationWarning, stacklevel)
    if given.get("use_gpu"):
        translated["device"] = f"gpu:{given.get('gpu_id') or 0}"
    if given.get("use_onnx") or given.get("use_openvino"):
        translated["engine"] = "onnxruntime" if given.get("use_onnx") else "openvino"
    return translated


def accept_old_names(init: Callable[P, None]) -> Callable[P, None]:
    """Decorate a constructor so that it takes the names of PaddleOCR as well as its own.

    What it was given, under its own names, is kept as ``_given``.
    """
    known = [name for name in inspect.signature(init).parameters if name != "self"]

    @functools.wraps(init)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> None:
        old = {name: value for name, value in kwargs.items() if name not in known}
        if not old:
            args[0]._given = dict(kwargs)  # type: ignore[attr-defined]
            init(*args, **kwargs)
            return
        renamed = translate(old, known, stacklevel=3)
        twice = sorted(renamed.keys() & kwargs.keys())
        if twice:
            raise TypeError(f"OCR() got {twice[0]!r} under its new and its old name.")
        given: dict[str, Any] = {k: v for k, v in kwargs.items() if k in known} | renamed
        args[0]._given = given  # type: ignore[attr-defined]
        init(*args, **given)

    return wrapped
