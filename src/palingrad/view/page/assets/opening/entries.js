// Entries of arrays: which entries of the operands an entry of a result comes from, and its sum or formula.

/** The vector-Jacobian products of the unit vector at an entry, one for each operand (flat arrays or null):
 *  rows of the local Jacobians. null if the page can't compute them. */
function jacobianRows(place, entry, operands = null) {
  const size = sizeOf(place);
  if (size === null || entry >= size) return null;
  const unit = new Float64Array(size);
  unit[entry] = 1;
  const sent = operands ? sentBy(place, operands, unit) : sentBack(place, unit);
  if (sent || operands) return sent;
  const exported = ins[place].map((number) => {
    const local = nodes[place].why && edges[number].l ? localOf(number) : null;
    return local && local.whole ? local.data.slice(entry * local.n, (entry + 1) * local.n) : null;
  });
  return exported.some(Boolean) ? exported : productEntries(place, entry);
}

/** For a matrix product whose operands are too large for the page: ones at the row and the column of an entry. */
function productEntries(place, entry) {
  if (!nodes[place].ex) return null;
  const [a, b] = ins[place].map((number) => nodes[edges[number].a].sh);
  if (!a || !b || a.length > 2 || b.length > 2 || count(a) + count(b) > 2_000_000) return null;
  const n = a[a.length - 1];
  const columns = b.length === 2 ? b[1] : 1;
  const [i, j] = [Math.floor(entry / columns), entry % columns];
  const first = new Float64Array(count(a));
  const second = new Float64Array(count(b));
  for (let k = 0; k < n; k++) {
    first[i * n + k] = 1;
    second[k * columns + j] = 1;
  }
  return [first, second];
}

/** The operands' entries with a derivative of an entry that isn't 0: node → entries, in order. */
function takingPart(place, entry) {
  return entriesOf(place, jacobianRows(place, entry));
}

function entriesOf(place, rows) {
  const found = new Map();
  if (!rows) return found;
  ins[place].forEach((number, position) => {
    const row = rows[position];
    if (!row) return;
    const from = edges[number].a;
    const set_ = found.get(from) || new Set();
    row.forEach((x, k) => x !== 0 && set_.add(k));
    if (set_.size) found.set(from, set_);
  });
  return new Map([...found].map(([from, set_]) => [from, [...set_].sort((a, b) => a - b)]));
}

/** The entries of the operands that a linear entry's sum reads, those with a factor of 0 included: node → entries. */
function readEntries(place, entry) {
  const block = data.blocks[nodes[place].b];
  const linear = block && block.b && readBy(block).some((some, k) => some && !some.has(k) && !some.has(ins[place].length));
  if (!linear) return takingPart(place, entry);
  const ones = ins[place].map((number) => {
    const value = valueOf(edges[number].a);
    return value && isFloat(edges[number].a) ? { shape: value.shape, data: value.data.map(() => 1) } : value;
  });
  return entriesOf(place, ones.includes(null) ? null : jacobianRows(place, entry, ones));
}

const reads = new Map(); // block → for each operand, the operands that its vector-Jacobian product reads

/** Whether a block's derivative by an operand reads it or the node's own value: then it isn't linear in it. */
function readBy(block) {
  if (reads.has(block)) return reads.get(block);
  const { s: steps, o: ends } = block.b;
  const n = block.b.o.length;
  const cotangents = /^%(\d+)$/;
  const start = n + 1 + 1; // operands, the node itself, its cotangent, then the steps
  const used = [];
  const collect = (part, into) => {
    if (typeof part === "string") {
      const found = cotangents.exec(part);
      if (found) {
        const k = Number(found[1]);
        if (k >= start) used[k - start].forEach((x) => into.add(x));
        else if (k <= n) into.add(k);
      }
    } else if (part && typeof part === "object") Object.values(part).forEach((inner) => collect(inner, into));
    return into;
  };
  for (const [, ...given] of steps) used.push(collect(given, new Set()));
  reads.set(block, ends.map((end) => (end === null ? null : collect([end], new Set()))));
  return reads.get(block);
}

/** An entry of a result that is linear in operands, as a sum [coefficient, number, node, index]; else null. */
function linearTerms(place, entry) {
  const block = data.blocks[nodes[place].b];
  if (!block || !block.b || nodes[place].parts || ins[place].some((number) => nodes[edges[number].a].parts)) return null;
  const n = ins[place].length;
  const used = readBy(block);
  const free = used.map((some, k) => some !== null && !some.has(k) && !some.has(n));
  const joint = used.every((some) => some === null || some.size === 0 || [...some].every((k) => used[k] === null));
  const places = joint ? used.map((some, k) => k).filter((k) => used[k] !== null) : [free.indexOf(true)];
  const rows = jacobianRows(place, entry);
  if (!rows || !places.length) return null;
  if (places[0] === -1) return selected(place, rows, entry);
  return termsOf(place, rows, places);
}

function termsOf(place, rows, places) {
  const found = [];
  for (const position of places) {
    const from = edges[ins[place][position]].a;
    const value = valueOf(from);
    if (!value || !rows[position]) return null;
    rows[position].forEach((c, k) => c !== 0 && found.push([c, value.data[k], from, k]));
  }
  return found;
}

