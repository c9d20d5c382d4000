"""Views: named sets of priors, anchor weights, choice of evidence, and settings of a forecast.

A view is a TOML file. It extends ``default`` unless it says otherwise, so that three numbers make a
view::

    extends = "default"

    [quantities.rlhf_multiplier]
    quantiles = {0.1 = 0.1, 0.5 = 3, 0.9 = 100}
    source = "me, 2026-11-23"

The RLHF multiplier and the quality factor can also come from the models that explain them. The keys
``multiplier = "from-overoptimization"`` and ``quality = "from-outer-alignment"``, at the head of
the file, replace the view's own prior by the posterior of that model. It is fitted when a run is
made. Until then the view has no prior of that quantity.
"""

from aligntax.models.views.links import LINKS, UNLINKED, Link
from aligntax.models.views.parsing import (
    load_view,
    load_views,
    parse_toml,
    parse_view,
    resolve,
    view_names,
)
from aligntax.models.views.settings import ANCHORS, SECTIONS, Arrival, EvidenceChoice, Research
from aligntax.models.views.view import View, fingerprint

__all__ = [
    "ANCHORS",
    "LINKS",
    "SECTIONS",
    "UNLINKED",
    "Arrival",
    "EvidenceChoice",
    "Link",
    "Research",
    "View",
    "fingerprint",
    "load_view",
    "load_views",
    "parse_toml",
    "parse_view",
    "resolve",
    "view_names",
]
