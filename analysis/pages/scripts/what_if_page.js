"use strict";
// The section where priors are moved and evidence is left out: controls on one side and what follows on the
// other, within a tenth of a second.
(async () => {
  const place = document.getElementById("what-if");
  const stored = document.getElementById("held");
  if (!place || !stored) return;
  const { element } = Downloads;
  const NOTICE = 1600; // milliseconds that a button says what it did
  const REST = 400; // milliseconds without a move after which the address follows

  const held = JSON.parse(stored.textContent);
  const run = await WhatIf.load(held);
  const base = Outcome.summarised(run, WhatIf.answer(run, {}));
  const priors = MovedPriors.create(run);
  const outcome = Outcome.create(place, run, base, priors);
  const showBar = SummaryBar.create(place.querySelector("[data-out=bar]"), run, base);
  const controls = {};
  const evidence = Evidence.create(held, (key, counts) => {
    if (counts) priors.state.leftOut.delete(key);
    else priors.state.leftOut.add(key);
    schedule();
  });

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
    place.querySelector(".priors").append(...evidence.boxes);
  }

  /** Take a view's priors for every quantity that is not locked. */
  function choose(view) {
    const free = Object.keys(controls).filter((name) => !controls[name].locked);
    priors.take(view, free);
    for (const name of free) controls[name].put(priors.state.tables[name] ?? null);
    schedule();
  }

  /** Take what the end of the address says, and say what of it means nothing here. */
  function followAddress() {
    const text = location.hash.slice(1);
    if (text && !text.includes("=")) return; // a place in the page
    if (text === priors.address()) return;
    const wrong = priors.follow(text);
    place.querySelector("[data-out=address]").textContent = wrong.join(" ");
    place.querySelector("select[name=view]").value = priors.state.view ?? "";
    for (const [name, control] of Object.entries(controls)) {
      if (priors.state.points[name]) control.set(priors.state.points[name]);
      else control.put(priors.state.tables[name] ?? null);
    }
    evidence.show(priors.state.leftOut);
    schedule();
  }

  /** Write what was moved into the address, once moves have come to rest. */
  function writeAddress() {
    clearTimeout(writing);
    const text = priors.address();
    const before = location.hash.slice(1);
    if (text === before || (!text && !before.includes("="))) return;
    history.replaceState(null, "", `${location.href.split("#")[0]}${text ? `#${text}` : ""}`);
  }

  /** Show the priors and the evidence whose words contain a text. */
  function filter(text) {
    const wanted = text.trim().toLowerCase();
    for (const { name, label, meaning } of held.quantities) {
      controls[name].box.hidden = !`${name} ${label} ${meaning}`.toLowerCase().includes(wanted);
    }
    for (const row of place.querySelectorAll(".evidence li"))
      row.hidden = !row.textContent.toLowerCase().includes(wanted);
    for (const details of place.querySelectorAll(".priors > details")) {
      const any = [...details.querySelectorAll(".prior, li")].some((box) => !box.hidden);
      details.hidden = !any;
      if (wanted && any) details.open = true;
    }
  }

  /** Copy a text; where a browser refuses that to a file, select it. */
  async function copy(button, text, shown) {
    const label = button.textContent;
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      shown.textContent = text;
      getSelection().selectAllChildren(shown);
      button.textContent = "Selected: copy it";
    }
    setTimeout(() => {
      button.textContent = label;
    }, NOTICE);
  }

  function makeToolbar() {
    const menu = place.querySelector("select[name=view]");
    const search = place.querySelector("input[name=filter]");
    const onClick = (name, act) => place.querySelector(`[data-do=${name}]`).addEventListener("click", act);
    const groups = { "Answered in this page": [], "Need sampling: a command is given": [] };
    const [here, sampled] = Object.values(groups);
    for (const { name, title, other } of held.views)
      (other ? sampled : here).push(element("option", { value: name, title }, name));
    for (const [label, options] of Object.entries(groups))
      if (options.length) menu.append(element("optgroup", { label }, ...options));
    menu.addEventListener("change", () => choose(menu.value));
    search.addEventListener("input", () => filter(search.value));
    onClick("reset", () => {
      menu.value = "";
      priors.state.leftOut.clear();
      evidence.show(priors.state.leftOut);
      choose("");
    });
    onClick("export", () => Downloads.save("what-if.toml", priors.viewFile(), "application/toml"));
    const code = place.querySelector("[data-out=command] code");
    onClick("copy", (event) => copy(event.currentTarget, priors.command(), code));
    onClick("link", (event) => {
      writeAddress();
      copy(event.currentTarget, location.href, place.querySelector("[data-out=address]"));
    });
  }

  // ---------------------------------------------------------------------------------------- update
  let redrawCharts = () => null; // until they are drawn
  let busy = false;
  let again = false;
  let started = 0;
  let writing = 0;

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
    clearTimeout(writing);
    writing = setTimeout(writeAddress, REST);
    busy = false;
    if (again) {
      again = false;
      schedule();
    }
  }

  function show() {
    const answer = Outcome.summarised(run, WhatIf.answer(run, priors.state.tables, [...priors.state.leftOut]));
    showBar(answer, outcome.show(answer));
    return answer;
  }

  makeControls();
  makeToolbar();
  addEventListener("hashchange", followAddress);
  followAddress();
  show();
  const redrawChosen = Chosen.create(place.querySelector("details.chosen"), run, base);
  redrawCharts = await LiveCharts.create(place, run, base);
  place.dataset.ready = "true";
  if (priors.any()) schedule(); // what was moved meanwhile
})();
