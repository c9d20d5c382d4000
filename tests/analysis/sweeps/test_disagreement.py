"""Which disagreement moves which answer: what was put in is found, chance is not, and the page says what was found."""

import html
import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from aligntax.analysis.pages.sweep import write_page
from aligntax.analysis.sweeps.disagreement import FEWEST, disagreement
from aligntax.analysis.sweeps.grid import Case, SweepJob, cases
from aligntax.analysis.sweeps.sweep import Sweep, sweep
from aligntax.analysis.sweeps.wording import (
    extent_in_words,
    input_label,
    interval_within_view,
    moves_in_words,
    share_between_views,
    sweep_summary,
)
from tests.analysis.sweeping import QUICK, answer, by, numbered, row, swept

COUNT = 40
SCRIPT = "<script>alert(1)</script>"
BEYOND = {
    **dict.fromkeys(("q05", "q25", "q50", "q75", "q95", "mean", "sd", "mcse_median")),
    "prob_above": 1.0,
}
BELOW = {**BEYOND, "prob_above": 0.0, "prob_below": 1.0}
NONE = {**BEYOND, "prob_above": 0.0, "prob_undefined": 1.0}


@dataclass(frozen=True)
class Told(Sweep):
    """A sweep that is in memory alone."""

    views: Any = ()
    lines: Any = ()

    def answers(self):
        yield from self.lines

    def view(self, case):
        return self.views[case["view_hash"]]


def told(views, formula, seeds=(1,), model="joint"):
    """Sweep of views in memory; a formula of a case's place and its view makes the answer's numbers, or None where it failed."""
    asked = [(view, seed) for view in views for seed in seeds]
    cases, lines = [], []
    for i, (view, seed) in enumerate(asked):
        name = f"{i:04d}"
        cases.append({"case": name, "view": view.name, "view_hash": view.hash, "seed": seed})
        rows = formula(i)
        record = {} if rows is None else answer(Case(name, None, 0), model=model, **rows).record
        lines.append({"case": name, "error": "" if rows is not None else "no luck", **record})
    info = {"model": {"name": model}, "cases": cases}
    return Told(None, info, {view.hash: view for view in views}, lines)


@pytest.fixture
def rng():
    return np.random.default_rng(7)


@pytest.fixture
def stating(view, rng):
    """Views that state two quantities independently, and the logs of their medians."""
    logs = {name: rng.normal(size=COUNT) for name in ("rlhf_multiplier", "usd_per_hour")}
    return numbered(view, COUNT, **{name: np.exp(x).tolist() for name, x in logs.items()}), logs


# ------------------------------------------------------------------------------------ what is found


def test_what_moves_an_answer_is_found_and_noise_is_not(stating, rng):
    views, logs = stating
    hours = 5 + logs["rlhf_multiplier"] + 0.2 * rng.normal(size=COUNT)
    noise = rng.normal(size=COUNT)
    found = disagreement(
        told(views, lambda i: {"alignment_hours_needed": row(hours[i]), "tai_flop": row(noise[i])})
    )
    assert {(each.name, each.aspect) for each in found.inputs} == {
        (name, "median") for name in logs
    }
    (move,) = found.of("alignment_hours_needed")
    assert (move.input, move.aspect) == ("rlhf_multiplier", "median") and move.share > 0.85
    assert found.of("tai_flop") == [] and found.of("data_exponent") == []
    assert {(m.answer, m.input) for m in found.moves} == {  # what does not differ is not tested
        (a, i)
        for a in ("alignment_hours_needed", "tai_flop")
        for i in ("rlhf_multiplier", "usd_per_hour")
    }
    assert list(found.moves) == sorted(found.moves, key=lambda m: -m.share)
    order = np.argsort(logs["rlhf_multiplier"])
    thirds = [
        np.quantile(hours[part], 0.5, method="inverted_cdf") for part in (order[:13], order[-13:])
    ]
    assert (move.low, move.high) == pytest.approx(thirds, abs=0.1) and move.low < move.high
    assert (
        moves_in_words(found, "alignment_hours_needed")
        == f"RLHF multiplier {100 * move.share:.0f}%"
    )
    assert moves_in_words(found, "tai_flop") == "none is seen"


