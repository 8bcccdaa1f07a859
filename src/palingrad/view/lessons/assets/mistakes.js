// The usual mistakes: what the answer would be if one step of the chain rule were done wrongly.
//
// An adjoint is linear in the contribution of each edge. A wrong contribution c′ of an edge a → b in the place of c
// therefore makes the answer for p  T + (what c′ − c at a sends on to p), where all other steps are right.

const MOST_PATHS = 64;
const MOST_ROWS = 16;

/** The nodes on paths from a node to the result, inputs first, each with the number of paths from it. */
function waysFrom(from) {
  const ways = between(from, result);
  const found = new Map();
  for (const place of [...ways.keys()].sort((a, b) => a - b)) {
    if (place === from || ins[place].some((number) => found.has(edges[number].a))) found.set(place, ways.get(place));
  }
  return found;
}

/** The edges on these paths. */
function edgesOf(ways) {
  return edges.flatMap((edge, number) => (ways.has(edge.a) && ways.has(edge.b) ? [number] : []));
}

/** What seeds (node → adjoint) send back to `target` by the right rules. */
function carried(seeds, target) {
  const found = new Map(seeds);
  const places = nodes.map((_, place) => place).reverse();
  for (const place of places) {
    if (place <= target || !found.has(place)) continue;
    const sent = sentBack(place, found.get(place));
    for (const [position, number] of ins[place].entries()) {
      const from = edges[number].a;
      if (sent?.[position] && from >= target) accumulate(found, from, sent[position]);
    }
  }
  return found.get(target) || new Float64Array(sizeOf(target));
}

function accumulate(found, place, data) {
  const known = found.get(place);
  found.set(place, known ? known.map((x, k) => x + data[k]) : data);
}

const less = (x, y) => x.map((a, k) => a - y[k]);
const plus = (x, y) => x.map((a, k) => a + y[k]);
const scaled = (x, c) => x.map((a) => c * a);

/** All mistakes of a question in the current world, as a map from an id to {kind, data, shape, edge, node, …}. */
function mistakesOf(question, world) {
  const found = new Map();
  const truth = truthOf(question, world);
  const add = (id, kind, data, more = {}) => {
    if (data && !found.has(id)) found.set(id, { id, kind, data, shape: truth.shape, ...more });
  };
  const about = { question, world, truth, p: question.place, add };
  if (question.value) ofValues(about);
  else {
    about.ways = waysFrom(about.p);
    about.steps = edgesOf(about.ways);
    about.paths = [...firstOf(pathsBetween(about.p, result, about.ways), MOST_PATHS)];
    wholeAnswers(about);
    productsOf(about);
    notSummed(about);
    missingPaths(about);
    localOnes(about);
    signs(about);
    forwardOnes(about);
    factors(about);
  }
  return found;
}

function* firstOf(all, most) {
  let left = most;
  for (const one of all) {
    if (left-- <= 0) return;
    yield one;
  }
}

const adjointOf = (about, place) => about.world.totals.get(place)?.data;

/** The contribution of an edge to the adjoint of its source. */
function contribution(about, number) {
  const g = adjointOf(about, edges[number].b);
  const sent = g && sentBack(edges[number].b, g);
  return sent?.[edges[number].i] || null;
}

/** The answer if the edge contributed `wrong` in the place of `right`. */
function replaced(about, number, wrong, right) {
  const delta = less(wrong, right);
  const from = edges[number].a;
  return plus(about.truth.data, from === about.p ? delta : carried([[from, delta]], about.p));
}

// ---------------------------------------------------------------- the whole answer

function wholeAnswers({ truth, p, add }) {
  const own = values[p];
  const turned = transposedOf(truth);
  add("transposed", "transposed", turned.data, { shape: turned.shape });
  add("sign", "sign", scaled(truth.data, -1));
  const rate = data.rate;
  add("rate", "rate", scaled(truth.data, rate));
  add("rate-", "rate", scaled(truth.data, -rate));
  add("step", "rate", less(own.data, scaled(truth.data, rate)), { updated: true });
  add("step+", "rate", plus(own.data, scaled(truth.data, rate)), { updated: true });
  add("own", "forward", own.data, { node: p });
}

// ---------------------------------------------------------------- products of matrices

const isProduct = (place) => nodes[place].o === "matmul" && ins[place].length === 2;

/** Whether the two can be multiplied as matrices. */
function fits(x, y) {
  try {
    return multiplied(x, y);
  } catch {
    return null;
  }
}

/** Wrong forms of Ā = ȲBᵀ and B̄ = AᵀȲ: without the transposition, and in the other order. */
function productsOf(about) {
  for (const number of about.steps) {
    const { a, b, i } = edges[number];
    if (!isProduct(b)) continue;
    const g = tensor(nodes[b].sh, adjointOf(about, b));
    const other = values[edges[ins[b][1 - i]].a];
    const turned = transposedOf(other);
    const right = contribution(about, number);
    const forms = i === 0
      ? [["order", fits(turned, g)], ["transposed", fits(g, other)], ["order", fits(other, g)]]
      : [["order", fits(g, turned)], ["transposed", fits(other, g)], ["order", fits(g, other)]];
    const vectors = nodes[b].sh.length < 2 || other.shape.length < 2; // then the other order is the missing transposition
    forms.forEach(([kind, wrong], form) => {
      if (wrong && !(vectors && (kind === "order" || nodes[a].sh.length > 1))) putForm(about, number, kind, wrong, right, form);
    });
    if (a === about.p) {
      about.add(`factor@${number}`, "local", other.data, { shape: other.shape, edge: number, node: b });
      about.add(`turned@${number}`, "local", turned.data, { shape: turned.shape, edge: number, node: b });
    }
  }
}

