// Reads the page again and again, and replaces the parts that changed: what has
// the focus keeps it, and so does a log that is scrolled.
"use strict";
(() => {
  const every = 10000; // milliseconds
  const link = document.getElementById("link");
  const said = document.getElementById("said");
  const state = () => document.querySelector("#state .state").lastChild.textContent.trim(); // without its mark

  // The newest lines of a log are at its end.
  const toEnd = () => { for (const log of document.querySelectorAll("pre")) log.scrollTop = log.scrollHeight; };

  const apply = (next) => {
    const focused = document.activeElement && document.activeElement.id;
    const before = state();
    for (const part of document.querySelectorAll("[data-part]")) {
      const now = next.getElementById(part.id);
      if (!now || now.innerHTML === part.innerHTML) continue;
      const atEnd = part.scrollTop + part.clientHeight >= part.scrollHeight - 5;
      part.innerHTML = now.innerHTML;
      if (atEnd) part.scrollTop = part.scrollHeight;
    }
    if (state() !== before) said.textContent = document.title + " is " + state();
    link.className = "";
    if (focused && document.activeElement.id !== focused) {
      const back = document.getElementById(focused);
      if (back) back.focus({ preventScroll: true });
    }
  };

  const lost = () => {
    if (link.className === "lost") return;
    link.textContent = "Could not be read since " + new Date().toLocaleTimeString() + ": what is shown may be old";
    said.textContent = link.textContent;
    link.className = "lost";
  };

  const load = async () => {
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (!answer.ok) throw new Error(answer.statusText);
      apply(new DOMParser().parseFromString(await answer.text(), "text/html"));
    } catch {
      lost();
    }
    setTimeout(load, every);
  };
  toEnd();
  setTimeout(load, every);
})();
