// The schedule: the order of operations in both passes, and which operations are ready at each step.
//
// In the forward pass an operation is ready when all its inputs are computed; in the backward pass when all
// consumers have sent their contributions. The schedule is computed once, so that any step can be shown.

/** Nodes that take part in the derivative of the result: ancestors of floats that lead to it. */
function activeNodes() {
  const active = new Set();
  if (result === null || !isFloat(result)) return active;
  active.add(result);
  for (let place = result; place >= 0; place--) {
    if (!active.has(place)) continue;
    for (const number of ins[place]) if (isFloat(edges[number].a)) active.add(edges[number].a);
  }
  return active;
}

/** All steps, and the steps at which each node is ready and done in each pass. */
function makeSchedule() {
  const steps = []; // {phase, node, kind}
  const done = nodes.map(() => 0);
  const ready = nodes.map(() => 0);
  const doneBack = nodes.map(() => Infinity);
  const readyBack = nodes.map(() => Infinity);
  const arrived = edges.map(() => Infinity);
  const add = (step) => steps.push(step);
  const run = (place, phase) => {
    ready[place] = Math.max(0, ...ins[place].map((number) => done[edges[number].a]));
    add({ phase, node: place, kind: "run" });
    done[place] = steps.length;
  };
  const operations = nodes.map((_, place) => place).filter((place) => ins[place].length);
  const own = operations.some((place) => nodes[place].r === "backward");
  for (const place of operations) if (nodes[place].r === "forward") run(place, "forward");
  const active = own ? new Set() : activeNodes();
  if (active.size > 1) backward(active, steps, { doneBack, readyBack, arrived });
  for (const place of operations) if (nodes[place].r === "backward") run(place, "backward");
  for (const place of operations) if (nodes[place].r === "update") run(place, "update");
  if (active.size > 1 && sizeOf(result) === 1 && !operations.some((place) => nodes[place].r === "update")) {
    nodes.forEach((node, place) => {
      if (node.tr && active.has(place)) add({ phase: "update", node: place, kind: "descend" });
    });
  }
  return { steps, done, ready, doneBack, readyBack, arrived, active };
}

/** The reverse pass: the seed, then each operation after the contributions of all its consumers. */
function backward(active, steps, times) {
  const { doneBack, readyBack, arrived } = times;
  steps.push({ phase: "backward", node: result, kind: "seed" });
  const start = steps.length;
  readyBack[result] = start;
  for (let place = result; place >= 0; place--) {
    if (!active.has(place)) continue;
    const users = outs[place].filter((number) => active.has(edges[number].b));
    if (place !== result) readyBack[place] = Math.max(start, ...users.map((number) => arrived[number]));
    if (!ins[place].some((number) => active.has(edges[number].a))) {
      doneBack[place] = readyBack[place];
      continue;
    }
    steps.push({ phase: "backward", node: place, kind: "pull" });
    doneBack[place] = steps.length;
    for (const number of ins[place]) if (active.has(edges[number].a)) arrived[number] = steps.length;
  }
}

const schedule = makeSchedule();

/** Whether the node's value is computed after this step. */
function isComputed(place, step) {
  return schedule.done[place] <= step;
}

/** The progress of a node's gradient: the edges that have contributed, and the number of all. */
function arrivals(place, step) {
  const all = outs[place].filter((number) => schedule.arrived[number] !== Infinity);
  return { all, come: all.filter((number) => schedule.arrived[number] <= step) };
}

/** Whether the node's gradient is complete after this step. */
function hasGradient(place, step) {
  if (schedule.active.has(place)) return schedule.readyBack[place] <= step;
  return Boolean(nodes[place].j) && !rowsNow && !foreign && step === schedule.steps.length; // it came through complex numbers
}

/** The operations that are ready, in the order in which they will run. */
function readyQueue(step) {
  const next = schedule.steps[step];
  if (!next) return [];
  const found = [];
  if (next.phase === "backward" && next.kind !== "run") {
    if (next.kind === "seed") return [next.node];
    for (let k = step; k < schedule.steps.length && schedule.steps[k].kind === "pull"; k++) {
      const place = schedule.steps[k].node;
      if (schedule.readyBack[place] <= step) found.push(place);
    }
    return found;
  }
  for (let k = step; k < schedule.steps.length && schedule.steps[k].phase === next.phase; k++) {
    const { node, kind } = schedule.steps[k];
    if (kind === "descend" || schedule.ready[node] <= step) found.push(node);
  }
  return found;
}

/** The first and last step of each phase: [{phase, from, to}]. */
function phases() {
  const found = [];
  schedule.steps.forEach(({ phase }, k) => {
    const last = found[found.length - 1];
    if (last && last.phase === phase) last.to = k + 1;
    else found.push({ phase, from: k, to: k + 1 });
  });
  return found;
}
