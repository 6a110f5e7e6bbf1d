"""Write det, cls and rec here as PP-OCRv2 folders: networks in the format of Paddle 2, without an inference.yml.

They are small enough to compute by hand: what is dark is text; a line that is darker than mid-gray is upside down;
and a line reads as the letters of its brightness, column by column. Paddle 3 no longer writes this format:

    python -m venv v && v/bin/pip install paddlepaddle==2.6.2 "numpy<2" setuptools && v/bin/python make.py
"""

import zlib  # noqa: F401 - before paddle, or its gzip ends the process
from pathlib import Path

import paddle
from paddle import nn
from paddle.base.proto.framework_pb2 import ProgramDesc
from paddle.static import InputSpec

LETTERS = "abcd"
CENTERS = [0.0, 1.0, 0.75, 0.5, -0.5, -1.0]  # of the blank, which padding is, the letters, and the space
SHARPNESS = 40.0


class Dark(nn.Layer):
    """(N, 3, H, W) → (N, 1, H, W): near 1 where the mean over the channels is below zero."""

    def __init__(self):
        super().__init__()
        self.mean = nn.Conv2D(3, 1, 1)
        self.mean.weight.set_value(paddle.full([1, 3, 1, 1], -SHARPNESS / 3))
        self.mean.bias.set_value(paddle.zeros([1]))

    def forward(self, x):
        return nn.functional.sigmoid(self.mean(x))


class Turned(nn.Layer):
    """(N, 3, 48, 192) → (N, 2): the second is near 1 where the mean of the whole line is below zero."""

    def __init__(self):
        super().__init__()
        self.compare = nn.Linear(1, 2)
        self.compare.weight.set_value(paddle.to_tensor([[SHARPNESS, -SHARPNESS]]))
        self.compare.bias.set_value(paddle.zeros([2]))

    def forward(self, x):
        return nn.functional.softmax(self.compare(x.mean([1, 2, 3]).unsqueeze(1)), -1)


class Brightness(nn.Layer):
    """(N, 3, 32, W) → (N, W / 8, classes): class k is the most probable where 32 × 8 pixels are about CENTERS[k]."""

    def __init__(self):
        super().__init__()
        centers = paddle.to_tensor(CENTERS)
        self.near = nn.Linear(1, len(CENTERS))
        self.near.weight.set_value((2 * SHARPNESS * centers).unsqueeze(0))
        self.near.bias.set_value(-SHARPNESS * centers * centers)

    def forward(self, x):
        columns = nn.functional.avg_pool2d(x, [32, 8], [32, 8]).mean(1)  # (N, 1, W / 8)
        return nn.functional.softmax(self.near(columns.transpose([0, 2, 1])), -1)


def drop_call_stacks(path):
    """Take out where in which file each operator was made: most of the file, and the paths of one machine."""
    program = ProgramDesc.FromString(path.read_bytes())
    for block in program.blocks:
        for operator in block.ops:
            kept = [attribute for attribute in operator.attrs if attribute.name != "op_callstack"]
            del operator.attrs[:]
            operator.attrs.extend(kept)
    path.write_bytes(program.SerializeToString())


def main():
    """Write the three folders and the dictionary."""
    here = Path(__file__).parent
    networks = {
        "det": (Dark(), [None, 3, None, None]),
        "cls": (Turned(), [None, 3, None, None]),
        "rec": (Brightness(), [None, 3, 32, None]),
    }
    for name, (network, shape) in networks.items():
        network.eval()
        paddle.jit.save(network, str(here / name / "inference"), input_spec=[InputSpec(shape, "float32", name="x")])
        drop_call_stacks(here / name / "inference.pdmodel")
    (here / "dictionary.txt").write_text("\n".join(LETTERS) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