function putForm(about, number, kind, wrong, right, form) {
  const same = wrong.data.length === right.length && sameShape(wrong.shape, nodes[edges[number].a].sh);
  const more = { edge: number, node: edges[number].b };
  if (same) about.add(`form${form}@${number}`, kind, replaced(about, number, wrong.data, right), more);
  else if (edges[number].a === about.p) about.add(`form${form}@${number}`, kind, wrong.data, { ...more, shape: wrong.shape });
}

// ---------------------------------------------------------------- sums over a batch

/** The contribution of an edge before it is summed over axes that its source lacks, and that of one row alone. */
function notSummed(about) {
  for (const number of about.steps) {
    const { a, b, i } = edges[number];
    const shape = nodes[b].sh;
    const right = contribution(about, number);
    if (!shape.length || !right) continue;
    for (let axis = 0; axis < shape.length; axis++) {
      const rows = shape[axis];
      if (rows < 2 || rows > MOST_ROWS) continue;
      const parts = Array.from({ length: rows }, (_, row) => partOf(about, b, i, row, axis));
      if (parts.includes(null) || !overlap(parts)) continue;
      unsummedForms(about, number, parts, axis);
      parts.forEach((part, row) => about.add(`row${row}.${axis}@${number}`, "batch", replaced(about, number, part, right), { edge: number, node: b, row }));
      about.add(`average${axis}@${number}`, "mean", replaced(about, number, scaled(right, 1 / rows), right), { edge: number, node: b, missing: false });
    }
  }
}

/** What one row of an adjoint contributes. */
function partOf(about, b, i, row, axis) {
  const g = adjointOf(about, b);
  const shape = nodes[b].sh;
  const inner = count(shape.slice(axis + 1));
  const masked = g.map((x, k) => (Math.floor(k / inner) % shape[axis] === row ? x : 0));
  return sentBack(b, masked)?.[i] || null;
}

/** Whether two parts contribute to one element. */
function overlap(parts) {
  return parts[0].some((_, k) => parts.filter((part) => part[k] !== 0).length > 1);
}

function unsummedForms(about, number, parts, axis) {
  const { a, b } = edges[number];
  if (a !== about.p) return;
  const more = { edge: number, node: b };
  const own = nodes[a].sh;
  const stack = m.stack(parts.map((part) => tensor(own, part)));
  about.add(`stack${axis}@${number}`, "batch", stack.data, { ...more, shape: stack.shape });
  const wide = nodes[b].sh;
  if (stack.data.length === count(wide)) {
    const natural = axis === 0 ? stack : m.swapaxes(stack, 0, Math.min(axis, stack.shape.length - 1));
    about.add(`wide${axis}@${number}`, "batch", natural.data, { ...more, shape: wide });
  } else if (count(wide) <= 64 && count(own) < count(wide)) {
    const g = adjointOf(about, b);
    const each = g.map((_, k) => sumOf(sentBack(b, g.map((x, n) => (n === k ? x : 0)))?.[edges[number].i]));
    about.add(`wide@${number}`, "batch", each, { ...more, shape: wide });
  }
}

const sumOf = (data) => (data ? data.reduce((x, y) => x + y, 0) : NaN);

// ---------------------------------------------------------------- paths

/** The product along one path, by the rules of its edges. */
function along(about, path) {
  let g = Float64Array.of(1);
  for (const number of [...path].reverse()) {
    g = sentBack(edges[number].b, g)?.[edges[number].i];
    if (!g) return null;
  }
  return g;
}

function missingPaths(about) {
  const { truth, add, paths } = about;
  const active = (place) => outs[place].filter((number) => about.ways.has(edges[number].b));
  for (const place of about.ways.keys()) {
    const uses = active(place);
    if (uses.length < 2) continue;
    for (const number of uses) {
      const right = contribution(about, number);
      if (!right) continue;
      const none = right.map(() => 0);
      add(`without@${number}`, "missing", replaced(about, number, none, right), { edges: [number], node: place });
      if (uses.length < 3) continue;
      const rest = uses.filter((one) => one !== number).map((one) => contribution(about, one)).filter(Boolean);
      const only = rest.reduce((sum, c) => plus(sum, c), none);
      add(`only@${number}`, "missing", plus(truth.data, carried([[place, scaled(only, -1)]], about.p)), { edges: uses.filter((one) => one !== number), node: place });
    }
  }
  if (paths.length < 2 || paths.length >= MOST_PATHS) return;
  paths.forEach((path, n) => {
    const product = along(about, path);
    if (!product) return;
    const others = paths.filter((one) => one !== path);
    add(`path${n}`, "missing", product, { paths: others, node: about.p });
    add(`nopath${n}`, "missing", less(truth.data, product), { paths: [path], node: about.p });
    add(`turned-path${n}`, "sign", less(truth.data, scaled(product, 2)), { path });
  });
}

