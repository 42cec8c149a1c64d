// Charts as SVG, redrawn when their place changes its width.

const drawings = new WeakMap();
const watcher = new ResizeObserver((entries) => {
  for (const entry of entries) {
    const width = Math.floor(entry.contentRect.width);
    const known = drawings.get(entry.target);
    if (width > 0 && known && known.width !== width) {
      known.width = width;
      entry.target.replaceChildren(known.draw(width));
    }
  }
});

function chart(draw, name = "chart") {
  const place = html("div");
  drawings.set(place, { draw, width: 0 });
  watcher.observe(place);
  const save = html("button", { type: "button", class: "save", title: "Save this chart as SVG", "aria-label": `Save the chart ${name} as SVG` }, "SVG");
  save.addEventListener("click", () => saveSvg(place.querySelector("svg"), name));
  return html("div", { class: "chart" }, place, save);
}

// The chart as a file of its own: the page's colours and rules are written into it.
function svgText(node) {
  const style = getComputedStyle(document.documentElement);
  const colour = (key) => style.getPropertyValue(key).trim();
  const rules = `svg{background:${colour("--bg")}}text{font:11px sans-serif;fill:${colour("--fg")}}text.muted{fill:${colour("--muted")}}`
    + `.axis{stroke:${colour("--muted")};fill:none}.gridline{stroke:${colour("--line")}}`;
  const copy = node.cloneNode(true);
  copy.prepend(svg("style", {}, rules));
  return new XMLSerializer().serializeToString(copy).replace(/var\((--[a-z-]+)\)/g, (_, key) => colour(key));
}

function saveSvg(node, name) {
  if (!node) return;
  const href = URL.createObjectURL(new Blob([svgText(node)], { type: "image/svg+xml" }));
  html("a", { href, download: `${name.replace(/[^A-Za-z0-9_.-]+/g, "-")}.svg` }).click();
  URL.revokeObjectURL(href);
}

// Where a pointer is over the chart: a line at the nearest place, and what each series holds there.
function pointer({ node, box, x }, xs, xText, series) {
  const guide = svg("g", { class: "guide", "pointer-events": "none", visibility: "hidden" });
  const show = (event) => {
    const at = event.clientX - node.getBoundingClientRect().left;
    if (at < box.left - 8 || at > box.right + 8) { hide(); return; }
    let near = 0;
    xs.forEach((value, place) => { if (Math.abs(x(value) - at) < Math.abs(x(xs[near]) - at)) near = place; });
    const lines = [xText(xs[near]), ...series.map(({ name, text }) => `${name} ${text(near)}`)];
    const wide = Math.max(...lines.map((line) => line.length)) * 6.1 + 10, place = x(xs[near]);
    const left = place + wide + 6 > box.right ? Math.max(place - wide - 6, 0) : place + 6;
    guide.replaceChildren(svg("line", { x1: place, x2: place, y1: box.top, y2: box.bottom, stroke: "var(--muted)" }),
      svg("rect", { x: left, y: box.top, width: wide, height: lines.length * 14 + 6, rx: 3, fill: "var(--panel)", stroke: "var(--line)" }),
      ...lines.map((line, row) => svg("text", { x: left + 5, y: box.top + 14 + row * 14 }, line)));
    guide.setAttribute("visibility", "visible");
  };
  const hide = () => guide.setAttribute("visibility", "hidden");
  node.addEventListener("pointermove", show);
  node.addEventListener("pointerdown", show);
  node.addEventListener("pointerleave", hide);
  node.append(guide);
}

function ticks(low, high, count) {
  const rough = (high - low) / Math.max(count, 1) || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const steps = [0.2, 0.5, 1, 2, 5, 10].map((factor) => factor * power);
  const places = (step) => {
    const found = [];
    for (let place = Math.ceil(low / step - 1e-9); place * step <= high + step * 1e-9; place += 1) found.push(place * step);
    return found;
  };
  let chosen = steps.findIndex((step) => step >= rough * 0.999);
  while (chosen > 0 && places(steps[chosen]).length < 3) chosen -= 1; // one number alone is no scale
  return { found: places(steps[chosen]), digits: Math.max(0, -Math.floor(Math.log10(steps[chosen]) + 1e-9)) };
}

// Axes of a small chart; `x` and `y` turn values into pixels.
function frame({ width, height, xs, ys, xLabel, yLabel, label, left = 38 }) {
  const box = { left, right: width - 12, top: yLabel ? 20 : 8, bottom: height - 34 };
  const x = (value) => box.left + ((value - xs[0]) / (xs[1] - xs[0] || 1)) * (box.right - box.left);
  const y = (value) => box.bottom - ((value - ys[0]) / (ys[1] - ys[0] || 1)) * (box.bottom - box.top);
  const node = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label });
  const vertical = ticks(...ys, 5);
  const across = ticks(...xs, Math.min(5, Math.floor(width / 60)));
  for (const value of vertical.found) {
    node.append(svg("line", { class: "gridline", x1: box.left, x2: box.right, y1: y(value), y2: y(value) }),
      svg("text", { class: "muted", x: box.left - 4, y: y(value) + 4, "text-anchor": "end" }, value.toFixed(vertical.digits)));
  }
  for (const value of across.found) {
    node.append(svg("text", { class: "muted", x: x(value), y: box.bottom + 14, "text-anchor": "middle" }, number(value, across.digits)));
  }
  node.append(svg("path", { class: "axis", d: `M${box.left},${box.top}V${box.bottom}H${box.right}` }));
  node.append(svg("text", { x: (box.left + box.right) / 2, y: height - 4, "text-anchor": "middle" }, xLabel));
  if (yLabel) node.append(svg("text", { x: 4, y: 10 }, yLabel));
  return { node, x, y, box };
}

