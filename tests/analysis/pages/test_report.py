import base64
import json
import re
import shutil
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import matplotlib as mpl
import numpy as np
import pytest
import xarray as xr

from aligntax.analysis import refitting
from aligntax.analysis.figures import answer, arrival, checks, report_figures
from aligntax.analysis.figures.style import printable, quantile, round_ticks, series_of, view_of
from aligntax.analysis.inference.derive import observed_evidence, replicate_evidence
from aligntax.analysis.inference.options import Sampling, Talk
from aligntax.analysis.pages import report
from aligntax.analysis.pages.figure_data import pictures
from aligntax.analysis.pages.report import write_report
from aligntax.analysis.pipeline import run
from aligntax.analysis.storage.layout import Groups
from aligntax.analysis.storage.load import load
from aligntax.analysis.summaries.claim_answers import claim_answers
from aligntax.analysis.summaries.claims_in_words import chance_in_words
from aligntax.analysis.summaries.words import format_probability
from aligntax.models.catalogue import find_model

SCRIPT = re.compile(r"<script([^>]*)>(.*?)</script>", re.DOTALL)
SOURCES = re.compile(r'<img src="data:image/(svg\+xml|png)(?:;base64)?,([^"]+)"')


def _standing(page):
    """What a page says without its scripts."""
    return SCRIPT.sub("", page)


def _with_group(result, **groups):
    return result.with_groups(replace(result.groups, **groups))


@pytest.fixture(scope="module")
def complete(reference, tmp_path_factory):
    """The reference run in a folder of its own, with replicated evidence."""
    folder = tmp_path_factory.mktemp("report") / "run"
    shutil.copytree(reference.path, folder)
    model, view, evidence = find_model("joint"), reference.view, reference.evidence
    tables = view.tables(model.quantities)
    rng = np.random.default_rng(1)
    replicated = replicate_evidence(model, reference.draws, tables, evidence, view, rng)
    actual = observed_evidence(model, evidence, view)
    return _with_group(
        replace(reference, path=folder), posterior_predictive=replicated, observed_data=actual
    )


@pytest.fixture(scope="module")
def page(complete):
    return write_report(complete, strict=True).read_text("utf-8")


@pytest.fixture
def mine(complete, tmp_path):
    """A copy that a test may change."""
    folder = tmp_path / "run"
    shutil.copytree(complete.path, folder)
    return replace(complete, path=folder)


@pytest.fixture
def undrawn(monkeypatch):
    """No figures, for tests of the rest of the page."""
    none = {section: lambda result: iter(()) for section in report.SECTIONS}
    monkeypatch.setattr(report, "SECTIONS", none)


def test_the_page_is_one_offline_file(page):
    """No resource comes from outside: what leads there is a link that a reader follows, or not."""
    assert "default-src 'none'" in re.search(r'Content-Security-Policy" content="([^"]+)"', page)[1]
    assert not [attributes for attributes, _ in SCRIPT.findall(page) if "src" in attributes]
    outside = re.sub(r"data:image[^\"]+", "", _standing(page))
    assert not re.search(
        r"\b(src|srcset|action|formaction|poster|data|background|ping)=[\"']?\s*(https?:|//)",
        outside,
    )
    assert not re.search(
        r"<(link|base|iframe|object|embed|form|meta http-equiv=.refresh)\b", outside
    )
    assert "url(" not in outside and "@import" not in outside
    links = re.findall(r"<([a-z]+)[^>]*\bhref=\"([^\"]*)\"([^>]*)", outside)
    away = [(tag, rest) for tag, address, rest in links if not address.startswith("#")]
    assert away and {tag for tag, _ in away} == {"a"}
    assert all('rel="noopener noreferrer"' in rest for _, rest in away)
    assert all(address.startswith(("#", "https://", "http://")) for _, address, _ in links)


def test_what_stands_and_what_the_explorer_reads_is_small(page):
    held = [
        text
        for attributes, text in SCRIPT.findall(page)
        if 'id="figures"' in attributes or 'id="glossary"' in attributes
    ]
    assert len(held) == 2
    assert len((_standing(page) + "".join(held)).encode()) < 4e6


