"""Files ↔ pixels and pages: images, the pages of files and folders, PDF, hOCR and ALTO."""

from ppocr_lite.io import documents, images, pages, pdf

__all__ = ["documents", "images", "pages", "pdf"]
