"""Copy weights of others into a network of this package, by the order of layers and their roles.

python tools/import_weights.py -c configs/rec/ch_PP-OCRv2/ch_PP-OCRv2_rec.yml ch_PP-OCRv2_rec_infer.onnx \
    --output ch_PP-OCRv2_rec.safetensors -o Global.character_dict_path=ppocr_keys_v1.txt

Reads .onnx, .pdparams and .safetensors files, and .h5 or .hdf5 of Keras; what another framework lays out otherwise is
transposed. Refuses what does not fit; with --partial it takes what does, and names every layer that stays as it was.
Train or evaluate the result with Global.pretrained_model or --weights.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from ppocr_lite.commands.console import report_errors
from ppocr_lite.engine.import_weights import import_weights
from ppocr_lite.engine.run import argument_parser, read_config, start_logging


def main() -> None:
    """Parse, read, compare, write."""
    parser = argument_parser(__doc__)
    parser.add_argument("source", help="file of weights, or package:path of one that a package brings")
    parser.add_argument("--output", type=Path, required=True, help=".safetensors")
    parser.add_argument("--partial", action="store_true", help="take what fits, and name what does not")
    parser.add_argument("--layout", choices=("paddle", "torch"), help="of linear layers (default: seen by the file)")
    arguments = parser.parse_args()
    config = read_config(arguments)
    start_logging(debug=config.Global.debug)
    weights = import_weights(config, arguments.source, partial=arguments.partial, layout=arguments.layout)
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: np.ascontiguousarray(value) for name, value in weights.items()}, arguments.output)


if __name__ == "__main__":
    sys.exit(report_errors(main))
