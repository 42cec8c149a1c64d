// The sections of the page, in the order a researcher reads them.

const cellOf = (id) => DATA.cells.find((cell) => cell.id === id);
const TIES = ["same training", "same counts"];
const OUTCOMES = { higher: "var(--high)", lower: "var(--bad)", undecided: "var(--muted)" };

// What an interval is about; what the bootstrap draws is a word of the plan.
const about = (seeds) => `other ${DATA.run.drawn}${seeds ? " and other seeds" : ", these seeds given"}`;

function headSection() {
  const run = DATA.run;
  const finished = DATA.trials.filter((trial) => trial.state === "finished").length;
  const facts = [
    ["state", run.state ?? "unknown"],
    ["trials", `${finished} of ${run.trials} finished`],
    ["seeds", run.seeds.join(", ")],
    ["evaluation", DATA.classes.map((set) => `${set.evaluation}: ${set.clips} clips, ${set.classes.length} classes`).join("; ")],
    ["date", run.heartbeat ? `${new Date(1000 * run.heartbeat).toISOString().slice(0, 16).replace("T", " ")} UTC` : null],
    ["host", run.host],
    ["commit", run.commit],
    ["versions", Object.entries(run.versions ?? {}).map(([name, version]) => `${name} ${version}`).join(", ")],
    ["data sets", (run.datasets ?? []).map((set) => `${set.name} ${set.id ?? ""}`.trim()).join(", ")],
    ["folder", run.folder],
  ].filter(([, value]) => value);
  return [html("h1", {}, run.space), html("dl", { class: "facts" }, facts.map(([key, value]) => [html("dt", {}, key), html("dd", {}, value)]))];
}

function summarySection() {
  const open = DATA.trials.filter((trial) => trial.state !== "finished");
  const empty = [...new Set(DATA.values.filter((value) => value.untrained).map((value) => value.cell))];
  const judged = DATA.contrasts.filter((row) => row.verdict);
  const counted = judged.length ? judged.map((row) => row.verdict) : DATA.contrasts.map((row) => row.outcome);
  const chipsOf = (found, words) => html("ul", { class: "chips" }, words.map((word) => [word, found.filter((other) => other === word).length])
    .filter(([, count]) => count).map(([word, count]) => mark(word, `${count} `, "li")));
  const what = judged.length ? "Published differences" : "Differences of cells";
  return section("summary", "Summary",
    DATA.claims.length ? claimCounts(chipsOf)
      : counted.length ? [html("p", {}, `${what}, judged by simultaneous 95 % intervals:`),
        chipsOf(counted, ["reproduced", "contradicted", "undecided", "waiting", "higher", "lower", ...TIES])] : html("p", {}, "No difference can be judged yet."),
    DATA.run.seeds.length === 1 && html("p", { class: "notice" }, `One seed: the intervals are over ${DATA.run.drawn}; nothing is known about other seeds.`),
    DATA.looks.length > 0 && html("div", { class: "notice looks" }, html("ul", {}, DATA.looks.map((line) => html("li", {}, line.trim())))),
    !DATA.looks.length && [2, 3].includes(DATA.run.seeds.length) && html("p", { class: "notice" }, `Two or three seeds: the intervals are over other ${DATA.run.drawn}, these trained models given. They say nothing about other seeds, which takes four or more.`),
    empty.length > 0 && html("p", { class: "notice" }, `Not trained: x-valid F1 was 0 after every epoch of ${empty.join(", ")}. Their values say nothing; more epochs (schedule in the space) may help.`),
    open.length > 0 && html("div", { class: "notice" },
      html("p", {}, `${open.length} of ${DATA.trials.length} trials have no result; what follows holds the others only.`),
      html("ul", {}, open.slice(0, 40).map((trial) => html("li", {}, `${trial.cells.join("/")} seed ${trial.seed}: `, mark(trial.state), ` ${trial.note}`))),
      open.length > 40 && html("p", {}, `and ${open.length - 40} more`)),
    DATA.claims.length > 0 && claimList(),
    DATA.learning.length > 0 && [html("h3", {}, "Has anything been learnt?"), note(`The cell with the best x-valid F1 against two systems that know nothing; paired differences over ${DATA.run.drawn}, event F1.`),
      html("ul", { class: "small" }, DATA.learning.map((check) => html("li", {}, mark(check.learnt ? "learnt" : "not shown"),
        ` ${check.cell}, ${check.evaluation}: ${number(check.f1, 1)} %, ${check.baseline.replace("_", " ")} ${number(check.baseline_f1, 1)} %, lead ${number(check.lead, 1, true)} [${number(check.low, 1, true)}, ${number(check.high, 1, true)}]`)))]);
}