def test_the_share_and_its_test_are_those_of_a_line_through_ranks(stating, rng):
    """With fewer than 40 views an input has one function: the share is the adjusted R^2, the test that of a slope."""
    views, logs = stating
    views, x = views[:39], logs["rlhf_multiplier"][:39]
    y = 0.5 * x + rng.normal(size=39)
    found = disagreement(told(views, lambda i: {"tai_flop": row(y[i])}))
    share = {m.input: m.share for m in found.moves}
    for name in share:
        line = stats.linregress(logs[name][:39], stats.rankdata(y))
        assert share[name] == pytest.approx(1 - (1 - line.rvalue**2) * 38 / 37, abs=1e-6)
    p = {
        m.input: stats.linregress(logs[m.input][:39], stats.rankdata(y)).pvalue for m in found.moves
    }
    first, second = sorted(p, key=lambda name: p[name])
    seen = {m.input for m in found.moves if m.seen}
    assert (first in seen) == (p[first] <= 0.025) and (second in seen) == (
        max(2 * p[first], p[second]) <= 0.05
    )


def test_a_bend_is_found_where_there_are_views_enough(view, rng):
    x = rng.normal(size=80)
    views = numbered(view, 80, rlhf_multiplier=np.exp(x).tolist())
    (move,) = disagreement(told(views, lambda i: {"tai_flop": row(x[i] ** 2)})).moves
    assert move.seen and move.share > 0.8


def test_a_width_that_moves_an_answer_is_told_from_the_median(view, rng):
    middles, widths = np.exp(rng.normal(size=COUNT)), np.exp(rng.normal(size=COUNT, scale=0.3))
    views = [
        replace(view, name=f"v{i}").with_quantity(
            "rlhf_multiplier", {"quantiles": {"0.1": m / (1 + w), "0.5": m, "0.9": m * (1 + w)}}
        )
        for i, (m, w) in enumerate(zip(middles, widths, strict=True))
    ]
    found = disagreement(told(views, lambda i: {"tai_flop": row(widths[i])}))
    (move,) = found.of("tai_flop")
    assert (
        (move.input, move.aspect) == ("rlhf_multiplier", "spread")
        and move.share > 0.9
        and move.low < move.high
    )
    assert input_label(move.input, move.aspect) == "RLHF multiplier (spread)"


@pytest.mark.slow
def test_answers_dealt_to_other_views_are_moved_by_nothing(stating, rng):
    """Negative control: Holm over four tests rejects any of them in 5% of permutations, and always without one."""
    views, logs = stating
    hours = logs["rlhf_multiplier"] + 0.2 * rng.normal(size=COUNT)

    def seen(order):
        found = disagreement(
            told(
                views,
                lambda i: {
                    "alignment_hours_needed": row(hours[order[i]]),
                    "tai_flop": row(-hours[order[i] - 1]),
                },
            )
        )
        return any(move.seen for move in found.moves)  # fmt: skip

    assert seen(np.arange(COUNT))
    wrong = sum(seen(rng.permutation(COUNT)) for _ in range(100))
    assert wrong <= stats.binom.ppf(0.999, 100, 0.05)


# -------------------------------------------------------------------------------- what is no number


