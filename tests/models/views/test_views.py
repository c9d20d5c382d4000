"""A view is a complete, cited set of beliefs; files extend one another; a mistake is explained with the name of the file."""

import datetime
from dataclasses import replace

import pytest
import tomli_w
from hypothesis import example, given
from hypothesis import strategies as st

from aligntax.models.catalogue import find_model
from aligntax.models.errors import InputError
from aligntax.models.priors.compile import compile_prior
from aligntax.models.priors.quantities import ELICITED, QUANTITIES
from aligntax.models.priors.tables import KNOTS
from aligntax.models.views import (
    ANCHORS,
    LINKS,
    UNLINKED,
    View,
    load_view,
    load_views,
    parse_view,
    view_names,
)
from aligntax.models.views.setting_rules import decimal_year

QUANTITY = "[quantities.{}]\n{}\n"
WIDE = "quantiles = {0.1 = 0.1, 0.5 = 3, 0.9 = 100}"


# ------------------------------------------------------------------------------------- what we ship


@pytest.mark.parametrize("name", view_names())
def test_every_view_of_the_package_states_every_elicited_quantity(name) -> None:
    assert set(load_view(name).quantities) == set(ELICITED)


@pytest.mark.parametrize("name", view_names())
def test_every_prior_of_the_package_says_where_it_comes_from_and_why(name) -> None:
    for quantity, spec in load_view(name).quantities.items():
        assert len(spec.get("source", "")) > 5, f"{quantity} has no source"
        assert len(spec.get("rationale", "")) > 5, f"{quantity} has no rationale"


def test_all_views_at_once_are_those_read_one_by_one() -> None:
    assert load_views() == {name: load_view(name) for name in view_names()}


@pytest.mark.parametrize("name", view_names())
def test_the_anchors_of_every_view_are_a_simplex(name) -> None:
    anchors = load_view(name).anchors
    assert tuple(anchors) == ANCHORS
    assert sum(anchors.values()) == pytest.approx(1.0, abs=1e-9)
    assert min(anchors.values()) >= 0


def test_the_default_prior_of_the_data_exponent_is_cotras(view) -> None:
    table = compile_prior("data_exponent_prior", view.quantities["data_exponent_prior"])
    for p, gamma in ((0.05, 0.5), (0.5, 0.8), (0.95, 1.1)):
        assert 10 ** float(table.quantile(p, 1 - p)) == pytest.approx(gamma, rel=1e-4)


def test_every_quantity_of_the_registry_has_words_and_a_unit() -> None:
    for name, quantity in QUANTITIES.items():
        assert quantity.name == name
        assert quantity.unit and quantity.label and quantity.meaning
        assert quantity.scale in ("linear", "log10", "logit")


@given(st.sampled_from(sorted(ELICITED)), st.floats(0.01, 0.99))
def test_link_and_natural_value_undo_each_other(name, x) -> None:
    quantity = ELICITED[name]
    if quantity.scale == "logit":
        x = quantity.lower + x * (quantity.upper - quantity.lower)
    assert quantity.from_link(quantity.to_link(x)) == pytest.approx(x, rel=1e-12)


# ---------------------------------------------------------------------------------------- extending


def test_three_numbers_make_a_view(view) -> None:
    mine = parse_view(QUANTITY.format("rlhf_multiplier", WIDE), "mine.toml")
    assert mine.name == "mine"
    changed = [name for name in ELICITED if mine.quantities[name] != view.quantities[name]]
    assert changed == ["rlhf_multiplier"]
    assert (mine.anchors, mine.arrival, mine.evidence, mine.compute) == (
        view.anchors,
        view.arrival,
        view.evidence,
        view.compute,
    )


def test_bare_keys_of_quantiles_are_read_as_probabilities() -> None:
    """TOML reads 0.1 = 1 as a table 0 with a key 1."""
    mine = parse_view(
        QUANTITY.format("spend_growth", "quantiles = {0.1 = 1, 0.5 = 2, 0.9 = 3}"), "mine.toml"
    )
    table = compile_prior("spend_growth", mine.quantities["spend_growth"])
    assert table.quantile(0.1, 0.9) == pytest.approx(1.0)
    assert table.quantile(0.5, 0.5) == pytest.approx(2.0)
    assert table.quantile(0.9, 0.1) == pytest.approx(3.0)


