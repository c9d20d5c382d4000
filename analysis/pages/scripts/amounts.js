"use strict";
// Amounts as people write them, read as models/priors/amounts.py reads them: 5%, 1,000, 2 million, 3x.
const Amounts = (() => {
  const POWERS = { k: 3, thousand: 3, M: 6, million: 6, millions: 6, B: 9, bn: 9, billion: 9 };
  Object.assign(POWERS, { billions: 9, T: 12, trillion: 12, trillions: 12 });
  const NUMBER =
    /^([+-]?(?:(?:\d{1,3}(?:,\d{3})+|\d+(?:_\d+)*)(?:\.\d*)?|\.\d+))(?:[eE]([+-]?\d+))?\s*(.*)$/s;
  const MULTIPLE = new RegExp(`^(?:(${Object.keys(POWERS).join("|")})(?=$|[\\s%]))?\\s*(.*?)\\s*$`, "s");
  const PURE = ["1", "x"]; // units of what may be stated as a percentage or a multiple
  const DIGITS = 4;

  /** A number and the unit behind it; null if the text begins with no number. */
  function parse(text) {
    const found = NUMBER.exec(text.trim());
    if (!found) return null;
    const [, digits, exponent = "0", behind] = found;
    const [, word, unit] = MULTIPLE.exec(behind);
    const power = Number(exponent) + (word ? POWERS[word] : 0) - (unit === "%" ? 2 : 0);
    return { value: Number(`${digits.replace(/[,_]/g, "")}e${power}`), unit };
  }

  function fits(quantity, unit) {
    if (!unit) return true;
    if (PURE.includes(quantity.unit)) return unit === "%" || unit === "x";
    return [quantity.unit, quantity.unit.replace("human-", "")].includes(unit);
  }

  function limits(quantity) {
    if (quantity.scale === "log10") return "above 0";
    if (quantity.scale === "logit") return `between ${quantity.lower} and ${quantity.upper}`;
    return "";
  }

  /** What a text says of a quantity, in its natural unit: `value`, or the `problem` with it. */
  function read(quantity, text) {
    const stated = parse(text);
    const examples = PURE.includes(quantity.unit) ? "3, 0.02 or 2%" : "3, 0.02 or 2 million";
    const rule = `must be a number ${limits(quantity)}`.trim();
    if (!stated) return { problem: `${rule}, for instance ${examples}` };
    if (!fits(quantity, stated.unit)) {
      if (stated.unit === "%") return { problem: "a percentage has no meaning here" };
      const unit = PURE.includes(quantity.unit) ? "without a unit, or with % or x" : `in ${quantity.unit}`;
      return { problem: `must be a number ${unit}, for instance ${examples}` };
    }
    if (!Number.isFinite(Tables.toLink(quantity, stated.value))) return { problem: rule };
    return { value: stated.value };
  }

  const trimmed = (x) => String(Number(x.toPrecision(DIGITS)));

  /** A value as its field shows it: 3%, 12,000, 2.5 million, 4e26. */
  function write(quantity, x) {
    if (quantity.share) return `${trimmed(100 * x)}%`;
    const size = Math.abs(x);
    if (size >= 1e15 || (size > 0 && size < 1e-3))
      return x.toExponential(DIGITS - 1).replace(/\.?0*e\+?/, "e");
    for (const word of ["trillion", "billion", "million"]) {
      const scale = 10 ** POWERS[word];
      if (size >= scale) return `${trimmed(x / scale)} ${word}`;
    }
    return size >= 1e4 ? Number(trimmed(x)).toLocaleString("en") : trimmed(x);
  }

  return { read, write, limits };
})();
