"use strict";
// Numbers in words a person reads, as analysis/summaries/words.py has them.
const Words = (() => {
  const SCALES = [
    [1e12, "trillion"],
    [1e9, "billion"],
    [1e6, "million"],
    [1e3, "thousand"],
  ];
  const LARGEST = 1e15;
  const SMALLEST = 1e-3;

  const trimmed = (text) => (text.includes(".") ? text.replace(/0+$/, "").replace(/\.$/, "") : text);

  function plain(value, digits) {
    return trimmed(value.toFixed(Math.max(0, digits - 1 - Math.floor(Math.log10(Math.abs(value))))));
  }

  /** A few significant digits: 0.0012, 3.2, 840, 26 thousand, 6.2e37. */
  function number(value, digits = 2) {
    if (value === 0 || !Number.isFinite(value)) return String(value);
    value = Number(value.toExponential(digits - 1)); // first rounded, so that 999,999 is a million
    const size = Math.abs(value);
    if (size >= LARGEST || size < SMALLEST) {
      const [mantissa, exponent] = value.toExponential(digits - 1).split("e");
      return `${trimmed(mantissa)}e${Number(exponent)}`;
    }
    const scale = SCALES.find(([least]) => size >= least);
    return scale ? `${plain(value / scale[0], digits)} ${scale[1]}` : plain(value, digits);
  }

  const percent = (share) => (share > 0 && share < 1e-4 ? "under 0.01%" : `${number(100 * share)}%`);

  function probability(value) {
    if (value > 0 && value < 0.01) return "under 1%";
    if (value > 0.99 && value < 1) return "over 99%";
    return `${(100 * value).toFixed(0)}%`;
  }

  const PLACES = [0.01, 0.05, 0.1];

  /** Probability without digits below its Monte Carlo error: 85%, about 85%, about 90%. */
  function chance(value, error) {
    const place = PLACES.find((each) => error <= each);
    if (place === undefined) return "not known: too few draws";
    if (place === PLACES[0] || !(value > 0 && value < 1)) return probability(value);
    const steps = Math.round(1 / place);
    const nearest = Math.floor(value * steps + 0.5);
    if (nearest === 0) return `under ${(100 * place).toFixed(0)}%`;
    if (nearest === steps) return `over ${(100 * (1 - place)).toFixed(0)}%`;
    return `about ${((100 * nearest) / steps).toFixed(0)}%`;
  }

  function decimals(value, count) {
    if (Math.abs(value) > 0 && Math.abs(value) < 0.1) return number(value);
    const text = value.toFixed(Math.abs(value) < 10 ? count : 0);
    return Number(text) === 0 ? "0" : text;
  }

  /** Years to a decimal; nobody counts in less. */
  function years(value) {
    if (Math.abs(value) > 0 && Math.abs(value) < 0.05) return value > 0 ? "under 0.1" : "over -0.1";
    return decimals(value, 1);
  }

  function suffix(text, unit) {
    if (unit === "1") return "";
    if (unit === "x") return /\d$/.test(text) ? "x" : " x";
    return unit.startsWith("1/") ? ` per ${unit.slice(2)}` : ` ${unit}`;
  }

  /** Value on a quantity's scale in its natural unit. */
  function amount(value, quantity, unit = true) {
    const log = quantity.scale === "log10";
    let text;
    if (log && Math.abs(value) > 300) text = `10^${value.toFixed(0)}`;
    else if (quantity.share) return percent(log ? 10 ** value : value);
    else if (log) text = number(10 ** value, quantity.unit === "1" ? 3 : 2);
    else if (quantity.unit === "year") return value.toFixed(0);
    else text = quantity.unit === "years" ? years(value) : decimals(value, 2);
    return unit ? text + suffix(text, quantity.unit) : text;
  }

  function quantile(row, key, quantity, unit) {
    const value = row[key];
    if (value !== null && Number.isFinite(value)) return amount(value, quantity, unit);
    const defined = Math.max(1 - row.prob_undefined, 1e-12);
    const middle = 0.5 * (row.prob_below / defined + 1 - row.prob_above / defined);
    return row.prob_below > 0 && Number(key.slice(1)) / 100 < middle ? quantity.beneath : quantity.beyond;
  }

  /** Median and central 90% interval of a row of the summary. */
  function interval(row, quantity) {
    if (row.prob_undefined === 1) return ["undefined", ""];
    if (quantity.indicator) return [row.mean === null ? "unknown" : probability(row.mean), ""];
    const high = quantile(row, "q95", quantity, false);
    let low = quantile(row, "q05", quantity, false);
    // "44 to 140 million" is read as millions
    if (/\d$/.test(low) && /(thousand|million|billion|trillion)$/.test(high)) low = quantile(row, "q05", quantity, true);
    return [quantile(row, "q50", quantity, true), low === high ? low : `${low} to ${high}`];
  }

  return { number, percent, probability, chance, amount, interval };
})();
