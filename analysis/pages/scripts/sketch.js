"use strict";
// A small picture of a prior on its quantity's own scale: this run's in grey, what was moved in colour.
const Sketch = (() => {
  const [WIDTH, HEIGHT] = [400, 54];
  const POINTS = 160;
  const REACH = 4; // of scores, on either side
  const SVG = "http://www.w3.org/2000/svg";

  function make(tag, attributes) {
    const element = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  }

  /** Values and densities of a table in link space: phi(z) / T'(z). */
  function curve(table) {
    return Array.from({ length: POINTS + 1 }, (_, i) => {
      const z = REACH * ((2 * i) / POINTS - 1);
      return [Tables.value(table, z), Math.exp(-0.5 * z * z) / Tables.gradient(table, z)];
    });
  }

  /** A few round values between two ends in link space, with their places. */
  function ticks(quantity, low, high) {
    const [from, to] = [Tables.fromLink(quantity, low), Tables.fromLink(quantity, high)];
    let values;
    if (quantity.scale === "log10" && high - low > 1.5) {
      const every = Math.max(1, Math.round((high - low) / 4));
      const first = Math.ceil(low / every) * every;
      values = Array.from({ length: 9 }, (_, i) => 10 ** (first + i * every));
    } else {
      const raw = (to - from) / 4;
      const power = 10 ** Math.floor(Math.log10(raw));
      const step = [1, 2, 5, 10].find((each) => each * power >= raw) * power;
      const first = Math.ceil(from / step) * step;
      values = Array.from({ length: 9 }, (_, i) => Number((first + i * step).toPrecision(6)));
    }
    return values
      .filter((value) => value >= from && value <= to)
      .map((value) => [Tables.toLink(quantity, value), Amounts.write(quantity, value)]);
  }

  function path(points, low, high, top, closed) {
    const x = (y) => Math.min(Math.max((WIDTH * (y - low)) / (high - low), -5), WIDTH + 5);
    const up = (p) => HEIGHT - (HEIGHT - 3) * (p / top);
    const line = points.map(([y, p]) => `${x(y).toFixed(1)} ${up(p).toFixed(1)}`);
    const [first, last] = [points[0], points.at(-1)].map(([y]) => `${x(y)} ${HEIGHT}`);
    return `M${line.join("L")}${closed ? `L${last}L${first}Z` : ""}`;
  }

  /** A sketch between two ends in link space; `show(table)` draws a moved prior, null none. */
  function create(quantity, own, low, high) {
    const still = curve(own);
    const highest = (points) => points.reduce((most, [, p]) => Math.max(most, p), 0);
    const area = make("path", { class: "own" });
    const line = make("path", { class: "moved" });
    const base = make("line", { x1: 0, x2: WIDTH, y1: HEIGHT, y2: HEIGHT });
    const box = { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none" };
    const svg = make("svg", box);
    svg.append(area, line, base);
    const axis = Downloads.element("div", { class: "axis" });
    for (const [y, text] of ticks(quantity, low, high)) {
      const mark = Downloads.element("span", {}, text);
      mark.style.left = `${(100 * (y - low)) / (high - low)}%`;
      axis.append(mark);
    }
    const element = Downloads.element("div", { class: "sketch", "aria-hidden": "true" }, svg, axis);

    function show(table) {
      const moved = table ? curve(table) : null;
      const top = Math.max(highest(still), moved ? highest(moved) : 0);
      area.setAttribute("d", path(still, low, high, top, true));
      line.setAttribute("d", moved ? path(moved, low, high, top, false) : "");
    }

    show(null);
    return { element, show };
  }

  return { create };
})();