// ---------------------------------------------------------------- local derivatives

/** Answers that stop before the result: ∂b/∂p, and those that leave out the derivative of one step. */
function localOnes(about) {
  const { p, add } = about;
  for (const place of about.ways.keys()) {
    if (place === p || place === result) continue;
    const ones = new Float64Array(sizeOf(place)).fill(1);
    add(`local@${place}`, "local", carried([[place, ones]], p), { node: place });
  }
  for (const number of about.steps) {
    const { a, b, i } = edges[number];
    const right = contribution(about, number);
    if (!right || b === result) continue;
    const ones = new Float64Array(sizeOf(b)).fill(1);
    const alone = sentBack(b, ones)?.[i];
    if (alone) add(`alone@${number}`, "local", a === p ? alone : carried([[a, alone]], p), { edge: number, node: b });
    if (alone) add(`unweighted@${number}`, "local", replaced(about, number, alone, right), { edge: number, node: b });
  }
}

// ---------------------------------------------------------------- signs, values, factors

function signs(about) {
  for (const number of about.steps) {
    const right = contribution(about, number);
    if (right) about.add(`sign@${number}`, "sign", replaced(about, number, scaled(right, -1), right), { edge: number });
  }
}

/** A value where a derivative belongs: of a node that uses p, or of an operation in the place of its derivative. */
function forwardOnes(about) {
  for (const number of about.steps) {
    const { a, b } = edges[number];
    const own = values[b];
    const right = contribution(about, number);
    if (a === about.p) about.add(`value@${b}`, "forward", own.data, { shape: own.shape, node: b });
    const g = adjointOf(about, b);
    if (right && g.length === right.length) {
      const wrong = g.map((x, k) => x * own.data[k]);
      about.add(`function@${number}`, "forward", replaced(about, number, wrong, right), { edge: number, node: b, derivative: true });
    }
  }
  about.add("loss", "forward", values[result].data, { shape: values[result].shape, node: result });
}

function factors(about) {
  const { truth, add, p } = about;
  for (const place of about.ways.keys()) {
    if (place === p || ins[place].length !== 1) continue;
    const times_ = sizeOf(edges[ins[place][0]].a) / sizeOf(place);
    if (times_ <= 1 || !Number.isInteger(times_)) continue;
    if (nodes[place].o === "mean") add(`unaveraged@${place}`, "mean", scaled(truth.data, times_), { node: place, missing: true });
    add(`averaged@${place}`, "mean", scaled(truth.data, 1 / times_), { node: place, missing: false });
  }
  for (const number of about.steps) {
    const { b } = edges[number];
    const right = contribution(about, number);
    const g = adjointOf(about, b);
    if (!right || (g.length !== right.length && g.length !== 1)) continue;
    const wrong = right.map((_, k) => g[g.length === 1 ? 0 : k]);
    add(`skipped@${number}`, "factor", replaced(about, number, wrong, right), { edge: number, node: b });
  }
  for (const c of [2, 0.5, 3, 1 / 3, 4, 0.25]) add(`times${c}`, "factor", scaled(truth.data, c), { factor: c });
  for (const [place, total] of about.world.totals) {
    if (place !== p && sameShape(nodes[place].sh, truth.shape)) add(`of@${place}`, "other", total.data, { node: place });
  }
}

// ---------------------------------------------------------------- questions about values

function ofValues(about) {
  const { truth, p, add } = about;
  const turned = transposedOf(truth);
  add("transposed", "transposed", turned.data, { shape: turned.shape });
  add("sign", "sign", scaled(truth.data, -1));
  if (isProduct(p)) {
    const [x, y] = ins[p].map((number) => values[edges[number].a]);
    [fits(y, x), fits(transposedOf(y), x), fits(y, transposedOf(x))].forEach((wrong, n) => wrong && add(`order${n}`, "order", wrong.data, { shape: wrong.shape, node: p }));
    [fits(transposedOf(x), y), fits(x, transposedOf(y))].forEach((wrong, n) => wrong && add(`turned${n}`, "transposed", wrong.data, { shape: wrong.shape, node: p }));
  }
  const total = about.world.totals.get(p);
  if (total) add("backward", "backward", total.data);
  const inputs = ins[p].map((number) => values[edges[number].a]);
  const ratio = inputs.length ? inputs[0].data.length / truth.data.length : 1;
  if (ratio > 1) {
    if (nodes[p].o === "mean") add("unaveraged", "mean", scaled(truth.data, ratio), { node: p, missing: true });
    else add("averaged", "mean", scaled(truth.data, 1 / ratio), { node: p, missing: false });
  }
  inputs.forEach((x, n) => add(`input${n}`, "other", x.data, { shape: x.shape, node: edges[ins[p][n]].a }));
  for (const c of [2, 0.5]) add(`times${c}`, "factor", scaled(truth.data, c), { factor: c });
}
