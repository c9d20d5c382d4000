"use strict";
// The section where priors are moved: controls on one side, what follows from them on the other, within a tenth of a second.
(async () => {
  const place = document.getElementById("what-if"), stored = document.getElementById("held");
  if (!place || !stored) return;
  const { element } = Downloads;
  const REASONS = {
    reach: "the new prior puts mass where the run has no draws", weights_variance: "the correlations differ too much",
    k_hat: "the weights have too heavy a tail", weighted_ess: "too few draws count",
  };
  const PANELS = ["alignment_hours_needed", "alignment_hours_affordable", "tax_headroom", "alignment_tax", "tai_year", "timeline_shift_exponent", "data_exponent"];
  const MOST_PANELS = 6, EXACT = 1e-3, QUIET = 400;

  const held = JSON.parse(stored.textContent), run = await WhatIf.load(held), base = WhatIf.answer(run, {});
  const columns = held.columns, state = { chosen: {}, points: {}, view: null, other: "" };
  const named = Object.fromEntries(held.views.map((view) => [view.name, view]));

  // ------------------------------------------------------------------------------------------------------ what is shown
  const out = Object.fromEntries(["status", "command", "sentence", "claims", "numbers", "charts", "panels", "check"].map((name) => [name, place.querySelector(`[data-out="${name}"]`)]));
  const cells = {}, charts = [];

  function numberRows() {
    const body = out.numbers.querySelector("tbody");
    for (const column of columns) {
      const was = Words.interval(base.rows[column.name], column), now = element("td", { "data-number": column.name });
      cells[column.name] = now;
      body.append(element("tr", {}, element("th", { scope: "row" }, column.label), element("td", {}, spelt(was)), now));
    }
    for (const claim of held.claims) {
      cells[claim.name] = element("strong", { "data-claim": claim.name });
      out.claims.append(element("li", {}, cells[claim.name], ` ${claim.text} `, element("span", { class: "soft" }, `(this run: ${share(base, claim)})`)));
    }
  }

  const spelt = ([median, interval]) => (interval ? `${median} (${interval})` : median);

  function share(answer, claim) {
    const value = Weights.within(answer.columns[claim.quantity], answer.weights, claim.lower, claim.upper);
    return value === null ? "undefined" : Words.probability(value);
  }

  /** The answer's rows by name, worked out once. */
  function summarised(answer) {
    answer.rows = Object.fromEntries(columns.map(({ name }) => [name, Weights.summary(answer.columns[name], answer.weights)]));
    return answer;
  }

  function sentence(answer) {
    const by = Object.fromEntries(columns.map((column) => [column.name, column]));
    const words = (_, name, ninety) => Words.interval(answer.rows[name], by[name])[ninety ? 1 : 0];
    return held.sentence.replace(/\{(\w+(?:\[[^\]]*\])?)(\|90)?\}/g, words).replaceAll(" (90%: )", "");
  }

  function tell(answer) {
    const failed = answer.checks.filter((check) => !check.passed), trusted = !state.other && !failed.length;
    const figure = (name) => answer.checks.find((check) => check.name === name)?.value;
    place.classList.toggle("untrusted", !trusted);
    out.status.className = trusted ? "verdict" : "verdict fail";
    const moved = Object.keys(state.chosen).length || state.other;
    const ess = answer.exact ? Weights.effective(answer.weights) : figure("weighted_ess");
    const how = answer.exact ? `${held.draws.toLocaleString("en")} draws count the same` : `${Math.round(ess).toLocaleString("en")} effective draws of ${held.draws.toLocaleString("en")}, Pareto k-hat ${figure("k_hat").toFixed(2)} (limit ${held.limits.k_hat.toFixed(2)})`;
    const word = element("strong", {}, !moved ? "As the run." : trusted ? (answer.exact ? "Redrawn exactly." : "Reweighted.") : "Sample this one.");
    const reason = state.other ? `The view changes ${state.other}, which this page cannot answer.`
      : failed.length ? `Reweighting cannot be trusted: ${REASONS[failed[0].name]}${failed[0].where ? ` (${failed[0].where})` : ""}.`
        : answer.exact ? "No evidence bears on what was moved." : "";
    out.status.replaceChildren(word, ` ${moved ? reason : "Move a prior."} `, element("span", { class: "soft" }, `${how}.`));
    out.command.hidden = !moved;
    place.querySelector("[data-do=export]").disabled = Boolean(state.other);
    out.command.querySelector("code").textContent = command();
    out.command.querySelector("p").hidden = expressible();
  }

  // ------------------------------------------------------------------------------------------------------ what to paste
  /** Whether a command says exactly what the page shows: a prior kept under a lock against a view may have no points to state. */
  function expressible() {
    return Boolean(state.other) || held.quantities.every(({ name }) => {
      const i = run.index[name], own = run.now[i], told = state.view ? run.views[state.view][name] ?? run.tables[i] : own;
      return state.points[name] || WhatIf.same(state.chosen[name] ?? own, told);
    });
  }

  function command() {
    const words = ["aligntax", "refit", held.run];
    if (!expressible()) return [...words, "--view", "what-if.toml"].join(" ");
    if (state.view) words.push("--view", state.view);
    for (const [name, points] of Object.entries(state.points)) words.push("--set", `${name}=${points.join(",")}`);
    return words.join(" ");
  }

  /** The view as a file: this run's own, complete, with the moved priors in place of theirs. */
  function viewFile() {
    const today = new Date().toISOString().slice(0, 10), quote = (text) => JSON.stringify(text).replaceAll("\u007f", "\\u007f");
    const head = [`name = ${quote(`${held.view}-what-if`)}`, `source = ${quote(`moved in the report of run ${held.run}, ${today}`)}`, held.file.head];
    const blocks = held.quantities.map(({ name }) => {
      const points = state.points[name];
      if (points) return `[quantities.${name}.quantiles]\n${points.map((x, k) => `"${held.probability[k]}" = ${decimal(x)}`).join("\n")}\n`;
      return (state.chosen[name] && state.view && named[state.view].priors[name]) || held.file.quantities[name];
    });
    const rest = Object.entries(held.file.quantities).filter(([name]) => !(name in run.index)).map(([, block]) => block);
    return [...head, ...blocks, ...rest].join("\n");
  }

  const decimal = (x) => { const text = String(x); return /[.e]/.test(text) ? text : `${text}.0`; };

  // ----------------------------------------------------------------------------------------------------------- controls
  const controls = {};

  function moved(name, points) {
    if (points) { state.points[name] = points; state.chosen[name] = WhatIf.stated(run, name, points); }
    else { delete state.points[name]; delete state.chosen[name]; }
    schedule();
  }

  function control(quantity) {
    const found = Controls.prior(run, quantity, (points) => moved(quantity.name, points));
    controls[quantity.name] = found;
    return found.box;
  }

  function groups(parent) {
    const by = Object.fromEntries(held.quantities.map((quantity) => [quantity.name, quantity]));
    held.groups.forEach(({ title, quantities }, i) => {
      const boxes = quantities.map((name) => control(by[name]));
      parent.append(element("details", { open: i === 0 }, element("summary", {}, `${title} (${quantities.length})`), ...boxes));
    });
  }

  /** Take a view's priors for every quantity that is not locked. */
  function choose(name) {
    const view = named[name];
    Object.assign(state, { view: view ? name : null, other: view?.other ?? "" });
    for (const { name: quantity } of held.quantities) {
      if (controls[quantity].locked) continue;
      delete state.points[quantity];
      delete state.chosen[quantity];
      const table = !view || view.other ? null : run.views[name][quantity] ?? run.tables[run.index[quantity]];
      if (table && !WhatIf.same(table, run.now[run.index[quantity]])) state.chosen[quantity] = table;
      controls[quantity].put(state.chosen[quantity] ?? null);
    }
    schedule();
  }

  function filter(text) {
    const wanted = text.trim().toLowerCase();
    for (const { name, label, meaning } of held.quantities) controls[name].box.hidden = !`${name} ${label} ${meaning}`.toLowerCase().includes(wanted);
    for (const details of place.querySelectorAll(".priors > details")) {
      const any = [...details.querySelectorAll(".prior")].some((box) => !box.hidden);
      details.hidden = !any;
      if (wanted && any) details.open = true;
    }
  }

  function toolbar() {
    const menu = place.querySelector("select[name=view]"), find = place.querySelector("input[name=filter]");
    for (const view of held.views) menu.append(element("option", { value: view.name }, view.other ? `${view.name} (sampled only)` : view.name));
    menu.addEventListener("change", () => choose(menu.value));
    find.addEventListener("input", () => filter(find.value));
    place.querySelector("[data-do=reset]").addEventListener("click", () => { menu.value = ""; choose(""); });
    place.querySelector("[data-do=export]").addEventListener("click", () => Downloads.save("what-if.toml", viewFile(), "application/toml"));
    const copy = place.querySelector("[data-do=copy]");
    copy.addEventListener("click", async () => {
      try { await navigator.clipboard.writeText(command()); copy.textContent = "Copied"; } catch {
        getSelection().selectAllChildren(out.command.querySelector("code")); // a browser may refuse the clipboard to a file
        copy.textContent = "Selected: copy it";
      }
      setTimeout(() => { copy.textContent = "Copy"; }, 4 * QUIET);
    });
  }

  // ------------------------------------------------------------------------------------------------------------- charts
  async function chart(title, note, spec, rows, still = [], wide = false) {
    const figure = element("figure", {}), area = element("div", { class: "chart" });
    figure.append(area, element("figcaption", {}, note));
    out[wide ? "charts" : "panels"].append(figure);
    const drawn = await Charts.draw(area, spec, rows(base), title, still);
    figure.append(Downloads.tools(drawn, `${held.run} ${title}`));
    charts.push((answer) => drawn.update(rows(answer)));
  }

  async function makeCharts() {
    if (held.alignment) {
      const first = Rows.fan(run, base), ends = first.filter((row) => row.series === "needed").flatMap((row) => [row.q05, row.q95]);
      const tops = first.filter((row) => row.series === "affordable").map((row) => row.q95);
      const domain = [Math.max(-1, Math.min(...ends) - 1), Math.max(...ends, ...tops) + 1];
      await chart("Data needed and affordable", "Human-hours of alignment data needed and affordable if the largest run of each date were the one to align: median, 50% and 90% bands.", Specs.fan(domain), (answer) => Rows.fan(run, answer), [], true);
    }
    if ("tai_year" in base.columns && "tai_year_aligned" in base.columns) {
      const from = Math.floor(held.alignment?.now ?? 2026), to = held.horizon;
      const was = Rows.arrival(base, "tai_year", "this run", from, to);
      await chart("Arrival", `Probability that transformative AI has arrived by each year; the rest lies after ${to} or never arrives.`, Specs.arrival(), (answer) => [
        ...Rows.arrival(answer, "tai_year", "what if", from, to),
        ...Rows.arrival(answer, "tai_year_baseline_exponent", "what if, data as parameters^0.8", from, to), ...Rows.arrival(answer, "tai_year_aligned", "what if, aligned", from, to)], was, true);
    }
    const wanted = PANELS.filter((name) => name in base.columns), panels = wanted.length ? wanted : columns.filter((column) => !column.indicator).map((column) => column.name);
    for (const name of panels.slice(0, MOST_PANELS)) {
      const column = columns.find((each) => each.name === name), domain = Rows.domain(base.columns[name], base.weights);
      const was = Rows.densityRows(column, base.columns[name], base.weights, "this run", domain);
      const beyond = [column.beneath, column.beyond].filter((_, i) => was.some((row) => row.kind === "mass" && (i ? row.x > domain.inner[1] : row.x < domain.inner[0])));
      await chart(column.label, `Grey: this run; line: what if.${beyond.length ? ` Bars: share of draws without a number (${beyond.join("; ")}).` : ""}`, Specs.density(column, domain.outer),
        (answer) => Rows.densityRows(column, answer.columns[name], answer.weights, "what if", domain), was);
    }
  }

  // ------------------------------------------------------------------------------------------------------------- update
  let busy = false, again = false, started = 0;

  function schedule() {
    if (!started) started = performance.now();
    if (busy) { again = true; return; }
    busy = true;
    requestAnimationFrame(update);
  }

  async function update() {
    const from = started;
    started = 0;
    const answer = show();
    await Promise.all(charts.map((redraw) => redraw(answer)));
    await redrawChosen(answer);
    performance.measure("what-if", { start: from, end: performance.now() });
    place.dataset.updates = String(Number(place.dataset.updates ?? 0) + 1);
    busy = false;
    if (again) { again = false; schedule(); }
  }

  function show() {
    const answer = summarised(WhatIf.answer(run, state.chosen));
    for (const column of columns) cells[column.name].textContent = spelt(Words.interval(answer.rows[column.name], column));
    for (const claim of held.claims) cells[claim.name].textContent = share(answer, claim);
    out.sentence.textContent = sentence(answer);
    tell(answer);
    return answer;
  }

  /** The page's arithmetic against the run's stored numbers. */
  function selfCheck() {
    const off = columns.filter(({ name, stored: row }) => {
      const ends = ["q05", "q25", "q50", "q75", "q95"].map((key) => row[key]).filter((end) => end !== null); // a censored one has no number
      const scale = row.sd ?? (ends.length ? (ends.at(-1) - ends[0]) / 3 : 0);
      return ["q05", "q50", "q95"].some((key) => row[key] !== null && !(Math.abs(base.rows[name][key] - row[key]) <= EXACT * Math.max(scale, 1e-3)));
    });
    if (!off.length || held.draws !== held.all_draws) return;
    out.check.hidden = false;
    out.check.textContent = `This page's own arithmetic does not give the run's numbers of ${off.map((column) => column.label).join(", ")}: trust the table above, not what is moved here.`;
  }

  summarised(base);
  selfCheck();
  numberRows();
  groups(place.querySelector(".priors"));
  toolbar();
  show();
  const redrawChosen = Chosen.create(place.querySelector("details.chosen"), run, base);
  await makeCharts();
  place.dataset.ready = "true";
})();