def test_answers_beyond_every_number_have_their_place(stating):
    """Half of the views answer "later or never": they rank above the others, and are no loss."""
    views, logs = stating
    x = logs["rlhf_multiplier"]
    found = disagreement(
        told(
            views,
            lambda i: {"tai_year": row(2040 + x[i], **(BEYOND if x[i] > np.median(x) else {}))},
        )
    )
    assert np.sum(np.isinf(found.answers["tai_year"])) == COUNT // 2
    (move,) = found.of("tai_year")
    assert move.share > 0.5 and move.low < 2040 and move.high == np.inf
    spread = next(each for each in found.spreads if each.answer == "tai_year")
    assert (
        spread.points[-1] == np.inf
        and spread.between is None
        and spread.noise is None
        and share_between_views(spread) == ""
    )
    assert (
        extent_in_words(spread)[0].startswith("20")
        and extent_in_words(spread)[-1] == "later than the horizon or never"
    )


def test_infinite_and_undefined_answers_are_null_in_json_and_words_in_text(stating, tmp_path):
    views, _ = stating
    found = disagreement(
        told(views, lambda i: {"tai_year": row(**BEYOND), "alignment_hours_affordable": row(**BELOW), "tax_headroom": row(**NONE)})
    )  # fmt: skip
    spreads = {each.answer: each for each in found.spreads}
    assert (
        extent_in_words(spreads["tai_year"]) == ("later than the horizon or never",) * 3
        and interval_within_view(spreads["tai_year"]) == "later than the horizon or never"
    )
    assert extent_in_words(spreads["alignment_hours_affordable"]) == ("nothing affordable",) * 3
    assert extent_in_words(spreads["tax_headroom"]) == ("undefined",) * 3
    assert (
        extent_in_words(spreads["prob_affordable"])[0] == "100%"
        and interval_within_view(spreads["prob_affordable"]) == ""
    )
    info = {"model": {"name": "joint"}, "cases": [], "failures": []}
    summary = sweep_summary(Sweep(tmp_path, info), found)
    for name in ("tai_year", "alignment_hours_affordable", "tax_headroom"):
        assert {
            key: value for key, value in summary["answers"][name].items() if value is not None
        } == {"within": [None, None]}
    assert not {"tai_year", "tax_headroom"} & {move.answer for move in found.moves}


def test_an_answer_that_is_undefined_in_a_view_is_not_tested(stating):
    views, logs = stating
    found = disagreement(
        told(
            views,
            lambda i: {"tai_year": row(logs["rlhf_multiplier"][i], **(NONE if i == 3 else {}))},
        )
    )
    assert found.moves == () and np.isnan(found.answers["tai_year"][3])
    assert np.isfinite(
        next(each for each in found.spreads if each.answer == "tai_year").points
    ).all()


def test_cases_without_an_answer_do_not_count(stating):
    views, logs = stating
    found = disagreement(
        told(views, lambda i: {"tai_flop": row(logs["rlhf_multiplier"][i])} if i % 4 else None)
    )
    kept = [i for i in range(COUNT) if i % 4]
    assert found.views == tuple(f"v{i}" for i in kept)
    assert found.answers["tai_flop"] == pytest.approx(logs["rlhf_multiplier"][kept])
    assert found.of("tai_flop")[0].input == "rlhf_multiplier"
    nothing = disagreement(told(views, lambda i: None))
    assert (nothing.views, nothing.inputs, nothing.spreads, nothing.moves) == ((), (), (), ())


# ----------------------------------------------------------------------------------- choices, seeds


def test_choices_are_groups(view, rng):
    """Horizon and a link are chosen in two ways, correlations in as many as there are views, which explains nothing."""
    views = []
    for i in range(COUNT):
        each = replace(
            view, name=f"v{i}", correlations={("rlhf_multiplier", "usd_per_hour"): 0.01 * i}
        )
        each = replace(each, multiplier="from-overoptimization") if i % 4 > 1 else each
        views.append(replace(each, arrival=replace(view.arrival, horizon=2100.0 + 10 * (i % 2))))
    found = disagreement(told(views, lambda i: {"tai_flop": row(i % 2 + 0.3 * rng.normal())}))
    assert [(each.name, each.aspect, len(np.unique(each.values))) for each in found.inputs] == [
        ("correlations", "choice", COUNT),
        ("multiplier", "choice", 2),
        ("arrival", "choice", 2),
    ]
    (move,) = found.of("tai_flop")
    assert (move.input, move.aspect, move.low, move.high) == (
        "arrival",
        "choice",
        None,
        None,
    ) and move.share > 0.5
    assert {each.input for each in found.moves} == {"arrival", "multiplier"}
    assert moves_in_words(found, "tai_flop").startswith("choice of arrival ")


