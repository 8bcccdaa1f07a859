// The three panes: shows or hides the source and the equation beside the graph.

function startPanes() {
  const show = () => {
    document.body.classList.toggle("bare", !state.panes);
    at("panes").setAttribute("aria-pressed", String(state.panes));
  };
  at("panes").onclick = () => set({ panes: !state.panes });
  watch(["panes"], show);
  show();
}
