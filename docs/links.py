"""Find dead links in a built site: ``python docs/links.py FOLDER``.

Every link, picture, style and script of every page must lead to a file of the folder, and to an
anchor that is there. Addresses on the web are left alone: the site is
built without a network.
"""

import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    """What a page links to, and what in it can be linked to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.anchors: set[str] = {"", "top"}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep links and anchors."""
        for name, value in attrs:
            if name in ("href", "src") and value:
                self.links.add(value)
            elif name in ("id", "name") and value:
                self.anchors.add(value)


def dead_links(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield page and link of whatever leads nowhere."""
    files = (path for path in folder.rglob("*.html") if "_static" not in path.parts)  # templates
    pages = {path.resolve(): Page(path.read_text("utf-8")) for path in files}
    for path, page in pages.items():
        for link in sorted(page.links):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            known = target not in pages or unquote(parts.fragment) in pages[target].anchors
            if not target.is_file() or not known:
                yield path, link


if __name__ == "__main__":
    site = Path(sys.argv[1])
    found = [f"{path.relative_to(site.resolve())}: {link}" for path, link in dead_links(site)]
    if found or not (site / "index.html").is_file():
        sys.exit("\n".join(["dead links:", *found]))
