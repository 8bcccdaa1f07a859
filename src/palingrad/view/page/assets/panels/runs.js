// The runs of a recorded graph: a slider that shows the values of each run.

const own = nodes.map((node) => ({ v: node.v, j: node.j })); // the values of the run that the page was exported for
const ownLocals = edges.map((edge) => edge.l);

function startRuns() {
  const count = data.runs.length;
  if (count < 2) return;
  const mine = data.runs.findIndex((one) => `${data.title} `.startsWith(`${one.name} `));
  const slider = at("run-slider");
  slider.max = mine < 0 ? count : count - 1; // the exported run comes last if it has no name
  slider.value = mine < 0 ? count : mine;
  at("runs").hidden = false;
  const name = () => at("run-name").replaceChildren(data.runs[slider.value]?.name ?? "this run");
  slider.oninput = () => {
    name();
    showRun(Number(slider.value), Number(slider.value) === mine || Number(slider.value) === count);
  };
  name();
}

/** Shows the values of a run; the page computes the derivatives. */
function showRun(number, isOwn) {
  const other = data.runs[number];
  nodes.forEach((node, place) => {
    node.v = isOwn ? own[place].v : other.v[place];
    node.j = isOwn ? own[place].j : undefined;
  });
  edges.forEach((edge, k) => { edge.l = isOwn ? ownLocals[k] : undefined; });
  foreign = !isOwn;
  edited.clear();
  recompute();
  set({ version: state.version + 1 });
}
