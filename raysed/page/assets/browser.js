// The error browser: a clip's log-mel with what was annotated and what a cell heard.

function browserSection() {
  if (!DATA.browser.length) return section("clips", "Clips", html("p", {}, "No trial is finished yet."));
  const draw = ({ evaluation }) => clipBrowser(DATA.browser.find((entry) => entry.evaluation === evaluation));
  const options = DATA.browser.map((entry) => [entry.evaluation, entry.evaluation]);
  return section("clips", "Clips", controlled([{ key: "evaluation", label: "evaluation set", options }], draw));
}

function clipBrowser(entry) {
  const systems = [...new Map(entry.systems.map((system) => [system.cell, system])).keys()].map((cell) => [cell, `${cell} – ${cellOf(cell)?.column ?? ""}`]);
  const seeds = [...new Set(entry.systems.map((system) => String(system.seed)))].map((seed) => [seed, seed]);
  const used = new Set([...entry.clips.flatMap((clip) => clip.events ?? []), ...entry.systems.flatMap((system) => (system.events ?? []).flat())].map(([label]) => label));
  const classes = [["", "all"], ...[...used].sort((a, b) => a - b).map((label) => [String(label), entry.classes[label]])];
  let current = entry.clips[0];
  const kinds = [...new Set(entry.clips.map((clip) => clip.why))].map((why) => `${entry.clips.filter((clip) => clip.why === why).length} ${why === "random" ? "drawn from the rest" : "with the most errors over all cells"}`);
  const audible = entry.clips.filter((clip) => clip.audio).length;
  const about = note(`${entry.clips.length} of ${entry.total} clips: ${kinds.join(", ")}. ${audible ? `${audible} with audio.` : "No audio: the recordings are not at hand, or their clips are too large."}`,
    entry.missing ? ` ${entry.missing}: no log-mel and no reference events.` : "");
  const body = controlled([
    { key: "cell", label: "cell", options: systems },
    { key: "other", label: "beside it", options: [["", "nothing"], ...systems] },
    { key: "seed", label: "seed", options: seeds },
    { key: "label", label: "class", options: classes },
    { key: "order", label: "order", options: [["given", "as chosen"], ["errors", "most errors of this cell"], ["name", "name"]] },
  ], (state) => {
    const system = entry.systems.find((found) => found.cell === state.cell && String(found.seed) === state.seed);
    const other = entry.systems.find((found) => found.cell === state.other && String(found.seed) === state.seed);
    const has = (clip, place) => [...(clip.events ?? []), ...(system?.events?.[place] ?? [])].some(([label]) => String(label) === state.label);
    let rows = entry.clips.map((clip, place) => ({ clip, place, counts: system?.counts[place] ?? null })).filter((row) => state.label === "" || has(row.clip, row.place));
    if (state.order === "errors") rows = sortRows(rows, (row) => row.counts && -(row.counts[1] + row.counts[2]), 1);
    if (state.order === "name") rows = sortRows(rows, (row) => row.clip.filename, 1);
    if (!rows.some((row) => row.clip === current)) current = rows[0]?.clip ?? null;
    const view = html("div", { "aria-live": "polite" });
    const show = () => view.replaceChildren(...(current ? clipView(entry, entry.clips.indexOf(current), [system, other].filter(Boolean)) : [html("p", {}, "No clip has this class.")]));
    const list = html("ul", { class: "cliplist", "aria-label": "Clips" }, rows.map((row) => {
      const button = html("button", { type: "button", "aria-current": String(row.clip === current) }, html("span", {}, row.clip.filename),
        html("span", { class: "sub" }, row.counts ? `✓${row.counts[0]} +${row.counts[1]} −${row.counts[2]}` : ""));
      button.addEventListener("click", () => {
        current = row.clip;
        list.querySelectorAll("button").forEach((node) => node.setAttribute("aria-current", String(node === button)));
        show();
      });
      return html("li", {}, button);
    }));
    show();
    return html("div", { class: "clips" }, html("div", {}, list, note("✓ hits, + false positives, − misses of this cell and seed (event-based)")), view);
  });
  return [about, ...body];
}

function clipView(entry, place, systems) {
  const clip = entry.clips[place];
  const audio = clip.audio && html("audio", { controls: true, preload: "none", src: clip.audio, "aria-label": clip.filename });
  return [
    html("h3", {}, clip.filename),
    note(`${number(clip.duration_s, 1)} s, ${clip.why === "random" ? "drawn at random" : "among the clips with the most errors"}`),
    audio,
    chart((width) => clipDrawing(entry, clip, place, systems, width, audio), clip.filename),
    audio && note("A click into the drawing plays from there."),
    clip.events && systems.length > 0 && note("Outlined: hits. Hatched: false alarms (event-based, onset within 200 ms, offset within 200 ms or 20 % of the length)."),
    systems.some((system) => !system.events) && note("The scores of this trial are not stored: only its counts are known."),
  ].filter(Boolean);
}

// A hit has an outline, a false alarm is hatched; the reference, and what cannot be told, is plain.
function eventPaint(colour, lane, hit) {
  if (hit === false) return { fill: `url(#hatch-${lane})`, stroke: colour, "stroke-width": 0.8 };
  return { fill: colour, stroke: hit ? "var(--fg)" : null, "stroke-width": 1.2 };
}

