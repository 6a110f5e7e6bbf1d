"""Reading very many pages: sources of any kind in, rows of a table out, resumable; see ``doc/bulk.md``."""

from ppocr_lite.bulk.document import Options
from ppocr_lite.bulk.rows import result_of
from ppocr_lite.bulk.run import Count, read_many

__all__ = ["Count", "Options", "read_many", "result_of"]
