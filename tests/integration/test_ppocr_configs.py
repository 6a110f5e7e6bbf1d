"""The config fragments and override lines of PaddleOCR's documents on PP-OCR load as they stand."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from ppocr_lite.engine.build import load_config
from ppocr_lite.engine.run import argument_parser
from ppocr_lite.errors import ConfigError

DET = """
Architecture:          # the network
  model_type: det
  algorithm: DB
  Transform:
  Backbone:
    name: MobileNetV3
    scale: 0.5
    model_name: large
    disable_se: True
  Neck:
    name: DBFPN
    out_channels: 96
  Head:
    name: DBHead
    k: 50

Optimizer:
  name: Adam
  beta1: 0.9
  beta2: 0.999
  lr:
    name: Cosine
    learning_rate: 0.001
    warmup_epoch: 2
  regularizer:
    name: 'L2'
    factor: 0
"""
CLS = """
Architecture:
  model_type: cls
  algorithm: CLS
  Transform:
  Backbone:
    name: MobileNetV3
    scale: 0.35
    model_name: small
  Neck:
  Head:
    name: ClsHead
    class_dim: 2

Train:
  dataset:
    name: SimpleDataSet
    data_dir: ./train_data/cls
    label_file_list:
      - ./train_data/cls/train.txt
    transforms:
      - DecodeImage: # load image
          img_mode: BGR
          channel_first: False
      - ClsLabelEncode: # Class handling label
      - RecAug:
          use_tia: False
      - RandAugment:
      - ClsResizeImg:
          image_shape: [3, 48, 192]
      - KeepKeys:
          keep_keys: ['image', 'label'] # dataloader will return list in this order
  loader:
    shuffle: True
    batch_size_per_card: 512
    drop_last: True
    num_workers: 8
"""
REC = """
Optimizer:
  name: Adam
  beta1: 0.9
  beta2: 0.999
  lr:
    name: Cosine
    learning_rate: 0.001
    warmup_epoch: 5
  regularizer:
    name: 'L2'
    factor: 0.00001

Architecture:
  model_type: rec
  algorithm: CRNN
  Transform:
  Backbone:
    name: MobileNetV3
    scale: 0.5
    model_name: small
    small_stride: [1, 2, 2, 2]
  Neck:
    name: SequenceEncoder
    encoder_type: rnn
    hidden_size: 48
  Head:
    name: CTCHead
    fc_decay: 0.00001

Train:
  dataset:
    name: SimpleDataSet
    data_dir: ./train_data/
    label_file_list: ["./train_data/train_list.txt"]
    transforms:
      - DecodeImage: # load image
          img_mode: BGR
          channel_first: False
      - RecAug:
      - CTCLabelEncode: # Class handling label
      - RecResizeImg:
          image_shape: [3, 32, 320]
      - KeepKeys:
          keep_keys: ['image', 'label', 'length'] # dataloader will return list in this order
  loader:
    shuffle: True
    batch_size_per_card: 256
    drop_last: True
    num_workers: 8
"""
COPY_PASTE = """
Train:
  dataset:
    name: SimpleDataSet
    data_dir: ./train_data/icdar2015/text_localization/
    label_file_list:
      - ./train_data/icdar2015/text_localization/train_icdar2015_label.txt
    ratio_list: [1.0]
    transforms:
      - DecodeImage: # load image
          img_mode: BGR
          channel_first: False
      - DetLabelEncode: # Class handling label
      - CopyPaste:
      - IaaAugment:
          augmenter_args:
            - { 'type': Fliplr, 'args': { 'p': 0.5 } }
            - { 'type': Affine, 'args': { 'rotate': [-10, 10] } }
            - { 'type': Resize, 'args': { 'size': [0.5, 3] } }
      - EastRandomCropData:
          size: [960, 960]
          max_tries: 50
          keep_ratio: true
      - MakeBorderMap:
          shrink_ratio: 0.4
          thresh_min: 0.3
          thresh_max: 0.7
      - MakeShrinkMap:
          shrink_ratio: 0.4
          min_text_size: 8
      - NormalizeImage:
          scale: 1./255.
          mean: [0.485, 0.456, 0.406]
          std: [0.229, 0.224, 0.225]
          order: 'hwc'
      - ToCHWImage:
      - KeepKeys:
          keep_keys: ['image', 'threshold_map', 'threshold_mask', 'shrink_map', 'shrink_mask']
  loader:
    shuffle: True
    drop_last: False
    batch_size_per_card: 8
    num_workers: 4
