"""What the pages take from the code: its public names, and pictures drawn from a stored run."""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import aligntax
from aligntax.analysis.figures.report_figures import Drawing
from aligntax.analysis.pages.report import SECTIONS

REFERENCE = Path(aligntax.__file__).parents[1] / "results" / "reference"
PICTURES = Path(__file__).parent / "_build" / "pictures"
VALUES = ("__version__",)


class PublicNames(SphinxDirective):
    """Document the ``classes`` or the ``functions`` of ``aligntax.__all__`` by their docstrings."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the entries in the order of the alphabet."""
        classes = self.arguments[0] == "classes"
        entries = []
        for name in aligntax.__all__:
            if name not in VALUES and inspect.isclass(getattr(aligntax, name)) == classes:
                kind = "autoclass" if classes else "autofunction"
                members = "   :members:\n" if classes else ""
                entries.append(f".. {kind}:: aligntax.{name}\n{members}")
        return self.parse_text_to_nodes("```{eval-rst}\n" + "\n".join(entries) + "```\n")


def decisions(result: aligntax.Result) -> Iterator[Drawing]:
    """Yield pictures that commands draw and a report lacks."""
    from aligntax.analysis.figures.budget import budget_figure
    from aligntax.analysis.figures.view import prior_densities

    yield Drawing(
        "Expected regret of other amounts than the budget, and how to label (aligntax budget "
        "reference --picture FILE).",
        lambda: budget_figure(result, aligntax.budget(result)),
    )
    view, base = aligntax.load_view("hilton-2022"), aligntax.load_view("default")
    changed = [name for name in view.quantities if view.quantities[name] != base.quantities[name]]
    yield Drawing(
        "Priors of a view beside the default's (aligntax view check hilton-2022 --picture FILE).",
        lambda: prior_densities(view, base, changed),
    )


class Gallery(SphinxDirective):
    """Draw a section of the reference run's report, or ``decisions``, each with its caption."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return a figure for each drawing."""
        section, figures = self.arguments[0], []
        drawings = {**SECTIONS, "decisions": decisions}[section](aligntax.load(REFERENCE))
        PICTURES.mkdir(parents=True, exist_ok=True)
        for i, drawing in enumerate(drawings):
            file = PICTURES / f"{section}-{i}.png"
            drawing.draw().savefig(file, dpi=110)
            image = nodes.image(uri=f"/{file.relative_to(self.env.srcdir)}", alt=drawing.caption)
            figures.append(nodes.figure("", image, nodes.caption("", drawing.caption)))
        assert figures, f"no figures in the section {section!r}"
        return figures


def flatten_sections(
    app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]
) -> None:
    """Make rubrics of a module's headings: modules share a page, and headings are anchors."""
    if what == "module":
        for i in range(len(lines) - 1, 0, -1):
            if re.fullmatch(r"-{4,}", lines[i]) and lines[i - 1].strip():
                lines[i - 1 : i + 1] = [f".. rubric:: {lines[i - 1]}", ""]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directives."""
    app.add_directive("public-names", PublicNames)
    app.add_directive("gallery", Gallery)
    app.connect("autodoc-process-docstring", flatten_sections, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
