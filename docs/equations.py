"""Equations as drawings within the page: no script, no network and no font of the reader's."""

import html
from typing import Any

import ziamath
from docutils import nodes
from sphinx.application import Sphinx

SIZE = 17  # pixels of the letters, beside text of 16

ziamath.config.svg2 = False  # shapes without names, which would clash between equations


def _draw(latex: str, inline: bool) -> str:
    """Draw an equation in the colour of the text, with its source to be read aloud."""
    drawn = ziamath.Latex(latex, size=SIZE, color="currentColor", inline=inline)
    label = html.escape(" ".join(latex.split()), quote=True)
    style = f' style="vertical-align: {drawn.getyofst():.1f}px"' if inline else ""
    return drawn.svg().replace("<svg ", f'<svg role="img" aria-label="{label}"{style} ', 1)


def _inline(translator: Any, node: nodes.math) -> None:
    translator.body.append(_draw(node.astext(), inline=True))
    raise nodes.SkipNode


def _block(translator: Any, node: nodes.math_block) -> None:
    translator.body.append(f'<div class="equation">{_draw(node.astext(), inline=False)}</div>\n')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the renderer."""
    app.add_html_math_renderer("drawn", (_inline, None), (_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
