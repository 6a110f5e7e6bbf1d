"""The verbs of ``ppocr-lite``, a module each, with ``add_arguments(parser)`` and ``run(arguments) -> exit status``.

Nothing is imported here: :mod:`ppocr_lite.cli` imports the module of the verb that was chosen.
"""
