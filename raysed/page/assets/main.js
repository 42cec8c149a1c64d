// Put together.

const SECTIONS = [
  ["summary", "Summary", summarySection], ["tables", "Cells", cellsSection], ["contrasts", "Differences", contrastsSection],
  ["roc", "PSD-ROC", rocSection], ["rates", "Precision and recall", ratesSection], ["classes", "Classes", classesSection], ["taken", "Taken for", confusionSection], ["seeds", "Seeds", seedsSection], ["curves", "Curves", curvesSection],
  ["selection", "Model selection", selectionSection], ["cost", "Time and cost", costSection], ["config", "Configuration", configSection], ["clips", "Clips", browserSection], ["soundscapes", "Soundscapes", soundscapesSection],
];

document.getElementById("head").append(...headSection());
document.getElementById("nav").append(html("ul", {}, SECTIONS.map(([id, title]) => html("li", {}, html("a", { href: `#${id}` }, title)))));
document.getElementById("main").append(...SECTIONS.map(([, , build]) => build()).filter(Boolean));
document.documentElement.dataset.ready = "yes";
if (location.hash.length > 1) document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