// The way from scores to events, where a cell has one of its own.
function postprocessingOf(cell) {
  const asked = cell.postprocessing;
  if (!asked) return "as trained";
  const words = asked.method.replace("_", "-");
  if (asked.method === "raw") return words;
  return `${words} for ${asked.tuned_for.replace("_", " ")}, ${asked.tuned_on === "xvalid" ? "on x-valid" : "cross-fitted"}`;
}

function cellsSection() {
  const rows = DATA.cells.flatMap((cell) => cell.evaluation.map((evaluation) => {
    const values = DATA.values.filter((value) => value.cell === cell.id && value.evaluation === evaluation);
    return { cell, evaluation, values: Object.fromEntries(values.map((value) => [value.metric, value])), first: values[0] };
  }));
  const metrics = DATA.metrics.flatMap((metric) => {
    const of = (row) => row.values[metric.id] ?? {};
    const found = [{
      title: `${metric.title} [95 %]`, number: true, value: (row) => of(row).value,
      show: (row) => [scaled(of(row).value, metric), " ", html("span", { class: "sub" }, interval(of(row).low, of(row).high, metric)),
        html("div", { class: "sub" }, (of(row).seed_values ?? []).length > 1 ? of(row).seed_values.map((value) => scaled(value, metric)).join(" / ") : "")],
    }];
    if (DATA.values.some((value) => value.metric === metric.id && value.published !== null)) {
      found.push({ title: `published ${metric.title}`, number: true, value: (row) => of(row).published, show: (row) => scaled(of(row).published, metric) });
    }
    return found;
  });
  const states = (row) => row.first?.states ?? [];
  const untrained = (value) => value?.untrained ? [" ", mark("not trained", value.untrained < value.seeds ? `${value.untrained} ` : "")] : "";
  return section("tables", "Cells", note(`Mean over seeds with its 95 % interval over ${about(DATA.run.seeds.length > 3)}; below it each seed. A head sorts up, down, and back.`),
    dataTable({
      name: "Cells", rows, key: 1, filters: [{ label: "table", value: (row) => row.cell.table }, { label: "evaluation set", value: (row) => row.evaluation }],
      columns: [
        { title: "table", value: (row) => row.cell.table, style: "roomy" },
        { title: "cell", value: (row) => row.cell.id },
        { title: "what", value: (row) => row.cell.column, style: "roomy" },
        { title: "x-valid", value: (row) => row.cell.xvalid, style: "roomy" },
        ...(DATA.cells.some((cell) => cell.postprocessing) ? [{ title: "post-processing", value: (row) => postprocessingOf(row.cell), style: "roomy" }] : []),
        ...(DATA.evaluations.length > 1 ? [{ title: "set", value: (row) => row.evaluation }] : []),
        { title: "seeds", number: true, value: (row) => row.first?.seeds ?? 0,
          show: (row) => states(row).every((state) => state === "finished") ? [row.first?.seeds ?? 0, untrained(row.first)] : [`${row.first?.seeds ?? 0}/${states(row).length} `, [...new Set(states(row).filter((state) => state !== "finished"))].map((state) => mark(state)), untrained(row.first)] },
        ...metrics,
      ],
    }));
}