def test_each_image_has_its_values(page):
    held = json.loads(
        next(text for attributes, text in SCRIPT.findall(page) if 'id="figures"' in attributes)
    )
    names = re.findall(r'<figure data-figure="([^"]+)"', page)
    assert list(held["panels"]) == sorted(names) and len(names) == len(set(names)) == len(
        SOURCES.findall(page)
    )


def test_each_name_in_a_table_means_something(page):
    meanings = json.loads(
        next(text for attributes, text in SCRIPT.findall(page) if 'id="glossary"' in attributes)
    )
    named = set(re.findall(r'<dfn data-term="([^"]+)"', _standing(page)))
    assert named == set(meanings) and {"alignment_hours_needed", "alignment_tax_tolerance"} <= named
    ids = re.findall(r'\sid="([^"]+)"', _standing(page))
    assert len(ids) == len(set(ids))


def test_sources_of_evidence_and_of_priors_are_links(page):
    table = page[page.index("<h2>Evidence") : page.index("<h2>Priors")]
    assert (
        'href="https://arxiv.org/abs/2203.02155" rel="noopener noreferrer" target="_blank">arXiv:2203.02155</a>'
        in table
    )
    assert 'href="https://arxiv.org/abs/' in page[page.index("<h2>Priors") :]


def test_every_figure_is_an_image_and_none_is_broken(page):
    found = SOURCES.findall(page)
    # eight forecasts, anchors, shifts and the exponent's by weight, two of time horizons, what
    # drives them and by how much in hours and years, six variables of evidence and their ranks, two of chains
    assert len(found) == 8 + 3 + 2 + 2 + 6 + 1 + 2
    assert 'class="broken"' not in _standing(page) and "could not be drawn" not in _standing(page)
    for kind, data in found:
        if kind == "png":
            assert base64.b64decode(data).startswith(b"\x89PNG")
        else:
            assert ET.fromstring(unquote(data)).tag.endswith("svg")


def test_sections_come_in_order(page):
    headings = re.findall(r"<h2>(.*?)</h2>", _standing(page))
    assert headings == [
        "Kinds of requirement",
        "Claims",
        "Answer",
        "What if the priors were different?",
        "Figures",
        "What moves arrival",
        "What drives the answer",
        "Does the model make and predict its evidence?",
        "Diagnostics",
        "All quantities",
        "Evidence",
        "Priors",
        "How this was made",
    ]
    assert page.index('class="verdict') < page.index("<h2>Answer")


def test_the_verdict_names_what_failed(mine, undrawn):
    failed = {
        "name": "r_hat",
        "value": 1.5,
        "threshold": 1.01,
        "passed": False,
        "where": "z[spend_cap]",
    }
    record = {
        **mine.record,
        "verdict": "fail",
        "checks": [{**failed, "action": "run again with more draws"}],
    }
    text = write_report(replace(mine, record=record), strict=True).read_text("utf-8")
    assert "<strong>Fail.</strong> 1 of 1 checks failed" in text
    assert (
        "z[spend_cap]</code> is 1.5, threshold 1.01. To fix it: run again with more draws." in text
    )
    passed = {
        **mine.record,
        "verdict": "pass",
        "checks": [{**failed, "passed": True, "action": ""}],
    }
    text = write_report(replace(mine, record=passed), strict=True).read_text("utf-8")
    assert "All checks passed:" in text


def test_claims_stand_under_their_questions_with_condition_noise_and_maker(page, complete):
    first = page[page.index('class="verdict') : page.index("<h2>Answer")]
    parts = re.findall(r"<div><h3>\d\. .*?</h3>\s*<ul>(.*?)</ul></div>", first, re.DOTALL)
    claims = [re.findall(r"<li>(.*?)</li>", part) for part in parts]
    assert [len(each) for each in claims] == [3, 4, 6]
    answers = claim_answers(complete.derived, complete.weights, horizon=2100.0)
    within = answers["needed_within_2_oom_of_rlhf"]
    assert claims[0][0].startswith(f"<strong>{chance_in_words(within)}</strong>: at most 100 times")
    given = format_probability(within["given_probability"])
    assert all(f", given arrival before 2100 ({given})." in claim for claim in claims[0])
    assert [re.search(r">(\w+)</span>$", claim)[1] for claim in claims[1]] == [
        *("Hilton", "ours", "Hilton", "ours")
    ]
    assert "given a tolerance of at least 1% and arrival before 2100" in claims[1][2]
    assert "given a neural-net anchor and arrival in either world" in claims[2][2]
    # payments bear on the tolerance
    assert not any("assumed" in claim for part in claims for claim in part)


