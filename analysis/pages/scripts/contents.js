"use strict";

// A link of the contents opens the part that it leads to, and so does an address that ends in its name.
(() => {
  const open = () => {
    const part = document.getElementById(location.hash.slice(1));
    if (!part) return;
    for (let at = part; at; at = at.parentElement?.closest("details")) {
      if (at.tagName === "DETAILS") at.open = true;
    }
    part.scrollIntoView();
  };
  document.querySelector("nav.contents").addEventListener("click", (event) => {
    const link = event.target.closest("a");
    // also where the address already ends in the name
    if (link && link.hash === location.hash) open();
  });
  addEventListener("hashchange", open);
  open();
})();