function contrastsSection() {
  if (!DATA.contrasts.length) return section("contrasts", "Differences", html("p", {}, "No two cells that are compared have a finished seed in common yet."));
  const published = DATA.contrasts.some((row) => row.published !== null);
  const claims = (row) => DATA.claims.filter((claim) => claim.comparisons.some((other) =>
    ["cell", "against", "evaluation", "metric"].every((key) => other[key] === row[key]))).map((claim) => claim.id).join(" ");
  const forest = ({ evaluation, metric }) => {
    const rows = DATA.contrasts.filter((row) => row.evaluation === evaluation && row.metric === metric && !row.mirrored).map((row) => ({
      label: `${row.cell} − ${row.against}`, group: `Table ${cellOf(row.cell)?.table ?? "?"}`, low: row.simultaneous_low, high: row.simultaneous_high,
      centre: row.difference, published: row.published, colour: OUTCOMES[row.outcome] ?? "var(--muted)",
      dots: row.seed_differences.length > 1 ? row.seed_differences.map((value) => ({ value, colour: "var(--muted)" })) : [],
      title: `${row.cell} − ${row.against}: ${scaled(row.difference, metricOf(metric), true)} ${interval(row.simultaneous_low, row.simultaneous_high, metricOf(metric), true)} ${row.outcome}`,
    }));
    rows.sort((a, b) => compareValues(a.group, b.group));
    return dotRows({ rows, metric: metricOf(metric), zero: true, label: `Forest plot of ${rows.length} differences on ${evaluation}; the table below holds the numbers` });
  };
  return section("contrasts", "Differences",
    note(`Paired; intervals over ${about(DATA.run.seeds.length > 3 || DATA.looks.length)}. Those of one set and metric hold together with 95 % (max\u2011T)${DATA.looks.length ? ", at all looks" : ""}.`),
    controlled([metricControl(), evaluationControl()], forest),
    legend([[svg("rect", { x: 9, y: 2, width: 8, height: 8, fill: "var(--high)" }), "higher"], [svg("rect", { x: 9, y: 2, width: 8, height: 8, fill: "var(--bad)" }), "lower"],
      [svg("rect", { x: 9, y: 2, width: 8, height: 8, fill: "var(--muted)" }), "undecided"],
      ...(DATA.run.seeds.length > 1 ? [[svg("circle", { cx: 13, cy: 6, r: 3.2, fill: "var(--muted)", "fill-opacity": 0.75 }), "single seed"]] : []),
      ...(published ? [[diamond(13, 6, 5, { fill: "none", stroke: "var(--published)", "stroke-width": 1.8 }), "published difference"]] : [])]),
    dataTable({
      name: "Differences", rows: DATA.contrasts,
      filters: [{ label: "metric", value: (row) => metricOf(row.metric).title }, { label: "evaluation set", value: (row) => row.evaluation }, { label: "outcome", value: (row) => row.outcome }, { label: "verdict", value: (row) => row.verdict ?? "" }],
      columns: [
        { title: "cell", value: (row) => row.cell }, { title: "less", value: (row) => row.against },
        ...(DATA.evaluations.length > 1 ? [{ title: "set", value: (row) => row.evaluation }] : []),
        { title: "metric", value: (row) => metricOf(row.metric).title, style: "whole" },
        { title: "difference", number: true, value: (row) => row.difference, show: (row) => row.tie ? "–" : scaled(row.difference, metricOf(row.metric), true) },
        { title: "simultaneous 95 %", number: true, value: (row) => row.simultaneous_low, show: (row) => row.tie ? "–" : interval(row.simultaneous_low, row.simultaneous_high, metricOf(row.metric), true) },
        { title: "alone 95 %", number: true, value: (row) => row.low, show: (row) => row.tie ? "–" : html("span", { class: "sub" }, interval(row.low, row.high, metricOf(row.metric), true)) },
        { title: "p, adjusted", number: true, value: (row) => row.p, show: (row) => row.p === null || row.tie ? "–" : row.p < 0.001 ? "< 0.001" : number(row.p, 3) },
        { title: "seeds", number: true, value: (row) => row.seeds.length },
        { title: "outcome", value: (row) => row.outcome, show: (row) => mark(row.outcome) },
        ...(published ? [{ title: "published", number: true, value: (row) => row.published, show: (row) => scaled(row.published, metricOf(row.metric), true) },
          { title: "its sign", value: (row) => row.verdict, show: (row) => mark(row.verdict) },
          { title: "agrees", value: (row) => row.agrees, show: (row) => mark(row.agrees) }] : []),
        ...(DATA.claims.length ? [{ title: "claims", value: claims }] : []),
      ],
    }));
}

function seedsSection() {
  const draw = ({ evaluation, metric }) => dotRows({
    metric: metricOf(metric), label: `Every seed of every cell on ${evaluation}`,
    rows: DATA.values.filter((row) => row.evaluation === evaluation && row.metric === metric && row.value !== null).map((row) => ({
      label: row.cell, group: `Table ${row.table}`, low: row.low, high: row.high, centre: null, published: row.published, colour: "var(--muted)",
      dots: row.seed_values.map((value, place) => ({ value, colour: COLOURS[place % COLOURS.length] })).filter((dot) => dot.value !== null),
      title: `${row.cell}, ${row.column}: ${row.seed_values.map((value) => scaled(value, metricOf(metric))).join(" / ")}`,
    })),
  });
  return section("seeds", "Seeds", note(`Each dot is one trained model; the bar is the 95 % interval of their mean over ${about(DATA.run.seeds.length > 3)}.`),
    legend([...DATA.run.seeds.map((seed, place) => [svg("circle", { cx: 13, cy: 6, r: 4, fill: COLOURS[place % COLOURS.length] }), `seed ${seed}`]),
      ...(DATA.values.some((row) => row.published !== null) ? [[diamond(13, 6, 5, { fill: "none", stroke: "var(--published)", "stroke-width": 1.8 }), "published"]] : [])]),
    controlled([metricControl(), evaluationControl()], draw));
}

