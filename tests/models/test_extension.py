"""Somebody else's quantity, table and model join, are checked as a whole, and change nothing that is there."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from aligntax.models.catalogue import MODELS, find_model, restrict
from aligntax.models.errors import InputError
from aligntax.models.evidence import TABLES, load_evidence
from aligntax.models.evidence.columns import KEY, Identity
from aligntax.models.extension import (
    register_model,
    register_quantity,
    register_table,
    the_model,
    with_likelihood,
)
from aligntax.models.priors.quantities import ELICITED, QUANTITIES, Quantity
from aligntax.models.priors.user_prior import Prior
from aligntax.models.views import load_view, parse_view
from aligntax.models.views.changes import changes
from aligntax.models.views.pooling import pool_views

EXAMPLE = Path(__file__).parents[1] / "plugin_example"
HOME = EXAMPLE / "aligntax_example"
MINUTES = Quantity("label_minutes", "minutes", "log10", "minutes per label", "time of one label")
THREE = {0.1: 1, 0.5: 3, 0.9: 9}


@pytest.fixture
def example(monkeypatch):
    """The example plug-in, registered by hand for one test."""
    monkeypatch.syspath_prepend(EXAMPLE)
    for name in [name for name in sys.modules if name.startswith("aligntax_example")]:
        monkeypatch.delitem(sys.modules, name)
    import aligntax_example

    aligntax_example.register()
    yield aligntax_example
    for name in [name for name in sys.modules if name.startswith("aligntax_example")]:
        del sys.modules[name]


def parts():
    from aligntax_example import lab_studies, label_minutes

    return label_minutes, lab_studies


# ------------------------------------------------------------------------------------- a quantity


@pytest.mark.parametrize(
    "prior",
    [
        THREE,
        Prior.from_quantiles(THREE),
        {"quantiles": {"0.1": 1, "0.5": 3, "0.9": 9}, "source": "me"},
        {"quantiles": {"0.1": 60, "0.5": 180, "0.9": 540}, "unit": "seconds"},
    ],
)
def test_an_elicited_quantity_has_its_prior_in_every_view(prior):
    assert (
        register_quantity(MINUTES, prior)
        is ELICITED["label_minutes"]
        is QUANTITIES["label_minutes"]
    )
    for name in ("default", "vague", "kwa-2026"):
        table = load_view(name).tables(["label_minutes"])
        assert 10 ** table.values(np.zeros((1, 1)))["label_minutes"] == pytest.approx(3)


def test_a_derived_quantity_has_none():
    register_quantity(MINUTES)
    assert "label_minutes" in QUANTITIES and "label_minutes" not in ELICITED
    with pytest.raises(InputError, match="only elicited ones take a prior"):
        load_view("default").with_quantity("label_minutes", {"point": 3})


def test_views_stay_as_they_are_and_may_state_it():
    before = load_view("default")
    register_quantity(MINUTES, THREE)
    after = load_view("default")
    assert after.hash == before.hash and after.to_toml() == before.to_toml() and after == before
    mine = parse_view("[quantities.label_minutes]\npoint = 5.0\n", "mine")
    assert mine.hash != before.hash and mine.quantities["label_minutes"]["point"] == 5
    assert changes(after, mine, [*before.quantities, "label_minutes"]).quantities == (
        "label_minutes",
    )
    other = after.replace(label_minutes={0.1: 2, 0.5: 3, 0.9: 9})
    assert other.hash not in (mine.hash, before.hash)
    paired = parse_view(
        '[[correlations]]\nbetween = ["label_minutes", "usd_per_hour"]\nrho = 0.5\n', "paired"
    )
    assert paired.tables(["usd_per_hour", "label_minutes"]).correlation[0, 1] == pytest.approx(
        2 * np.sin(np.pi / 12)
    )


def test_a_run_states_the_prior_that_it_took():
    register_quantity(MINUTES, THREE)
    view = load_view("default")
    stated = view.stating(["usd_per_hour", "label_minutes"])
    assert "label_minutes" in stated.quantities and "label_minutes" in stated.to_toml()
    assert "label_minutes" not in view.to_toml()
    assert view.stating(["usd_per_hour"]) is view


def test_a_pool_takes_what_its_experts_state():
    first, second = (
        load_view("default").replace(name=name, usd_per_hour={0.1: 10 + i, 0.5: 20, 0.9: 60})
        for i, name in enumerate(("a", "b"))
    )
    before = pool_views([first, second])
    register_quantity(MINUTES, THREE)
    assert pool_views([first, second]).hash == before.hash
    opinion = second.replace(name="b", label_minutes={0.1: 1, 0.5: 2, 0.9: 9})
    assert pool_views([first, opinion]).quantities["label_minutes"]["quantiles"]["0.5"] == 2


def test_a_name_can_be_given_another_scale_later():
    """No table of the earlier quantity is taken for the new one's."""
    register_quantity(MINUTES, {0.1: 1, 0.5: 3, 0.9: 9})
    load_view("default").tables(["label_minutes"])
    linear = replace(MINUTES, scale="linear")
    register_quantity(linear, {0.1: 1, 0.5: 3, 0.9: 9}, replace=True)
    assert load_view("default").tables(["label_minutes"]).values(np.zeros((1, 1)))[
        "label_minutes"
    ] == pytest.approx(3)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"name": "Minutes"}, "its name must be lower-case letters.*got 'Minutes'; choose another"),
        ({"name": "minutes_state"}, "end in no _state"),
        ({"name": "arrival"}, "no field of a view"),
        ({"name": "tai_anchor"}, "choose another name"),
        ({"name": "usd_per_hour"}, "which comes with the package; choose another name"),
        ({"unit": ""}, "must have a unit, got ''; a pure number has the unit \"1\""),
        ({"meaning": ""}, "must have a meaning"),
        ({"scale": "log"}, "scale must be one of linear, log10, logit, got 'log'; choose one"),
        ({"kind": "count"}, "kind must be one of amount, share, probability, indicator"),
        ({"scale": "logit"}, "a logit scale needs finite bounds, the lower one first"),
        ({"scale": "logit", "lower": 1.0, "upper": 0.0}, "give lower and upper"),
    ],
)
def test_a_malformed_quantity_is_refused(changed, told):
    with pytest.raises(InputError, match=told):
        register_quantity(replace(MINUTES, **changed), THREE)
    assert not QUANTITIES.added and not ELICITED.added