"""
CML = """
Global:
  cal_metric_during_train: False
  checkpoints:
  debug: False
  distributed: False
  epoch_num: 1
  eval_batch_step: [3000, 2000]
  infer_img: doc/imgs_en/img_10.jpg
  log_smooth_window: 20
  pretrained_model:
  print_batch_step: 2
  save_epoch_step: 1200
  save_inference_dir:
  save_model_dir: ./output/ch_db_mv3/
  save_res_path: ./output/det_db/predicts_db.txt
  use_gpu: True
  use_visualdl: False
Architecture:
  name: DistillationModel
  algorithm: Distillation
  model_type: det
  Models:
    Teacher:
      freeze_params: true
      return_all_feats: false
      model_type: det
      algorithm: DB
      Transform:
      Backbone: {name: ResNet, layers: 18}
      Neck: {name: DBFPN, out_channels: 256}
      Head: {name: DBHead, k: 50}
    Student: &student
      freeze_params: false
      return_all_feats: false
      model_type: det
      algorithm: DB
      Backbone: {name: MobileNetV3, scale: 0.5, model_name: large, disable_se: True}
      Neck: {name: DBFPN, out_channels: 96}
      Head: {name: DBHead, k: 50}
    Student2: *student
Loss:
  name: CombinedLoss
  loss_config_list:
    - DistillationDilaDBLoss:
        alpha: 5
        balance_loss: True
        beta: 10
        key: maps
        main_loss_type: DiceLoss
        model_name_pairs: [['Student', 'Teacher'], ['Student2', 'Teacher']]
        ohem_ratio: 3
        weight: 1.0
    - DistillationDMLLoss:
        key: maps
        maps_name: thrink_maps
        model_name_pairs: ['Student', 'Student2']
        weight: 1.0
    - DistillationDBLoss:
        alpha: 5
        balance_loss: True
        beta: 10
        main_loss_type: DiceLoss
        model_name_list: ['Student', 'Student2']
        ohem_ratio: 3
        weight: 1.0
Optimizer:
  name: Adam
  beta1: 0.9
  beta2: 0.999
  lr: {name: Cosine, learning_rate: 0.001, warmup_epoch: 2}
  regularizer: {name: L2, factor: 0}
PostProcess:
  name: DistillationDBPostProcess
  model_name: ['Student', 'Student2', 'Teacher']
  box_thresh: 0.6
  max_candidates: 1000
  thresh: 0.3
  unclip_ratio: 1.5
Metric:
  name: DistillationMetric
  base_metric_name: DetMetric
  key: Student
  main_indicator: hmean
Train: &train
  dataset:
    name: SimpleDataSet
    data_dir: ./train_data/
    label_file_list: [./train_data/train.txt]
    transforms: &decode
      - DecodeImage: {img_mode: BGR, channel_first: False}
      - DetLabelEncode:
  loader: {shuffle: True, drop_last: False, batch_size_per_card: 8, num_workers: 4}
Eval: *train
profiler_options:
"""
U_DML = """
Global:
  character_dict_path: en
  infer_mode: False
  max_text_length: 25
  use_space_char: True
