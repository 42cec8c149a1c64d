"use strict";
// Small builders. Strings become text nodes, never markup: names come from data.

const DATA = JSON.parse(document.getElementById("content").textContent);
const SVG_NAMESPACE = "http://www.w3.org/2000/svg";
const COLOURS = ["var(--a)", "var(--b)", "var(--c)", "var(--d)", "var(--e)", "var(--f)"];
// Of the seeds, in their order; figures/* have the same.
const DASHES = ["", "5 2", "1.5 2", "6 2 1 2", "10 3", "8 2 1 2 1 2"];
const MISSING = "–";

function fill(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (value !== null && value !== undefined && value !== false) {
      node.setAttribute(key, value === true ? "" : String(value));
    }
  }
  for (const child of children.flat(Infinity)) {
    if (child !== null && child !== undefined && child !== false) {
      node.append(child instanceof Node ? child : String(child));
    }
  }
  return node;
}

function html(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

function svg(tag, attributes, ...children) {
  return fill(document.createElementNS(SVG_NAMESPACE, tag), attributes, children);
}

function metricOf(id) {
  return DATA.metrics.find((metric) => metric.id === id);
}

function number(value, digits, signed = false) {
  if (value === null || value === undefined) return MISSING;
  const text = Math.abs(value).toFixed(digits);
  const sign = value < 0 && Number(text) !== 0 ? "−" : signed ? "+" : "";
  return sign + text;
}

function scaled(value, metric, signed = false) {
  return number(value === null || value === undefined ? null : value * metric.scale, metric.digits, signed);
}

function interval(low, high, metric, signed = false) {
  return low === null || low === undefined ? "" : `[${scaled(low, metric, signed)}, ${scaled(high, metric, signed)}]`;
}

function clock(seconds) {
  if (seconds === null || seconds === undefined) return MISSING;
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
}

const MARKS = {
  reproduced: ["good", "✓"], contradicted: ["bad", "✗"], undecided: ["unsure", "?"], waiting: ["unsure", "…"],
  yes: ["good", "✓"], no: ["bad", "✗"], open: ["unsure", "?"],
  higher: ["high", "▲"], lower: ["bad", "▼"],
  "same training": ["unsure", "="], "same counts": ["unsure", "="],
  learnt: ["good", "✓"], "not shown": ["bad", "✗"], "not trained": ["bad", "✗"],
  finished: ["good", "✓"], failed: ["bad", "✗"], unfinished: ["unsure", "…"], "not started": ["unsure", "…"],
};

// A verdict in colour, with a sign and its word: colour alone says nothing.
function mark(word, more = "", kind = "span") {
  if (!word) return "";
  const [style, sign] = MARKS[word] ?? ["unsure", ""];
  return html(kind, { class: `${kind === "li" ? "chip" : "mark"} ${style}` }, `${sign} ${more}${word}`);
}

function select(label, options, change, chosen) {
  const list = html("select", {}, options.map(([value, text]) => html("option", { value, selected: value === chosen }, text)));
  list.addEventListener("change", () => change(list.value));
  return { node: html("label", {}, label, list), list };
}

// Selects that share one state; `draw(state)` gives what is shown below them.
function controlled(controls, draw) {
  const state = {};
  const place = html("div");
  const update = () => place.replaceChildren(...[draw(state)].flat());
  const nodes = controls.filter((control) => control.options.length).map((control) => {
    state[control.key] = control.chosen ?? control.options[0][0];
    const made = select(control.label, control.options, (value) => { state[control.key] = value; update(); }, state[control.key]);
    return control.options.length > 1 ? made.node : null;
  });
  update();
  return [html("div", { class: "controls" }, nodes), place];
}

const evaluationControl = () => ({ key: "evaluation", label: "evaluation set", options: DATA.evaluations.map((name) => [name, name]) });
const metricControl = () => ({ key: "metric", label: "metric", options: DATA.metrics.map((metric) => [metric.id, metric.title]) });

function section(id, title, ...children) {
  return html("section", { id, "aria-labelledby": `${id}-title` }, html("h2", { id: `${id}-title` }, title), children);
}

function note(...text) {
  return html("p", { class: "muted small" }, text);
}

function legend(entries) {
  return html("ul", { class: "legend" }, entries.map(([drawing, text]) =>
    html("li", {}, svg("svg", { width: 26, height: 12, "aria-hidden": "true" }, drawing), text)));
}