@pytest.mark.parametrize(
    ("prior", "told"),
    [
        ({0.1: 3, 0.5: 1, 0.9: 9}, "label_minutes"),
        ({"family": "normal"}, "label_minutes"),
        ("three", "label_minutes: a prior must be a table, got 'three'"),
        ({0.1: -1, 0.5: 3, 0.9: 9}, "label_minutes"),
    ],
)
def test_a_prior_that_is_none_of_the_quantitys_is_refused(prior, told):
    with pytest.raises(InputError, match=told):
        register_quantity(MINUTES, prior)
    assert not QUANTITIES.added and not ELICITED.added


def test_what_is_no_quantity_table_or_model_is_refused():
    for register, got in ((register_quantity, "x"), (register_model, "joint")):
        with pytest.raises(InputError, match=f"must be a .*, got '{got}'; see docs/extend.md"):
            register(got)
    with pytest.raises(InputError, match="table: must be an EvidenceTable"):
        register_table("x", "x.csv")
    with pytest.raises(InputError, match="model: must be a name or a Model, got 3"):
        the_model(3)


def test_elicited_stays_elicited():
    register_quantity(MINUTES, THREE)
    with pytest.raises(InputError, match="must keep the prior that it was registered with"):
        register_quantity(MINUTES, replace=True)
    with pytest.raises(InputError, match="give replace=True"):
        register_quantity(MINUTES, THREE)
    assert (
        register_quantity(MINUTES, {0.1: 1, 0.5: 2, 0.9: 9}, replace=True).prior["quantiles"]["0.5"]
        == 2
    )


# ----------------------------------------------------------------------------------------- a table


def test_a_table_is_loaded_and_can_be_replaced_and_extended(example, tmp_path):
    minutes, _ = parts()
    assert list(load_evidence()["label_timings"]["label_timing"].values) == [
        "ana",
        "ben",
        "chi",
        "dov",
        "eva",
    ]
    own = HOME.joinpath("label_timings.csv").read_text("utf-8").replace("ana,Ana", "zoe,Zoe")
    (tmp_path / "label_timings.add.csv").write_text(
        "\n".join(line for line in own.splitlines() if line.startswith(("key", "zoe")))
    )
    evidence = load_evidence(tmp_path)
    assert evidence["label_timings"].sizes["label_timing"] == 6
    chosen = restrict(evidence, load_view("default"), find_model("label-minutes"))
    assert minutes.timings(chosen).sizes["label_timing"] == 5