def test_quoted_and_bare_probabilities_are_the_same_prior() -> None:
    bare, quoted = (
        parse_view(QUANTITY.format("spend_growth", text), "mine.toml").tables(["spend_growth"]).y
        for text in ("quantiles = {0.05 = 1, 0.5 = 2}", 'quantiles = {"0.05" = 1, "0.5" = 2}')
    )
    assert bare.tolist() == quoted.tolist()


def test_settings_left_out_stay_and_those_given_change(view) -> None:
    mine = parse_view(
        '[arrival]\nmode = "crossing"\nhorizon = 2080-01-01\n[evidence]\nuse = "none"\n',
        "mine.toml",
    )
    assert mine.arrival == replace(view.arrival, mode="crossing", horizon=2080.0)
    assert mine.evidence.use == "none"
    assert not mine.evidence.no_tai
    assert mine.alignment == view.alignment


def test_anchors_left_out_have_no_weight() -> None:
    anchors = parse_view("[anchors]\nuser = 0.5\nnone = 0.5\n", "mine.toml").anchors
    assert anchors == {**dict.fromkeys(ANCHORS, 0.0), "user": 0.5, "none": 0.5}


def test_a_view_can_be_put_on_top_of_another(view) -> None:
    base = parse_view("[anchors]\nuser = 1.0\n", "base.toml")
    mine = parse_view(QUANTITY.format("rlhf_multiplier", WIDE), "mine.toml", base)
    assert mine.anchors["user"] == 1.0
    assert mine.quantities["rlhf_multiplier"] != view.quantities["rlhf_multiplier"]


def test_a_view_that_extends_nothing_must_state_everything(view) -> None:
    with pytest.raises(
        InputError, match=r"alone\.toml: quantities: .*missing .*spend_level.*; add extends"
    ):
        parse_view('extends = ""\n', "alone.toml")
    assert parse_view(view.to_toml(), "alone.toml").quantities == view.quantities


def test_no_tai_is_evidence_where_all_or_it_is_used() -> None:
    uses = {
        '"all"': True,
        '"none"': False,
        '["training_runs"]': False,
        '["training_runs", "no_tai"]': True,
    }
    for use, expected in uses.items():
        assert parse_view(f"[evidence]\nuse = {use}\n", "mine.toml").evidence.no_tai is expected


def test_with_quantity_checks_the_prior(view) -> None:
    with pytest.raises(InputError, match="sigma must be positive"):
        view.with_quantity("spend_growth", {"family": "normal", "mu": 0, "sigma": 0})
    with pytest.raises(InputError, match="only elicited ones take a prior, got 'tai_year'"):
        view.with_quantity("tai_year", {"family": "normal", "mu": 0, "sigma": 1})


def test_tables_are_in_the_order_asked_for_and_carry_the_copula() -> None:
    text = '[[correlations]]\nbetween = ["spend_level", "spend_growth"]\nrho = 0.5\n'
    tables = parse_view(text, "mine.toml").tables(("spend_growth", "spend_cap", "spend_level"))
    assert tables.names == ("spend_growth", "spend_cap", "spend_level")
    assert tables.y.shape == tables.slope.shape == (3, len(KNOTS))
    matrix = tables.cholesky @ tables.cholesky.T
    assert matrix[0, 2] == pytest.approx(0.5176380902, abs=1e-9)  # 2 sin(pi 0.5 / 6)
    assert matrix[0, 1] == matrix[1, 2] == 0


# ------------------------------------------------------------------------------ round trip and hash

