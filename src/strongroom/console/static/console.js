// Comfort for the console; every page works without it.
"use strict";

// Pages write moments in the time zone of the browser, unless somebody chose another one.
if (!/(^|; )strongroom-zone=/.test(document.cookie)) {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone) document.cookie = "strongroom-zone=" + encodeURIComponent(zone) + "; path=/; max-age=31536000; samesite=lax";
}

// Open menus close at Escape and at a click elsewhere.
document.addEventListener("click", (event) => {
  for (const open of document.querySelectorAll("details.me[open]")) {
    if (!open.contains(event.target)) open.removeAttribute("open");
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") for (const open of document.querySelectorAll("details.me[open]")) open.removeAttribute("open");
  if (event.key === "/" && !/^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName)) {
    const find = document.getElementById("find-all");
    if (find) { find.focus(); event.preventDefault(); }
  }
});

// A form is sent once, and what was typed is not lost by leaving the page.
for (const form of document.querySelectorAll("form[method=post]")) {
  let changed = false;
  let sent = false;
  form.addEventListener("input", () => { changed = true; });
  form.addEventListener("submit", (event) => {
    if (sent) event.preventDefault();
    sent = true;
  });
  addEventListener("pageshow", () => { sent = false; });
  addEventListener("beforeunload", (event) => { if (changed && !sent && form.dataset.keep !== undefined) event.preventDefault(); });
}

// Who comes back to a form for a new row is told what saving does.
if ((performance.getEntriesByType("navigation")[0] || {}).type === "back_forward") {
  for (const told of document.querySelectorAll("[data-came-back]")) told.hidden = false;
}

// Cells of the role matrix show what differs from what is saved.
for (const select of document.querySelectorAll(".matrix select")) {
  const saved = select.querySelector("option[selected]") ? select.querySelector("option[selected]").value : select.options[0].value;
  const mark = () => select.classList.toggle("changed", select.value !== saved);
  select.addEventListener("change", mark);
  mark();
}

// Lookups suggest rows while somebody types.
for (const input of document.querySelectorAll("input[data-lookup]")) {
  const list = document.createElement("datalist");
  list.id = input.id + "-rows";
  input.setAttribute("list", list.id);
  input.after(list);
  let last = "";
  let timer = 0;
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      const wanted = input.value.trim();
      if (wanted.length < 1 || wanted === last) return;
      last = wanted;
      const answer = await fetch(input.dataset.lookup + "?q=" + encodeURIComponent(wanted), { headers: { accept: "application/json" } });
      if (!answer.ok || last !== wanted) return;
      list.replaceChildren(...(await answer.json()).map((row) => {
        const option = document.createElement("option");
        option.value = row.name;
        option.label = row.hint;
        return option;
      }));
    }, 150);
  });
}

// One box chooses all rows of a list.
for (const all of document.querySelectorAll("input[data-all]")) {
  const boxes = [...all.closest("form").querySelectorAll(`input[name="${all.dataset.all}"]`)];
  all.hidden = false;
  all.addEventListener("change", () => { for (const box of boxes) box.checked = all.checked; });
}
