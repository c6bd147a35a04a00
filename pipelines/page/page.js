// Puts what the server says changed into the table, and leaves the rest alone:
// what has the focus keeps it.
"use strict";
(() => {
  const table = document.getElementById("iocs");
  const link = document.getElementById("link");
  const said = document.getElementById("said");
  if (!table || !window.EventSource) return;

  // body returns the tbody that the text holds.
  const body = (text) => {
    const t = document.createElement("table");
    t.innerHTML = text;
    return t.tBodies[0];
  };

  const apply = (change) => {
    const focused = document.activeElement && document.activeElement.id;
    for (const b of [...table.tBodies]) if (!change.order.includes(b.id)) b.remove();
    let before = table.tHead;
    for (const id of change.order) {
      let b = document.getElementById(id);
      if (change.changed[id]) {
        const next = body(change.changed[id]);
        if (b) b.replaceWith(next);
        b = next;
      }
      if (!b) continue;
      if (before.nextElementSibling !== b) before.after(b);
      before = b;
    }
    document.getElementById("counts").outerHTML = change.counts;
    if (change.said) said.textContent = change.said;
    if (focused && document.activeElement.id !== focused) {
      const back = document.getElementById(focused);
      if (back) back.focus({ preventScroll: true });
    }
  };

  const lost = () => {
    if (link.className === "lost") return; // it was lost before this try
    link.textContent = "Not connected since " + new Date().toLocaleTimeString() + ": what is shown may be old";
    link.className = "lost";
    said.textContent = link.textContent;
  };

  let number = table.dataset.number; // of the changes that the page has
  const connect = () => {
    const address = new URL(location.href);
    address.searchParams.set("after", number);
    const source = new EventSource(address);
    source.onopen = () => { link.textContent = "Live"; link.className = "live"; };
    source.onmessage = (event) => { number = event.lastEventId; apply(JSON.parse(event.data)); };
    source.onerror = () => {
      lost();
      // A browser tries again by itself, but not where a proxy answered in place of the server.
      if (source.readyState === EventSource.CLOSED) setTimeout(connect, 5000);
    };
  };
  connect();
})();
