// What the page can do beyond being read: marking a field and its bytes together, and a filter.
"use strict";
(() => {
  const partner = (element) => {
    const id = element.id;
    const at = Math.max(id.lastIndexOf("f"), id.lastIndexOf("b"));
    return document.getElementById(id.slice(0, at) + (id[at] === "f" ? "b" : "f") + id.slice(at + 1));
  };
  const half = (target) =>
    target instanceof Element ? target.closest(".hex a[id], .fields tr[id]") : null;

  let passing = [], chosen = [];
  const mark = (elements, on) => {
    for (const element of elements) element.classList.toggle("on", on);
  };
  const show = (target) => {
    mark(passing.filter((element) => !chosen.includes(element)), false);
    const one = half(target);
    passing = one ? [one, partner(one)].filter(Boolean) : [];
    mark(passing, true);
  };
  addEventListener("pointerover", (event) => show(event.target));
  addEventListener("focusin", (event) => show(event.target));

  const choose = (one) => {
    mark(chosen, false);
    const other = partner(one);
    chosen = [one, other].filter(Boolean);
    mark(chosen, true);
    if (other) other.scrollIntoView({ block: "nearest", inline: "nearest" });
  };
  addEventListener("click", (event) => {
    const one = half(event.target);
    if (!one || event.metaKey || event.ctrlKey || getSelection().toString()) return;
    const link = event.target.closest("a");
    if (link && !link.closest(".hex, th")) return;
    event.preventDefault();
    choose(one);
    history.replaceState(null, "", "#" + one.id);
  });

  const open = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    for (let up = target; up; up = up.parentElement) if (up.tagName === "DETAILS") up.open = true;
    if (target.matches(".hex a[id], .fields tr[id]")) choose(target);
  };
  addEventListener("hashchange", open);
  open();

  // a sheet of paper has nothing to click on
  const closed = [];
  addEventListener("beforeprint", () => {  // which may come more than once
    closed.push(...document.querySelectorAll("details:not([open])"));
    for (const each of closed) each.open = true;
  });
  addEventListener("afterprint", () => {
    for (const each of closed.splice(0)) each.open = false;
  });

  const filter = document.querySelector(".filter");
  const input = filter.querySelector("input"), output = filter.querySelector("output");
  filter.hidden = false;
  input.addEventListener("input", () => {
    const wanted = input.value.trim().toLowerCase();
    let count = 0;
    for (const each of document.querySelectorAll(".card, .rows tr[id]")) {
      const text = each.matches(".card") ? each.querySelector("summary").textContent : each.textContent;
      each.hidden = wanted !== "" && !text.toLowerCase().includes(wanted);
      count += !each.hidden;
    }
    output.textContent = wanted ? `${count} records` : "";
  });
})();