def test_the_answer_by_kind_of_requirement_comes_first(page):
    kind = page.index("takeoff presets: full automation of cognitive work")
    assert kind < page.index('<div class="claims">') < page.index('<p class="lead">')
    assert "moves the 25, 50 and 75% points of arrival" in page


def test_the_answer_speaks_human_units(page):
    table = page[page.index('class="answer"') : page.index("<h2>Figures")]
    assert "human-hours</td>" in table
    assert "later than 2100 or never" in table
    assert "nothing affordable" in table
    assert "USD</td>" in table


@pytest.mark.slow
def test_a_failing_figure_is_visible_and_counted(mine, monkeypatch):
    def broken(result):
        raise RuntimeError("<b>ink ran out</b>")

    monkeypatch.setattr(answer, "data_fan", broken)
    with pytest.raises(RuntimeError, match="ink ran out"):
        write_report(mine, strict=True)
    told = []
    text = _standing(write_report(mine, talk=Talk(failed=told.append)).read_text("utf-8"))
    assert told == [
        "figure 01-human-hours-of-alignment-data-needed was not drawn: RuntimeError: <b>ink ran out</b>"
    ]
    assert "1 figure could not be drawn" in text
    assert "RuntimeError: &lt;b&gt;ink ran out&lt;/b&gt;" in text
    assert text.index("1 figure could not") < text.index("<h2>Answer")
    assert len(SOURCES.findall(text)) == 23


def _no_ink(result):
    raise RuntimeError("ink\nran out")


@pytest.mark.slow
def test_the_exit_code_says_that_a_figure_failed(mine, monkeypatch, aligntax):
    assert aligntax("report", mine.path)[0] == 0
    monkeypatch.setattr(answer, "data_fan", _no_ink)
    code, out, err = aligntax("report", mine.path)
    assert code == 1
    assert out.strip() == str(mine.path / "report.html")
    (line,) = err.splitlines()
    assert line.startswith("aligntax: figure 01-human-hours") and line.endswith(
        "was not drawn: RuntimeError: ink ran out"
    )


@pytest.mark.slow
def test_a_refit_whose_report_lacks_a_figure_is_kept_and_exits_1(mine, monkeypatch, aligntax):
    monkeypatch.setattr(answer, "data_fan", _no_ink)
    words = (
        "refit",
        mine.path,
        "--set",
        "rlhf_multiplier=0.05,1,20",
        "--report",
        "--quiet",
        "--name",
        "mine",
    )
    # the reference run is too short to pass
    monkeypatch.setattr(refitting, "verdict", lambda checks: "pass")
    code, _, err = aligntax(*words)
    assert code == 1
    assert "was not drawn: RuntimeError: ink ran out" in err
    assert load(Path("results/mine")).record["verdict"] == "pass"
    assert "1 figure could not be drawn" in Path("results/mine/report.html").read_text("utf-8")


@pytest.mark.slow
def test_a_run_tells_of_figures_that_failed(scaling, monkeypatch, tmp_path):
    monkeypatch.setattr(answer, "scaling_forest", _no_ink)
    told = []
    options = Sampling(draws=60, tune=60, chains=2)
    run(
        "scaling",
        options=options,
        out=tmp_path,
        name="run",
        talk=Talk(failed=told.append),
        compiled=scaling,
    )
    assert [line.rpartition(": ")[2] for line in told] == ["ink ran out"]
    assert (tmp_path / "run" / "report.html").exists()


@pytest.mark.slow
def test_values_that_cannot_be_read_are_visible_and_counted(mine, monkeypatch):
    def broken(figure):
        raise RuntimeError("no axes")

    monkeypatch.setattr(pictures, "figure_values", broken)
    told = []
    text = _standing(write_report(mine, talk=Talk(failed=told.append)).read_text("utf-8"))
    assert "The values of 24 figures could not be read" in text
    assert len(told) == text.count("RuntimeError: no axes") == len(SOURCES.findall(text)) == 24
    assert "could not be drawn" not in text


