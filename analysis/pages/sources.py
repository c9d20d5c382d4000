"""Sources as links: a DOI, an arXiv identifier or a web address in a text leads to where it is; the rest stays text.

Texts come from users' files. What is shown is the text as it was, escaped; a link leads to http or
https alone, and nowhere that the text does not name.
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
      (?P<id> [0-9]{4}\.[0-9]{4,5}(?:v[0-9]+)? | [a-z-]+(?:\.[a-z]{2})?/[0-9]{7}(?:v[0-9]+)? ) (?![\w/]) )
    """,
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)
ENDINGS = ".,;:!?'*"  # of the sentence that names it, not of the name
PAIRS = {")": "(", "]": "["}


def linked(text: object) -> Markup:
    """Text as HTML, escaped, with its sources as links; what can be read is unchanged."""
    return Markup("").join(_parts(str(text)))


def _parts(text: str) -> Iterator[Markup]:
    start = 0
    for match in FOUND.finditer(text):
        shown = _ended(match[0])
        to = _address(match, len(match[0]) - len(shown))
        if to is None:
            continue
        yield Markup.escape(text[start : match.start()])
        yield Markup('<a href="{}" rel="noopener noreferrer" target="_blank">{}</a>').format(
            to, shown
        )
        start = match.start() + len(shown)
    yield Markup.escape(text[start:])


def _ended(name: str) -> str:
    """Name without the punctuation after it, and without a bracket that opened before it."""
    while name[-1] in ENDINGS or (
        name[-1] in PAIRS and name.count(name[-1]) > name.count(PAIRS[name[-1]])
    ):
        name = name[:-1]
    return name


def _address(match: "re.Match[str]", cut: int) -> str | None:
    """Where a name leads, as much of it as is shown; nowhere if that is but the head of a DOI."""
    if match["arxiv"]:
        return f"https://arxiv.org/abs/{match['id']}"
    if match["doi"]:
        number = match["number"][: len(match["number"]) - cut]
        return None if number.endswith("/") else f"https://doi.org/{quote(number, safe='/:;().-_')}"
    scheme, _, rest = match["url"][: len(match["url"]) - cut].partition("://")
    return f"{scheme.lower()}://{rest}"