RICH = """
name = "rich"
title = "Everything at once"
source = "a test"
[evidence]
use = ["training_runs", "no_tai"]
until = 2022-07-01
[arrival]
mode = "hazard"
none_final = 0.03
[anchors]
medium_horizon = 0.6
none = 0.4
[quantities.spend_growth]
mixture = [{weight = 2, family = "normal", mu = 0.3, sigma = 0.1}, {quantiles = {0.1 = 0.1, 0.9 = 0.5}}]
bounds = [0.0, 1.0]
[quantities.usd_per_hour]
histogram = {edges = [10, 20, 100], weights = [1, 2]}
source = "me"
rationale = "why not"
[quantities.lifetime_flop]
quantiles = {0.1 = 26, 0.5 = 28, 0.9 = 33}
unit = "OOM"
[quantities.labour_overhead]
point = 1.5
[quantities.spend_growth_ratio]
samples = [0.3, 0.4, 0.45, 0.5, 0.5, 0.55, 0.6, 0.6, 0.65, 0.7, 0.7, 0.7, 0.75, 0.8, 0.8, 0.85, 0.9, 1, 1, 1.2]
[quantities.hardware_growth]
log_pool = [{family = "normal", mu = 0.1, sigma = 0.1}, {quantile_pool = [{point = 0.2}, {family = "normal", mu = 0.2, sigma = 0.1}]}]
[quantities.horizon_long]
quantiles = {0.1 = 0.1, 0.5 = 1, 0.9 = 10}
unit = "years"
[[correlations]]
between = ["spend_growth", "hardware_growth"]
rho = 0.3
"""


@pytest.mark.parametrize(
    "text", ["", RICH, QUANTITY.format("rlhf_multiplier", WIDE)], ids=["default", "rich", "small"]
)
def test_writing_and_reading_a_view_changes_nothing(text) -> None:
    one = parse_view(text, "mine.toml")
    other = parse_view(one.to_toml(), "elsewhere.toml")
    assert other.hash == one.hash
    assert other == one


def test_a_views_file_extends_nothing(view) -> None:
    """So that a stored view means the same when the default changes."""
    again = parse_view(
        parse_view(RICH, "rich.toml").to_toml(), "x.toml", replace(view, anchors={}, quantities={})
    )
    assert again == parse_view(RICH, "rich.toml")


def test_the_hash_ignores_names_and_notes(view) -> None:
    spec = dict(view.quantities["spend_growth"])
    noted = view.with_quantity(
        "spend_growth", {**spec, "source": "someone else", "rationale": "another reason"}
    )
    assert replace(noted, name="other", title="other", source="other").hash == view.hash


@pytest.mark.parametrize(
    "text",
    [
        QUANTITY.format("spend_growth", "quantiles = {0.05 = 0.10, 0.5 = 0.30, 0.95 = 0.61}"),
        "[anchors]\nnone = 1.0\n",
        '[evidence]\nuse = "none"\n',
        "[evidence]\nuntil = 2022.5\n",
        "[arrival]\nhorizon = 2099.0\n",
        "[scaling]\nerror_correlation = 0.4\n",
        '[[correlations]]\nbetween = ["spend_growth", "hardware_growth"]\nrho = 0.1\n',
    ],
)
def test_the_hash_sees_every_number(text, view) -> None:
    assert parse_view(text, "mine.toml").hash != view.hash


def test_the_hash_does_not_depend_on_how_a_probability_is_written() -> None:
    """Bare keys in a file, text from the command line."""
    plain = {"quantiles": {"0.1": 0.1, "0.5": 3, "0.9": 100}}
    assert (
        load_view("default").with_quantity("rlhf_multiplier", plain).hash
        == parse_view(QUANTITY.format("rlhf_multiplier", WIDE), "x").hash
    )


@pytest.mark.parametrize("pool", ["mixture", "log_pool", "quantile_pool"])
def test_the_hash_ignores_notes_inside_a_pool(pool) -> None:
    one, other = (
        parse_view(
            QUANTITY.format(
                "spend_growth",
                f'{pool} = [{{{note}family = "normal", mu = 0, sigma = 1}}, {{family = "normal", mu = 1, sigma = 1}}]',
            ),
            "x",
        )
        for note in ("", 'source = "Ann", ')
    )
    assert one.hash == other.hash


# -------------------------------------------------------------------------------------------- dates


@pytest.mark.parametrize(
    ("value", "year"),
    [
        (2030, 2030.0),
        (2030.25, 2030.25),
        ("2030-01-01", 2030.0),
        (datetime.date(2023, 7, 2), 2023 + 182 / 365),
        (datetime.date(2024, 7, 2), 2024 + 183 / 366),
        (datetime.datetime(2023, 12, 31, 23, 59), 2023 + 364 / 365),
    ],
)
def test_a_decimal_year_counts_days_of_its_own_year(value, year) -> None:
    assert decimal_year(value) == pytest.approx(year, abs=1e-12)


