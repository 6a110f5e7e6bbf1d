"""Hooks of mkdocs.yml: what a page links to outside doc/ comes into the site, so that every link leads somewhere.

A file of the repository stands in the site as ``repository/PATH``, a page as a page and any other file as it is.  The
pages themselves keep the links that work in a checkout and in a forge.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
DOC = ROOT / "doc"
OUTSIDE = "repository/"
LINK = re.compile(r"(?<=\]\()(?!\w+:)([^)#\s]+)(?=[)#])")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what is linked from the pages of doc/, from the pages added so, and so on."""
    pages = [*(DOC / file.src_uri for file in files.documentation_pages())]
    seen = set(pages)
    while pages:
        page = pages.pop()
        for _, target in links(page.read_text(encoding="utf-8"), page):
            if target in seen or target.is_relative_to(DOC):
                continue
            seen.add(target)
            files.append(File.generated(config, uri(target), abs_src_path=str(target)))
            if target.suffix == ".md":
                pages.append(target)
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Let links that lead out of doc/ lead to where the site has their files."""
    source = page.file.src_uri
    path = ROOT / source.removeprefix(OUTSIDE) if source.startswith(OUTSIDE) else DOC / source
    places = {link: os.path.relpath(uri(target), os.path.dirname(source)) for link, target in links(markdown, path)}  # noqa: PTH120
    return LINK.sub(lambda found: places.get(found[1], found[1]), markdown)


def links(markdown: str, page: Path) -> Iterator[tuple[str, Path]]:
    """Yield each relative link of a page that leads to a file, and the file."""
    for link in LINK.findall(markdown):
        target = (page.parent / link).resolve()
        if target.is_relative_to(ROOT) and target.is_file():
            yield link, target


def uri(path: Path) -> str:
    """Return where the site has a file of the repository."""
    return path.relative_to(DOC).as_posix() if path.is_relative_to(DOC) else OUTSIDE + path.relative_to(ROOT).as_posix()