// The log-mel above, below it a row a class: the reference, then what each system detected.
function clipDrawing(entry, clip, place, systems, width, audio) {
  const rows = [{ name: "reference", events: clip.events ?? [], colour: "var(--fg)" },
    ...systems.map((system, order) => ({ name: `${system.cell} seed ${system.seed}`, events: system.events?.[place] ?? [], colour: COLOURS[order] }))];
  const labels = [...new Set(rows.flatMap((row) => row.events.map(([label]) => label)))].sort((a, b) => a - b);
  const side = Math.min(Math.max(90, width * 0.2), 190), high = clip.picture ? 150 : 0, bar = 8;
  const step = rows.length * (bar + 2) + 8, bottom = high + 8 + Math.max(labels.length, 1) * step;
  const span = clip.span_s ?? clip.duration_s, x = (seconds) => side + (Math.min(seconds, span) / span) * (width - side - 8);
  const said = labels.map((label) => `${entry.classes[label]}: ${rows.map((row) => `${row.events.filter(([own]) => own === label).length} in ${row.name}`).join(", ")}`).join("; ");
  const node = svg("svg", { width, height: bottom + 48, viewBox: `0 0 ${width} ${bottom + 48}`, role: "img", "aria-label": said || "no events" });
  rows.forEach((row, lane) => node.append(svg("pattern", { id: `hatch-${lane}`, width: 4, height: 4, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" }, svg("rect", { width: 1.8, height: 4, fill: row.colour }))));
  if (clip.picture) node.append(svg("image", { href: clip.picture, x: side, y: 0, width: width - side - 8, height: high, preserveAspectRatio: "none" }), svg("text", { class: "muted", x: side - 8, y: 14, "text-anchor": "end" }, "log-mel"),
    ...(clip.band_hz ? [[high - 3, clip.band_hz[0]], [26, clip.band_hz[1]]].map(([y, hz]) => svg("text", { class: "muted", x: side - 8, y, "text-anchor": "end" }, `${hz} Hz`)) : []));
  if (!labels.length) node.append(svg("text", { class: "muted", x: side, y: high + 22 }, clip.events ? "nothing annotated, nothing detected" : "nothing detected"));
  labels.forEach((label, order) => {
    const top = high + 8 + order * step, most = Math.floor(side / 6.4), name = entry.classes[label];
    node.append(svg("line", { class: "gridline", x1: 0, x2: width - 8, y1: top + step - 4, y2: top + step - 4 }),
      svg("text", { x: side - 8, y: top + step / 2, "text-anchor": "end" }, svg("title", {}, name), name.length > most ? `${name.slice(0, most - 1)}…` : name));
    rows.forEach((row, lane) => row.events.filter(([own]) => own === label).forEach(([, onset, offset, hit]) => {
      node.append(svg("rect", { x: x(onset), y: top + lane * (bar + 2), width: Math.max(x(offset) - x(onset), 2), height: bar, rx: 1.5, ...eventPaint(row.colour, lane, hit) },
        svg("title", {}, `${name}, ${row.name}: ${onset.toFixed(2)}–${offset.toFixed(2)} s${hit === true ? ", a hit" : hit === false ? ", a false alarm" : ""}`)));
    }));
  });
  const across = ticks(0, span, Math.max(2, Math.floor((width - side) / 70)));
  for (const seconds of across.found) {
    node.append(svg("line", { class: "gridline", x1: x(seconds), x2: x(seconds), y1: high, y2: bottom }), svg("text", { class: "muted", x: x(seconds), y: bottom + 14, "text-anchor": "middle" }, `${number(seconds, across.digits)} s`));
  }
  let left = side;
  rows.forEach((row) => {
    if (row.name === "reference" && !clip.events) return;
    node.append(svg("rect", { x: left, y: bottom + 28, width: 14, height: bar, fill: row.colour }), svg("text", { x: left + 18, y: bottom + 36 }, row.name));
    left += 34 + row.name.length * 6.2;
  });
  if (audio) playhead(node, audio, { x, top: 0, bottom, seconds: (at) => ((at - side) / (width - side - 8)) * span, span });
  return node;
}

// A line where the audio is, and a click that plays from its place.
function playhead(node, audio, { x, top, bottom, seconds, span }) {
  const head = svg("line", { class: "playhead", x1: x(0), x2: x(0), y1: top, y2: bottom, stroke: "var(--b)", "stroke-width": 1.6, "pointer-events": "none", visibility: "hidden" });
  const move = () => {
    if (!node.isConnected) return;
    head.setAttribute("x1", x(audio.currentTime));
    head.setAttribute("x2", x(audio.currentTime));
    head.setAttribute("visibility", "visible");
    if (!audio.paused && !audio.ended) requestAnimationFrame(move);
  };
  for (const event of ["play", "seeked", "timeupdate"]) audio.addEventListener(event, move);
  node.style.cursor = "pointer";
  node.addEventListener("click", (event) => {
    const at = seconds(event.clientX - node.getBoundingClientRect().left);
    if (at < 0 || at > span) return;
    audio.currentTime = at;
    audio.play();
  });
  node.append(head);
}
