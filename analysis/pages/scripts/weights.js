"use strict";
// Weighted draws, as analysis/summaries/weights.py, analysis/summaries/summary.py and ArviZ's Pareto
// smoothing (arXiv:1507.02646) compute them.
const Weights = (() => {
  const EPSILON = 2 ** -52;
  const TINY = 2.2250738585072014e-308;
  const TIE = 1e-9; // ratios that differ by less are those of one draw
  const ROUNDING = 1e-12;

  const total = (values) => {
    let sum = 0;
    for (const v of values) sum += v;
    return sum;
  };

  function largest(values) {
    let most = -Infinity;
    for (const v of values) if (v > most) most = v;
    return most;
  }

  function logSumExp(values) {
    const most = largest(values);
    let sum = 0;
    for (const v of values) sum += Math.exp(v - most);
    return most + Math.log(sum);
  }

  /**
   * Shape and scale of an ascending generalised Pareto tail, by empirical Bayes (Zhang and Stephens
   * 2009).
   */
  function paretoFit(tail) {
    const n = tail.length;
    const count = 30 + Math.floor(Math.sqrt(n));
    const quartile = tail[Math.floor(n / 4 + 0.5) - 1];
    if (!(quartile > tail[0])) return [NaN, NaN];
    const b = [];
    const length = [];
    for (let j = 1; j <= count; j += 1) {
      const at = (1 - Math.sqrt(count / (j - 0.5))) / (3 * quartile) + 1 / tail[n - 1];
      const k = meanLog1p(tail, -at);
      b.push(at);
      length.push(n * (Math.log(-at / k) - k - 1));
    }
    const norm = logSumExp(length);
    let sum = 0;
    let mean = 0;
    length.forEach((each, j) => {
      const weight = Math.exp(each - norm);
      if (weight >= 10 * EPSILON) {
        sum += weight;
        mean += weight * b[j];
      }
    });
    const at = mean / sum;
    const k = meanLog1p(tail, -at);
    const shape = (n * k + 5) / (n + 10);
    return Number.isNaN(shape) ? [Infinity, NaN] : [shape, -k / at];
  }

  function meanLog1p(tail, factor) {
    let sum = 0;
    for (const v of tail) sum += Math.log1p(factor * v);
    return sum / tail.length;
  }

  /** Smoothed weights, sum 1, and k-hat of log ratios, of which `relative` of a draw is effective. */
  function smoothed(ratios, relative) {
    const n = ratios.length;
    const most = largest(ratios);
    const log = Float64Array.from(ratios, (r) => r - most);
    const order = Uint32Array.from(log.keys()).sort((i, j) => log[i] - log[j]);
    const size = tailSize(n, relative);
    const start = n - size;
    const highest = log[order[n - 1]];
    const lowest = log[order[start]];
    // bounded weights have no tail to smooth
    if (Math.abs(highest - lowest) < TINY) return [normalised(log), 0];
    const cutoff = Math.exp(log[order[start - 1]]);
    const tail = Float64Array.from({ length: size }, (_, i) => Math.exp(log[order[start + i]]) - cutoff);
    const [shape, scale] = paretoFit(tail);
    if (Number.isFinite(shape)) {
      for (let i = 0; i < size; i += 1) {
        const far = -Math.log1p(-(i + 0.5) / size);
        const stretch =
          scale > 0 ? cutoff + scale * (shape === 0 ? far : Math.expm1(shape * far) / shape) : NaN;
        log[order[start + i]] = Math.min(Math.log(stretch), highest);
      }
    }
    return [sharedAmongTies(ratios, order, normalised(log)), shape];
  }

  /** Weights in which draws of the same ratio count the same, their mean: a chain keeps a draw twice. */
  function sharedAmongTies(ratios, order, weights) {
    for (let i = 0, next; i < order.length; i = next) {
      let sum = 0;
      next = i;
      do sum += weights[order[next++]];
      while (next < order.length && ratios[order[next]] - ratios[order[next - 1]] <= TIE);
      for (let j = i; j < next; j += 1) weights[order[j]] = sum / (next - i);
    }
    return weights;
  }

  function tailSize(n, relative) {
    return Math.floor(n * relative > 225 ? 3 * Math.sqrt(n / relative) : n / 5);
  }

  function normalised(log) {
    const most = largest(log);
    const values = Float64Array.from(log, (v) => Math.exp(v - most));
    const sum = total(values);
    return values.map((v) => v / sum);
  }

  const equal = (n) => new Float64Array(n).fill(1 / n);

  function effective(weights) {
    let sum = 0;
    for (const w of weights) sum += w * w;
    return 1 / sum;
  }

  // The order of a column outlives its weights: most columns stay as they are whatever prior is moved.
  const orders = new WeakMap();

  /** Places of the defined draws in the order of their values. */
  function order(values) {
    if (!orders.has(values)) orders.set(values, sorted(values));
    return orders.get(values);
  }

  /**
   * Places of the numbers in their order, by the bytes of their keys, the last byte first: comparing them
   * in pairs takes several times as long.
   */
  function sorted(values) {
    const keys = new Uint32Array(new Float64Array(values).buffer);
    let places = new Uint32Array(values.length);
    let size = 0;
    for (let i = 0; i < values.length; i += 1) {
      if (!Number.isNaN(values[i])) places[size++] = i;
      const negative = keys[2 * i + 1] >>> 31; // then larger bits are a smaller number
      keys[2 * i] ^= negative ? 0xffffffff : 0;
      keys[2 * i + 1] ^= negative ? 0xffffffff : 0x80000000;
    }
    places = places.subarray(0, size);
    let next = new Uint32Array(size);
    for (let byte = 0; byte < 8; byte += 1) {
      const [word, shift] = [byte >> 2, 8 * (byte & 3)];
      const starts = new Uint32Array(257);
      for (const i of places) starts[((keys[2 * i + word] >>> shift) & 255) + 1] += 1;
      if (starts.includes(size)) continue; // all have the same byte here
      for (let k = 1; k < 256; k += 1) starts[k] += starts[k - 1];
      for (const i of places) next[starts[(keys[2 * i + word] >>> shift) & 255]++] = i;
      [places, next] = [next, places];
    }
    return places;
  }

  /** Defined draws that count, in order, with their weights among themselves. */
  function ordered(values, weights) {
    const places = order(values);
    const n = places.length;
    const x = new Float64Array(n);
    const w = new Float64Array(n);
    let size = 0;
    let sum = 0;
    for (let k = 0; k < n; k += 1) {
      const weight = weights[places[k]];
      if (!(weight > 0)) continue;
      x[size] = values[places[k]];
      w[size] = weight;
      sum += weight;
      size += 1;
    }
    for (let k = 0; k < size; k += 1) w[k] /= sum;
    return { x: x.subarray(0, size), w: w.subarray(0, size) };
  }

  /** Quantiles of numbers in order that may be infinite, as `censored_quantile`. */
  function quantiles({ x, w }, probabilities) {
    const n = x.length;
    const stand = new Float64Array(n);
    if (!n) return probabilities.map(() => NaN);
    let cumulative = 0;
    for (let i = 0; i < n; i += 1) {
      cumulative += w[i];
      stand[i] = cumulative - 0.5 * (w[i] + w[0]);
    }
    const end = stand[n - 1];
    return probabilities.map((p) => {
      if (n === 1) return x[0];
      let low = 0;
      let high = n;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (stand[middle] / end <= p) low = middle + 1;
        else high = middle;
      }
      const i = Math.min(Math.max(low - 1, 0), n - 2);
      const between =
        i + Math.min(Math.max((p - stand[i] / end) / (stand[i + 1] / end - stand[i] / end), 0), 1);
      const whole = Math.round(between);
      const place = Math.abs(between - whole) < ROUNDING * n ? whole : between;
      const [a, b] = [x[Math.floor(place)], x[Math.ceil(place)]];
      if (!Number.isFinite(a) || !Number.isFinite(b)) return a === b ? a : Number.isFinite(b) ? a : b;
      return a + (place - Math.floor(place)) * (b - a);
    });
  }

  /** What a row of `summary.json` says of a number. */
  function summary(values, weights) {
    const sorted = ordered(values, weights);
    const { x, w } = sorted;
    const [q05, q25, q50, q75, q95] = quantiles(sorted, [0.05, 0.25, 0.5, 0.75, 0.95]);
    let above = 0;
    let below = 0;
    let undefinedMass = 0;
    let all = 0;
    let mean = 0;
    let square = 0;
    for (let i = 0; i < values.length; i += 1) {
      all += weights[i];
      if (values[i] === Infinity) above += weights[i];
      else if (values[i] === -Infinity) below += weights[i];
      else if (Number.isNaN(values[i])) undefinedMass += weights[i];
    }
    const whole = x.length > 0 && Number.isFinite(x[0]) && Number.isFinite(x[x.length - 1]);
    if (whole) {
      for (let i = 0; i < x.length; i += 1) mean += w[i] * x[i];
      for (let i = 0; i < x.length; i += 1) square += w[i] * (x[i] - mean) ** 2;
    }
    return {
      q05,
      q25,
      q50,
      q75,
      q95,
      mean: whole ? mean : null,
      sd: whole ? Math.sqrt(square) : null,
      prob_above: above / all,
      prob_below: below / all,
      prob_undefined: undefinedMass / all,
    };
  }

  const SIGNS = { "<=": (x, y) => x <= y, ">": (x, y) => x > y, ">=": (x, y) => x >= y };

  /** Whether a statement of claims.py is true of each draw; false of an undefined one. */
  const holds = ({ quantity, sign, bound }, columns) => {
    const values = columns[quantity];
    return (d) => SIGNS[sign](values[d], bound);
  };

  /**
   * Probability of a claim among the draws that meet its condition, its Monte Carlo error, and the
   * probability of the condition, as `claim_answers`. Without such draws the first two are null.
   */
  function claim({ statement, given, neural }, columns, weights, run) {
    const values = columns[statement.quantity];
    const isTrue = holds(statement, columns);
    const meets = given ? holds(given, columns) : () => true;
    const counts = (d) => !Number.isNaN(values[d]) && meets(d) && (!neural || run.neural[d] === 1);
    let inside = 0;
    let among = 0;
    let all = 0;
    weights.forEach((w, d) => {
      all += w;
      if (!counts(d)) return;
      among += w;
      if (isTrue(d)) inside += w;
    });
    const chance = among / all;
    if (!(among > 0)) return { probability: null, mcse: null, given_probability: chance };
    const probability = inside / among;
    const influence = Float64Array.from(weights, (w, d) =>
      counts(d) ? (w / among) * weights.length * ((isTrue(d) ? 1 : 0) - probability) : 0,
    );
    return { probability, mcse: batchError(influence, run.held.chains), given_probability: chance };
  }

  /** Standard error of the mean of chains one after another, by means of batches, as `batch_error`. */
  function batchError(influence, chains) {
    const draws = influence.length / chains;
    const length = Math.max(1, Math.floor(Math.sqrt(draws)));
    const batches = Math.floor(draws / length);
    let squares = 0;
    for (let chain = 0; chain < chains; chain += 1) {
      for (let batch = 0; batch < batches; batch += 1) {
        const start = chain * draws + batch * length;
        squares += (total(influence.subarray(start, start + length)) / length) ** 2;
      }
    }
    return Math.sqrt(squares) / (chains * batches);
  }

  return { smoothed, equal, effective, ordered, quantiles, summary, claim };
})();