@given(st.dates(datetime.date(1900, 1, 1), datetime.date(2200, 1, 1)))
def test_decimal_years_increase_day_by_day(day) -> None:
    assert (
        decimal_year(day)
        < decimal_year(day + datetime.timedelta(days=1))
        <= decimal_year(day) + 1 / 365 + 1e-9
    )


# -------------------------------------------------------------------------------------- wrong files

WRONG = {  # what -> text, words of the message
    "not TOML": ("[quantities", ("must be TOML",)),
    "a key twice": ("name = 'a'\nname = 'b'", ("must be TOML",)),
    "unknown key": ("quantity = 1", ("no key ['quantity']", "known are")),
    "unknown quantity": (QUANTITY.format("rlhf_multiplyer", WIDE), ("'rlhf_multiplyer'", "did you mean rlhf_multiplier")),
    "derived quantity": (QUANTITY.format("tai_year", WIDE), ("only elicited", "'tai_year'", "aligntax view show")),
    "bad prior": (QUANTITY.format("spend_growth", "quantiles = {0.1 = 3, 0.9 = 1}"), ("spend_growth", "increase", "in order")),
    "prior is a number": ("[quantities]\nspend_growth = 3", ("spend_growth: must be a table, got 3",)),
    "quantities is a list": ("quantities = [1]", ("quantities: must be a table, got [1]",)),
    "name is a number": ("name = 3", ("name: must be text, got 3", "quotes")),
    "title is a list": ("title = ['a']", ("title: must be text",)),
    "unknown parent": ('extends = "defualt"', ("must be a file or one of", "'defualt'", "spelling")),
    "unknown setting": ("[arrival]\nhorizn = 2100", ("arrival: has no setting ['horizn']", "horizon")),
    "section is a number": ("arrival = 3", ("arrival: must be a table, got 3",)),
    "unknown mode": ('[arrival]\nmode = "step"', ("arrival.mode", "hazard or crossing", "'step'", "choose one")),
    "cap of zero": ("[arrival]\nhazard_cap = 0", ("arrival.hazard_cap", "between 0 and 1000", "got 0")),
    "horizon in the past": ("[arrival]\nhorizon = 2020", ("arrival.horizon", "2027 to 3000", "2020")),
    "horizon a word": ('[arrival]\nhorizon = "soon"', ("arrival.horizon", "a number or a date", "'soon'", "2030-01-01")),
    "bad date": ('[arrival]\nhorizon = "2030-13-01"', ("arrival.horizon", "a number or a date", "'2030-13-01'")),
    "a date as a boolean": ("[arrival]\nhorizon = true", ("arrival.horizon", "a number or a date", "True")),
    "NaN year": ("[compute]\nreference_year = nan", ("compute.reference_year", "a number or a date", "nan")),
    "infinite year": ("[alignment]\nwork_starts = inf", ("alignment.work_starts", "a number or a date", "inf")),
    "correlation of one": ("[scaling]\nerror_correlation = 1.0", ("scaling.error_correlation", "[0, 1)", "1.0")),
    "unknown anchor": ("[anchors]\nshort = 1.0", ("anchors: no anchor ['short']", "short_horizon")),
    "anchors above one": ("[anchors]\nuser = 0.5\nnone = 0.6", ("anchors", "sum to 1", "1.1")),
    "no anchors": ("[anchors]", ("anchors", "sum to 1", "got 0")),
    "negative anchor": ("[anchors]\nuser = -0.5\nnone = 1.5", ("anchors", "not be negative", "-0.5")),
    "anchor a word": ('[anchors]\nuser = "all"', ("anchors.user", "'all'")),
    "anchors a number": ("anchors = 1", ("anchors: must be a table",)),
    "unknown evidence key": ("[evidence]\ntables = []", ("evidence: has no key ['tables']", "use, until")),
    "unknown table": ('[evidence]\nuse = ["runs"]', ("evidence.use: no table ['runs']", "training_runs")),
    "a table without likelihood": ('[evidence]\nuse = ["bio_anchors"]', ("evidence.use: no table ['bio_anchors']",)),
    "evidence some": ('[evidence]\nuse = "some"', ("evidence.use", "all, none or a list", "'some'", "choose one")),
    "evidence until a word": ('[evidence]\nuntil = "now"', ("evidence.until", "a number or a date", "'now'")),
    "evidence a word": ('evidence = "none"', ("evidence: must be a table",)),
    "correlations a number": ("correlations = 3", ("correlations: must be a table",)),
    "correlation without rho": ('[[correlations]]\nbetween = ["spend_growth", "spend_level"]', ("correlations", "rho")),
    "correlation with itself": ('[[correlations]]\nbetween = ["spend_growth", "spend_growth"]\nrho = 0.5', ("correlations", "two quantities")),
    "correlation of a stranger": ('[[correlations]]\nbetween = ["spend_growth", "spend"]\nrho = 0.5', ("'spend'", "did you mean")),
    "correlation beyond one": ('[[correlations]]\nbetween = ["spend_growth", "spend_level"]\nrho = 1.5', ("between -1 and 1", "1.5")),
    "correlation a word": ('[[correlations]]\nbetween = ["spend_growth", "spend_level"]\nrho = "high"', ("correlations.rho", "'high'")),
}  # fmt: skip


