// How the trials went: curves, what each x-valid set selected, what it cost, what was configured.

function curvesSection() {
  const started = DATA.trials.filter((trial) => trial.epochs > 0);
  if (!started.length) return section("curves", "Curves", html("p", {}, "No trial has finished an epoch yet."));
  const xvalids = [...new Set(started.flatMap((trial) => Object.keys(trial.xvalid)))];
  const terms = [...new Set(started.flatMap((trial) => Object.keys(trial.losses)))];
  const options = [["xvalid", "x-valid event F1 %"], ...terms.map((term) => [term, term === "loss" ? "training loss" : `loss: ${term.replace("_", " ")}`])];
  const percent = (values) => values.map((value) => (value === null ? null : 100 * value));
  const curvesOf = (trial, what) => what === "xvalid"
    ? Object.entries(trial.xvalid).map(([name, networks]) => ({ values: percent(networks[trial.network]), colour: COLOURS[xvalids.indexOf(name) % COLOURS.length], selected: trial.selected[name]?.epoch }))
    : trial.losses[what] ? [{ values: trial.losses[what], colour: "var(--a)" }] : [];
  const stroke = (attributes) => svg("path", { d: "M0,6H26", stroke: "var(--fg)", "stroke-width": 1.6, ...attributes });
  const key = (what) => {
    const sets = what === "xvalid" ? xvalids : []; // a loss is of the training: one colour
    const dashes = DATA.run.seeds.length > 1 ? DASHES.slice(0, DATA.run.seeds.length) : [];
    return legend([...sets.map((name, place) => [stroke({ stroke: COLOURS[place % COLOURS.length], "stroke-width": 2.5 }), `x-valid ${name}`]),
      ...dashes.map((dash, place) => [stroke({ "stroke-dasharray": dash || null }), `seed ${DATA.run.seeds.filter((_, other) => other % DASHES.length === place).join(", ")}`])]);
  };
  const draw = ({ what }) => {
    const all = started.flatMap((trial) => curvesOf(trial, what).flatMap((curve) => curve.values)).filter((value) => value !== null);
    const top = Math.max(...all, what === "xvalid" ? 10 : 0) * 1.05;
    const longest = Math.max(...started.map((trial) => trial.epochs_planned ?? trial.epochs), 2);
    return [key(what), html("div", { class: "grid" }, [...new Set(started.map((trial) => trial.training))].map((training) => {
      const trials = started.filter((trial) => trial.training === training);
      return html("figure", {}, html("figcaption", {}, html("strong", {}, trials[0].cells.join(", ")), html("span", { class: "sub" }, ` ${training}`)),
        chart((width) => {
          const axes = frame({ width, height: 182, xs: [1, longest], ys: [0, top], xLabel: "epoch", yLabel: what === "xvalid" ? "F1 %" : "loss", label: `Curves of ${trials[0].cells.join(", ")}` });
          trials.forEach((trial, place) => curvesOf(trial, what).forEach((curve) => {
            const dash = DASHES[DATA.run.seeds.indexOf(trial.seed) % DASHES.length];
            const path = line(axes, curve.values.map((_, epoch) => epoch + 1), curve.values, { stroke: curve.colour, "stroke-dasharray": dash || null, "stroke-width": 1.4 });
            path.append(svg("title", {}, `seed ${trial.seed}: ${trial.state}`));
            axes.node.append(path);
            if (curve.selected !== undefined && curve.values[curve.selected] !== null) {
              axes.node.append(svg("circle", { cx: axes.x(curve.selected + 1), cy: axes.y(curve.values[curve.selected]), r: 3.2, fill: curve.colour, stroke: "var(--bg)" }));
            }
          }));
          const epochs = Array.from({ length: longest }, (_, epoch) => epoch + 1);
          pointer(axes, epochs, (epoch) => `epoch ${epoch}`, trials.flatMap((trial) => curvesOf(trial, what).map((curve) => ({
            name: `seed ${trial.seed}`, text: (epoch) => number(curve.values[epoch], what === "xvalid" ? 1 : 3) }))));
          return axes.node;
        }, `${what} ${training}`));
    }))];
  };
  return section("curves", "Curves", note("A figure a training. x-valid F1 is that of the network that is selected by it; dots mark the selected epochs."),
    controlled([{ key: "what", label: "curve", options }], draw));
}