function rocSection() {
  if (!DATA.roc.curves.length) return section("roc", "PSD-ROC", html("p", {}, "No trial is finished yet."));
  const draw = ({ evaluation }) => {
    const shown = DATA.roc.curves.filter((curve) => curve.evaluation === evaluation);
    const top = Math.min(1, Math.max(0.05, ...shown.flatMap((curve) => [...curve.high, ...curve.etpr])) * 1.05);
    return html("div", { class: "grid" }, shown.map((curve) => rocFigure(curve, shown, top)));
  };
  return section("roc", "PSD-ROC", note(`Effective true-positive ratio over effective false positives per hour; the mean of the seeds' curves, with a pointwise ${100 * DATA.roc.level} % band over ${DATA.run.drawn} (${DATA.roc.draws} bootstrap draws).`),
    controlled([evaluationControl()], draw));
}

function rocFigure(curve, shown, top) {
  const against = DATA.contrasts.find((row) => row.cell === curve.cell && !row.mirrored)?.against;
  const other = shown.find((row) => row.cell === against);
  const value = DATA.values.find((row) => row.cell === curve.cell && row.evaluation === curve.evaluation && row.metric === "psds");
  return html("figure", {}, html("figcaption", {}, html("strong", {}, curve.cell), ` ${cellOf(curve.cell)?.column ?? ""}`,
    html("div", { class: "sub" }, `PSDS ${value ? scaled(value.value, metricOf("psds")) : MISSING}`, other ? `, grey: ${against}` : "")),
    chart((width) => {
      const axes = frame({ width, height: 182, xs: [0, curve.efpr[curve.efpr.length - 1]], ys: [0, top], xLabel: "effective FP per hour", yLabel: "effective TP ratio", label: `PSD-ROC of ${curve.cell}` });
      axes.node.append(...[band(axes, curve.efpr, curve.low, curve.high), other && line(axes, other.efpr, other.etpr, { stroke: "var(--muted)", "stroke-dasharray": "4 2", "stroke-width": 1.2 }, true),
        line(axes, curve.efpr, curve.etpr, {}, true)].filter(Boolean));
      pointer(axes, curve.efpr, (value) => `${number(value, 0)} FP/h`, [
        { name: curve.cell, text: (place) => `${number(curve.etpr[place], 3)} [${number(curve.low[place], 3)}, ${number(curve.high[place], 3)}]` },
        ...(other ? [{ name: against, text: (place) => number(other.etpr[place], 3) }] : [])]);
      return axes.node;
    }, `PSD-ROC ${curve.cell} ${curve.evaluation}`));
}

const RATES = [["precision", "var(--a)", null], ["recall", "var(--b)", "5 2"]];

function ratesSection() {
  if (!DATA.rates.length) return section("rates", "Precision and recall", html("p", {}, "No trial with operating points is finished yet."));
  const cells = [...new Set(DATA.rates.map((curve) => curve.cell))].map((id) => [id, `${id} – ${cellOf(id)?.column ?? ""}`]);
  const draw = ({ cell, evaluation }) => {
    const curve = DATA.rates.find((row) => row.cell === cell && row.evaluation === evaluation);
    const set = DATA.classes.find((found) => found.evaluation === evaluation);
    if (!curve || !set) return html("p", {}, "This cell is not finished on this set.");
    return html("div", { class: "grid" }, set.classes.map((name, place) => rateFigure(curve, name, place, set.events[place])));
  };
  return section("rates", "Precision and recall",
    note(`Of each class over the threshold, the mean over seeds, with a pointwise ${100 * DATA.roc.level} % band over ${DATA.run.drawn} (${DATA.roc.draws} bootstrap draws). An event is right where it and the annotated ones share at least half their time. Chosen from this curve a threshold looks better than it is: raysed postprocess TRIAL with --precision 0.9 or --recall 0.8 chooses it on other clips.`),
    legend(RATES.map(([name, colour, dash]) => [svg("line", { x1: 0, x2: 26, y1: 6, y2: 6, stroke: colour, "stroke-width": 2, "stroke-dasharray": dash }), name])),
    controlled([{ key: "cell", label: "cell", options: cells }, evaluationControl()], draw));
}

