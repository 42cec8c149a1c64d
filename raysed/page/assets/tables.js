// Tables that sort by their heads and filter by words and values; plain tables to a screen reader.

function compareValues(a, b) {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a).localeCompare(String(b), "en", { numeric: true });
}

// What is missing goes last, whichever way the others go.
function sortRows(rows, value, direction) {
  const known = rows.filter((row) => value(row) !== null && value(row) !== undefined && value(row) !== "");
  const missing = rows.filter((row) => !known.includes(row));
  return [...known.sort((a, b) => direction * compareValues(value(a), value(b))), ...missing];
}

// columns: {title, value(row), show(row)?, number?}; filters: {label, value(row)}.
function dataTable({ name, columns, rows, filters = [], style = "", key = null }) {
  const made = new Map(rows.map((row) => [row, html("tr", {}, columns.map((column, place) =>
    html(place === (key ?? 0) ? "th" : "td", { scope: place === (key ?? 0) ? "row" : null, class: column.number ? "number" : column.style }, (column.show ?? column.value)(row))))]));
  const body = html("tbody");
  const count = html("p", { class: "muted small", role: "status" });
  const state = { column: null, direction: 1, words: "", chosen: new Map() };

  const heads = columns.map((column) => {
    const button = html("button", { type: "button" }, column.title);
    const head = html("th", { scope: "col", class: column.number ? "number" : column.style ?? null, "aria-sort": "none" }, button);
    button.addEventListener("click", () => {
      const again = state.column === column;
      if (again && state.direction === -1) state.column = null; // the third click: the order of the plan
      else { state.direction = again ? -1 : 1; state.column = column; }
      heads.forEach((other) => other.setAttribute("aria-sort", "none"));
      if (state.column) head.setAttribute("aria-sort", state.direction === 1 ? "ascending" : "descending");
      update();
    });
    return head;
  });

  function update() {
    const words = state.words.toLowerCase().split(/\s+/).filter(Boolean);
    const kept = rows.filter((row) => {
      const text = made.get(row).textContent.toLowerCase();
      return words.every((word) => text.includes(word))
        && [...state.chosen].every(([filter, wanted]) => wanted === "" || String(filter.value(row)) === wanted);
    });
    const ordered = state.column ? sortRows(kept, state.column.value, state.direction) : kept;
    body.replaceChildren(...ordered.map((row) => made.get(row)));
    count.textContent = kept.length === rows.length ? `${rows.length} rows` : `${kept.length} of ${rows.length} rows`;
  }

  const controls = [];
  for (const filter of filters) {
    const values = [...new Set(rows.map((row) => String(filter.value(row))))].filter(Boolean);
    if (values.length < 2) continue;
    const options = [["", "all"], ...values.map((value) => [value, value])];
    controls.push(select(filter.label, options, (value) => { state.chosen.set(filter, value); update(); }).node);
  }
  if (rows.length > 4) {
    const search = html("input", { type: "search", placeholder: "words" });
    search.addEventListener("input", () => { state.words = search.value; update(); });
    controls.push(html("label", {}, "filter", search));
  }
  update();
  return [
    html("div", { class: "controls" }, controls),
    html("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": name },
      html("table", { class: style }, html("thead", {}, html("tr", {}, heads)), body)),
    count,
  ];
}
