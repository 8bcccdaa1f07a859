// Judges an answer: right, or the mistake that explains it.

// Tolerances, as the page states them: an answer in numbers is right within 0.1 %, or if it is rounded correctly and
// within 0.5 %, as three digits always are. A formula is right if it agrees in every world to the precision of the arithmetic.
const CLOSE = 1e-3;
const ROUNDED = 5e-3;
const NEAR = 0.03; // an answer so near is called inaccurate
const EXACT = 1e-6;
const TINY = 1e-12;

// The order in which mistakes that explain an answer equally well are named.
const KINDS = ["order", "transposed", "batch", "missing", "local", "sign", "rate", "backward", "forward", "mean", "factor", "other"];

/** The size of numbers that are rounding errors in this world. */
function noise(world) {
  let top = 1;
  for (const total of world.totals.values()) for (const x of total.data) if (Math.abs(x) > top) top = Math.abs(x);
  return TINY * top;
}

/** Whether numbers `typed`, with half units of their last digits, are those of `exact`. */
function agree(typed, exact, halves, world) {
  const floor = noise(world);
  return typed.every((x, k) => {
    const y = exact[k];
    if (!Number.isFinite(y) || !Number.isFinite(x)) return Object.is(x, y);
    if (Math.abs(y) <= floor) return Math.abs(x) <= floor;
    const half = halves ? halves[k] * 1.0001 : 0;
    const allowed = halves ? Math.min(Math.max(CLOSE * Math.abs(y), half), ROUNDED * Math.abs(y)) : EXACT * Math.abs(y);
    return Math.abs(x - y) <= allowed + floor;
  });
}

/** The place of a mistake in that order; nothing wrong but the sign, or a mean's factor, comes before paths. */
function rank({ kind, id }) {
  return id === "sign" || id.startsWith("unaveraged") ? KINDS.indexOf("batch") + 0.5 : KINDS.indexOf(kind);
}

/** How far numbers are from others, relative to the largest. */
function distance(typed, exact) {
  let top = 0;
  let far = 0;
  typed.forEach((x, k) => {
    top = Math.max(top, Math.abs(exact[k]));
    far = Math.max(far, Math.abs(x - exact[k]));
  });
  return top ? far / top : far ? Infinity : 0;
}

/** Judges `typed`: {right, kind, …}. Throws Unreadable if it can't be read. */
function judged(question, typed, solved = new Set()) {
  const answer = parsed(typed, solved);
  refuseItself(question, answer);
  const halves = halvesOf(answer.tree);
  const formula = answer.names.size + answer.gradients.size > 0;
  const tried_ = formula ? worldsOf(answer) : [worldsFor(new Set())[0]];
  if (formula && tried_.length < 2) throw new Unreadable("A formula can't be tried at other values of this graph: write the numbers.");
  let given;
  try {
    given = tried_.map((world) => evaluated(answer.tree, world));
  } catch (error) {
    if (!(error instanceof Misfit)) throw error;
    return { right: false, ...misfit(question, answer.tree, error, tried_) };
  }
  const numbers = formula ? null : halves || given[0].data.map(() => 0);
  const right = tried_.map((world, n) => matches(given[n], truthOf(question, world), numbers, world));
  if (right.every(Boolean)) return { right: true, kind: "right" };
  const found = explained(question, tried_, given, numbers, right[0]);
  if (found) return { right: false, ...found };
  return { right: false, ...unexplained(question, tried_[0], given[0], numbers) };
}

/** A product whose shapes don't fit: whether another order or a transposition makes the answer right. */
function misfit(question, tree, { tree: product, shapes }, tried_) {
  const [left, right] = product.parts;
  const turned = (part) => (part.op === "transpose" ? part.parts[0] : { op: "transpose", parts: [part] });
  const others = [
    ["order", [right, left]], ["transposed", [turned(left), right]], ["transposed", [left, turned(right)]],
    ["order", [turned(right), left]], ["order", [right, turned(left)]], ["order", [turned(right), turned(left)]],
  ];
  const rights = ([, parts]) => {
    const other = withPart(tree, product, { ...product, parts });
    try {
      return tried_.every((world) => matches(evaluated(other, world), truthOf(question, world), null, world));
    } catch (error) {
      if (error instanceof Unreadable) return false;
      throw error;
    }
  };
  const kind = others.find(rights)?.[0] || "misfit";
  return { kind: "misfit", id: "misfit", cause: kind, factors: [left, right].map(textOf), shapes };
}

/** The tree with one of its parts replaced. */
function withPart(tree, part, other) {
  if (tree === part) return other;
  return tree.parts ? { ...tree, parts: tree.parts.map((one) => withPart(one, part, other)) } : tree;
}

/** A factor as text: its name, or a word for what is computed. */
function textOf(tree) {
  if (tree.op === "name") return nameOf(tree.place);
  if (tree.op === "gradient") return `∂${nameOf(result)}/∂${nameOf(tree.place)}`;
  const inner = tree.op === "transpose" && textOf(tree.parts[0]);
  return inner && !inner.includes(" ") ? `${inner}ᵀ` : "";
}