def test_models_of_the_package_do_not_see_it(example):
    """Their evidence, and with it every stored run, stays as it is."""
    view, hashes = load_view("default"), {}
    for name in ("joint", "scaling", "loss-law"):
        hashes[name] = restrict(load_evidence(), view, find_model(name)).hash
    evidence = load_evidence()
    published = {name: rows for name, rows in evidence.tables.items() if name in TABLES.own}
    assert set(evidence.tables) - set(published) == {"label_timings", "lab_studies"}
    alone = replace(evidence, tables=published)
    for name, hash_ in hashes.items():
        assert restrict(alone, view, find_model(name)).hash == hash_
    assert "lab_studies" not in restrict(evidence, view, find_model("label-minutes")).tables


def test_tables_that_a_model_from_outside_shows_stay_in_the_packages_runs(example):
    minutes, _ = parts()
    view, before = (
        load_view("default"),
        restrict(load_evidence(), load_view("default"), find_model("joint")),
    )
    register_model(
        replace(minutes.MODEL, name="mine", background=("bio_anchors", "named_forecasts"))
    )
    after = restrict(load_evidence(), view, find_model("joint"))
    assert after.hash == before.hash and "named_forecasts" in after.tables


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"name": "Mine"}, "name and dim must be lower-case"),
        ({"name": "constants"}, "which comes with the package"),
        ({"dim": "study"}, "dim must not be that of scaling_exponents, got 'study'"),
        ({"columns": ()}, "columns must begin with KEY"),
        ({"columns": lambda c: c[1:]}, "columns must begin with KEY"),
        ({"columns": lambda c: c[:-1]}, r"and USED where there is a likelihood, got \['note'\]"),
        ({"columns": lambda c: tuple(x for x in c if x.name != "used")}, r"got \['used'\]"),
        ({"columns": lambda c: (*c, c[1])}, r"different names, got \['labeller'\]"),
        (
            {"columns": lambda c: (*c, replace(c[1], name="x", kind="float"))},
            "the kind of a column must be one of",
        ),
        ({"dated": "labeller"}, "dated must name a column of years or dates, got 'labeller'"),
        (
            {"identity": Identity("labeller", ("year",), "se")},
            r"identity must name columns, got \['year'\]",
        ),
    ],
)
def test_a_malformed_table_is_refused(example, changed, told):
    minutes, _ = parts()
    table = replace(minutes.TABLE, name="mine", dim="my_row")
    ready = {k: v(table.columns) if callable(v) else v for k, v in changed.items()}
    with pytest.raises(InputError, match=told):
        register_table(replace(table, **ready), HOME / "label_timings.csv")
    assert "mine" not in TABLES


def test_a_file_of_rows_that_break_its_rules_is_refused(example, tmp_path):
    minutes, _ = parts()
    table = replace(minutes.TABLE, name="mine", dim="my_row")
    path = tmp_path / "rows.csv"
    path.write_text(
        HOME.joinpath("label_timings.csv").read_text("utf-8").replace("0.52,0.10", "0.52,-1")
    )
    with pytest.raises(
        InputError, match=r"rows.csv, line 3, column se: must lie between .* got '-1'"
    ):
        register_table(table, path)
    with pytest.raises(InputError, match="must be a readable file"):
        register_table(table, tmp_path / "none.csv")
    twice = replace(table, identity=Identity("labeller", ("status",), "log10_minutes"))
    path.write_text(
        HOME.joinpath("label_timings.csv").read_text("utf-8").replace("ben,Ben", "ben,Ana")
    )
    with pytest.raises(InputError, match="an observation must be used once"):
        register_table(twice, path)
    assert "mine" not in TABLES