Architecture:
  model_type: &model_type "rec"
  name: DistillationModel
  algorithm: Distillation
  Models:
    Teacher: &network
      pretrained:
      freeze_params: false
      return_all_feats: true
      model_type: *model_type
      algorithm: CRNN
      Transform:
      Backbone: {name: MobileNetV1Enhance, scale: 0.5}
      Neck: {name: SequenceEncoder, encoder_type: rnn, hidden_size: 64}
      Head: {name: CTCHead, mid_channels: 96, fc_decay: 0.00002}
    Student: *network
Loss:
  name: CombinedLoss
  loss_config_list:
    - DistillationCTCLoss:
        weight: 1.0
        model_name_list: ["Student", "Teacher"]
        key: head_out
    - DistillationDMLLoss:
        weight: 1.0
        act: "softmax"
        use_log: true
        model_name_pairs:
          - ["Student", "Teacher"]
        key: head_out
    - DistillationDistanceLoss:
        weight: 1.0
        mode: "l2"
        model_name_pairs:
          - ["Student", "Teacher"]
        key: backbone_out
Optimizer:
  name: Adam
  beta1: 0.9
  beta2: 0.999
  lr:
    name: Piecewise
    decay_epochs: [700, 800]
    values: [0.001, 0.0001]
    warmup_epoch: 5
  regularizer: {name: L2, factor: 2.0e-05}
PostProcess:
  name: DistillationCTCLabelDecode
  model_name: ["Student", "Teacher"]
  key: head_out
Metric:
  name: DistillationMetric
  base_metric_name: RecMetric
  main_indicator: acc
  key: Student
"""
CENTER = """
Architecture:
  model_type: rec
  algorithm: CRNN
  Transform:
  Backbone: {name: MobileNetV1Enhance, scale: 0.5}
  Neck: {name: SequenceEncoder, encoder_type: rnn, hidden_size: 64}
  Head: {name: CTCHead, mid_channels: 96, fc_decay: 0.00002}
Loss:
  name: CombinedLoss
  loss_config_list:
    - CTCLoss:
        use_focal_loss: false
        weight: 1.0
    - CenterLoss:
        weight: 0.05
        num_classes: 6625
        feat_dim: 96
        center_file_path: "./train_center.pkl"
"""
PP_OCRV4_REC = """
Global:
  model_name: PP-OCRv4_mobile_rec  # To use static model for inference.
  debug: false
  use_gpu: true
  epoch_num: 200
  character_dict_path: ch
  max_text_length: &max_text_length 25
  infer_mode: false
  use_space_char: true
  distributed: true
  d2s_train_image_shape: [3, 48, 320]
Architecture:
  model_type: rec
  algorithm: SVTR_LCNet
  Transform:
  Backbone:
    name: PPLCNetV3
    scale: 0.95
  Head:
    name: MultiHead
    head_list:
      - CTCHead:
          Neck:
            name: svtr
            dims: 120
            depth: 2
            hidden_dims: 120
            kernel_size: [1, 3]
            use_guide: True
          Head:
            fc_decay: 0.00001
      - NRTRHead:
          nrtr_dim: 384
          max_text_length: *max_text_length
Loss:
  name: MultiLoss
  loss_config_list:
    - CTCLoss:
    - NRTRLoss:
PostProcess:
  name: CTCLabelDecode
Eval:
  dataset:
    name: SimpleDataSet
    data_dir: ./train_data
    label_file_list:
    - ./train_data/val_list.txt
    transforms:
    - DecodeImage:
        img_mode: BGR
        channel_first: false
    - MultiLabelEncode:
        gtc_encode: NRTRLabelEncode
    - RecResizeImg:
        image_shape: [3, 48, 320]
    - KeepKeys:
        keep_keys:
        - image
        - label_ctc
        - label_gtc
        - length
        - valid_ratio
  loader:
    shuffle: false
    drop_last: false
    batch_size_per_card: 128
    num_workers: 4
"""
PP_OCRV4_DET = """
Global:
  model_name: PP-OCRv4_mobile_det
  epoch_num: &epoch_num 500
  d2s_train_image_shape: [3, 640, 640]