@pytest.mark.parametrize(("text", "words"), WRONG.values(), ids=WRONG)
def test_a_mistake_in_a_file_is_explained_with_its_name(text, words) -> None:
    with pytest.raises(InputError) as caught:
        parse_view(text, "somewhere/mine.toml")
    message = str(caught.value)
    assert message.startswith("somewhere/mine.toml: ")
    assert "\n" not in message
    assert "got" in message or "known are" in message or "missing" in message
    for word in words:
        assert word in message


def test_impossible_correlations_name_their_pairs() -> None:
    names = ("spend_growth", "spend_level", "spend_cap")
    rows = zip((0, 1, 0), (1, 2, 2), (0.9, 0.9, -0.9), strict=True)
    text = "\n".join(
        f'[[correlations]]\nbetween = ["{names[i]}", "{names[j]}"]\nrho = {rho}'
        for i, j, rho in rows
    )
    with pytest.raises(
        InputError,
        match=r"mine\.toml: .*positive definite.*spend_growth~spend_level.*spend_growth~spend_cap",
    ):
        parse_view(text, "mine.toml")


def test_an_unknown_view_is_refused_with_the_known_ones() -> None:
    with pytest.raises(
        InputError, match=r"must be a file or one of .*default.*, got 'defualt'; check the spelling"
    ):
        load_view("defualt")


@pytest.mark.parametrize(
    "text",
    [
        "[compute]\nreference_year = " + "1" * 400,
        "[compute]\nreference_year = " + "1" * 5000,
        "a = " + "[" * 100_000,
        "a" + ".a" * 200_000 + " = 1",
        "[quantities.spend_growth]\n"
        + "mixture = ["
        + "{mixture = [" * 300
        + "{point = 1}, {point = 2}"
        + "]}" * 300
        + "]",
        QUANTITY.format("spend_growth", f"family = 'normal'\nmu = {10**26}\nsigma = 1"),
        QUANTITY.format("spend_growth", "family = ['normal']\nmu = 0\nsigma = 1"),
        QUANTITY.format(
            "spend_growth", "weight = 2020-01-01\nfamily = 'normal'\nmu = 0\nsigma = 1"
        ),
    ],
    ids=[
        "year beyond floats",
        "year beyond Python",
        "deep nesting",
        "a key of 200,000 parts",
        "pools of pools",
        "number written out",
        "family is a list",
        "weight is a date",
    ],
)
def test_strange_files_give_a_view_or_an_input_error(text) -> None:
    try:
        mine = parse_view(text, "mine.toml")
    except InputError as error:
        assert str(error).startswith("mine.toml: ")
    else:
        assert parse_view(mine.to_toml(), "mine.toml").hash == mine.hash


@pytest.mark.parametrize(
    "setting", ["start = -1e12", "start = 2500.0", "none_final = -0.5", "none_final = 1.5"]
)
def test_arrival_settings_without_meaning_are_refused(setting) -> None:
    """A start 1e12 years ago asks for a grid that fills no memory; a weight is a probability."""
    with pytest.raises(InputError, match=r"mine\.toml: arrival"):
        parse_view(f"[arrival]\n{setting}\n", "mine.toml")


