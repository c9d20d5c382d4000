"""What a setting enters is stated beside it; what is stated is what the graphs say."""

from dataclasses import fields

import numpy as np
import pytest

from aligntax.analysis.inference.compiled_model import data_of_view
from aligntax.analysis.inference.graphs.live import LiveGraph
from aligntax.models.catalogue import find_model, restrict
from aligntax.models.errors import InputError
from aligntax.models.views.changes import changes, compiled_in, roles
from aligntax.models.views.settings import ROLES, SECTIONS, Role
from tests.loss_runs import simulated
from tests.reference import fixed_points

# Another value of every setting, and the model whose graph is looked at.
MOVED = {
    "scaling.error_correlation": ("joint", 0.2),
    "scaling.between_study_scale": ("joint", 0.1),
    "loss_law.parameters": ("loss-law", 1e8),
    "loss_law.tokens": ("loss-law", 1e9),
    "loss_law.compute": ("loss-law", 1e23),
    "loss_law.errors": ("loss-law", "gaussian"),
    "compute.reference_year": ("joint", 2022.0),
    "compute.runs_since": ("joint", 2020.0),
    "algorithms.since": ("joint", 2019.0),
    "algorithms.growth": ("joint", {"short_horizon": 1.5}),
    "algorithms.limit": ("joint", {"short_horizon": -3.0}),
    "algorithms.limit_since": ("joint", 2021.0),
    "algorithms.limit_floor": ("joint", "none"),
    "research.feedback": ("joint", "effective_compute"),
    "research.inputs": ("joint", "kwa"),
    "research.since": ("joint", 2026.0),
    "research.labour_gain": ("joint", 1.5),
    "research.substitution": ("joint", -0.2),
    "research.serial": ("joint", 0.7),
    "research.ceiling": ("joint", 1.05),
    "research.taste_growth": ("joint", 2.0),
    "research.taste_at_coder": ("joint", 0.5),
    "research.taste_spread": ("joint", 0.6),
    "research.taste_limit": ("joint", 3.0),
    "research.speed_limit": ("joint", 10.0),
    "research.milestone": ("joint", 0.99),
    "requirement.low_flop": ("joint", 1e24),
    "requirement.user_milestone": ("joint", "an automated economy"),
    "direct_approach.allocation": ("joint", "published"),
    "direct_approach.year": ("joint", 2021.0),
    "direct_approach.units": ("joint", "published"),
    "direct_approach.update": ("joint", "published"),
    "time_horizon.since": ("joint", 2021.0),
    "time_horizon.reference_date": ("joint", 2024.0),
    "time_horizon.rows": ("joint", "records"),
    "time_horizon.reward_hacks": ("joint", "count"),
    "arrival.mode": ("joint", "crossing"),
    "arrival.hazard_cap": ("joint", 1.0),
    "arrival.start": ("joint", 2015.0),
    "arrival.horizon": ("joint", 2080.0),
    "arrival.none_final": ("joint", 0.01),
    "alignment.work_starts": ("joint", 2027.0),
    "alignment.date": ("joint", 2028.0),
    "alignment.ai_labour": ("joint", "priced"),
    "outer_alignment.delta": ("outer-alignment", 0.1),
    "outer_alignment.ties": ("outer-alignment", "losses"),
    "outer_alignment.tie_share": ("outer-alignment", 0.1),
    "outer_alignment.labels_per_comparison": ("outer-alignment", 3.0),
    "outer_alignment.error_correlation": ("outer-alignment", 0.3),
    "outer_alignment.oversight": ("outer-alignment", "debate"),
    "outer_alignment.game_spread": ("outer-alignment", 1.0),
}
REFUSED = {  # beside no TAI, or without feedback
    "requirement.low_flop",
    "direct_approach.update",
    "arrival.mode",
    "research.milestone",
}


def moved(view, name):
    section, _, key = name.partition(".")
    return view.replace(**{section: {key: MOVED[name][1]}})


def test_every_setting_has_a_role() -> None:
    stated = {
        f"{section}.{each.name}" for section, kind in SECTIONS.items() for each in fields(kind)
    }
    assert set(ROLES) == stated == set(MOVED)
    assert all(isinstance(role, Role) for role in ROLES.values())


@pytest.mark.parametrize("name", MOVED)
def test_a_changed_setting_is_named_with_its_role(view, name) -> None:
    change = changes(view, moved(view, name), ("rlhf_multiplier",))
    assert change.settings == (name,)
    assert roles(change) == {name: ROLES[name]}
    assert (compiled_in(view) != compiled_in(moved(view, name))) == ROLES[name].compiled


def test_a_role_that_is_not_stated_stops_the_refit(view, monkeypatch) -> None:
    """Closed, not open: a setting without a role must never be taken for one that enters nothing."""
    from aligntax.models.views import changes as module

    change = changes(view, moved(view, "arrival.start"), ("rlhf_multiplier",))
    monkeypatch.setattr(module, "ROLES", {})
    with pytest.raises(KeyError, match=r"arrival\.start"):
        roles(change)


def densities_of(graph):
    """A function of data, in which a graph has densities at fixed points."""
    function = graph.compile_logp(jacobian=False, mode="FAST_COMPILE")

    def densities(data):
        with LiveGraph(graph).holding(data):
            return np.array([float(function(point)) for point in fixed_points(graph)])

    return densities


@pytest.fixture(scope="module")
def counted(view):
    """The default, in which every kind of requirement counts: without a weight its settings enter nothing."""
    assert all(view.anchors.values())
    return view


@pytest.fixture(scope="module")
def graphs(counted, evidence):
    """Evidence, graph, and densities of each model given data."""
    with_runs = evidence.with_rows("loss_runs", simulated(20))
    made = {}
    for name in {model for model, _ in MOVED.values()}:
        model = find_model(name)
        rows = with_runs if name == "loss-law" else evidence
        graph = model.build(restrict(rows, counted, model), counted)
        made[name] = (rows, graph, densities_of(graph))
    return made


@pytest.mark.slow
@pytest.mark.parametrize("name", MOVED)
def test_the_graph_says_the_same(graphs, counted, name) -> None:
    """A density moves if, and only if, the role says so; new numbers suffice unless it is compiled."""
    model, other, role = find_model(MOVED[name][0]), moved(counted, name), ROLES[name]
    rows, graph, densities = graphs[MOVED[name][0]]
    if name in REFUSED:
        with pytest.raises(InputError, match=name.replace(".", r"\.")):
            model.build(restrict(rows, other, model), other)
        return
    after = densities_of(model.build(restrict(rows, other, model), other))({})
    assert np.allclose(densities({}), after, rtol=1e-12) == (
        not role.likelihood and not role.no_tai
    )
    if role.likelihood:
        assert set(role.likelihood) & set(model.tables)
    if other.in_use(model.quantities) != counted.in_use(model.quantities):
        assert role.compiled  # other quantities are no numbers for this graph
        return
    opened = densities(data_of_view(other, model, LiveGraph(graph).outline))
    assert np.allclose(opened, after, rtol=1e-12) == (not role.compiled)


def test_quantities_whose_correlations_differ_are_named(view) -> None:
    pair, names = (
        ("spend_growth", "usd_per_hour"),
        ("rlhf_multiplier", "spend_growth", "usd_per_hour"),
    )
    old = view.replace(correlations={})
    assert changes(old, old, names).correlated == ()
    assert changes(old, view.replace(correlations={pair: 0.3}), names).correlated == pair
