"""The sections of a config as frozen dataclasses; see ``validate`` for how a file becomes them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from ppocr_lite.config.reading import DEFAULT_POLICY, ReadingPolicy
from ppocr_lite.errors import ConfigError

Node = dict[str, Any]


@dataclass(frozen=True)
class GlobalSection:
    """How a run goes: length, logging, evaluation, files, device.

    Attributes:
        model_type: Family: ``det``, ``rec``, ``cls`` or one that was added; Architecture.model_type where absent.
        use_gpu: Use the first GPU if the engine sees one; else the CPU, with a warning.
        device: ``cpu`` or ``gpu:N``; strict, unlike *use_gpu*.
        engine: What computes: ``paddle`` or ``torch``.
        seed: Decides initial weights, order of samples and all randomness of a run.
        epoch_num: Passes over the training data.
        max_steps: Optimizer updates; replaces *epoch_num* where given.
        max_minutes: Stop cleanly, with a checkpoint, before this long is over.
        max_bad_samples: Share of training samples that may be unusable before the run stops.
        amp: Precision; O0 is float32.
        use_amp: PaddleOCR's spelling of ``amp: O1``.
        compile: Compile the network before training it; the torch engine only.
        threads: CPU threads that the engine computes with; None for its own choice.
        accumulate: Batches whose gradients make one update.
        log_smooth_window: Updates whose median a log line shows.
        print_batch_step: Updates between log lines.
        save_model_dir: Folder of the run.
        save_epoch_step: Epochs between checkpoints, 0 for none but the last and those of evaluations.
        save_batch_step: The same in updates; where given, *save_epoch_step* does not count.
        keep_checkpoints: Newest checkpoints kept, besides the best.
        eval_batch_step: Updates between evaluations, or [after, between]: counted from update *after*; 0 for none but
            the last.
        cal_metric_during_train: Also log the metric on the training batches that are logged.
        pretrained_model: Checkpoint folder or weight file to start from.
        pretrained_dict_path: Dictionary (file, bundled name, or exported folder) that *pretrained_model* was trained
            with, where it is another than *character_dict_path*: the characters that both have keep what they learnt.
        reinit: Parts of the network (name prefixes, e.g. ``head``) that *pretrained_model* need not fit.
        checkpoints: Run folder or checkpoint folder to continue.
        save_inference_dir: Where the export goes.
        use_visualdl: Write scalars for VisualDL.
        infer_img: Image for the inference tools.
        infer_mode: Accepted for PaddleOCR's configs; the tool decides.
        save_res_path: Result file of the inference tools.
        debug: Log at DEBUG.
        distributed: Accepted for PaddleOCR's configs; the launcher decides.
        character_dict_path: Dictionary file or the name of a bundled one, for recognition.
        character_type: Accepted for PaddleOCR's configs; the dictionary decides.
        max_text_length: Longest text of a line, in characters.
        use_space_char: Whether the space is a character.
        model_name: Accepted for PaddleOCR's configs; means nothing here.
        d2s_train_image_shape: Likewise.
    """

    model_type: str | None = None
    use_gpu: bool = False
    device: str | None = None
    engine: Literal["paddle", "torch"] = "paddle"
    seed: int = 0
    epoch_num: int = 1
    max_steps: int | None = None
    max_minutes: float | None = None
    max_bad_samples: float = 0.01
    amp: Literal["O0", "O1", "O2"] = "O0"
    use_amp: bool = False
    compile: bool = False
    threads: int | None = None
    accumulate: int = 1
    log_smooth_window: int = 20
    print_batch_step: int = 10
    save_model_dir: str = "output"
    save_epoch_step: int = 0
    save_batch_step: int = 0
    keep_checkpoints: int = 3
    eval_batch_step: int | list[int] = 0
    cal_metric_during_train: bool = False
    pretrained_model: str | None = None
    pretrained_dict_path: str | None = None
    reinit: list[str] = field(default_factory=list)
    checkpoints: str | None = None
    save_inference_dir: str | None = None
    use_visualdl: bool = False
    infer_img: str | None = None
    infer_mode: bool = False
    save_res_path: str | None = None
    debug: bool = False
    distributed: bool = False
    character_dict_path: str | None = None
    character_type: str | None = None
    max_text_length: int = 25
    use_space_char: bool = False
    model_name: str | None = None
    d2s_train_image_shape: list[int] | None = None


@dataclass(frozen=True)
class Quantization:
    """Architecture.quant: train a network as it will compute with 8-bit integers (PACT).

    Attributes:
        alpha: Range of the activations before ``tools/quantize.py`` has measured it, or training learnt it; > 0.
        decay: L2 penalty of the ranges; replaces that of the optimizer unless 0.
        skip: Parts of the network (name prefixes, e.g. ``head``) that stay in float. LSTM always does.
    """

    alpha: float = 20.0
    decay: float = 1e-4
    skip: list[str] = field(default_factory=list)


Xavier = Literal["xavier_normal", "xavier_uniform"]
Start = Literal["xavier_normal", "xavier_uniform", "kaiming_normal", "kaiming_uniform"]


@dataclass(frozen=True)
class Initialization:
    """Architecture.init: how weights start that no pretrained file gives, where not by each layer's own way.

    Attributes:
        conv: First weights of convolutions, transposed ones among them; None for the layer's own way.
        recurrent: The same of LSTM and GRU.
        linear: The same of fully connected layers.
        bias: ``zeros`` starts every bias of these three at 0; None for the layer's own way.
        skip: Parts of the network (name prefixes, e.g. ``backbone``) that start in their own way.
    """

    conv: Start | None = None
    recurrent: Xavier | None = None
    linear: Start | None = None
    bias: Literal["zeros"] | None = None
    skip: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Loader:
    """How samples become batches.

    Attributes:
        shuffle: Another order each epoch; None for yes in training, no in evaluation.
        drop_last: Leave out what does not fill a batch; None for yes in training if there is a full batch.
        batch_size_per_card: Samples per batch on one process.
        num_workers: Processes that read ahead; 0 reads in the training process.
        bucket_batches: In training a recogniser: batches that are drawn at once, their lines then dealt out by width,
            so that little of a batch is padding; 1 leaves every line in the batch it was drawn for.
        size_divisibility: In training a detector: pad the images of a batch on the right and below to one size, whose
            sides are multiples of this; None where all have one size.
        num_sections: Accepted for PaddleOCR's configs; only 1.
        use_shared_memory: Accepted for PaddleOCR's configs; the loader decides.
    """

    shuffle: bool | None = None
    drop_last: bool | None = None
    batch_size_per_card: int = 8
    num_workers: int = 0
    bucket_batches: int = 1
    size_divisibility: int | None = None
    num_sections: int = 1
    use_shared_memory: bool | None = None


@dataclass(frozen=True)
class Split:
    """Train or Eval.

    Attributes:
        dataset: Checked node of the data set, without its transforms.
        transforms: Checked nodes, in order.
        loader: How samples become batches.
    """

    dataset: Node
    transforms: list[Node]
    loader: Loader


@dataclass(frozen=True)
class Config:
    """One run, checked.  Never modified; a part that the file does not have is None or its default.

    Attributes:
        Global: Length, logging, evaluation, files, device.
        Architecture: As ``build_model`` takes it.
        Loss: Checked node.
        Optimizer: Checked node, without the schedule.
        schedule: Checked node, from Optimizer.lr.
        PostProcess: Checked node.
        Metric: Checked node.
        Train: Training data.
        Eval: Evaluation data.
        source: What was read, overrides applied; written to ``config.yml`` of a run.
        Reading: How lines are read, in evaluation and by the exported model.
    """

    Global: GlobalSection
    Architecture: Node | None
    Loss: Node | None
    Optimizer: Node
    schedule: Node
    PostProcess: Node | None
    Metric: Node | None
    Train: Split | None
    Eval: Split | None
    source: Node = field(repr=False)
    Reading: ReadingPolicy = DEFAULT_POLICY

    @property
    def model_type(self) -> str:
        """Name of the family: ``det``, ``rec``, ``cls`` or one that was added.

        Raises:
            ConfigError: If neither Global nor Architecture says it.
        """
        found = self.Global.model_type or (self.Architecture or {}).get("model_type")
        if found is None:
            raise ConfigError("Architecture.model_type (or Global.model_type) is required: det, rec or cls.")
        return str(found)

    @property
    def precision(self) -> Literal["O0", "O1", "O2"]:
        """AMP level."""
        return "O1" if self.Global.use_amp and self.Global.amp == "O0" else self.Global.amp
