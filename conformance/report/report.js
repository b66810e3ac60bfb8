"use strict";

// The page is whole without this script; it adds the filter, copying, and opening what a link points to.

const byId = (id) => document.getElementById(id);
const filter = byId("filter");
const items = [...document.querySelectorAll("[data-state]")];
const texts = new Map();
const textOf = (item) => {
  if (!texts.has(item)) texts.set(item, item.textContent.toLowerCase());
  return texts.get(item);
};

function matches(item, wanted) {
  const { state, level, area, operations } = item.dataset;
  return (
    (!wanted.states.length || wanted.states.includes(state)) &&
    (!wanted.level || wanted.level === level) &&
    (!wanted.area || wanted.area === area) &&
    (!wanted.operation || operations.split(" ").includes(wanted.operation)) &&
    wanted.words.every((word) => textOf(item).includes(word))
  );
}

function applyFilter() {
  const wanted = {
    states: [...filter.querySelectorAll("[name=state]:checked")].map((box) => box.value),
    level: byId("filter-level").value,
    area: byId("filter-area").value,
    operation: byId("filter-operation").value,
    words: byId("filter-text").value.toLowerCase().split(/\s+/).filter(Boolean),
  };
  for (const item of items) item.hidden = !matches(item, wanted);
  for (const part of document.querySelectorAll(".part")) {
    const inside = [...part.querySelectorAll("[data-state]")];
    part.hidden = items.some((item) => item.hidden) && inside.every((item) => item.hidden);
  }
  const listed = items.filter((item) => item.matches(".requirements > li"));
  byId("filter-count").textContent = `${listed.filter((item) => !item.hidden).length} of ${listed.length} requirements`;
}

function resetFilter() {
  for (const box of filter.querySelectorAll("[name=state]")) box.checked = false;
  for (const input of filter.querySelectorAll("select, [type=search]")) input.value = "";
  applyFilter();
}

function showTarget() {
  const target = byId(location.hash.slice(1));
  if (!target) return;
  if (target.closest("[hidden]")) resetFilter();
  target.closest("details")?.setAttribute("open", "");
  target.scrollIntoView();
}

function button(text, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
  made.addEventListener("click", () => act(made));
  return made;
}

async function copy(text, pressed) {
  const before = pressed.textContent;
  try {
    await navigator.clipboard.writeText(text);
    pressed.textContent = "Copied";
  } catch {
    pressed.textContent = "Not allowed here";
  }
  setTimeout(() => { pressed.textContent = before; }, 1500);
}

function save(text, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/x-shellscript" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

function addTools(source) {
  const tools = document.createElement(source.matches("pre") ? "div" : "span");
  tools.className = "tools";
  tools.append(button("Copy", (pressed) => copy(source.textContent, pressed)));
  if (source.dataset.name) tools.append(button(`Save ${source.dataset.name}`, () => save(source.textContent, source.dataset.name)));
  source.after(tools);
}

// What is marked in a long body comes into view with it.
const inView = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (!isIntersecting) continue;
    inView.unobserve(target);
    target.scrollTop = target.querySelector("mark").offsetTop - target.offsetTop - target.clientHeight / 3;
  }
});
for (const body of document.querySelectorAll(".bodies pre:has(mark)")) inView.observe(body);

filter.hidden = false;
filter.addEventListener("input", applyFilter);
byId("filter-reset").addEventListener("click", resetFilter);
addEventListener("hashchange", showTarget);
for (const source of document.querySelectorAll(".copy")) addTools(source);
applyFilter();
showTarget();
