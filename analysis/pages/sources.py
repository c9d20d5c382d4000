"""Links in texts about sources: DOIs, arXiv identifiers and web addresses.

Texts come from users' files. They are shown unchanged and escaped. A link leads to http or https
only, and only where the text says.
"""

import re
from collections.abc import Iterator
from urllib.parse import quote

from markupsafe import Markup

FOUND = re.compile(
    r"""
    (?P<url>   (?<![\w.+-]) https?://[a-z0-9][!#-;=?-_a-z~]* )
  | (?P<doi>   (?<![\w./-]) (?:doi:[ ]?)? (?P<number> 10\.[0-9]{4,9}/[!#-;=?-_a-z~]+ ) )
  | (?P<arxiv> (?<![\w./-]) arxiv:[ ]?
      (?P<id> [0-9]{4}\.[0-9]{4,5}(?:v[0-9]+)? | [a-z-]+(?:\.[a-z]{2})?/[0-9]{7}(?:v[0-9]+)? )
      (?![\w/]) )
    """,
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)
ENDINGS = ".,;:!?'*"  # of the sentence that names it, not of the name
PAIRS = {")": "(", "]": "["}


def linked(text: object) -> Markup:
    """Return a text as escaped HTML with links to its sources; its words do not change."""
    return Markup("").join(_parts(str(text)))


def _parts(text: str) -> Iterator[Markup]:
    start = 0
    for match in FOUND.finditer(text):
        shown = _without_ending(match[0])
        to = _address(match, len(match[0]) - len(shown))
        if to is None:
            continue
        yield Markup.escape(text[start : match.start()])
        yield Markup('<a href="{}" rel="noopener noreferrer" target="_blank">{}</a>').format(
            to, shown
        )
        start = match.start() + len(shown)
    yield Markup.escape(text[start:])


def _without_ending(name: str) -> str:
    """Return a name without the punctuation after it, or a bracket that opened before it."""
    while name[-1] in ENDINGS or (
        name[-1] in PAIRS and name.count(name[-1]) > name.count(PAIRS[name[-1]])
    ):
        name = name[:-1]
    return name


def _address(match: "re.Match[str]", cut: int) -> str | None:
    """Return the address of a name as shown; None if that is only the head of a DOI."""
    if match["arxiv"]:
        return f"https://arxiv.org/abs/{match['id']}"
    if match["doi"]:
        number = match["number"][: len(match["number"]) - cut]
        return None if number.endswith("/") else f"https://doi.org/{quote(number, safe='/:;().-_')}"
    scheme, _, rest = match["url"][: len(match["url"]) - cut].partition("://")
    return f"{scheme.lower()}://{rest}"
