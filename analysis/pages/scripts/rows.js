"use strict";
// Rows of the live charts and the table, from an answer of what_if.js.
const Rows = (() => {
  const BANDS = [0.05, 0.25, 0.5, 0.75, 0.95];
  const FIRST = 2024;
  const LAST = 2060;
  const DATES = 19; // as the fan of analysis/figures/answer.py, every second year
  const SMOOTH = 80; // cells of a density
  const LINES = 400; // draws of a fan, enough for a band

  /** Share of the draws that come by each year; those without a date never do. */
  function arrival(answer, name, label, from, to) {
    // where it is undefined, it never comes
    const dates = Float64Array.from(answer.columns[name], (v) => (Number.isNaN(v) ? Infinity : v));
    const { x, w } = Weights.ordered(dates, answer.weights);
    const rows = [];
    let sum = 0;
    let i = 0;
    for (let year = from; year <= to; year += 1) {
      while (i < x.length && x[i] <= year) {
        sum += w[i];
        i += 1;
      }
      rows.push({ year, probability: sum, series: label });
    }
    return rows;
  }

  const WHOLE = "all of the tolerated tax as hours";

  /**
   * Spend and FLOP of the largest run of each date. No prior that moves here changes them: worked out
   * once.
   */
  function paths(run) {
    if (run.paths) return run.paths;
    const c = run.held.alignment;
    const functions = Alignment.trends(c);
    const last = Math.max(FIRST + 1, Math.min(LAST, c.horizon));
    const dates = Array.from({ length: DATES }, (_, i) => FIRST + ((last - FIRST) * i) / (DATES - 1));
    const every = Math.max(1, Math.floor(run.n / LINES));
    const size = Math.ceil(run.n / every);
    const table = () => dates.map(() => new Float64Array(size));
    const spend = table();
    const flop = table();
    WhatIf.eachDraw(
      run,
      run.values,
      (x, d) =>
        dates.forEach((t, i) => {
          spend[i][d / every] = functions.spend(x, t);
          flop[i][d / every] = functions.physical(x, t);
        }),
      every,
    );
    run.paths = { dates, every, size, spend, flop, functions };
    return run.paths;
  }

  /** Bands of hours needed and affordable if the largest run of each date were the one to align. */
  function fan(run, answer) {
    const { dates, every, size, spend, flop, functions } = paths(run);
    const weights = new Float64Array(size);
    const table = () => dates.map(() => new Float64Array(size));
    const amounts = { needed: table(), affordable: table(), [WHOLE]: table() };
    WhatIf.eachDraw(
      run,
      answer.carried.values,
      (x, d) => {
        const k = d / every;
        const whole = x.tolerance_at_arrival + x.rnd_ratio - Alignment.cost(x);
        weights[k] = answer.weights[d];
        for (let i = 0; i < dates.length; i += 1) {
          amounts.needed[i][k] = functions.needed(x, flop[i][k], dates[i]);
          amounts.affordable[i][k] = functions.affordable(x, flop[i][k], dates[i]);
          amounts[WHOLE][i][k] = whole + spend[i][k];
        }
      },
      every,
    );
    return Object.entries(amounts).flatMap(([series, values]) =>
      dates.map((date, i) => {
        const [q05, q25, q50, q75, q95] = Weights.quantiles(Weights.ordered(values[i], weights), BANDS);
        const row = { date, series, q50, median: hours(q50), interval: `${hours(q05)} to ${hours(q95)}` };
        return series === WHOLE ? row : { ...row, q05, q25, q75, q95 };
      }),
    );
  }

  const hours = (value) => `${Words.number(10 ** value)} hours`;

  /** Finite draws in order, with their weights. */
  function finite(values, weights) {
    const { x, w } = Weights.ordered(values, weights);
    const n = x.length;
    let first = 0;
    let last = n;
    while (first < n && x[first] === -Infinity) first += 1;
    while (last > first && x[last - 1] === Infinity) last -= 1;
    const sum = w.subarray(first, last).reduce((a, b) => a + b, 0);
    return { x: x.subarray(first, last), w: w.subarray(first, last).map((v) => v / sum) };
  }

  /** Weighted kernel density of the finite draws on a grid, its highest 1. */
  function density(values, weights, [low, high]) {
    const cells = new Float64Array(SMOOTH);
    const width = (high - low) / SMOOTH;
    let sum = 0;
    let mean = 0;
    let square = 0;
    let squares = 0;
    values.forEach((v, i) => {
      if (!Number.isFinite(v)) return;
      const w = weights[i];
      const place = Math.floor((v - low) / width);
      sum += w;
      mean += w * v;
      square += w * v * v;
      squares += w * w;
      if (place >= 0 && place < SMOOTH) cells[place] += w;
    });
    if (!(sum > 0)) return [];
    const sd = Math.sqrt(Math.max(square / sum - (mean / sum) ** 2, 0));
    const ess = (sum * sum) / squares;
    const [q25, q75] = Weights.quantiles(finite(values, weights), [0.25, 0.75]);
    const spread = Math.min(sd, (q75 - q25) / 1.34 || sd) || width;
    const bandwidth = Math.max(0.9 * spread * ess ** -0.2, 0.7 * width);
    const reach = Math.ceil((3 * bandwidth) / width); // Silverman's rule
    const kernel = Array.from({ length: 2 * reach + 1 }, (_, k) =>
      Math.exp(-0.5 * (((k - reach) * width) / bandwidth) ** 2),
    );
    const smooth = Array.from(cells, (_, i) =>
      kernel.reduce((s, k, j) => s + k * (cells[i + j - reach] ?? 0), 0),
    );
    const most = Math.max(...smooth) || 1;
    return smooth.map((y, i) => ({ x: low + (i + 0.5) * width, y: y / most }));
  }

  /**
   * Range of a density: the middle 98% of the finite draws, and room for the bars of draws without a
   * number.
   */
  function domain(values, weights) {
    const sorted = finite(values, weights);
    const [low, high] = sorted.x.length ? Weights.quantiles(sorted, [0.01, 0.99]) : [0, 1];
    const pad = 0.12 * (high - low) || 0.5;
    return { inner: [low, high], outer: [low - 1.4 * pad, high + 1.4 * pad] };
  }

  function densityRows(column, values, weights, series, { inner, outer }) {
    const rows = density(values, weights, [
      outer[0] + 0.5 * (inner[0] - outer[0]),
      outer[1] - 0.5 * (outer[1] - inner[1]),
    ]).map((row) => ({ ...row, kind: "density", series, words: Words.amount(row.x, column) }));
    const { prob_above: above, prob_below: below } = Weights.summary(values, weights);
    // the two bars stand side by side
    const aside = (series === "what if" ? 1 : -1) * 0.011 * (outer[1] - outer[0]);
    const bar = (x, y, words) =>
      rows.push({ kind: "mass", series, x: x + aside, y, words: `${Words.probability(y)} ${words}` });
    if (above > 0) bar(outer[1] - 0.25 * (outer[1] - inner[1]), above, column.beyond);
    if (below > 0) bar(outer[0] + 0.25 * (inner[0] - outer[0]), below, column.beneath);
    return rows;
  }

  return { arrival, fan, domain, densityRows };
})();
