"use strict";
// A run's draws under other priors, as analysis/fitting/reweight.py computes them: exact redraws, importance
// weights, and their checks.
const WhatIf = (() => {
  const NEGLIGIBLE = 1e-10;
  const CONSTANT = 1e-9;

  /** Bytes of a packed array: deflated, the first bytes of all numbers first. */
  async function unpacked(text, kind) {
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    const planes = new Uint8Array(await new Response(stream).arrayBuffer());
    const width = kind.BYTES_PER_ELEMENT;
    const count = planes.length / width;
    const straight = new Uint8Array(planes.length);
    for (let b = 0; b < width; b += 1)
      for (let i = 0; i < count; i += 1) straight[i * width + b] = planes[b * count + i];
    return new kind(straight.buffer);
  }

  /** Tables from a packed (table, value or slope, knot) array. */
  async function unpackedTables(text) {
    const values = await unpacked(text, Float64Array);
    const tables = [];
    for (let i = 0; i < values.length; i += 802)
      tables.push({ y: values.slice(i, i + 401), slope: values.slice(i + 401, i + 802) });
    return tables;
  }

  async function unpackedColumn(column) {
    const values = await unpacked(column.values, Float32Array);
    return Float64Array.from(values, (v) => v + column.offset);
  }

  /** Everything that the page holds, ready to answer. */
  async function load(held) {
    const n = held.draws;
    const flat = await unpacked(held.z, Float32Array);
    const tables = await unpackedTables(held.tables);
    const moved = await unpackedTables(held.now_tables);
    const now = tables.slice();
    held.quantities.forEach((quantity, i) => {
      if (quantity.moved) now[i] = moved.shift();
    });
    const z = held.quantities.map((_, i) => Float64Array.from(flat.subarray(i * n, (i + 1) * n)));
    const columns = {};
    for (const column of held.columns) columns[column.name] = await unpackedColumn(column);
    const arrival = {};
    for (const [name, column] of Object.entries(held.alignment?.arrival ?? {}))
      arrival[name] = await unpackedColumn(column);
    const excess = held.alignment ? await unpackedColumn(held.alignment.tolerance_excess) : null;
    const views = {};
    for (const view of held.views) {
      const own = view.tables ? await unpackedTables(view.tables) : [];
      views[view.name] = Object.fromEntries((view.quantities ?? []).map((name, i) => [name, own[i]]));
    }
    const neural = held.neural === null ? null : await unpacked(held.neural, Float32Array);
    const fixed = held.fixed === null ? null : await unpacked(held.fixed, Float64Array);
    const evidence = {};
    for (const { units } of held.evidence)
      for (const { key, values: steps } of units)
        if (steps !== null)
          evidence[key] = Float64Array.from(await unpacked(steps, Int32Array), (v) => v * held.resolution);
    const index = Object.fromEntries(held.quantities.map((quantity, i) => [quantity.name, i]));
    const values = z.map((scores, i) =>
      scores.map((score) => Tables.toScale(held.quantities[i], Tables.value(tables[i], score))),
    );
    return { held, n, tables, now, z, values, columns, arrival, excess, views, neural, fixed, evidence, index };
  }

  /** Table of a quantity whose 10, 50 and 90% points are stated in its own unit. */
  function stated(run, name, points) {
    const quantity = run.held.quantities[run.index[name]];
    return Tables.fromQuantiles(
      run.held.score,
      points.map((x) => Tables.toLink(quantity, x)),
    );
  }

  const same = (a, b) =>
    a === b || (a.y.every((v, k) => v === b.y[k]) && a.slope.every((v, k) => v === b.slope[k]));

  /**
   * Scores, values and log ratios of the draws under tables by name, without some units of evidence by key;
   * a table that is not given is this run's own.
   */
  function carry(run, chosen, leftOut) {
    const { held, n } = run;
    const tables = run.now.slice();
    for (const [name, table] of Object.entries(chosen)) tables[run.index[name]] = table;
    const moved = tables.map((table, i) => !same(table, run.tables[i]));
    const informed = held.quantities.map((q) => q.informed);
    const z = run.z.map((scores, i) => {
      if (!moved[i] || !informed[i]) return scores;
      return scores.map((score) => Tables.inverse(tables[i], Tables.value(run.tables[i], score)));
    });
    redraw(run, z);
    const values = run.values.map((old, i) => {
      if (informed[i] || (!moved[i] && z[i] === run.z[i])) return old;
      return z[i].map((score) => Tables.toScale(held.quantities[i], Tables.value(tables[i], score)));
    });
    const ratio = run.fixed ? Float64Array.from(run.fixed) : new Float64Array(n);
    addLogPrior(ratio, 1, held.copula.new_white, z, tables, moved, run);
    addLogPrior(ratio, -1, held.copula.white, run.z, run.tables, moved, run);
    for (const key of leftOut) for (let d = 0; d < n; d += 1) ratio[d] -= run.evidence[key][d];
    let low = Infinity;
    let high = -Infinity;
    for (const r of ratio) {
      if (r < low) low = r;
      if (r > high) high = r;
    }
    return { tables, moved, z, values, leftOut, ratio: high - low > CONSTANT ? ratio : null };
  }

  const product = (row, columns, d) => {
    let sum = 0;
    for (const [j, v] of row) sum += v * columns[j][d];
    return sum;
  };

  /** Prior-only scores given the informed ones: the stored residual under the new conditional normal. */
  function redraw(run, z) {
    const { copula } = run.held;
    const place = new Map(copula.slope.map(([i], k) => [i, k]));
    const rest = copula.slope.map(([i, row]) => run.z[i].map((score, d) => score - product(row, run.z, d)));
    const within = (row) => row.map(([j, v]) => [place.get(j), v]);
    const white = copula.inverse.map(([, row]) => {
      const own = within(row);
      return rest[0].map((_, d) => product(own, rest, d));
    });
    copula.new_factor.forEach(([i, row], k) => {
      const own = within(row);
      const [, slope] = copula.new_slope[k];
      // no correlation: as it was drawn
      if (own.length === 1 && !slope.length && !copula.slope[k][1].length) return;
      z[i] = run.z[i].map((_, d) => product(slope, z, d) + product(own, white, d));
    });
  }

  /**
   * Add the log density of the informed quantities, in link space, times a sign. Terms that no move
   * changes are left out.
   */
  function addLogPrior(ratio, sign, white, z, tables, moved, run) {
    const { copula } = run.held;
    white.rows.forEach(([i, row], k) => {
      const other = copula.new_white.rows[k][1];
      const old = copula.white.rows[k][1];
      const touched =
        moved[i] ||
        [...row, ...other, ...old].some(([j]) => moved[j]) ||
        JSON.stringify(other) !== JSON.stringify(old);
      if (!touched) return;
      const constant = white.log_scale[k];
      for (let d = 0; d < ratio.length; d += 1) {
        const w = product(row, z, d);
        ratio[d] += sign * (-0.5 * w * w - constant - Math.log(Tables.gradient(tables[i], z[i][d])));
      }
    });
  }

  /**
   * Share of a quantity's new posterior that lies where the old draws are too few; see
   * `aligntax.analysis.fitting.reweight.unreached`.
   */
  function unreached(old, table, scores, fewest) {
    const z = ascending(scores);
    const n = z.length;
    const mean = z.reduce((a, b) => a + b, 0) / n;
    const variance = z.reduce((a, b) => a + (b - mean) ** 2, 0) / n;
    const precision = 1 / Math.max(variance, 1e-12);
    const a = Math.max(precision - 1, 0);
    const b = mean * precision;
    const grid = (low, high) =>
      Float64Array.from({ length: 2001 }, (_, i) => low + ((high - low) * i) / 2000);
    let score = grid(-5, 5);
    let place;
    let cumulative;
    for (let round = 0; round < 2; round += 1) {
      place = score.map((s) => Tables.inverse(old, Tables.value(table, s)));
      const log = place.map((p, i) => {
        const edge = Math.min(Math.max(p, z[0]), z[n - 1]);
        const beyond = Math.min(Math.max(p - edge, -5), 5);
        return b * edge - 0.5 * a * edge * edge + (b - a * edge) * beyond - 0.5 * score[i] ** 2;
      });
      const most = log.reduce((x, y) => Math.max(x, y), -Infinity);
      const mass = log.map((v) => Math.exp(v - most));
      const total = mass.reduce((x, y) => x + y, 0);
      let sum = 0;
      cumulative = mass.map((v) => {
        sum += v;
        return sum / total;
      });
      const first = mass.findIndex((v) => v > NEGLIGIBLE);
      const last = mass.findLastIndex((v) => v > NEGLIGIBLE);
      score = grid(score[Math.max(first - 1, 0)], score[Math.min(last + 1, 2000)]);
    }
    return shareOfFew(z, (share) => interpolated(share, cumulative, place), fewest);
  }

  /**
   * Share of a score's weighted posterior that lies where the draws are too few; see
   * `aligntax.analysis.fitting.reweight.shares_beyond`.
   */
  function beyond(scores, weights, fewest) {
    const z = ascending(scores);
    const n = z.length;
    let [mean, newMean, square, newSquare] = [0, 0, 0, 0];
    scores.forEach((v, d) => {
      mean += v / n;
      newMean += weights[d] * v;
      newSquare += weights[d] * v * v;
    });
    for (const v of z) square += (v - mean) ** 2 / n;
    const stretch = Math.sqrt(Math.max(newSquare - newMean ** 2, 0) / square);
    const quantile = (share) => {
      const at = share * (n - 1);
      const i = Math.min(Math.floor(at), n - 2);
      return z[i] + (at - i) * (z[i + 1] - z[i]);
    };
    return shareOfFew(z, (share) => newMean + stretch * (quantile(share) - mean), fewest);
  }

  const inOrder = new WeakMap(); // a run's scores stay the same whatever is moved

  function ascending(scores) {
    if (!inOrder.has(scores)) inOrder.set(scores, Float64Array.from(scores).sort());
    return inOrder.get(scores);
  }

  /** Share of the intervals of equal probability in which few of the sorted scores lie. */
  function shareOfFew(z, quantile, fewest) {
    const bins = Math.min(Math.max(Math.floor(z.length / 40), 10), 100);
    const ends = Array.from({ length: bins + 1 }, (_, i) => {
      const share = i === 0 ? 0.1 / bins : i === bins ? 1 - 0.1 / bins : i / bins;
      return countBelow(z, quantile(share));
    });
    return ends.slice(1).filter((end, i) => end - ends[i] < fewest).length / bins;
  }

  function countBelow(z, at) {
    let low = 0;
    let high = z.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (z[middle] < at) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  function interpolated(x, xs, ys) {
    if (x <= xs[0]) return ys[0];
    let low = 0;
    let high = xs.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (xs[middle] <= x) low = middle + 1;
      else high = middle;
    }
    if (low >= xs.length) return ys[xs.length - 1];
    return ys[low - 1] + ((x - xs[low - 1]) / (xs[low] - xs[low - 1])) * (ys[low] - ys[low - 1]);
  }

  /** Weights of carried draws and the checks that say whether to trust them. */
  function weigh(run, carried) {
    if (!carried.ratio) return { weights: Weights.equal(run.n), checks: [] };
    const { limits, quantities } = run.held;
    const [weights, kHat] = Weights.smoothed(carried.ratio, limits.relative);
    let share = 0;
    let where = "";
    quantities.forEach(({ name, informed }, i) => {
      if (!informed) return;
      const unmoved = same(carried.tables[i], run.tables[i]);
      if (unmoved && !carried.leftOut.length) return;
      const own = unmoved
        ? beyond(run.z[i], weights, limits.fewest)
        : unreached(run.tables[i], carried.tables[i], run.z[i], limits.fewest);
      if (!where || own > share) [share, where] = [own, name];
    });
    const ess = Weights.effective(weights) * limits.relative;
    return {
      weights,
      checks: [
        { name: "reach", value: share, threshold: limits.reach, passed: share <= limits.reach, where },
        {
          name: "weights_variance",
          value: limits.variance,
          threshold: 0,
          passed: limits.variance > 0,
          where: "",
        },
        { name: "k_hat", value: kHat, threshold: limits.k_hat, passed: kHat <= limits.k_hat, where: "" },
        { name: "weighted_ess", value: ess, threshold: limits.ess, passed: ess >= limits.ess, where: "" },
      ],
    };
  }

  /** Columns of numbers of every draw; those that follow from what was redrawn are worked out again. */
  function derive(run, carried) {
    const columns = { ...run.columns };
    const c = run.held.alignment;
    run.held.quantities.forEach(({ name, informed }, i) => {
      if (name in columns && !informed) columns[name] = carried.values[i];
    });
    if (!c || carried.values.every((v, i) => v === run.values[i])) return columns;
    const functions = Alignment.trends(c);
    const redrawn = {};
    eachDraw(run, carried.values, (x, d) => {
      const year = c.arrival ? run.arrival.tai_year[d] : c.date;
      const found = Alignment.atDate(x, Number.isFinite(year) ? year : NaN, c, functions);
      if (c.arrival)
        Object.assign(
          found,
          Alignment.delayed(x, year, run.arrival.timeline_shift_alignment_compute[d], c, functions),
        );
      for (const name in found)
        if (name in columns) (redrawn[name] ??= new Float64Array(run.n))[d] = found[name];
    });
    return { ...columns, ...redrawn };
  }

  /** Call with the elicited values of each draw by name, in one object that is used again. */
  function eachDraw(run, values, work, every = 1) {
    run.cursor ??= cursor(run);
    const { at, x } = run.cursor;
    at.values = values;
    for (at.draw = 0; at.draw < run.n; at.draw += every) work(x, at.draw);
  }

  /**
   * Object whose properties are the elicited values of the draw that it stands at, and the tolerance of
   * the developer whose model arrives. They are looked up, not copied: most are not asked for.
   */
  function cursor(run) {
    const at = { values: null, draw: 0 };
    const x = {};
    const property = (name, get) => Object.defineProperty(x, name, { get });
    run.held.quantities.forEach(({ name }, i) => property(name, () => at.values[i][at.draw]));
    property("tolerance_at_arrival", () => x.alignment_tax_tolerance + run.excess[at.draw]);
    return { at, x };
  }

  /** The answer under tables by name, without units of evidence by key: weights, checks, columns. */
  function answer(run, chosen, leftOut = []) {
    const carried = carry(run, chosen, leftOut);
    const { weights, checks } = weigh(run, carried);
    return {
      carried,
      weights,
      checks,
      exact: !carried.ratio,
      trusted: checks.every((check) => check.passed),
      columns: derive(run, carried),
    };
  }

  return { load, stated, same, answer, eachDraw };
})();