function rateFigure(curve, name, place, events) {
  const of = (rate, end) => curve[rate][end][place];
  return html("figure", {}, html("figcaption", {}, html("strong", {}, name), html("span", { class: "sub" }, ` ${events} events`)),
    chart((width) => {
      const axes = frame({ width, height: 182, xs: [0, 1], ys: [0, 1], xLabel: "threshold", yLabel: "share", label: `Precision and recall of ${name} by ${curve.cell}` });
      for (const [rate, colour, dash] of RATES) {
        const shade = band(axes, curve.thresholds, of(rate, "low"), of(rate, "high"), { fill: colour, "fill-opacity": 0.18 });
        if (shade) axes.node.append(shade);
        axes.node.append(line(axes, curve.thresholds, of(rate, "value"), { stroke: colour, "stroke-dasharray": dash }));
      }
      pointer(axes, curve.thresholds, (value) => `threshold ${number(value, 2)}`, RATES.map(([rate]) => ({
        name: rate, text: (at) => `${number(of(rate, "value")[at], 2)} [${number(of(rate, "low")[at], 2)}, ${number(of(rate, "high")[at], 2)}]`,
      })));
      return axes.node;
    }, `precision recall ${curve.cell} ${curve.evaluation} ${name}`));
}

function classesSection() {
  if (!DATA.classes.length) return section("classes", "Classes", html("p", {}, "No trial is finished yet."));
  const draw = ({ evaluation, metric }) => {
    const set = DATA.classes.find((found) => found.evaluation === evaluation);
    if (!set) return html("p", {}, "No trial is finished on this set yet.");
    const title = set.metrics[metric], values = set.values[metric];
    const rows = set.classes.map((name, place) => ({ name, place, events: set.events[place] }));
    const cells = DATA.cells.filter((cell) => values[cell.id]);
    const of = (row, cell) => values[cell.id][row.place];
    const best = Math.max(0.01, ...cells.flatMap((cell) => values[cell.id].map(([value]) => value)));
    const percent = (value) => number(value === null ? null : 100 * value, 0);
    const found = dataTable({
      name: `${title} of every class`, rows, style: "heat",
      columns: [{ title: "class", value: (row) => row.name }, { title: "events", number: true, value: (row) => row.events },
        ...cells.map((cell) => ({ title: cell.id, number: true, value: (row) => of(row, cell)[0], show: (row) => percent(of(row, cell)[0]) }))],
    });
    found[1].querySelectorAll("tbody tr").forEach((line, place) => {
      cells.forEach((cell, across) => {
        const [value, low, high] = of(rows[place], cell);
        if (value === null) return;
        const colour = shade(value / best), box = line.children[across + 2];
        box.style.background = colour.background;
        box.style.color = colour.text;
        box.title = `${rows[place].name}, ${cell.id}: ${number(100 * value, 1)} % [${number(low === null ? null : 100 * low, 1)}, ${number(high === null ? null : 100 * high, 1)}]`;
      });
    });
    const spread = cells.length === 1 ? null : select("intervals of", cells.map((cell) => [cell.id, cell.id]), (id) => ends.replaceChildren(intervalsOf(id)));
    const intervalsOf = (id) => dotRows({
      metric: { scale: 100, title, digits: 1 }, label: `${title} of every class by ${id}`,
      rows: rows.filter((row) => values[id][row.place][0] !== null).map((row) => {
        const [value, low, high] = values[id][row.place];
        return { label: row.name, group: id, low, high, centre: value, published: null, colour: "var(--a)", dots: [], title: `${row.name}: ${number(100 * value, 1)} [${number(low === null ? null : 100 * low, 1)}, ${number(high === null ? null : 100 * high, 1)}]` };
      }),
    });
    const ends = html("div", {}, cells.length ? intervalsOf(cells[0].id) : "");
    return [note(`${title.replace(" %", "")} of each class in %, mean over seeds, dark for 0 to light for the best, ${number(100 * best, 0)}. A head sorts the classes; a box tells its 95 % interval over ${DATA.run.drawn}.`), ...found,
      spread && html("div", { class: "controls" }, spread.node), ends].filter(Boolean);
  };
  const metrics = { key: "metric", label: "metric", options: Object.entries(DATA.classes[0].metrics) };
  return section("classes", "Classes", controlled([metrics, evaluationControl()], draw));
}
