"use strict";
// The priors that a reader has moved and the evidence left out, and three ways to state them: as a command,
// as a view's file and as the end of the page's address.
const MovedPriors = (() => {
  const OWN = "own"; // in an address: the run's own prior, in place of a view's
  const WITHOUT = "without"; // in an address: keys of evidence that is left out
  const quoted = (text) => JSON.stringify(text).replaceAll("\u007f", "\\u007f");

  /** A number that TOML reads as a float. */
  function decimal(x) {
    const text = String(x);
    return /[.e]/.test(text) ? text : `${text}.0`;
  }

  function create(run) {
    const { held } = run;
    const views = Object.fromEntries(held.views.map((view) => [view.name, view]));
    // By quantity: `tables` are the priors in use, `points` what was stated by hand, `from` the view that a
    // table comes from. `view` is the menu's choice, `unanswerable` what it changes beside priors, which
    // the page cannot answer. `leftOut` holds keys of evidence.
    const state = { tables: {}, points: {}, from: {}, view: null, unanswerable: "", leftOut: new Set() };

    const any = () =>
      Object.keys(state.tables).length > 0 || state.unanswerable !== "" || state.leftOut.size > 0;
    const tableOf = (viewName, i) => run.views[viewName][held.quantities[i].name] ?? run.tables[i];

    /** State the three points of a prior; null takes the run's own again. */
    function put(name, points) {
      for (const part of [state.tables, state.points, state.from]) delete part[name];
      if (!points) return;
      state.points[name] = points;
      state.tables[name] = WhatIf.stated(run, name, points);
    }

    /** Take one prior of a view. */
    function adopt(name, viewName) {
      const i = run.index[name];
      put(name, null);
      if (WhatIf.same(tableOf(viewName, i), run.now[i])) return;
      state.tables[name] = tableOf(viewName, i);
      state.from[name] = viewName;
    }

    /** Take the priors of a view, by name, for some quantities; the run's own if there is no such view. */
    function take(viewName, quantities) {
      const view = views[viewName];
      Object.assign(state, { view: view ? viewName : null, unanswerable: view?.other ?? "" });
      for (const name of quantities) {
        if (view && !view.other) adopt(name, viewName);
        else put(name, null);
      }
    }

    /** Quantities without points whose prior is not that of the chosen view, or of the run without one. */
    function kept() {
      if (state.unanswerable) return [];
      return held.quantities
        .map(({ name }) => name)
        .filter((name) => {
          const i = run.index[name];
          const base = state.view ? tableOf(state.view, i) : run.now[i];
          return !state.points[name] && !WhatIf.same(state.tables[name] ?? run.now[i], base);
        });
    }

    /** Whether a command says exactly what the page shows. */
    const expressible = () => kept().length === 0;

    function command() {
      const words = ["aligntax", "refit", held.run];
      if (!expressible()) words.push("--view", "what-if.toml");
      else {
        if (state.view) words.push("--view", state.view);
        for (const [name, points] of Object.entries(state.points))
          words.push("--set", `${name}=${points.join(",")}`);
      }
      for (const key of state.leftOut) words.push("--without", key);
      return words.join(" ");
    }

    /** One prior as a block of TOML: as stated by hand, as a view has it, or as the run has it. */
    function block(name) {
      const points = state.points[name];
      if (points) {
        const lines = points.map((x, k) => `"${held.probability[k]}" = ${decimal(x)}`);
        return `[quantities.${name}.quantiles]\n${lines.join("\n")}\n`;
      }
      return views[state.from[name]]?.priors[name] ?? held.file.quantities[name];
    }

    /** The view as a short file: what it extends, and what differs from that. */
    function viewFile() {
      const today = new Date().toISOString().slice(0, 10);
      const base = state.view ?? held.file.extends;
      const without = state.leftOut.size ? `; evidence left out there: ${[...state.leftOut].join(", ")}` : "";
      const changed = new Set([...Object.keys(state.points), ...kept()]);
      if (!state.view) for (const name of held.file.changed) changed.add(name);
      return [
        `name = ${quoted(`${held.view}-what-if`)}`,
        `extends = ${quoted(base)}`,
        `source = ${quoted(`moved in the report of run ${held.run}, ${today}${without}`)}`,
        state.view ? "" : held.file.head,
        ...[...changed].map(block),
      ].join("\n");
    }

    /** What was moved as the end of an address, without its "#"; empty if nothing was. */
    function address() {
      const said = new URLSearchParams();
      if (state.view) said.set("view", state.view);
      for (const name of kept()) said.set(name, state.from[name] ?? OWN);
      for (const [name, points] of Object.entries(state.points)) said.set(name, points.join(","));
      if (state.leftOut.size) said.set(WITHOUT, [...state.leftOut].join(","));
      return said.toString().replaceAll("%2C", ",").replaceAll("%3A", ":");
    }

    /** Take what an address says; returns a sentence for each part that means nothing here. */
    function follow(text) {
      const said = new URLSearchParams(text);
      const wrong = [];
      const viewName = said.get("view");
      said.delete("view");
      if (viewName && !views[viewName]) wrong.push(`This page has no view "${viewName}".`);
      take(
        viewName,
        held.quantities.map(({ name }) => name),
      );
      state.leftOut = new Set((said.get(WITHOUT) ?? "").split(",").filter(Boolean));
      said.delete(WITHOUT);
      for (const key of [...state.leftOut].filter((each) => !run.evidence[each])) {
        state.leftOut.delete(key);
        wrong.push(`Evidence "${key}" cannot be left out here.`);
      }
      for (const [name, value] of said) {
        const quantity = held.quantities[run.index[name]];
        if (!quantity?.movable) wrong.push(`No prior called "${name}" can be moved here.`);
        else if (value === OWN) put(name, null);
        else if (views[value]?.priors) adopt(name, value);
        else {
          const points = value.split(",").map((part) => Amounts.read(quantity, part).value);
          const good = points.length === 3 && points[0] < points[1] && points[1] < points[2];
          if (good) put(name, points);
          else wrong.push(`${quantity.label}: "${value}" is not three numbers that increase.`);
        }
      }
      return wrong;
    }

    return { state, any, put, take, expressible, command, viewFile, address, follow };
  }

  return { create };
})();
