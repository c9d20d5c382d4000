"use strict";
// Charts that follow moved priors: hours over dates, arrival by year, densities of the headline numbers.
const LiveCharts = (() => {
  const { element } = Downloads;
  const DENSITIES = [
    "alignment_hours_needed",
    "labour_tax",
    "compute_tax",
    "tax_headroom",
    "tai_year",
    "timeline_shift_exponent",
    "data_exponent",
  ];
  const MOST_DENSITIES = 6;
  const FIRST_YEAR = 2026; // of arrival, where a run models no alignment

  // Each of the next functions returns one chart: `title`, `note`, Vega-Lite `spec`, `rows(answer)`, and
  // `still` for rows that stay.

  /** Human-hours needed and affordable over dates. */
  function hours(run, base) {
    const first = Rows.fan(run, base);
    const of = (series) => first.filter((row) => row.series === series);
    const ends = of("needed").flatMap((row) => [row.q05, row.q95]);
    const tops = of("affordable").map((row) => row.q95);
    const domain = [Math.max(-1, Math.min(...ends) - 1), Math.max(...ends, ...tops) + 1];
    return {
      title: "Data needed and affordable",
      note:
        "Human-hours of alignment data needed and affordable if the largest run of each date were the one " +
        "to align: median, 50% and 90% bands.",
      spec: Specs.fan(domain),
      rows: (answer) => Rows.fan(run, answer),
    };
  }

  /** Probability of arrival by each year. */
  function arrival(run, base) {
    const from = Math.floor(run.held.alignment?.now ?? FIRST_YEAR);
    const to = run.held.horizon;
    const curve = (answer, name, series) => Rows.arrival(answer, name, series, from, to);
    return {
      title: "Arrival",
      note:
        "Probability that transformative AI has arrived by each year; " +
        `the rest lies after ${to} or never arrives.`,
      spec: Specs.arrival(),
      rows: (answer) => [
        ...curve(answer, "tai_year", "what if"),
        ...curve(answer, "tai_year_baseline_exponent", "what if, data as parameters^0.8"),
        ...curve(answer, "tai_year_aligned", "what if, aligned"),
      ],
      still: curve(base, "tai_year", "this run"),
    };
  }

  /** Density of one headline number, and bars for the draws that have none. */
  function density(column, base) {
    const of = (answer, series) =>
      Rows.densityRows(column, answer.columns[column.name], answer.weights, series, domain);
    const domain = Rows.domain(base.columns[column.name], base.weights);
    const [low, high] = domain.inner;
    const still = of(base, "this run");
    const masses = still.filter((row) => row.kind === "mass");
    const words = [];
    if (masses.some((row) => row.x < low)) words.push(column.beneath);
    if (masses.some((row) => row.x > high)) words.push(column.beyond);
    const bars = words.length ? ` Bars: share of draws without a number (${words.join("; ")}).` : "";
    return {
      title: column.label,
      note: `Grey: this run; line: what if.${bars}`,
      spec: Specs.density(column, domain.outer),
      rows: (answer) => of(answer, "what if"),
      still,
    };
  }

  /** Columns whose density is drawn: those that answer the question, else a model's own. */
  function shown(held) {
    const known = Object.fromEntries(held.columns.map((column) => [column.name, column]));
    const leading = DENSITIES.filter((name) => name in known).map((name) => known[name]);
    const chosen = leading.length ? leading : held.columns.filter((column) => !column.indicator);
    return chosen.slice(0, MOST_DENSITIES);
  }

  /** Draw the charts into the section; returns how to redraw them for another answer. */
  async function create(place, run, base) {
    const redraws = [];

    async function draw(where, { title, note, spec, rows, still = [] }) {
      const figure = element("figure", {});
      const area = element("div", { class: "chart" });
      figure.append(area, element("figcaption", {}, note));
      place.querySelector(`[data-out="${where}"]`).append(figure);
      const chart = await Charts.draw(area, spec, rows(base), title, still);
      figure.append(Downloads.tools(chart, `${run.held.run} ${title}`));
      redraws.push((answer) => chart.update(rows(answer)));
    }

    const arrives = "tai_year" in base.columns && "tai_year_aligned" in base.columns;
    if (run.held.alignment) await draw("charts", hours(run, base));
    if (arrives) await draw("charts", arrival(run, base));
    for (const column of shown(run.held)) await draw("panels", density(column, base));
    return (answer) => Promise.all(redraws.map((redraw) => redraw(answer)));
  }

  return { create };
})();