def test_a_failing_page_leaves_the_old_one(mine, monkeypatch, undrawn):
    path = write_report(mine)
    before = path.read_bytes()
    files = sorted(mine.path.iterdir())

    def broken(source, target):
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", broken)
    with pytest.raises(OSError, match="disk full"):
        write_report(mine)
    assert path.read_bytes() == before
    assert sorted(mine.path.iterdir()) == files


HOSTILE = '</code><script>alert("$x_{")</script>\u202e 中\x07' + "x" * 300


def test_names_from_users_are_text(mine):
    evidence = {}
    for name, rows in mine.evidence.tables.items():
        text = [c for c in ("name", "study", "source", "forecast", "milestone") if c in rows]
        evidence[name] = rows.assign(
            {
                c: (rows[c].dims, np.array([f"{HOSTILE}{i}" for i in range(rows[c].size)]))
                for c in text
            }
        )
    view = (mine.path / "view.toml").read_text("utf-8")
    shown = HOSTILE.replace("\x07", "").replace('"', '\\"')
    (mine.path / "view.toml").write_text(
        re.sub(r"^name = .*$", lambda _: f'name = "{shown}"', view, count=1, flags=re.M)
    )
    record = {**mine.record, "view": HOSTILE, "run": HOSTILE}
    info = {**mine.info, "command": HOSTILE}
    hostile = replace(_with_group(mine, evidence=evidence), record=record, info=info)
    text = write_report(hostile, strict=True).read_text("utf-8")
    assert "<script" not in _standing(text)
    assert "&lt;script&gt;" in text
    assert not [script for attributes, script in SCRIPT.findall(text) if 'alert("$x_{")' in script]


def test_what_a_run_lacks_is_left_out(mine):
    kept = [
        "data_exponent",
        "data_exponent_pooled",
        "between_study_sd",
        "kaplan_bias",
        "data_exponent_prior",
    ]
    rows = {name: mine.record["quantities"][name] for name in kept}
    record = {
        **mine.record,
        "model": "scaling",
        "quantities": rows,
        "claims": claim_answers(mine.derived[kept]),
    }
    groups = Groups(mine.draws, mine.derived[kept], evidence=mine.evidence.tables)
    info = {key: value for key, value in mine.info.items() if key != "sensitivity"}
    small = replace(mine, record=record, info=info).with_groups(groups)
    text = _standing(write_report(small, strict=True).read_text("utf-8"))
    assert "Evidence replicated from the posterior" not in text
    assert "Which anchor" not in text
    assert "alignment data needed" not in text
    assert "Data exponent of each scaling study" in text
    assert len(re.findall(r"<div><h3>", text)) == 1


@pytest.mark.slow
def test_draws_that_never_arrive_can_be_drawn(mine):
    derived = mine.derived.copy()
    for name in [str(n) for n in derived.data_vars if f"{n}_state" in derived]:
        state = 1 if name.startswith("tai_") else 3
        derived[name] = xr.full_like(derived[name], np.nan)
        derived[f"{name}_state"] = xr.full_like(derived[f"{name}_state"], state)
    from aligntax.analysis.summaries.arrival_answers import arrival_answers
    from aligntax.analysis.summaries.summary import summarise

    record = {
        **mine.record,
        "quantities": summarise(derived),
        **arrival_answers(derived, mine.view),
        "claims": claim_answers(derived),
    }
    never = replace(_with_group(mine, derived=derived), record=record)
    text = write_report(never, strict=True).read_text("utf-8")
    assert "100% of the posterior lies after 2100" in text
    assert "undefined in every draw" in text


@pytest.mark.slow
def test_the_same_run_gives_the_same_page(page, mine):
    assert write_report(mine, strict=True).read_text("utf-8") == page


def test_matplotlib_is_left_as_it_was(mine):
    import matplotlib.pyplot as plt

    before, figures = dict(mpl.rcParams), plt.get_fignums()
    with mpl.rc_context({"font.size": 30, "axes.grid": False, "text.parse_math": True}):
        figure = answer.frontier(mine)
        assert mpl.rcParams["font.size"] == 30
        assert figure.axes[0].yaxis.label.get_fontsize() == 9
    assert dict(mpl.rcParams) == before
    assert plt.get_fignums() == figures