function selectionSection() {
  const rows = DATA.selection;
  if (!rows.length) return section("selection", "Model selection", html("p", {}, "No trial is finished yet."));
  const best = (row, id) => Math.max(...rows.filter((other) => other.trial === row.trial && other.evaluation === row.evaluation).map((other) => other[id] ?? -1));
  const several = rows.some((row) => rows.some((other) => other.trial === row.trial && other.xvalid !== row.xvalid));
  return section("selection", "Model selection",
    note(several ? "What each x-valid set chose out of one and the same training, and what that model reaches; in brackets, what it loses to the best choice of that trial."
      : "Every training has one x-valid set here: nothing else could have been chosen."),
    dataTable({
      name: "Model selection", rows, key: 0,
      filters: [{ label: "evaluation set", value: (row) => row.evaluation }, { label: "x-valid", value: (row) => row.xvalid }, { label: "cells", value: (row) => row.cells.join(", ") }],
      columns: [
        { title: "training", value: (row) => row.training }, { title: "seed", number: true, value: (row) => row.seed },
        { title: "x-valid set", value: (row) => row.xvalid }, { title: "cells", value: (row) => row.cells.join(", ") },
        ...(DATA.evaluations.length > 1 ? [{ title: "set", value: (row) => row.evaluation }] : []),
        { title: "epoch chosen", number: true, value: (row) => row.epoch + 1 },
        { title: "x-valid F1 %", number: true, value: (row) => row.xvalid_f1, show: (row) => [number(100 * row.xvalid_f1, 1), row.untrained ? [" ", mark("not trained")] : ""] },
        ...DATA.metrics.map((metric) => ({ title: metric.title, number: true, value: (row) => row[metric.id],
          show: (row) => [scaled(row[metric.id], metric), row[metric.id] < best(row, metric.id) && html("span", { class: "sub" }, ` (${scaled(row[metric.id] - best(row, metric.id), metric, true)})`)] })),
      ],
    }));
}

function costSection() {
  const rows = DATA.trials;
  const sum = (key) => rows.reduce((total, row) => total + (row.cost[key] ?? 0), 0);
  const device = rows[0]?.cost.device ?? "core";
  const speed = sum("train_s") ? sum("clips") / sum("train_s") : null;
  return section("cost", "Time and cost",
    html("p", {}, `${number(sum("device_hours"), 2)} ${device}-hours in ${rows.filter((row) => row.epochs).length} trials: ${clock(sum("train_s"))} of training, ${clock(sum("xvalid_s"))} of x-valid, ${clock(sum("evaluation_s"))} of evaluation, summed over trials; ${number(speed, 1)} clips/s in training.`),
    note("Time of a trial's own work: waiting, building data sets and what a restart repeats are not in it."),
    dataTable({
      name: "Time and cost of every trial", rows, filters: [{ label: "state", value: (row) => row.state }],
      columns: [
        { title: "trial", value: (row) => row.name }, { title: "cells", value: (row) => row.cells.join(", ") }, { title: "seed", number: true, value: (row) => row.seed },
        { title: "state", value: (row) => row.state, show: (row) => [mark(row.state), row.note && html("div", { class: "sub small" }, row.note.slice(0, 80))] },
        { title: "epochs", number: true, value: (row) => row.epochs, show: (row) => `${row.epochs}${row.epochs_planned ? `/${row.epochs_planned}` : ""}` },
        ...[["wall", "wall_s"], ["training", "train_s"], ["x-valid", "xvalid_s"], ["evaluation", "evaluation_s"]].map(([title, key]) => ({ title, number: true, value: (row) => row.cost[key], show: (row) => clock(row.cost[key]) })),
        { title: "clips/s", number: true, value: (row) => row.cost.clips_per_s, show: (row) => number(row.cost.clips_per_s, 1) },
        { title: "ranks", number: true, value: (row) => row.cost.ranks },
        { title: `${device}-hours`, number: true, value: (row) => row.cost.device_hours, show: (row) => number(row.cost.device_hours, 3) },
        ...[["kWh, training", "training_kwh"], ["kWh, evaluation", "evaluation_kwh"]].map(([title, key]) => ({ title, number: true, value: (row) => row.cost[key], show: (row) => kwh(row.cost[key]) })),
      ],
    }),
    ledgerTable());
}