# ----------------------------------------------------------------------------------------- a model


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"name": "My Model"}, "its name must be lower-case letters, digits and hyphens"),
        ({"name": "joint"}, "which comes with the package"),
        (
            {"name": "label-minutes"},
            "registered already; choose another name, or give replace=True",
        ),
        (
            {"quantities": ("lab_minuts",)},
            r"quantities must be registered, got \['lab_minuts'\]; first add",
        ),
        ({"quantities": ("lab_hours_per_thousand",)}, "register_quantity with a prior"),
        ({"quantities": "lab_label_minutes"}, "quantities must be a tuple of names"),
        ({"headlines": ("minutes",)}, "headlines must be registered"),
        ({"tables": ("bio_anchors",)}, "register_table with a likelihood"),
        ({"background": ("none",)}, "background must be registered"),
        ({"tables": ()}, "must have tables"),
        ({"likelihoods": ()}, "must have likelihoods"),
        ({"target_accept": 1.0}, "target_accept must lie between 0 and 1, got 1.0"),
        ({"sampler": "gibbs"}, "sampler must be hmc or nuts, got 'gibbs'"),
    ],
)
def test_a_malformed_model_is_refused(example, changed, told):
    minutes, _ = parts()
    known = set(MODELS)
    with pytest.raises(InputError, match=told):
        register_model(replace(minutes.MODEL, **({"name": "mine"} | changed)))
    assert set(MODELS) == known


def test_a_model_is_taken_by_name_or_itself(example):
    minutes, _ = parts()
    mine = replace(minutes.MODEL, name="mine")
    assert the_model("label-minutes") is the_model(minutes.MODEL) is minutes.MODEL
    assert the_model(mine) is mine is find_model("mine")  # it is registered by being used
    other = replace(mine, target_accept=0.5)
    with pytest.raises(
        InputError, match=r"must be the one that is registered under its name.*replace=True"
    ):
        the_model(other)
    register_model(other, replace=True)
    assert the_model(other) is other
    with pytest.raises(InputError, match="got 'no-such'; check the spelling"):
        the_model("no-such")


# ------------------------------------------------------------------------- a likelihood more


ROW = (
    "key,name,year,corpus,method,allocation_exponent,allocation_exponent_se,se_basis,kaplan_style,"
    "estimand,independence_group,used,source,status,note\n"
    "lab2026,the lab,2026,theirs,parametric fit,0.52,{se},bootstrap,false,compute_optimal,lab2026,true,"
    "made up,computed,\n"
)


def test_a_further_row_from_outside_is_the_row_inside(example, view, tmp_path):
    """The log density of scaling with the plug-in's study, and that of scaling with the study in its own table.

    The control states another standard error inside.
    """
    import pytensor
    from pytensor.graph.replace import clone_replace

    (tmp_path / "scaling_exponents.add.csv").write_text(ROW.format(se=0.03))
    (tmp_path / "control").mkdir()
    (tmp_path / "control" / "scaling_exponents.add.csv").write_text(ROW.format(se=0.031))
    plain, outside = find_model("scaling"), find_model("scaling-with-lab")
    graph = outside.build(restrict(load_evidence(), view, outside), view)
    points = {value.name: value for value in graph.value_vars}

    def inside(folder):
        other = plain.build(restrict(load_evidence(folder), view, plain), view)
        return clone_replace(
            other.logp(), {value: points[value.name] for value in other.value_vars}
        )

    density = pytensor.function(
        list(points.values()), [graph.logp(), inside(tmp_path), inside(tmp_path / "control")]
    )
    rng, start = np.random.default_rng(2026), graph.initial_point()
    for _ in range(5):
        theirs, ours, control = density(
            *(0.5 * rng.standard_normal(np.shape(start[name])) for name in points)
        )
        assert abs(theirs - ours) < 1e-12 * max(1.0, abs(ours))
        assert abs(theirs - control) > 1e-4
    assert {p.name for p in graph.potentials} == {"scaling_exponents", "lab_studies"}


def test_the_parts_of_the_two_are_put_together(example, view, evidence):
    _, studies = parts()
    model = with_likelihood(
        find_model("scaling"), studies, name="mine", title="Mine", tables=("lab_studies",)
    )
    assert model.tables == ("scaling_exponents", "lab_studies")
    assert model.top_level == find_model("scaling").top_level
    held = restrict(load_evidence(), view, model)
    assert set(model.observed(held, view)) >= {"lab_studies"}
    assert set(model.data(held, view)) == {"studies", "lab_study_data"}
    assert KEY in studies.TABLE.columns
