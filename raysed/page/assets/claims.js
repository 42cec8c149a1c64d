// The claims of the paper: a sentence, its two answers, its intervals and what the run can settle.

const ANSWERS = ["yes", "no", "open", "waiting"];
const SYMBOLS = { higher: ">", lower: "<", far_higher: "≫", far_lower: "≪", equal: "=", not_higher: "≤" };

function claimCounts(chipsOf) {
  const agree = DATA.claims.map((claim) => claim.agrees).filter(Boolean);
  return [html("p", {}, "Claims of the paper: does the sentence hold, by simultaneous 95 % intervals?"), chipsOf(DATA.claims.map((claim) => claim.holds), ANSWERS),
    agree.length > 0 && [html("p", {}, "Do the numbers agree with the published ones, up to the margin?"), chipsOf(agree, ANSWERS)]];
}

function claimList() {
  return [html("h3", {}, "Claims"),
    note("Thick bar: simultaneous 95 % interval of our difference, to be read against zero. Thin bar: 95 % over seeds, these clips given, to be read against the published difference (diamond) and its margin (shaded)."),
    html("div", { class: "claims" }, DATA.claims.map(claimCard))];
}

function claimCard(claim) {
  const sets = new Set(claim.comparisons.map((row) => row.evaluation));
  return html("article", { class: "claim", "aria-label": `Claim ${claim.id}` },
    html("h4", {}, `${claim.id} `, html("span", { class: "said" }, claim.text)),
    html("p", { class: "answers" }, "holds: ", mark(claim.holds), claim.agrees ? ["  numbers agree: ", mark(claim.agrees)] : "",
      html("span", { class: "sub" }, `  ${claim.evaluation}, ${claim.seeds} ${claim.seeds === 1 ? "seed" : "seeds"}`)),
    claim.comparisons.map((row) => claimComparison(row, sets.size > 1)),
    html("p", { class: "sub power" }, powerLine(claim.power)));
}

function claimComparison(row, several) {
  const metric = metricOf(row.metric);
  const head = [mark(row.holds), ` ${row.cell} ${SYMBOLS[row.expect] ?? row.expect} ${row.against}, ${metric.title}${several ? `, ${row.evaluation}` : ""}`];
  if (row.difference === null || row.difference === undefined) {
    return html("div", { class: "comparison" }, html("div", {}, head), html("div", { class: "sub" }, `waits for ${row.waiting_for.join(", ")}`));
  }
  if (row.tie) return html("div", { class: "comparison" }, html("div", {}, head), html("div", { class: "sub" }, mark(row.tie), " there is nothing to compare"));
  const agrees = row.published === null ? "" : [`; published ${scaled(row.published, metric, true)}, agrees: `, mark(row.agrees),
    row.seeds_low === null ? " (one seed: not known)" : ` ${interval(row.seeds_low, row.seeds_high, metric, true)} over seeds`];
  const remark = { against: " The published values say the opposite.", insignificant: " Not significant as published." }[row.remark] ?? "";
  return html("div", { class: "comparison" }, html("div", {}, head), claimChart(row, metric),
    html("div", { class: "sub" }, `ours ${scaled(row.difference, metric, true)} ${interval(row.simultaneous_low, row.simultaneous_high, metric, true)} over ${row.about}`, agrees,
      `. Rule: ${row.rule}.${remark}`));
}

// One row: zero, our two intervals, the published difference with its margin.
function claimChart(row, metric) {
  const margin = row.agreement_margin;
  const shown = row.published === null ? [] : [row.published - margin, row.published + margin];
  const known = [0, row.simultaneous_low, row.simultaneous_high, row.seeds_low, row.seeds_high, ...shown].filter((value) => value !== null && value !== undefined);
  const [low, high] = [Math.max(-1, Math.min(...known)), Math.min(1, Math.max(...known))];
  const pad = (high - low) * 0.05 || 0.01;
  return chart((width) => {
    const height = 44, x = (value) => 6 + ((Math.min(Math.max(value, low - pad), high + pad) - low + pad) / (high - low + 2 * pad)) * (width - 12);
    const node = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img",
      "aria-label": `${row.cell} less ${row.against}: ${scaled(row.difference, metric, true)} ${interval(row.simultaneous_low, row.simultaneous_high, metric, true)}` });
    if (row.published !== null) node.append(svg("rect", { x: x(row.published - margin), y: 4, width: Math.max(x(row.published + margin) - x(row.published - margin), 1), height: 24, fill: "var(--band)" }));
    node.append(svg("line", { class: "axis", x1: x(0), x2: x(0), y1: 2, y2: 30, "stroke-width": 1.5 }), svg("text", { class: "muted", x: Math.min(Math.max(x(0), 8), width - 8), y: 41, "text-anchor": "middle" }, "0"));
    node.append(svg("line", { x1: x(row.simultaneous_low), x2: x(row.simultaneous_high), y1: 11, y2: 11, stroke: { yes: "var(--good)", no: "var(--bad)" }[row.holds] ?? "var(--muted)", "stroke-width": 4 }),
      svg("rect", { x: x(row.difference) - 3.5, y: 7.5, width: 7, height: 7, fill: "var(--fg)" }));
    if (row.seeds_low !== null && row.seeds_low !== undefined) {
      node.append(svg("path", { d: `M${x(row.seeds_low)},22H${x(row.seeds_high)}M${x(row.seeds_low)},19v6M${x(row.seeds_high)},19v6`, stroke: "var(--fg)", "stroke-width": 1.5 }));
    }
    if (row.published !== null) node.append(diamond(x(row.published), 22, 5, { fill: "var(--bg)", stroke: "var(--published)", "stroke-width": 1.8 }));
    const label = (value, anchor, place) => svg("text", { class: "muted", x: place, y: 41, "text-anchor": anchor }, scaled(value, metric, true));
    if (x(0) > 60) node.append(label(low, "start", 2));
    if (x(0) < width - 60) node.append(label(high, "end", width - 2));
    return node;
  });
}

function powerLine(power) {
  if (!power || !Object.keys(power.resolves).length) return "Power: not known, nothing is stored and there is no prior.";
  const sizes = Object.entries(power.resolves).map(([name, size]) => `${scaled(size, metricOf(name))} of ${metricOf(name).title.replace(" %", "")}`).join(", ");
  const states = { decidable: "as published it would be decided with these seeds", open: `as published it takes ${power.seeds_needed} seeds`,
    never: "as published it is never decided on these clips, whatever the seeds", unknown: "not all of it is published" };
  return `Power: ${power.seeds} ${power.seeds === 1 ? "seed tells" : "seeds tell"} apart ${sizes}; ${states[power.state]}. From ${power.source}.`;
}