// A line through points, broken where a value is missing; `steps` holds each value up to the next place.
function line(axes, xs, ys, attributes, steps = false) {
  let path = "", open = false;
  ys.forEach((value, place) => {
    if (value === null || value === undefined) { open = false; return; }
    const [x, y] = [axes.x(xs[place]).toFixed(1), axes.y(value).toFixed(1)];
    path += open ? (steps ? `H${x}V${y}` : `L${x},${y}`) : `M${x},${y}`;
    open = true;
  });
  return svg("path", { d: path, fill: "none", stroke: "var(--a)", "stroke-width": 1.6, ...attributes });
}

function band(axes, xs, lows, highs, attributes = {}) {
  const known = xs.map((_, place) => place).filter((place) => lows[place] !== null && highs[place] !== null);
  if (!known.length) return null;
  const point = (values) => (place) => `${axes.x(xs[place]).toFixed(1)},${axes.y(values[place]).toFixed(1)}`;
  return svg("polygon", { points: [...known.map(point(highs)), ...known.reverse().map(point(lows))].join(" "), fill: "var(--band)", ...attributes });
}

function diamond(x, y, size, attributes) {
  return svg("path", { d: `M${x - size},${y}L${x},${y - size}L${x + size},${y}L${x},${y + size}Z`, ...attributes });
}

// Rows of dots with intervals: {label, group, dots: [{value, colour}], low, high, centre, published, colour, title}.
function dotRows({ rows, metric, label, zero }) {
  const known = rows.flatMap((row) => [row.low, row.high, row.centre, row.published, ...row.dots.map((dot) => dot.value)])
    .filter((value) => value !== null && value !== undefined).map((value) => value * metric.scale);
  if (!known.length) return note("Nothing finished to show.");
  let [low, high] = [Math.min(...known, ...(zero ? [0] : [])), Math.max(...known, ...(zero ? [0] : []))];
  const pad = (high - low) * 0.04 || 0.05 * metric.scale;
  [low, high] = [low - pad, high + pad];
  return chart((width) => {
    const step = 22, side = Math.min(Math.max(96, width * 0.26), 260), right = width - 12;
    const groups = rows.map((row, place) => place === 0 || row.group !== rows[place - 1].group);
    const height = rows.length * step + groups.filter(Boolean).length * 18 + 44;
    const x = (value) => side + ((value * metric.scale - low) / (high - low)) * (right - side);
    const node = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label });
    const across = ticks(low, high, Math.max(3, Math.floor((right - side) / 70)));
    for (const value of across.found) {
      const place = x(value / metric.scale);
      node.append(svg("line", { class: "gridline", x1: place, x2: place, y1: 6, y2: height - 34 }),
        svg("text", { class: "muted", x: place, y: height - 20, "text-anchor": "middle" }, number(value, across.digits, zero && Math.abs(value) > 1e-9)));
    }
    if (zero) node.append(svg("line", { class: "axis", x1: x(0), x2: x(0), y1: 6, y2: height - 34, "stroke-width": 1.5 }));
    node.append(svg("text", { x: (side + right) / 2, y: height - 4, "text-anchor": "middle" }, zero ? `difference in ${metric.title}` : metric.title));
    let y = 4;
    rows.forEach((row, place) => {
      if (groups[place]) { y += 18; node.append(svg("text", { class: "muted", x: 0, y: y - 3, "font-weight": 600 }, row.group)); }
      node.append(dotRow(row, x, y + step / 2, side));
      y += step;
    });
    return node;
  }, label.split(/[;,]/)[0]);
}

function dotRow(row, x, y, side) {
  const most = Math.floor(side / 6.2);
  const text = row.label.length > most ? `${row.label.slice(0, most - 1)}…` : row.label;
  const group = svg("g", {}, svg("title", {}, row.title), svg("text", { x: side - 8, y: y + 4, "text-anchor": "end" }, text));
  if (row.low !== null && row.low !== undefined) {
    group.append(svg("path", { d: `M${x(row.low)},${y}H${x(row.high)}M${x(row.low)},${y - 4}v8M${x(row.high)},${y - 4}v8`, stroke: row.colour, "stroke-width": 1.8 }));
  }
  if (row.published !== null && row.published !== undefined) {
    group.append(diamond(x(row.published), y, 5.5, { fill: "var(--bg)", stroke: "var(--published)", "stroke-width": 1.8 }));
  }
  for (const dot of row.dots) {
    group.append(svg("circle", { cx: x(dot.value), cy: y, r: 3.2, fill: dot.colour, "fill-opacity": 0.75 }));
  }
  if (row.centre !== null && row.centre !== undefined) {
    group.append(svg("rect", { x: x(row.centre) - 3.5, y: y - 3.5, width: 7, height: 7, fill: row.colour }));
  }
  return group;
}

// A sequential colour (viridis, five anchors) for a share of 0 to 1, and the text colour that is read on it.
function shade(share) {
  const anchors = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]];
  const place = Math.min(Math.max(share, 0), 1) * 4, below = Math.min(Math.floor(place), 3);
  const mixed = anchors[below].map((value, part) => value + (anchors[below + 1][part] - value) * (place - below));
  const [red, green, blue] = mixed.map((value) => (value / 255) ** 2.2);
  const light = 0.2126 * red + 0.7152 * green + 0.0722 * blue; // black and white contrast equally at 0.18
  return { background: `rgb(${mixed.map(Math.round).join(",")})`, text: light > 0.18 ? "#000" : "#fff" };
}
