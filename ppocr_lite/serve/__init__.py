"""OCR over HTTP: ``ppocr-lite serve``. Its modules need the packages of the extra ``[serve]``, all but ``settings``.

``app`` puts the application together: ``gate`` decides which requests come in and how slow a client may be, ``upload``
keeps what they bring, ``documents`` finds the pages in it, ``work`` reads those of all requests together with the
readers of ``pool``, ``answers`` writes the formats. ``server`` runs it.
"""
