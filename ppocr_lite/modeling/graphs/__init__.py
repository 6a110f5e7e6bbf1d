"""ONNX graphs as plain data, folded, and as a list of layers and steps; see ``ppocr_lite.modeling.onnx_network``."""

from ppocr_lite.modeling.graphs.fold import fold
from ppocr_lite.modeling.graphs.graph import Graph, Node
from ppocr_lite.modeling.graphs.plan import LayerSpec, Plan, Step, make_plan

__all__ = ["Graph", "LayerSpec", "Node", "Plan", "Step", "fold", "make_plan"]