Architecture:
  model_type: det
  algorithm: DB
  Transform: null
  Backbone:
    name: PPLCNetV3
    scale: 0.75
    det: True
  Neck:
    name: RSEFPN
    out_channels: 96
    shortcut: True
  Head:
    name: DBHead
    k: 50
    fix_nan: True
Loss:
  name: DBLoss
  balance_loss: true
  main_loss_type: DiceLoss
  alpha: 5
  beta: 10
  ohem_ratio: 3
"""
FRAGMENTS = {
    "det": DET, "cls": CLS, "rec": REC, "copy_paste": COPY_PASTE, "cml": CML, "u_dml": U_DML, "center": CENTER,
    "v4_rec": PP_OCRV4_REC, "v4_det": PP_OCRV4_DET,
}  # fmt: skip


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "config.yml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", FRAGMENTS)
def test_a_fragment_loads(tmp_path: Path, name: str) -> None:
    config = load_config(write(tmp_path, FRAGMENTS[name]))
    assert (config.Architecture is None) == (name == "copy_paste")


def parse(line: str) -> list[str]:
    words = shlex.split(line.replace("\\\n", " "))  # a shell joins continued lines
    arguments: list[str] = argument_parser(None).parse_args(["-c", "x.yml", *words]).opt
    return arguments


def test_the_detection_command_line_loads(tmp_path: Path) -> None:
    line = r"""-o Global.pretrained_model="" \
Train.dataset.data_dir="./det_data_lesson_demo/" \
Train.dataset.label_file_list=["./det_data_lesson_demo/train.txt"] \
Train.loader.num_workers=0 \
Eval.dataset.data_dir="./det_data_lesson_demo/" \
Eval.dataset.label_file_list=["./det_data_lesson_demo/eval.txt"] \
Eval.loader.num_workers=0 \
Optimizer.lr.learning_rate=0.00025 \
Global.epoch_num=1"""
    config = load_config(write(tmp_path, CML), parse(line))
    assert config.Global.pretrained_model is None
    assert config.Train is not None and config.Eval is not None
    assert config.Eval.dataset["label_file_list"] == ["./det_data_lesson_demo/eval.txt"]
    assert config.Train.dataset["label_file_list"] == ["./det_data_lesson_demo/train.txt"]
    assert config.schedule["learning_rate"] == 0.00025


def test_the_recognition_command_line_loads(tmp_path: Path) -> None:
    line = r"""-o Train.dataset.data_dir="./rec_data_lesson_demo/" \
Train.loader.batch_size_per_card=64 \
Optimizer.lr.values=[0.0001,0.00001] \
Global.epoch_num=1 \
Global.pretrained_model="./ch_PP-OCRv2_rec_train/best_accuracy" """
    text = U_DML + REC[REC.index("Train:") :]
    config = load_config(write(tmp_path, text), parse(line))
    assert config.schedule["values"] == [0.0001, 0.00001]
    assert config.Global.pretrained_model == "./ch_PP-OCRv2_rec_train/best_accuracy"


@pytest.mark.parametrize(
    "override, message",
    [
        ("Architecture.Backbone.scal=1", "Backbone.scal is not an argument of MobileNetV3. Did you mean 'scale'"),
        ("Architecture.Head.name=CTCHed", "Architecture.Head.name: no head is called 'CTCHed'. Did you mean 'CTCHead'"),
        ("Optimizer.lr.name=Cosin", "Optimizer.lr.name: no schedule is called 'Cosin'. Did you mean 'Cosine'"),
        (
            "Train.dataset.transforms[3].RecResizeImg.image_shap=[3,32,320]",
            r"Train.dataset.transforms\[3\].RecResizeImg.image_shap is not an argument .* Did you mean 'image_shape'",
        ),
        ("Global.epoch_nun=1", "Global.epoch_nun is not an argument of GlobalSection. Did you mean 'epoch_num'"),
    ],
)
def test_a_mistake_is_named_with_its_path(tmp_path: Path, override: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_config(write(tmp_path, REC), [override])
