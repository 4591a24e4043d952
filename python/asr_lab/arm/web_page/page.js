"use strict";

const settings = document.body.dataset;
const pageRows = Number(settings.pageRows);
const GOOD = new Set(["Succeeded", "Protected"]);
const BAD = /Failed|Cancelled|Critical/;
const shown = new Map();
const opened = new Set();

/** Return an element with text and class; text is never markup. */
function make(tag, text, kind) {
  const made = document.createElement(tag);
  if (text !== undefined && text !== null) made.textContent = String(text);
  if (kind) made.className = kind;
  return made;
}

function colour(state) {
  if (BAD.test(state)) return "bad";
  return GOOD.has(state) ? "good" : "busy";
}

function clock(text) {
  return text ? text.slice(0, 19).replace("T", " ") : "";
}

function tasks(value, row) {
  const names = Object.keys(value || {});
  if (!names.length) return make("span");
  const details = make("details");
  const done = names.filter((name) => GOOD.has(value[name]) || value[name] === "Other").length;
  details.append(make("summary", `${done} of ${names.length}`));
  const list = make("ul");
  for (const name of names) {
    const entry = make("li", `${name}: `);
    entry.append(make("span", value[name], value[name] === "NotStarted" ? "none" : colour(value[name])));
    list.append(entry);
  }
  details.append(list);
  details.open = opened.has(row.id);
  details.addEventListener("toggle", () => (details.open ? opened.add(row.id) : opened.delete(row.id)));
  return details;
}

function progress(value) {
  const made = make("span");
  if (value === null || value === undefined) return made;
  const bar = make("progress");
  bar.max = 1;
  bar.value = value;
  made.append(bar, ` ${Math.round(100 * value)} %`);
  return made;
}

/** Return the content of a cell by the kind of its column. */
function cell(kind, value, row) {
  switch (kind) {
    case "state": return make("span", value, colour(String(value)));
    case "status": return make("span", value || "reset", value >= 400 || !value ? "bad" : "good");
    case "progress": return progress(value);
    case "list": return make("span", (value || []).join(", "));
    case "time": return make("span", clock(value));
    case "yes": return make("span", value ? "yes" : "no");
    case "tasks": return tasks(value, row);
    default: return make("span", value);
  }
}

/** Return whether a row holds the words of a filter. */
function holds(row, words) {
  const text = Object.values(row).map((value) => (typeof value === "object" ? JSON.stringify(value) : value)).join(" ");
  const lower = text.toLowerCase();
  return words.every((word) => lower.includes(word));
}

function draw(section) {
  const view = shown.get(section.id);
  const words = view.filter.toLowerCase().split(/\s+/).filter(Boolean);
  const rows = words.length ? view.rows.filter((row) => holds(row, words)) : view.rows;
  const pages = Math.max(1, Math.ceil(rows.length / pageRows));
  view.page = Math.min(view.page, pages - 1);
  const first = view.page * pageRows;
  const columns = [...section.querySelectorAll("th")].map((head) => head.dataset);
  const drawn = rows.slice(first, first + pageRows).map((row) => {
    const line = make("tr");
    for (const { field, kind } of columns) {
      const place = make("td", undefined, kind);
      place.append(cell(kind, row[field], row));
      line.append(place);
    }
    return line;
  });
  section.querySelector("tbody").replaceChildren(...drawn);
  section.querySelector("table").hidden = !drawn.length;
  section.querySelector(".none").hidden = drawn.length > 0;
  section.querySelector(".none").textContent = view.rows.length ? "nothing fits the filter" : "none";
  section.querySelector(".pages").hidden = pages === 1;
  section.querySelector(".where").textContent = `${first + 1}–${first + drawn.length} of ${rows.length}`;
  document.querySelector(`[data-count="${section.id}"]`).textContent = view.rows.length;
}

function take(section, rows) {
  const view = shown.get(section.id);
  view.rows = section.dataset.newestFirst === "true" ? rows.slice().reverse() : rows;
  draw(section);
}

async function ask(path) {
  const answer = await fetch(path, { cache: "no-store" });
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}`);
  return answer.json();
}

/** Look once and show what is there; return how long to wait before the next look, in ms. */
async function look() {
  const began = performance.now();
  const problem = document.getElementById("problem");
  try {
    const [state, log] = await Promise.all([ask("/_lab/state"), ask(`/_lab/log?last=${settings.logLines}`)]);
    state.log = log.entries;
    state.hosts = Object.entries(state.hosts || {}).map(([name, host]) => ({ name, ...host }));
    document.getElementById("now").textContent = clock(state.now);
    for (const section of document.querySelectorAll("main > section")) take(section, state[section.id] || []);
    problem.textContent = (state.person || []).join(" ");
  } catch (error) {
    problem.textContent = `The lab does not answer: ${error.message}`;
  }
  problem.hidden = !problem.textContent;
  return Math.max(Number(settings.refreshMs), 10 * (performance.now() - began));
}

async function lookOn() {
  const wait = document.hidden ? Number(settings.refreshMs) : await look();
  setTimeout(lookOn, wait);
}

for (const section of document.querySelectorAll("main > section")) {
  const view = { rows: [], filter: "", page: 0 };
  shown.set(section.id, view);
  section.querySelector("input").addEventListener("input", (event) => {
    view.filter = event.target.value;
    view.page = 0;
    draw(section);
  });
  for (const button of section.querySelectorAll("button")) {
    button.addEventListener("click", () => {
      view.page = Math.max(0, view.page + Number(button.dataset.step));
      draw(section);
    });
  }
}
lookOn();
