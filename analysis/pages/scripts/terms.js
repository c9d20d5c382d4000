"use strict";

// What a quantity means, beside its name, when it is pointed at or has the focus. One box serves the page.
const terms = (() => {
  const LINGER = 150; // ms in which the pointer may cross over to the box
  const meanings = JSON.parse(document.getElementById("glossary").textContent);
  const box = document.createElement("div");
  box.id = "meaning";
  box.className = "meaning";
  box.setAttribute("role", "tooltip");
  box.hidden = true;
  document.body.append(box);
  let [current, leaving] = [null, 0];

  const line = (tag, text) => {
    const element = document.createElement(tag);
    element.textContent = text;
    return element;
  };

  const hide = () => {
    clearTimeout(leaving);
    box.hidden = true;
    current = null;
  };

  const show = (term) => {
    clearTimeout(leaving);
    if (term === current) return;
    const [label, meaning, unit] = meanings[term.dataset.term];
    current = term;
    box.replaceChildren(line("strong", label), line("span", meaning), line("small", unit));
    box.hidden = false;
    place(term);
  };

  const place = (term) => {
    const at = term.getClientRects()[0];
    const width = document.documentElement.clientWidth;
    const above = at.bottom + 6 + box.offsetHeight > window.innerHeight;
    box.style.left = `${Math.max(8, Math.min(at.left, width - box.offsetWidth - 8))}px`;
    box.style.top = `${above ? at.top - 6 - box.offsetHeight : at.bottom + 6}px`;
  };

  const leave = () => {
    clearTimeout(leaving);
    leaving = setTimeout(() => {
      if (document.activeElement !== current) hide();
    }, LINGER);
  };

  for (const term of document.querySelectorAll("dfn[data-term]")) {
    if (!(term.dataset.term in meanings)) continue;
    term.tabIndex = 0;
    term.setAttribute("aria-describedby", box.id);
    term.addEventListener("pointerenter", () => show(term));
    term.addEventListener("pointerleave", leave);
    term.addEventListener("focus", () => show(term));
    term.addEventListener("blur", hide);
  }
  box.addEventListener("pointerenter", () => clearTimeout(leaving));
  box.addEventListener("pointerleave", leave);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hide();
  });
  document.addEventListener(
    "scroll",
    () => {
      if (current) place(current);
    },
    { capture: true, passive: true },
  );
  return { hide };
})();