def test_views_that_state_the_same_are_one_whoever_said_it(view):
    said = [
        {"quantiles": {"0.1": 1, "0.5": 2 + i // 2, "0.9": 9}, "source": f"expert {i}"}
        for i in range(12)
    ]
    views = [
        replace(view, name=f"v{i}").with_quantity("usd_per_hour", spec)
        for i, spec in enumerate(said)
    ]
    found = disagreement(told(views, lambda i: {"tai_flop": row(float(i // 2))}))
    assert len(found.views) == 6 and found.answers["tai_flop"].tolist() == [0, 1, 2, 3, 4, 5]


def test_seeds_of_a_view_are_one_view(stating):
    """Four views under ten seeds are four; the answer of a view is the middle of its seeds."""
    views, logs = stating
    x = logs["rlhf_multiplier"]
    few = told(views[: FEWEST - 1], lambda i: {"tai_flop": row(x[i // 10])}, seeds=range(10))
    assert disagreement(few).moves == () and len(disagreement(few).views) == FEWEST - 1
    assert len(disagreement(told(views[:FEWEST], lambda i: {"tai_flop": row(x[i])})).moves) == 2
    many = disagreement(
        told(views, lambda i: {"tai_flop": row(x[i // 3] + (i % 3 - 1))}, seeds=range(3))
    )
    assert many.answers["tai_flop"] == pytest.approx(x) and len(many.of("tai_flop")) == 1


def test_spread_within_and_between_views(stating, rng):
    views, _ = stating
    y, sd = rng.normal(size=COUNT), 0.5
    rows = [row(v, sd=sd, mcse_median=0.1) for v in np.repeat(y, 2)]
    found = disagreement(told(views, lambda i: {"tai_flop": rows[i]}, seeds=(1, 2)))
    spread = next(each for each in found.spreads if each.answer == "tai_flop")
    assert (spread.points[0], spread.points[-1]) == (y.min(), y.max())
    assert spread.within == pytest.approx((np.median(y) - 0.2, np.median(y) + 0.2), abs=0.05)
    assert spread.between == pytest.approx(np.var(y, ddof=1) / (np.var(y, ddof=1) + sd**2))
    assert spread.noise == pytest.approx(0.1**2 / 2 / np.var(y, ddof=1))


# ----------------------------------------------------------------------------------------- the page


def words(page):
    """Text of a page without its data and scripts."""
    body = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


def test_the_page_says_what_moves_what(evidence, stating, tmp_path):
    views, logs = stating
    place = {view.name: i for i, view in enumerate(views)}

    def found(case):
        x = logs["rlhf_multiplier"][place[case.view.name]]
        year = row(2040 + x, **(BEYOND if x > 1 else {}))
        return answer(
            case,
            model="joint",
            alignment_hours_needed=row(5 + x),
            tai_year=year,
            prob_affordable=row(0.2),
        )

    done = swept(evidence, views, found, tmp_path, model="joint")
    page = write_page(done, strict=True).read_text("utf-8")
    told = words(page)
    assert (
        "Pass. Every case has an answer" in told
        and page.count("<figure") == 3
        and "could not be drawn" not in told
    )
    assert (
        "Views differ in 2 things: labeller cost, RLHF multiplier."
        in told.replace("labeller's", "labeller")
        or "2 things" in told
    )
    assert re.search(r"alignment data needed .*? RLHF multiplier \d\d%", told)
    assert "v39" in told and "further cases" not in told


def test_nothing_of_a_user_is_markup_and_nothing_is_fetched(evidence, view, tmp_path):
    """Names, errors and what workers said when they died, with views too few, and cases that failed in both ways."""
    views = [replace(each, name=f'{SCRIPT}"{i}') for i, each in enumerate(numbered(view, 3))]
    views[1] = views[1].with_quantity("usd_per_hour", {"quantiles": {"0.1": 1, "0.5": 2, "0.9": 4}})

    def workers(job, cases, lost):
        lost(f"worker {SCRIPT} died")
        yield from by(
            lambda case: answer(case, error=SCRIPT * (case.name == "0001"), verdict="fail")
        )(job, cases, lost)

    done = sweep(
        SweepJob("scaling", evidence, QUICK), cases(views, [], [1]), workers, tmp_path, "mine"
    )
    page = write_page(done, strict=True).read_text("utf-8")
    assert SCRIPT not in page and page.count("alert(1)&lt;/script&gt;&#34;0") == 4
    assert "default-src 'none'" in page and "unsafe-eval" not in page
    assert not re.search(
        r"<(?:img|link|iframe|object)\b|(?:src|href)=[\"']?(?:https?:|//)", page.split("<script")[0]
    )
    told = words(page)
    assert (
        "Fail. 1 of 3 cases has no answer, and in 2 a check failed; read the rest with care."
        in told
    )
    assert f"worker {SCRIPT} died" in told and f'0001 {SCRIPT}"0, seed 1: {SCRIPT}' in told
    assert "Try them again: aligntax sweep --resume mine" in told and "✗ fail r hat" in told
    assert "Fewer than 5 views have an answer: nothing can be distinguished from chance." in told


def test_a_page_of_very_many_cases_names_the_file_with_the_rest(
    evidence, view, tmp_path, monkeypatch
):
    monkeypatch.setattr("aligntax.analysis.pages.sweep.MOST_CASES", 2)
    done = swept(evidence, numbered(view, 1), answer, tmp_path, seeds=(1, 2, 3, 4, 5))
    told = words(write_page(done, strict=True).read_text("utf-8"))
    assert (
        "3 further cases are in cases.csv" in told and "0002 v0" in told and "0003 v0" not in told
    )


def test_each_view_has_a_named_row_while_they_are_few(view, evidence, tmp_path):
    """Needed, affordable and arrival of each view; whose answer is the lowest is no riddle."""
    import io

    from rich.console import Console

    from aligntax.analysis.sweeps.wording import sweep_summary, view_rows
    from aligntax.analysis.terminal.sweep import print_sweep

    def formula(case):
        i = int(case.view.name[1:])
        year = row(2030.0 + i) if i else row(2030.0, q50=None, q95=None, prob_above=0.6)
        hours = row(4.6 + i, scale="log10", unit="human-hours")
        return answer(case, model="joint", tai_year=year, alignment_hours_needed=hours)

    def of(count):
        views = numbered(view, count, rlhf_multiplier=[1.0 + i for i in range(count)])
        return swept(evidence, views, formula, tmp_path, name=f"of{count}", model="joint")

    found = disagreement(few := of(3))
    rows = view_rows(found)
    assert [line[0] for line in rows] == ["v0", "v1", "v2"]
    assert (
        rows[0][1] == "40 thousand human-hours" and rows[0][-1] == "later than the horizon or never"
    )
    assert rows[2][1] == "4 million human-hours" and rows[2][-1] == "2032"
    assert sweep_summary(few, found)["by_view"][2]["tai_year"] == 2032.0
    assert sweep_summary(few, found)["by_view"][0]["tai_year"] is None
    screen = Console(file=io.StringIO(), width=400)
    print_sweep(screen, few, found)
    out = screen.file.getvalue()
    assert "alignment data affordable" in out and "takes 5 views or more to say" in out
    many = of(31)
    print_sweep(crowd := Console(file=io.StringIO(), width=400), many, disagreement(many))
    assert "v30" not in crowd.file.getvalue()
