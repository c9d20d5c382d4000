"use strict";
// Quantile tables of standard-normal scores, as models/priors/tables.py makes them: monotone cubics with
// linear tails.
const Tables = (() => {
  const STEP = 0.025;
  const KNOTS = Float64Array.from({ length: 401 }, (_, i) => STEP * (i - 200));
  const LOWEST = KNOTS[0];
  const HIGHEST = KNOTS[400];
  const HALVINGS = 45;

  /** Place of the last knot at or below x, such that a next one exists. */
  function before(knots, x) {
    let low = 0;
    let high = knots.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (knots[middle] <= x) low = middle + 1;
      else high = middle;
    }
    return Math.min(Math.max(low - 1, 0), knots.length - 2);
  }

  function cubic(t, h, y0, y1, m0, m1) {
    const d = (y1 - y0) / h;
    const c2 = 3 * d - 2 * m0 - m1;
    const c3 = m0 + m1 - 2 * d;
    return y0 + h * t * (m0 + t * (c2 + t * c3));
  }

  function cubicSlope(t, h, y0, y1, m0, m1) {
    const d = (y1 - y0) / h;
    const c2 = 3 * d - 2 * m0 - m1;
    const c3 = m0 + m1 - 2 * d;
    return m0 + t * (2 * c2 + t * 3 * c3);
  }

  /** Value and slope through knots at z. */
  function evaluate(z, knots, y, slope) {
    const inside = Math.min(Math.max(z, knots[0]), knots[knots.length - 1]);
    const i = before(knots, inside);
    const h = knots[i + 1] - knots[i];
    const t = (inside - knots[i]) / h;
    const gradient = cubicSlope(t, h, y[i], y[i + 1], slope[i], slope[i + 1]);
    return [cubic(t, h, y[i], y[i + 1], slope[i], slope[i + 1]) + gradient * (z - inside), gradient];
  }

  const value = (table, z) => evaluate(z, KNOTS, table.y, table.slope)[0];
  const gradient = (table, z) => evaluate(z, KNOTS, table.y, table.slope)[1];

  /** Score at which a table has a value, by bisection inside the bracketing interval. */
  function inverse(table, y) {
    const last = KNOTS.length - 1;
    if (y < table.y[0]) return LOWEST + (y - table.y[0]) / table.slope[0];
    if (y > table.y[last]) return HIGHEST + (y - table.y[last]) / table.slope[last];
    const i = before(table.y, y);
    const h = KNOTS[i + 1] - KNOTS[i];
    const ends = [table.y[i], table.y[i + 1], table.slope[i], table.slope[i + 1]];
    let low = 0;
    let high = 1;
    for (let n = 0; n < HALVINGS; n += 1) {
      const middle = 0.5 * (low + high);
      if (cubic(middle, h, ...ends) < y) low = middle;
      else high = middle;
    }
    return KNOTS[i] + h * 0.5 * (low + high);
  }

  /** Fritsch-Carlson slopes; at the two ends the chord. */
  function pchip(z, y) {
    const n = z.length;
    const h = [];
    const d = [];
    for (let i = 0; i < n - 1; i += 1) {
      h.push(z[i + 1] - z[i]);
      d.push((y[i + 1] - y[i]) / h[i]);
    }
    const slope = [d[0]];
    for (let i = 0; i < n - 2; i += 1) {
      const w1 = 2 * h[i + 1] + h[i];
      const w2 = h[i + 1] + 2 * h[i];
      slope.push((w1 + w2) / (w1 / d[i] + w2 / d[i + 1]));
    }
    slope.push(d[n - 2]);
    return slope;
  }

  /** Table through values in link space at given scores. */
  function fromQuantiles(scores, y) {
    const slope = pchip(scores, y);
    const table = { y: new Float64Array(401), slope: new Float64Array(401) };
    KNOTS.forEach((z, i) => {
      [table.y[i], table.slope[i]] = evaluate(z, scores, y, slope);
    });
    return table;
  }

  // The link of a quantity's scale, as models/priors/quantities.py has it.
  function toLink(quantity, x) {
    if (quantity.scale === "log10") return Math.log10(x);
    if (quantity.scale === "logit") return Math.log(x - quantity.lower) - Math.log(quantity.upper - x);
    return x;
  }

  function fromLink(quantity, y) {
    if (quantity.scale === "log10") return 10 ** y;
    if (quantity.scale === "logit")
      return quantity.lower + (quantity.upper - quantity.lower) / (1 + Math.exp(-y));
    return y;
  }

  const toScale = (quantity, y) => (quantity.scale === "log10" ? y : fromLink(quantity, y));

  return { KNOTS, value, gradient, inverse, fromQuantiles, toLink, fromLink, toScale };
})();
