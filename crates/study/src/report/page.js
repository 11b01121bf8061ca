"use strict";
// The page is complete without this script, which only adds interaction. Methods, episodes and theme are chosen, a plot is read by
// pointer or keys, and a live page follows its runs.
(() => {
  const root = document.documentElement;
  const all = (selector, from = document) => Array.from(from.querySelectorAll(selector));
  const hidden = new Set(); // names of methods that are switched off
  const MOST = 12; // methods in a tip

  const remember = (key, value) => { try { localStorage.setItem("dreamgraft-" + key, value); } catch { /* no storage */ } };
  const recall = (key) => { try { return localStorage.getItem("dreamgraft-" + key) ?? ""; } catch { return ""; } };

  function theme(value) {
    if (value === "light" || value === "dark") root.dataset.theme = value;
    else delete root.dataset.theme;
  }

  function methods() {
    for (const button of all("[data-toggle]")) {
      const off = hidden.has(button.textContent);
      button.setAttribute("aria-pressed", String(!off));
      for (const part of all(`[data-of="${button.dataset.toggle}"]`)) part.classList.toggle("off", off);
    }
  }

  function shown() {
    for (const box of all("[data-show]")) {
      const name = box.dataset.show;
      root.classList.toggle(name === "band" ? "hide-band" : "show-" + name, name === "band" ? !box.checked : box.checked);
    }
    const series = document.querySelector("input[name=series]:checked");
    root.dataset.series = series ? series.value : "training";
    const axis = document.querySelector("input[name=axis]:checked");
    root.dataset.axis = axis ? axis.value : "frames";
  }

  function plot(element) {
    const data = JSON.parse(element.querySelector("script").textContent);
    const [canvas, cross, tip] = [".canvas", ".cross", ".tip"].map((name) => element.querySelector(name));
    const count = data.places.length;
    let place = -1;

    function show(index, aloud) {
      place = Math.max(0, Math.min(count - 1, index));
      const share = (place + 1) / count;
      cross.style.left = 100 * share + "%";
      tip.replaceChildren();
      const heading = document.createElement("b");
      heading.textContent = data.unit[0] + data.places[place] + data.unit[1];
      tip.append(heading);
      const words = [heading.textContent];
      const there = data.methods
        .map((method) => ({ method, at: method.at[place], button: document.querySelector(`[data-toggle="${method.of}"]`) }))
        .filter(({ at, button }) => at && button && button.getAttribute("aria-pressed") === "true");
      // Of many, the best: the others can be read when these are switched off.
      const shown = there.length <= MOST ? there : there.slice().sort((a, b) => b.at[2] - a.at[2]).slice(0, MOST);
      for (const { method, at, button } of shown) {
        const row = document.createElement("div");
        const name = document.createElement("i");
        const value = document.createElement("span");
        const runs = document.createElement("small");
        name.className = "m" + method.of;
        name.textContent = button.textContent;
        value.textContent = at[0] + " ";
        runs.textContent = at[1] === 1 ? "1 run" : at[1] + " runs";
        value.append(runs);
        row.append(name, value);
        tip.append(row);
        words.push(name.textContent + " " + at[0]);
      }
      if (shown.length < there.length) {
        const others = document.createElement("small");
        others.textContent = `and ${there.length - shown.length} below`;
        tip.append(others);
        words.push(others.textContent);
      }
      cross.hidden = tip.hidden = false;
      const box = canvas.getBoundingClientRect();
      const left = box.left - element.getBoundingClientRect().left + share * box.width;
      const width = tip.offsetWidth;
      const tipLeft = left + 12 + width > element.clientWidth ? left - 12 - width : left + 12;
      tip.style.left = Math.max(0, Math.min(tipLeft, element.clientWidth - width)) + "px";
      if (aloud) document.getElementById("said").textContent = words.join("; ");
    }

    function leave() {
      cross.hidden = tip.hidden = true;
      place = -1;
    }

    canvas.addEventListener("pointermove", (event) => {
      const box = canvas.getBoundingClientRect();
      show(Math.ceil(((event.clientX - box.left) / box.width) * count - 0.5) - 1, false);
    });
    canvas.addEventListener("pointerdown", (event) => {
      const box = canvas.getBoundingClientRect();
      show(Math.ceil(((event.clientX - box.left) / box.width) * count - 0.5) - 1, false);
    });
    canvas.addEventListener("pointerleave", leave);
    element.addEventListener("blur", leave);
    element.addEventListener("keydown", (event) => {
      const to = { ArrowLeft: place < 0 ? count - 1 : place - 1, ArrowRight: place + 1, Home: 0, End: count - 1 }[event.key];
      if (event.key === "Escape") leave();
      if (to === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      show(to, true);
    });
  }

  function begin() {
    for (const button of all("[data-toggle]")) {
      button.addEventListener("click", () => {
        const name = button.textContent;
        if (!hidden.delete(name)) hidden.add(name);
        methods();
      });
    }
    for (const button of all("[data-every]")) {
      button.addEventListener("click", () => {
        hidden.clear();
        if (button.dataset.every === "false") for (const method of all("[data-toggle]")) hidden.add(method.textContent);
        methods();
      });
    }
    for (const input of all(".controls input")) input.addEventListener("change", shown);
    all(".plot").forEach(plot);
    methods();
    shown();
  }

  // Choices, and the reader's place on the page, outlive new content.
  function renew(text) {
    const page = new DOMParser().parseFromString(text, "text/html");
    const fresh = page.getElementById("main");
    if (!fresh || page.documentElement.dataset.live === root.dataset.live) return;
    const boxes = new Map(all("[data-show]").map((box) => [box.dataset.show, box.checked]));
    const { series, axis } = root.dataset;
    const open = new Set(all("details[open]").map((one) => one.dataset.keep));
    const focus = document.activeElement;
    const selector = focus?.classList.length ? `${focus.tagName}.${focus.classList[0]}` : "";
    const focused = selector ? all(selector).indexOf(focus) : -1;
    for (const style of all("style")) style.textContent = page.querySelector("style").textContent;
    document.getElementById("main").replaceChildren(...fresh.childNodes);
    document.querySelector(".summary").textContent = page.querySelector(".summary").textContent;
    root.dataset.live = page.documentElement.dataset.live;
    for (const box of all("[data-show]")) box.checked = boxes.get(box.dataset.show) ?? box.checked;
    for (const one of all("details")) one.open = open.has(one.dataset.keep);
    for (const input of all("input[name=series], input[name=axis]")) input.checked ||= [series, axis].includes(input.value);
    begin();
    if (focused >= 0) all(selector)[focused]?.focus({ preventScroll: true });
  }

  async function follow() {
    try {
      const state = await fetch("/state", { cache: "no-store" });
      if (!state.ok) throw new Error(String(state.status));
      if ((await state.text()) !== root.dataset.live) {
        const page = await fetch("/", { cache: "no-store" });
        if (!page.ok) throw new Error(String(page.status));
        renew(await page.text());
      }
      root.classList.remove("stale");
    } catch {
      root.classList.add("stale");
    }
    setTimeout(follow, 5000);
  }

  const select = document.getElementById("theme");
  select.value = recall("theme");
  theme(select.value);
  select.addEventListener("change", () => {
    theme(select.value);
    remember("theme", select.value);
  });
  begin();
  if (root.dataset.live !== undefined) setTimeout(follow, 5000);
})();
