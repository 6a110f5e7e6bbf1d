"""Image → features."""

from ppocr_lite.modeling.backbones.base import BACKBONES
from ppocr_lite.modeling.backbones.mobilenet_v1_enhance import MobileNetV1Enhance
from ppocr_lite.modeling.backbones.mobilenet_v3 import MobileNetV3
from ppocr_lite.modeling.backbones.pp_lcnet_v3 import PPLCNetV3
from ppocr_lite.modeling.backbones.pp_lcnet_v4 import PPLCNetV4
from ppocr_lite.modeling.backbones.resnet import ResNet
from ppocr_lite.modeling.backbones.vgg import VGG

__all__ = ["BACKBONES", "VGG", "MobileNetV1Enhance", "MobileNetV3", "PPLCNetV3", "PPLCNetV4", "ResNet"]
