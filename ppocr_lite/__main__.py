"""``python -m ppocr_lite`` is ``ppocr-lite``."""

from __future__ import annotations

import sys

from ppocr_lite.cli import main

if __name__ == "__main__":
    sys.exit(main())
