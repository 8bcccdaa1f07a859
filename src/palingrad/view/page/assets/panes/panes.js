// The three panes: shows or hides the source and the equation beside the graph.

function startPanes() {
  const show = () => {
    document.body.classList.toggle("bare", !state.panes);
    at("panes").setAttribute("aria-pressed", String(state.panes));
  };
  at("panes").onclick = () => set({ panes: !state.panes });
  watch(["panes"], show);
  show();
  keepFitted();
}

/** Fits the graph again when the stage changes its size, unless the reader has moved the view. */
function keepFitted() {
  let fitted = JSON.stringify(camera);
  new ResizeObserver(() => {
    const untouched = JSON.stringify(camera) === fitted;
    requestAnimationFrame(() => {
      if (untouched && stage.width > 100) begin();
      if (untouched) fitted = JSON.stringify(camera);
    });
  }).observe(at("stage"));
}
