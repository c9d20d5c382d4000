"use strict";
// The section where priors are moved: controls on one side and what follows on the other, within a tenth
// of a second.
(async () => {
  const place = document.getElementById("what-if");
  const stored = document.getElementById("held");
  if (!place || !stored) return;
  const { element } = Downloads;
  const NOTICE = 1600; // milliseconds that a button says what it did

  const held = JSON.parse(stored.textContent);
  const run = await WhatIf.load(held);
  const base = Outcome.summarised(run, WhatIf.answer(run, {}));
  const priors = MovedPriors.create(run);
  const outcome = Outcome.create(place, run, base, priors);
  const controls = {};

  // -------------------------------------------------------------------------------------- controls
  function makeControls() {
    const quantities = Object.fromEntries(held.quantities.map((quantity) => [quantity.name, quantity]));
    held.groups.forEach(({ title, quantities: names }, i) => {
      const head = element("summary", {}, `${title} (${names.length})`);
      const group = element("details", { open: i === 0 }, head);
      for (const name of names) {
        controls[name] = Controls.prior(run, quantities[name], (points) => {
          priors.put(name, points);
          schedule();
        });
        group.append(controls[name].box);
      }
      place.querySelector(".priors").append(group);
    });
  }

  /** Take a view's priors for every quantity that is not locked. */
  function choose(view) {
    const free = Object.keys(controls).filter((name) => !controls[name].locked);
    priors.take(view, free);
    for (const name of free) controls[name].put(priors.state.tables[name] ?? null);
    schedule();
  }

  /** Show the priors whose words contain a text. */
  function filter(text) {
    const wanted = text.trim().toLowerCase();
    for (const { name, label, meaning } of held.quantities) {
      controls[name].box.hidden = !`${name} ${label} ${meaning}`.toLowerCase().includes(wanted);
    }
    for (const details of place.querySelectorAll(".priors > details")) {
      const any = [...details.querySelectorAll(".prior")].some((box) => !box.hidden);
      details.hidden = !any;
      if (wanted && any) details.open = true;
    }
  }

  async function copyCommand({ currentTarget: button }) {
    try {
      await navigator.clipboard.writeText(priors.command());
      button.textContent = "Copied";
    } catch {
      // a browser may refuse the clipboard to a file
      getSelection().selectAllChildren(place.querySelector("[data-out=command] code"));
      button.textContent = "Selected: copy it";
    }
    setTimeout(() => {
      button.textContent = "Copy";
    }, NOTICE);
  }

  function makeToolbar() {
    const menu = place.querySelector("select[name=view]");
    const search = place.querySelector("input[name=filter]");
    const onClick = (name, act) => place.querySelector(`[data-do=${name}]`).addEventListener("click", act);
    for (const { name, other } of held.views) {
      menu.append(element("option", { value: name }, other ? `${name} (sampled only)` : name));
    }
    menu.addEventListener("change", () => choose(menu.value));
    search.addEventListener("input", () => filter(search.value));
    onClick("reset", () => {
      menu.value = "";
      choose("");
    });
    onClick("export", () => Downloads.save("what-if.toml", priors.viewFile(), "application/toml"));
    onClick("copy", copyCommand);
  }

  // ---------------------------------------------------------------------------------------- update
  let redrawCharts = () => null; // until they are drawn
  let busy = false;
  let again = false;
  let started = 0;

  /** Follow what was moved at the next frame; what moves while that is done is followed afterwards, once. */
  function schedule() {
    if (!started) started = performance.now();
    if (busy) {
      again = true;
      return;
    }
    busy = true;
    requestAnimationFrame(update);
  }

  async function update() {
    const start = started;
    started = 0;
    const answer = show();
    await redrawCharts(answer);
    await redrawChosen(answer);
    performance.measure("what-if", { start, end: performance.now() });
    place.dataset.updates = String(Number(place.dataset.updates ?? 0) + 1);
    busy = false;
    if (again) {
      again = false;
      schedule();
    }
  }

  function show() {
    const answer = Outcome.summarised(run, WhatIf.answer(run, priors.state.tables));
    outcome.show(answer);
    return answer;
  }

  makeControls();
  makeToolbar();
  show();
  const redrawChosen = Chosen.create(place.querySelector("details.chosen"), run, base);
  redrawCharts = await LiveCharts.create(place, run, base);
  place.dataset.ready = "true";
  if (priors.any()) schedule(); // what was moved meanwhile
})();
