// Paths between two nodes: counted by dynamic programming, enumerated, multiplied and summed.

/** The first edge of each bundle of parallel edges that leave a node: x·x has two edges from x, and one step. */
function stepsFrom(place) {
  return outs[place].filter((number, k) => outs[place].findIndex((other) => edges[other].b === edges[number].b) === k);
}

/** The edges parallel to an edge, itself included. */
function bundle(number) {
  return outs[edges[number].a].filter((other) => edges[other].b === edges[number].b);
}

/** The local derivative of a step: the sum over its parallel edges; null if one is unknown. */
function localStep(number) {
  let sum = null;
  for (const one of bundle(number)) {
    const local = localOf(one);
    if (!local || !local.whole) return null;
    sum = sum ? { ...sum, data: sum.data.map((x, k) => x + local.data[k]) } : local;
  }
  return sum;
}

/** The nodes on paths from one node to another, and the number of paths from each to the end. */
function between(from, to) {
  const ways = new Map([[to, 1n]]); // node → number of paths to the end
  for (let place = to - 1; place >= from; place--) {
    if (!isFloat(place)) continue;
    let n = 0n;
    for (const number of stepsFrom(place)) n += ways.get(edges[number].b) || 0n;
    if (n) ways.set(place, n);
  }
  return ways;
}

/** Generates all paths from one node to another as lists of steps, in the order of operands. */
function* pathsBetween(from, to, ways) {
  if (!ways.has(from) || from === to) return;
  const next = (place) => stepsFrom(place).filter((number) => ways.has(edges[number].b));
  const path = [];
  const stack = [next(from)];
  const at_ = [0];
  while (stack.length) {
    const top = stack.length - 1;
    const choices = stack[top];
    if (at_[top] >= choices.length) {
      stack.pop();
      at_.pop();
      path.pop();
      continue;
    }
    const number = choices[at_[top]++];
    if (edges[number].b === to) yield [...path, number];
    else {
      path.push(number);
      stack.push(next(edges[number].b));
      at_.push(0);
    }
  }
}

/** The product of the local derivatives along a path, from its end to its start; null if unknown. */
function productAlong(path) {
  let found = null;
  for (const number of path) {
    const local = localStep(number);
    if (!local) return null;
    if (!found) found = { rows: local.m, n: local.n, data: local.data };
    else found = times({ rows: local.m, n: local.n, data: local.data }, { m: found.rows, n: found.n, data: found.data });
  }
  return found;
}

/** The sum over all paths by dynamic programming: each edge is visited once, however many paths there are. */
function sumOverPaths(from, to, ways) {
  const size = sizeOf(from);
  const unit = new Float64Array(size * size);
  for (let k = 0; k < size; k++) unit[k * size + k] = 1;
  const found = new Map([[from, { rows: size, n: size, data: unit }]]);
  for (let place = from; place < to; place++) {
    const here = found.get(place);
    if (!here || !ways.has(place)) continue;
    for (const number of outs[place]) {
      const next = edges[number].b;
      if (!ways.has(next)) continue;
      const local = localOf(number);
      if (!local || !local.whole) return null;
      const term = times({ rows: local.m, n: local.n, data: local.data }, { m: here.rows, n: here.n, data: here.data });
      found.set(next, found.has(next) ? added(found.get(next), term) : term);
    }
  }
  return found.get(to) || null;
}

/** ∂to/∂from by the reverse pass: the library's result if it was exported, else the page's. */
function totalBetween(from, to) {
  if (to === result && !rowsNow) {
    const total = totalOf(from);
    if (total) return total;
    return nodes[from].j ? null : { rows: sizeOf(to), n: sizeOf(from), data: new Float64Array(sizeOf(to) * sizeOf(from)) };
  }
  if (sizeOf(to) > 64) return null;
  return reversed(to).get(from) || null;
}
