"use strict";
// What each live chart shows: Vega-Lite specifications over rows that what_if_page.js makes.
const Specs = (() => {
  const { blue, orange, green, grey } = Charts.COLOURS;
  const legend = { symbolType: "stroke", symbolOpacity: 1, symbolSize: 300, symbolStrokeWidth: 2.5 };
  const series = (names, colours, dashes) => ({
    color: {
      field: "series",
      type: "nominal",
      title: null,
      legend,
      scale: { domain: names, range: colours },
    },
    strokeDash: {
      field: "series",
      type: "nominal",
      title: null,
      legend,
      scale: { domain: names, range: dashes },
    },
  });

  /** Bands and medians of amounts over dates; `rows` hold log10. */
  function fan(domain) {
    const names = ["needed", "affordable", "all of the tolerated tax as hours"];
    const { color, strokeDash } = series(
      names,
      [orange, blue, grey],
      [
        [1, 0],
        [7, 4],
        [2, 3],
      ],
    );
    const tooltip = [
      { field: "series", title: "data" },
      { field: "date", title: "year", format: ".0f" },
      { field: "median" },
      { field: "interval", title: "90%" },
    ];
    const band = (low, high, opacity) => ({
      transform: [{ filter: `isValid(datum.${low})` }],
      mark: { type: "area", clip: true, opacity },
      encoding: { y: { field: low, type: "quantitative" }, y2: { field: high }, color },
    });
    return {
      height: 260,
      encoding: {
        x: {
          field: "date",
          type: "quantitative",
          title: null,
          scale: { nice: false, zero: false },
          axis: { format: "d", tickCount: 6 },
        },
        y: {
          type: "quantitative",
          title: "human-hours",
          scale: { domain, nice: false, zero: false },
          axis: { labelExpr: Charts.OOM, tickMinStep: 1, tickCount: 7 },
        },
      },
      layer: [
        band("q05", "q95", 0.18),
        band("q25", "q75", 0.3),
        {
          mark: { type: "line", clip: true, strokeWidth: 2.2 },
          encoding: { y: { field: "q50", type: "quantitative" }, color, strokeDash },
        },
        {
          mark: { type: "point", opacity: 0, size: 120 },
          encoding: { y: { field: "q50", type: "quantitative" }, tooltip },
        },
      ],
    };
  }

  /** Probability of arrival by each year. */
  function arrival() {
    const names = ["this run", "what if", "what if, data as parameters^0.8", "what if, aligned"];
    const { color, strokeDash } = series(
      names,
      [grey, blue, green, orange],
      [
        [1, 0],
        [1, 0],
        [6, 3],
        [2, 3],
      ],
    );
    const y = {
      field: "probability",
      type: "quantitative",
      title: "arrived by then",
      scale: { domain: [0, 1] },
      axis: { format: ".0%", tickCount: 5 },
    };
    const tooltip = [
      { field: "series", title: "world" },
      { field: "year", format: "d" },
      { field: "probability", format: ".1%" },
    ];
    return {
      height: 260,
      encoding: {
        x: {
          field: "year",
          type: "quantitative",
          title: null,
          scale: { nice: false, zero: false },
          axis: { format: "d", tickCount: 6 },
        },
        y,
      },
      layer: [
        {
          data: { name: "still" },
          mark: { type: "line", strokeWidth: 2.2 },
          encoding: { color, strokeDash },
        },
        { mark: { type: "line", strokeWidth: 2.2 }, encoding: { color, strokeDash } },
        { mark: { type: "point", opacity: 0, size: 120 }, encoding: { tooltip } },
      ],
    };
  }

  /** Density of a quantity now and in the run, and bars for what has no finite value. */
  function density(quantity, domain) {
    const axis =
      quantity.scale === "log10" && domain[1] - domain[0] > 1.5
        ? { labelExpr: quantity.share ? Charts.PERCENT : Charts.OOM, tickMinStep: 1, tickCount: 5 }
        : { tickCount: 4, format: quantity.unit === "year" ? "d" : ".2~f" };
    const unit = quantity.unit === "1" || quantity.unit === "year" ? null : quantity.unit;
    const color = {
      field: "series",
      type: "nominal",
      legend: null,
      scale: { domain: ["this run", "what if"], range: [grey, blue] },
    };
    const bars = {
      transform: [{ filter: "datum.kind == 'mass'" }],
      mark: { type: "bar", width: 6, clip: true },
      encoding: { color, tooltip: [{ field: "series" }, { field: "words", title: "of draws" }] },
    };
    return {
      height: 130,
      title: { text: quantity.label, limit: 300 },
      encoding: {
        x: {
          field: "x",
          type: "quantitative",
          title: unit,
          scale: { domain, nice: false, zero: false },
          axis: { ...axis, grid: false },
        },
        y: { field: "y", type: "quantitative", axis: null, scale: { domain: [0, 1.05] } },
      },
      layer: [
        {
          data: { name: "still" },
          transform: [{ filter: "datum.kind == 'density'" }],
          mark: { type: "area", opacity: 0.3, color: grey },
        },
        { data: { name: "still" }, ...bars },
        {
          transform: [{ filter: "datum.kind == 'density'" }],
          mark: { type: "line", strokeWidth: 2, color: blue },
        },
        bars,
        {
          transform: [{ filter: "datum.kind == 'density'" }],
          mark: { type: "point", opacity: 0, size: 80 },
          encoding: { tooltip: [{ field: "series" }, { field: "words", title: "value" }] },
        },
      ],
    };
  }

  /** Posterior intervals in scores of each prior: the shaded prior has its 90% between -1.64 and 1.64. */
  function forest(count) {
    const x = (field) => ({
      field,
      type: "quantitative",
      title: "score on the prior (its 90% is shaded)",
      scale: { nice: true },
    });
    const y = {
      field: "label",
      type: "nominal",
      title: null,
      sort: null,
      axis: { labelLimit: 190, ticks: false },
    };
    const tooltip = [
      { field: "label", title: "quantity" },
      { field: "median" },
      { field: "interval", title: "90%" },
    ];
    return {
      height: Math.max(60, 20 * count),
      layer: [
        {
          data: { values: [{ low: -1.645, high: 1.645 }] },
          mark: { type: "rect", color: grey, opacity: 0.16 },
          encoding: { x: x("low"), x2: { field: "high" } },
        },
        {
          mark: { type: "rule", strokeWidth: 2, color: blue },
          encoding: { x: x("q05"), x2: { field: "q95" }, y, tooltip },
        },
        {
          mark: { type: "rule", strokeWidth: 5, color: blue },
          encoding: { x: x("q25"), x2: { field: "q75" }, y, tooltip },
        },
        {
          mark: { type: "point", filled: true, size: 50, color: orange, opacity: 1 },
          encoding: { x: x("q50"), y, tooltip },
        },
      ],
    };
  }

  /** Draws of two quantities. */
  function pair(first, second) {
    const axis = (quantity, field) => ({
      field,
      type: "quantitative",
      title: `${quantity.label}${quantity.unit === "1" ? "" : ` (${quantity.unit})`}`,
      scale: { zero: false, nice: false, padding: 8 },
      axis:
        quantity.scale === "log10"
          ? { labelExpr: quantity.share ? Charts.PERCENT : Charts.OOM, tickMinStep: 1, tickCount: 6 }
          : { tickCount: 6, format: quantity.unit === "year" ? "d" : ".2~f" },
    });
    return {
      height: 300,
      mark: { type: "circle", size: 14, opacity: 0.35, color: blue },
      encoding: {
        x: axis(first, "x"),
        y: axis(second, "y"),
        tooltip: [
          { field: "first", title: first.label },
          { field: "second", title: second.label },
        ],
      },
    };
  }

  return { fan, arrival, density, forest, pair };
})();
