"""Files ↔ pixels and pages: images, the pages of files and folders, PDF, hOCR and ALTO."""

from ppocr_lite.io import documents, formats, images, markdown, pages, pdf

__all__ = ["documents", "formats", "images", "markdown", "pages", "pdf"]