/** The worlds for a formula. It may have single constants as numbers rather than by name: they keep their values,
 * unless what it names then stays the same too. */
function worldsOf({ tree, names }) {
  const unnamed = leaves.filter((place) => nodes[place].t === "constant" && sizeOf(place) === 1 && !names.has(place));
  const found = worldsFor(new Set(hasNumbers(tree) ? unnamed : []));
  const varies = found.length > 1 && [...names].every((place) => found[1].values[place].data.some((x, k) => x !== found[0].values[place].data[k]));
  return varies ? found : worldsFor(new Set());
}

const hasNumbers = (tree) => tree.op === "number" || (tree.parts || []).some(hasNumbers);

/** The value of a node isn't an answer to the question for it, nor is that of a node that depends on it. */
function refuseItself(question, { names }) {
  if (!question.value) return;
  for (const place of names) {
    if (place === question.place || between(question.place, place).has(question.place)) {
      throw new Unreadable(`Write ${nameOf(question.place)} in the values that it is computed from, without ${nameOf(place)}.`);
    }
  }
}

function matches(given, wanted, halves, world) {
  const same = sameShape(given.shape, wanted.shape);
  return same && agree(given.data, wanted.data, halves, world);
}

/** What explains the answer in all worlds: a mistake, that it is `rightHere` only, a multiple of the right answer or of
 * a mistake; or null. */
function explained(question, tried_, given, halves, rightHere) {
  const tables = tried_.map((world) => within(world, () => mistakesOf(question, world)));
  const truths = tried_.map((world) => truthOf(question, world));
  const equal = (some, others, digits) => some.every((one, n) => matches(one, others[n], digits, tried_[n]));
  const mistakes = [...tables[0].keys()].map((id) => tables.map((table) => table.get(id)));
  const known = mistakes.filter((all) => !all.includes(undefined) && !equal(all, truths, null)); // else no mistake here
  const found = known.filter((all) => equal(given, all, halves)).map(([one]) => ({ ...one, far: distance(given[0].data, one.data) }));
  const right = truths.map((one) => ({ id: "times", kind: "factor", ...one }));
  const here = rightHere ? { kind: "coincidence", id: "here" } : null;
  return nearest_(found) || here || nearest_(multiples([right], given, equal, halves)) || nearest_(multiples(known, given, equal, halves));
}

/** The nearest of mistakes and, of equally near ones, that of the first kind. */
function nearest_(found) {
  const least = Math.min(...found.map((one) => one.far));
  const near = found.filter((one) => one.far <= 1.5 * least + 1e-9);
  return near.sort((one, other) => rank(one) - rank(other))[0] || null;
}

/** The mistakes of which the answer is a simple multiple: two mistakes at once. Single numbers are multiples of anything. */
function multiples(known, given, equal, halves) {
  const found = [];
  for (const all of known) {
    if (all.some((one, n) => !sameShape(one.shape, given[n].shape)) || given.length * given[0].data.length < 2) continue;
    const factor = simple(ratioOf(given, all));
    if (!factor) continue;
    const times_ = all.map((one) => ({ shape: one.shape, data: scaled(one.data, factor) }));
    if (equal(given, times_, halves)) found.push({ ...all[0], factor, far: distance(given[0].data, times_[0].data) });
  }
  return found;
}

/** The number c for which c times the others comes nearest to the given numbers. */
function ratioOf(given, others) {
  let [top, bottom] = [0, 0];
  given.forEach((one, n) => one.data.forEach((x, k) => {
    top += x * others[n].data[k];
    bottom += others[n].data[k] ** 2;
  }));
  return top / bottom;
}

/** −1, or a fraction of whole numbers up to 12, if the number is one; else 0. */
function simple(x) {
  for (let below = 1; below <= 12; below++) {
    const above = Math.round(x * below);
    if (above && Math.abs(above) <= 12 && Math.abs(x * below - above) <= 1e-3 * Math.abs(above)) return above / below;
  }
  return 0;
}

/** What can be said of an answer that no mistake explains. */
function unexplained(question, world, given, halves) {
  const wanted = truthOf(question, world);
  if (given.data.length === wanted.data.length && halves) {
    const digits = given.data.every((x, k) => Math.abs(x - wanted.data[k]) <= halves[k] * 1.0001);
    if (digits && sameShape(given.shape, wanted.shape)) return { kind: "digits" };
    if (agree(given.data, wanted.data, halves, world)) return { kind: "shape", shape: wanted.shape, given: given.shape };
  }
  if (!sameShape(given.shape, wanted.shape)) return { kind: "shape", shape: wanted.shape, given: given.shape };
  if (distance(given.data, wanted.data) <= NEAR) return { kind: "digits" };
  const wrong = [...given.data].flatMap((x, k) => (agree([x], [wanted.data[k]], halves && [halves[k]], world) ? [] : [k]));
  if (wrong.length < given.data.length) return { kind: "elements", wrong };
  return { kind: "unknown" };
}
