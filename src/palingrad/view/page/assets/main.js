// Starts the page's parts, each after those that it depends on.

function startHead() {
  at("title").textContent = data.title;
  const count_ = (n, word) => `${counted(n)} ${word}${n === 1 ? "" : "s"}`;
  at("counts").textContent = `${count_(nodes.length, "node")}, ${count_(edges.length, "edge")}`;
  const root = document.documentElement;
  at("theme").onclick = () => {
    const dark = root.dataset.theme === "dark" || (root.dataset.theme === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
    root.dataset.theme = dark ? "light" : "dark";
    readInk();
    redraw();
  };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    readInk();
    redraw();
  });
}

function startTabs() {
  const show = () => {
    for (const id of TABS) {
      at(id).hidden = state.tab !== id;
      at(`tab-${id}`).setAttribute("aria-selected", String(state.tab === id));
      at(`tab-${id}`).tabIndex = state.tab === id ? 0 : -1;
    }
  };
  for (const id of TABS) at(`tab-${id}`).onclick = () => set({ tab: id });
  watch(["tab"], show);
  show();
}

state.step = schedule.steps.length;
state.collapsed = new Set(folded);
readInk();
arrange();
startHead();
startTabs();
startCamera();
startOverview();
startTree();
startSearch();
startDetails();
startPaths();
startTimeline();
startWhatIf();
startCompare();
startRuns();
startKeys();
startOverlays();
startHover();
startLighting();
startSource();
startEquation();
startPanes();
startBanner();
startEditor();
startExport();
startTips();

watch(["collapsed"], () => {
  rearrange();
  refreshTree();
  redraw();
});
watch(["node", "edge", "group", "inner"], () => {
  const box = selectedBox();
  if (box) reveal(box);
  redraw();
});
addEventListener("hashchange", follow);
follow();
startOpening();

// Access to the page's numbers from the console and from tests.
globalThis.palingrad = {
  data, nodes, edges, state, schedule, set, choose, edit, resetEdits, valueOf, totalOf, localOf, computed, contributionOf, camera,
  sentBack, m, lit, light, isLit, curveOver, quotientsOver, svgText, pngCanvas, csvText, address, writtenEdits, openEditor, readyQueue, arrivals, toScreen, boxFor, find, between, frameTime: () => frameTime, paint: paintAll, scene: () => scene,
  equationsOf, takingPart, opening, calledAs, shownEntry, cellOf, litEntries: () => litEntries, labels: () => labels,
  cardText: (place) => [valueText(place), gradientText(place)], complexTexts, hasGradient,
  layout, frames, groups, placeOf, fit, loops, fillOf,
};
document.documentElement.dataset.ready = "yes";
