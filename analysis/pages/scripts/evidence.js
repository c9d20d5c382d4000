"use strict";
// The rows of evidence that a run conditions on, as switches. Those without which weights cannot be trusted
// are greyed out: they need sampling.
const Evidence = (() => {
  const { element } = Downloads;

  /** Boxes of switches, one for each table; `changed(key, counts)` is called when one is turned. */
  function create(held, changed) {
    const switches = {};

    function row({ key, name, values }) {
      const box = element("input", {
        type: "checkbox",
        checked: true,
        disabled: values === null,
        "data-evidence": key,
        onchange: (event) => changed(key, event.target.checked),
      });
      if (values !== null) switches[key] = box;
      const command = `aligntax refit ${held.run} --without ${key}`;
      const note = values === null ? element("small", { class: "soft", title: command }, " needs sampling") : "";
      return element("li", {}, element("label", {}, box, ` ${name}`, note));
    }

    const boxes = held.evidence.map(({ title, units }) => {
      const head = element("summary", {}, `Evidence: ${title} (${units.length})`);
      return element("details", { class: "evidence" }, head, element("ul", {}, ...units.map(row)));
    });

    /** Show which evidence is left out. */
    function show(leftOut) {
      for (const [key, box] of Object.entries(switches)) box.checked = !leftOut.has(key);
    }

    return { boxes, show };
  }

  return { create };
})();