/** The one entry that a result repeats, such as the largest of a window; else null. */
function selected(place, rows, entry) {
  if (ins[place].length !== 1 || !rows[0]) return null;
  const terms = termsOf(place, rows, [0]);
  return terms && terms.length === 1 && terms[0][0] === 1 && terms[0][1] === valueOf(place).data[entry] ? terms : null;
}

// ---------------------------------------------------------------- equations of entries

/** The right side of an entry with numbers: {numbers, shown, sign} and, if short, {symbols}; else null. */
function entryEquation(place, entry) {
  const value = valueOf(place);
  const sample = nodes[place].ex;
  if (value && sample && sample.e === entry && !edited.size && !foreign) return trueTo(value.data[entry], (digits) => sumText(sample.t, digits, sample, nodes[place].d), nodes[place].d);
  if (!value || ins[place].some((number) => !valueOf(edges[number].a))) return null;
  const caption = captionFor(place);
  const found = caption && caption.e ? elementwise(place, entry, caption) : null;
  if (found) return found;
  const group = GROUPED[nodes[place].o] ? grouped(place, entry) : null;
  if (group) return group;
  const terms = linearTerms(place, entry);
  if (!terms || !terms.length) return null;
  const side = trueTo(value.data[entry], (digits) => sumText(terms, digits, null, nodes[place].d), nodes[place].d);
  if (!side) return null;
  const plain_ = terms.length <= 3 && terms.every(([c]) => c === 1);
  const symbols = plain_ ? terms.map(([, , from, k]) => named(from) + indexText(nodes[from].sh, k)).join(" + ") : "";
  return { ...side, symbols };
}

/** An elementwise formula with an entry's operands. */
function elementwise(place, entry, caption) {
  const shape = nodes[place].sh;
  const from = ins[place].map((number) => edges[number].a);
  const at_ = from.map((one) => (sizeOf(one) === 1 ? 0 : sources(nodes[one].sh, shape)[entry]));
  const numbers = from.map((one, k) => valueOf(one).data[at_[k]]);
  const block = data.blocks[nodes[place].b];
  const write = (digits) => {
    const given = numbers.map((x, k) => scalar((caption.c || []).includes(k) ? x : asShown(x, digits)));
    let found = null;
    try {
      found = block && block.f ? slot(run(block.f.s, given), block.f.o) : null;
    } catch {
      return null; // the formula holds only for the array's shape
    }
    if (!found || found.data.length !== 1) return null;
    const exact = numbers.every((x, k) => (caption.c || []).includes(k) || shownWhole(x, digits, nodes[from[k]].d));
    return { text: filled(caption.w, (hole) => numberText(numbers[hole - HOLE], digits)), value: found.data[0], exact };
  };
  const side = trueTo(valueOf(place).data[entry], write, nodes[place].d);
  if (!side) return null;
  return { ...side, symbols: filled(caption.w, (hole) => named(from[hole - HOLE]) + indexText(nodes[from[hole - HOLE]].sh, at_[hole - HOLE])) };
}

// Operations of a group of entries: the formula of the entry at `own` among the numbers of its group.
const GROUPED = {
  softmax: (xs, own, write) => `e^(${write(xs[own])})/(${xs.map((x) => `e^(${write(x)})`).join(" + ")})`,
  log_softmax: (xs, own, write) => `${write(xs[own])} − log(${xs.map((x) => `e^(${write(x)})`).join(" + ")})`,
  logsumexp: (xs, own, write) => `log(${xs.map((x) => `e^(${write(x)})`).join(" + ")})`,
};
GROUPED.cross_entropy = (xs, own, write) => `${GROUPED.logsumexp(xs, own, write)} − ${xs[own] < 0 ? `(${write(xs[own])})` : write(xs[own])}`;
const GROUP_VALUE = {
  softmax: (xs, own) => Math.exp(xs[own]) / xs.reduce((sum, x) => sum + Math.exp(x), 0),
  log_softmax: (xs, own) => xs[own] - Math.log(xs.reduce((sum, x) => sum + Math.exp(x), 0)),
  cross_entropy: (xs, own) => GROUP_VALUE.logsumexp(xs) - xs[own],
  logsumexp: (xs) => Math.log(xs.reduce((sum, x) => sum + Math.exp(x), 0)),
};

function grouped(place, entry) {
  const from = edges[ins[place][0]].a;
  const members = takingPart(place, entry).get(from) || [];
  const of = nodes[place].o;
  const row = of === "cross_entropy" ? jacobianRows(place, entry)[0] : null; // negative at the entry's class
  const same = sameShape(nodes[from].sh || [], nodes[place].sh || []);
  const own = row ? members.findIndex((k) => row[k] < 0) : same ? members.indexOf(entry) : 0;
  if (!members.length || members.length > 6 || own < 0 || ins[place].length > (row ? 2 : 1)) return null;
  const xs = members.map((k) => valueOf(from).data[k]);
  return trueTo(valueOf(place).data[entry], (digits) => ({
    text: GROUPED[of](xs, own, (x) => numberText(x, digits)),
    value: GROUP_VALUE[of](xs.map((x) => asShown(x, digits)), own),
    exact: xs.every((x) => shownWhole(x, digits, nodes[from].d)),
  }), nodes[place].d);
}
