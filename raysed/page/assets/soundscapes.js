// Some of the generated soundscapes: what a training hears, with its labels.

function soundscapesSection() {
  if (!DATA.soundscapes.length) return section("soundscapes", "Soundscapes", html("p", {}, "No generated soundscapes are at hand: the sets are recorded, or not where the run left them."));
  const draw = ({ set }) => {
    const entry = DATA.soundscapes.find((found) => found.set === set);
    const audible = entry.clips.filter((clip) => clip.audio).length;
    return [
      note(`The first ${entry.clips.length} of ${entry.total} soundscapes. ${audible ? `${audible} with audio.` : "No audio: it was not kept, and the sound bank is not at hand to make it again."}`),
      html("div", { class: "grid" }, entry.clips.map((clip, place) => {
        const audio = clip.audio && html("audio", { controls: true, preload: "none", src: clip.audio, "aria-label": clip.filename });
        const shown = { ...clip, duration_s: clip.span_s };
        return html("figure", {}, html("figcaption", {}, html("strong", {}, clip.filename)), audio,
          chart((width) => clipDrawing({ classes: entry.classes }, shown, place, [], width, audio), clip.filename));
      })),
    ];
  };
  const options = DATA.soundscapes.map((entry) => [entry.set, entry.set]);
  return section("soundscapes", "Soundscapes", controlled([{ key: "set", label: "data set", options }], draw));
}