const kwh = (value) => (value === null || value === undefined ? "not measured" : String(Number(value.toPrecision(3))));

// Operations and energy of every cell, and PSDS weighted by it where the space names a baseline.
function ledgerTable() {
  const rows = DATA.ledger ?? [];
  if (!rows.length) return null;
  const baseline = DATA.run.energy_baseline;
  const weighted = DATA.metrics.filter((metric) => `ew_${metric.id}_training` in rows[0] && baseline);
  return [
    note(`Operations are MACs of one forward pass for 10 s of audio. Energy is a trial's, mean over its seeds${baseline ? `; EW-PSDS is PSDS times the kWh of ${baseline} over the cell's own` : ""}.`),
    dataTable({
      name: "Operations and energy of every cell", rows,
      columns: [
        { title: "cell", value: (row) => row.cell }, { title: "set", value: (row) => row.set }, { title: "seeds", number: true, value: (row) => row.seeds },
        { title: "million MACs", number: true, value: (row) => row.macs_10s, show: (row) => (row.macs_10s === null ? "not counted" : number(row.macs_10s / 1e6, 1)) },
        ...["training", "evaluation"].map((part) => ({ title: `kWh, ${part}`, number: true, value: (row) => row[`${part}_kwh`], show: (row) => kwh(row[`${part}_kwh`]) })),
        { title: "counted", value: (row) => row.training_counted || row.evaluation_counted || "nothing" },
        ...weighted.flatMap((metric) => ["training", "evaluation"].map((part) => ({ title: `EW-${metric.title} (${part})`, number: true, value: (row) => row[`ew_${metric.id}_${part}`],
          show: (row) => (row[`ew_${metric.id}_${part}`] === null ? "not measured" : scaled(row[`ew_${metric.id}_${part}`], metric)) }))),
      ],
    }),
  ];
}

// What of a cell's configuration can differ from another's: its training and the set that selects.
function configOf(id) {
  const cell = cellOf(id);
  const rest = Object.fromEntries(Object.entries(DATA.configs[cell.training]).filter(([key]) => key !== "data.xvalid" && key !== "data.evaluation"));
  return { "x-valid set that selects": cell.xvalid, "evaluation sets": cell.evaluation, ...rest };
}

function configSection() {
  if (DATA.cells.length < 1) return null;
  const options = DATA.cells.map((cell) => [cell.id, `${cell.id} – ${cell.column}`]);
  const against = DATA.contrasts[0]?.against ?? options[options.length - 1][0];
  const first = options.find(([id]) => id !== against)?.[0] ?? options[0][0];
  const draw = ({ a, b, which }) => {
    const [ours, theirs] = [configOf(a), configOf(b)];
    const keys = [...new Set([...Object.keys(ours), ...Object.keys(theirs)])];
    const text = (value) => (value === undefined ? "not set" : JSON.stringify(value));
    const differ = keys.filter((key) => text(ours[key]) !== text(theirs[key]));
    const rows = (which === "all" ? keys : differ).map((key) => ({ key, a: text(ours[key]), b: text(theirs[key]) }));
    return [
      html("p", {}, cellOf(a).training === cellOf(b).training ? `${a} and ${b} are the same training (${cellOf(a).training})${differ.length ? "; only the selection differs." : " and the same selection."}` : `${differ.length} of ${keys.length} keys differ.`),
      rows.length ? dataTable({ name: "Configuration", rows, columns: [{ title: "key", value: (row) => row.key }, { title: a === b ? `${a} ` : a, value: (row) => row.a }, { title: b, value: (row) => row.b }] }) : [],
    ].flat();
  };
  return section("config", "Configuration of two cells", note("Every key that was trained with, defaults included."),
    controlled([{ key: "a", label: "cell", options, chosen: first }, { key: "b", label: "against", options, chosen: against },
      { key: "which", label: "keys", options: [["differ", "that differ"], ["all", "all"]] }], draw));
}
