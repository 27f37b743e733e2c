// Elements and numbers. Every text of a run reaches the page as a text node, so that no name in it can become markup.
"use strict";

const kSvg = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return node;
}

const el = (name, attributes, ...children) => fill(document.createElement(name), attributes, children);
const svg = (name, attributes, ...children) => fill(document.createElementNS(kSvg, name), attributes, children);

const isNumber = (value) => typeof value === "number" && Number.isFinite(value);
const whole = (value) => Math.round(value).toLocaleString("en-US");

// Four digits that count.
function plain(value) {
  if (!isNumber(value)) return "–";
  const size = Math.abs(value);
  if (size >= 1e4 && size < 1e7) return whole(value);
  if (value !== 0 && (size >= 1e7 || size < 1e-4)) return value.toExponential(2).replace(/\.?0*e\+?/, "e");
  return String(Number(value.toPrecision(4)));
}

function inUnit(value, unit) {
  if (!isNumber(value)) return "–";
  return unit === "share" ? (100 * value).toFixed(1) + " %" : plain(value);
}

function duration(seconds) {
  if (!isNumber(seconds)) return "–";
  const s = Math.round(seconds), two = (n) => String(n).padStart(2, "0");
  return s >= 3600 ? `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`
                   : `${Math.floor(s / 60)}:${two(s % 60)}`;
}

const counted = (count, one, several) => `${whole(count)} ${count === 1 ? one : several}`;

// What a screen reader is told.
function say(text) {
  document.getElementById("said").textContent = text;
}

// A table: `columns` are {title, number: whether right-aligned}, `rows` are lists of cells.
function table(columns, rows, caption) {
  const cell = (name, content, i) => el(name, {class: columns[i].number ? "number" : null,
                                               scope: name === "th" ? "col" : null}, content);
  return el("div", {class: "scroll", tabindex: "0", role: "region", "aria-label": caption},
            el("table", {}, el("caption", {class: "unseen"}, caption),
               el("thead", {}, el("tr", {}, columns.map((column, i) => cell("th", column.title, i)))),
               el("tbody", {}, rows.map((row) => el("tr", {}, row.map((content, i) =>
                 i === 0 ? el("th", {scope: "row"}, content) : cell("td", content, i)))))));
}

const section = (id, title, lead, ...content) =>
  el("section", {id, "aria-labelledby": id + "-title"},
     el("div", {class: "head"}, el("h2", {id: id + "-title"}, title), lead ? el("p", {class: "lead"}, lead) : null),
     ...content);
