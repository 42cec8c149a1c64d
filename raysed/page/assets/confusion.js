// Which classes are taken for which: annotated classes down, detected ones across.

const MOST_CLASSES = 24;

function confusionSection() {
  if (!DATA.taken.length) return section("taken", "Taken for", html("p", {}, "No trial with operating points is finished yet."));
  const cells = [...new Set(DATA.taken.map((row) => row.cell))].map((id) => [id, `${id} – ${cellOf(id)?.column ?? ""}`]);
  const draw = ({ cell, evaluation }) => {
    const found = DATA.taken.find((row) => row.cell === cell && row.evaluation === evaluation);
    const set = DATA.classes.find((other) => other.evaluation === evaluation);
    if (!found || !set) return html("p", {}, "This cell is not finished on this set.");
    return [confusionChart(found, set), ...confusionTable(found, set)];
  };
  return section("taken", "Taken for",
    note("Which classes are taken for which: false alarms of a class (across) that lie in events of another (down), at least 30 % of their length (cross-triggers of PSDS), the mean over seeds, at the stored operating point that is nearest to the threshold. One that lies in events of two classes counts for both. On the diagonal: events of which at least half is found. Dark for 0 to light for all events of the class."),
    controlled([{ key: "cell", label: "cell", options: cells }, evaluationControl()], draw));
}

// Where there are many classes, those with the most mistakes.
function confusionClasses(found, set) {
  const weight = set.classes.map(() => 0);
  for (const [annotated, detected, count] of found.pairs) { weight[annotated] += count; weight[detected] += count; }
  const order = set.classes.map((_, place) => place);
  if (order.length <= MOST_CLASSES) return order;
  return order.sort((a, b) => weight[b] - weight[a]).slice(0, MOST_CLASSES).sort((a, b) => a - b);
}

function confusionChart(found, set) {
  const shown = confusionClasses(found, set), cut = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);
  const counts = new Map(found.pairs.map(([annotated, detected, count]) => [`${annotated} ${detected}`, count]));
  const drawing = chart((width) => {
    const side = Math.min(Math.max(84, width * 0.2), 190), top = 100, right = 48; // the last name leans over the edge
    const box = Math.min(Math.max((width - side - right) / shown.length, 12), 46), high = Math.min(Math.max(box, 18), 26);
    const height = top + shown.length * high + 8;
    const wide = Math.max(width, side + shown.length * box + right);
    const node = svg("svg", { width: wide, height, viewBox: `0 0 ${wide} ${height}`, role: "img", "aria-label": `Which classes ${found.cell} takes for which; the table below holds the numbers` });
    shown.forEach((label, place) => {
      const x = side + (place + 0.5) * box, name = set.classes[label];
      node.append(svg("text", { x, y: top - 6, transform: `rotate(-60 ${x} ${top - 6})`, "text-anchor": "start" }, svg("title", {}, name), cut(name, 15)));
      node.append(svg("text", { x: side - 6, y: top + (place + 0.5) * high + 4, "text-anchor": "end" }, svg("title", {}, name), cut(name, Math.floor(side / 7.4))));
    });
    shown.forEach((annotated, down) => shown.forEach((detected, across) => {
      const own = annotated === detected, events = found.events[annotated];
      const count = own ? found.found[annotated] : counts.get(`${annotated} ${detected}`) ?? 0;
      const colour = shade(events ? count / events : 0), x = side + across * box, y = top + down * high;
      const said = own ? `${set.classes[annotated]}: ${number(count, 1)} of ${events} events found`
        : `${set.classes[annotated]}, ${events} events: ${number(count, 1)} false alarms of ${set.classes[detected]} lie in them`;
      const group = svg("g", {}, svg("title", {}, said), svg("rect", { x: x + 0.5, y: y + 0.5, width: box - 1, height: high - 1, fill: count || own ? colour.background : "var(--panel)", stroke: own ? "var(--fg)" : null, "stroke-width": own ? 1.2 : null }));
      const text = count >= 9.95 || Number.isInteger(count) ? String(Math.round(count)) : number(count, 1);
      if (count && text.length * 6.4 <= box) {
        const told = svg("text", { x: x + box / 2, y: y + high / 2 + 4, "text-anchor": "middle" }, text);
        told.style.fill = colour.text;
        group.append(told);
      }
      node.append(group);
    }));
    return node;
  }, `taken for ${found.cell} ${found.evaluation}`);
  fill(drawing, { class: "chart scroll", tabindex: 0, role: "region", "aria-label": `Chart of what ${found.cell} takes for what` }, []);
  const rest = set.classes.length - shown.length;
  return html("div", {}, drawing, rest > 0 && note(`The ${shown.length} classes with the most mistakes; the table holds the other ${rest}, too.`));
}

function confusionTable(found, set) {
  const named = (pairs, other) => pairs.map((pair) => `${set.classes[pair[other]]} ${number(pair[2], Number.isInteger(pair[2]) ? 0 : 1)}`).join(", ") || MISSING;
  const rows = set.classes.map((name, place) => ({ name, place, events: found.events[place] }));
  const whole = (value) => number(value, Number.isInteger(value) ? 0 : 1);
  return [...dataTable({
    name: `Which classes ${found.cell} takes for which`, rows,
    columns: [{ title: "class", value: (row) => row.name }, { title: "events", number: true, value: (row) => row.events },
      { title: "missed", number: true, value: (row) => row.events - found.found[row.place], show: (row) => whole(Math.max(row.events - found.found[row.place], 0)) },
      { title: "detected in its events instead", style: "wide", value: (row) => named(found.pairs.filter(([annotated]) => annotated === row.place), 1) },
      { title: "false alarms", number: true, value: (row) => found.false[row.place], show: (row) => whole(found.false[row.place]) },
      { title: "of these, in events of", style: "wide", value: (row) => named(found.pairs.filter(([, detected]) => detected === row.place), 0) }],
  }), found.left_out > 0 && note(`${found.left_out} rarer pairs of classes are left out.`)].filter(Boolean);
}