def test_arrival_curves_end_at_the_share_that_arrives(complete):
    figure = arrival.arrival(complete)
    line = next(line for line in figure.axes[0].lines if line.get_label() == "posterior")
    arrived = 1 - complete.record["quantities"]["tai_year"]["prob_above"]
    assert line.get_ydata()[-1] == pytest.approx(arrived)
    assert np.all(np.diff(line.get_ydata()) >= 0)


def test_milestones_are_never_pooled(complete):
    axes = arrival.published_arrival(complete).axes[0]
    markers = [
        line.get_marker()
        for line in axes.lines
        if line.get_label() and ":" in str(line.get_label())
    ]
    rows = complete.evidence["published_forecasts"]
    used = rows["milestone"].values[rows["used"].values.astype(bool)]
    assert len(markers) == len(set(markers)) == len(set(used))


def test_the_posterior_is_called_what_arrives(complete, monkeypatch):
    own = complete.view.replace(
        anchors={"user": 1.0}, requirement={"user_milestone": "full automation"}
    )
    monkeypatch.setattr(arrival, "view_of", lambda result: own)
    labels = [str(line.get_label()) for line in arrival.published_arrival(complete).axes[0].lines]
    assert labels[0] == "full automation, this posterior"


@pytest.mark.parametrize(("second", "coder"), [("time_horizon", True), ("direct_approach", False)])
def test_captions_speak_of_a_superhuman_coder_only_where_one_counts(
    complete, monkeypatch, second, coder
):
    mixed = complete.view.replace(
        anchors={"genome": 0.5, second: 0.5}, algorithms={"growth": {"genome": 0.8}}
    )
    monkeypatch.setattr(report_figures, "view_of", lambda result: mixed)
    captions = " ".join(drawing.caption for drawing in report_figures.forecast_figures(complete))
    assert "Milestones differ" in captions
    assert ("A superhuman coder counts" in captions) is coder
    assert ("whose requirement is a time horizon" in captions) is coder
    assert "these anchors have their own: genome." in captions


def test_coverage_counts_observations(complete):
    half, most, count = checks.coverage(complete, "training_runs")
    assert (
        0 < half <= most <= count == int(complete.groups.constant_data["training_runs_exact"].sum())
    )
    assert most / count > 0.7


def test_contrasts_lead_with_headlines_and_label_assumptions(complete):
    names = answer.contrasted_quantities(complete)
    assert "alignment_tax_tolerance" in names and len(names) == len(set(names)) == 12
    figure = answer.prior_posterior(complete)
    texts = [t.get_text() for axes in figure.axes for t in axes.texts]
    prior_only = [name for name in names if name in complete.info["prior_only"]]
    assert texts.count("not informed by evidence") == len(prior_only) >= 1


def test_the_worst_parameters_are_those_of_the_checks(complete):
    named = [c["where"] for c in complete.record["checks"] if c["name"] == "r_hat"]
    assert checks.worst_parameters(complete)[0] == named[0]
    unknown = replace(
        complete, record={**complete.record, "checks": [{"name": "r_hat", "where": "z[nothing]"}]}
    )
    assert checks.worst_parameters(unknown) == []


def test_quantiles_keep_infinities_in_their_place():
    values = np.array([[-np.inf], [0.0], [1.0], [np.inf]])
    assert quantile(values, 0.1)[0] == -np.inf
    assert quantile(values, 0.5)[0] == 0.0
    assert quantile(values, 0.95)[0] == np.inf


def test_series_has_its_infinities(complete):
    values = series_of(complete.derived, "tai_year").values
    share = complete.record["quantities"]["tai_year"]["prob_above"]
    assert np.mean(np.isposinf(values)) == pytest.approx(share)


@pytest.mark.parametrize(("low", "high"), [(0.0, 0.3), (-3.2, 4.0), (20.0, 48.0), (1.99, 2.31)])
def test_nice_ticks_are_few_and_inside(low, high):
    places = round_ticks(low, high)
    assert 1 <= len(places) <= 5
    assert all(low <= place <= high for place in places)


def test_plain_text_is_one_short_line():
    assert printable("a\nb\x00c") == "a b c"
    assert len(printable("x" * 99, 10)) == 10


def test_the_view_is_the_runs(complete):
    assert view_of(complete).hash == complete.view.hash