SECTION = st.sampled_from(
    [
        "quantities",
        "anchors",
        "evidence",
        "arrival",
        "correlations",
        "compute",
        "scaling",
        "name",
        "extends",
        "x",
    ]
)
INNER = st.sampled_from(
    [
        "use",
        "until",
        "mode",
        "horizon",
        "start",
        "between",
        "rho",
        "none",
        "user",
        "spend_growth",
        "family",
        "quantiles",
    ]
)
LEAF = st.one_of(
    st.booleans(), st.integers(-(2**40), 2**40), st.floats(), st.text(max_size=6), st.dates(),
    st.sampled_from(["all", "none", "default", "no_tai", "spend_growth", "hazard", "normal"]),
)  # fmt: skip
VALUE = st.recursive(
    LEAF, lambda v: st.lists(v, max_size=3) | st.dictionaries(INNER, v, max_size=4), max_leaves=8
)


@pytest.fixture(scope="module")
def base(view) -> View:
    return view


@given(st.dictionaries(SECTION, VALUE, max_size=4))
@example({"arrival": {"horizon": datetime.date(9999, 1, 1)}})
def test_garbage_in_the_shape_of_a_view_is_read_or_explained(base, content) -> None:
    try:
        mine = parse_view(tomli_w.dumps(content), "mine.toml", base)
    except InputError as error:
        assert str(error).startswith("mine.toml: ")
    else:
        assert set(mine.quantities) == set(ELICITED)


TOKENS = st.sampled_from(
    [
        *"[]{}=\"'#.,\n\t 0123456789abcé\x00",
        "name",
        "anchors",
        "quantities.",
        "[[",
        "= 1\n",
        "spend_cap",
    ]
)


@given(st.lists(TOKENS, max_size=40).map("".join))
@example("[quantities.spend_growth.quantiles]\n0.1 = 1\n0.9.x = 2")
def test_garbage_text_is_read_or_explained(base, text) -> None:
    try:
        mine = parse_view(text, "mine.toml", base)
    except InputError as error:
        assert str(error).startswith("mine.toml: ")
    else:
        assert set(mine.quantities) == set(ELICITED)


# -------------------------------------------------------------------------------------------- links


def test_a_link_is_read_written_and_counts(view):
    linked = parse_view('multiplier = "from-overoptimization"\n', "mine.toml")
    assert set(linked.links) == {"rlhf_multiplier"} and linked.hash != view.hash
    again = parse_view(linked.to_toml(), "again.toml")
    assert (
        again.multiplier == "from-overoptimization"
        and again.quality == UNLINKED
        and again.hash == linked.hash
    )


def test_stating_a_prior_ends_its_link_and_no_other(view):
    linked = parse_view(
        'multiplier = "from-overoptimization"\nquality = "from-outer-alignment"\n', "mine.toml"
    )
    stated = {"quantiles": {"0.1": 1.0, "0.9": 3.0}}
    for own in (
        linked.with_quantity("rlhf_multiplier", stated),
        linked.replace(rlhf_multiplier={0.1: 1, 0.9: 3}),
        parse_view(
            "[quantities.rlhf_multiplier]\nquantiles = {0.1 = 1, 0.9 = 3}\n", "top.toml", linked
        ),
    ):
        assert set(own.links) == {"quality_factor"}
        assert own.quantities["rlhf_multiplier"] == stated
    both = parse_view(
        'quality = "from-outer-alignment"\n[quantities.quality_factor]\nquantiles = {0.1 = 1, 0.9 = 3}\n',
        "b",
    )
    assert set(both.links) == {"quality_factor"}  # what a file asks for by name holds
    assert not linked.replace(multiplier=UNLINKED, quality=UNLINKED).links


@pytest.mark.parametrize("value", ['"from-outer-alignment"', '"yes"', "1", "true", "[]"])
def test_a_link_has_one_name(value):
    with pytest.raises(
        InputError, match='multiplier: must be "elicited" or "from-overoptimization", got'
    ):
        parse_view(f"multiplier = {value}\n", "mine.toml")


def test_links_lead_from_a_derived_quantity_to_an_elicited_one_on_its_scale():
    for key, link in LINKS.items():
        model = find_model(link.model)
        assert link.quantity in ELICITED and link.quantity not in model.quantities, key
        assert link.answer in model.headlines
        assert QUANTITIES[link.answer].scale == ELICITED[link.quantity].scale == "log10"
        assert QUANTITIES[link.answer].unit == ELICITED[link.quantity].unit
