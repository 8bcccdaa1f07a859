// The texts of captions: names, numbers, and formulas whose holes are filled with either.

const HOLE = 0xe000; // the code point that stands for the first operand of a formula
const OWN = HOLE + 0xf0; // the node itself
const SEED = HOLE + 0xf1; // the node's cotangent
const HOLES = /[\uE000-\uE0FF]/g;
const ATOM = /^(?:‘[^’]*’(?:\[[^\]]*\])?|(?!.*[⁰¹²³⁴⁵⁶⁷⁸⁹])(?:[\p{L}\p{M}\p{N}_.[\],′]|\p{Extended_Pictographic})+)$/u;

/** Names for captions: unnamed operations are v₁, v₂, … in the order of the graph. What could be read as a formula
 *  is in quotes, as is a variable e beside the number e; a second node of one name has a prime. */
const calledAs = (() => {
  const taken = new Set(nodes.map((node) => node.n));
  const hasE = (text) => (text || "").includes("e^");
  const numbers = data.captions.some((caption) => hasE(caption.w) || (caption.d || []).some(hasE));
  const isName = /^(?:∂.*|.* ←|(?:[\p{L}_]|\p{Extended_Pictographic})[\p{L}\p{M}\p{N}_\p{Extended_Pictographic}]*(?:\[[^\]]*\])?′*)$/u;
  const used = new Set();
  let n = 0;
  const names = [];
  nodes.forEach((node, place) => {
    let name = node.n;
    const owner = node.o === "item" ? edges[ins[place][0]].a : null;
    if (node.t === "operation" && node.n === node.o) {
      do name = `v${lowered(++n)}`;
      while (taken.has(name) || taken.has(`v${n}`));
    } else if (owner !== null && name.startsWith(`${nodes[owner].n}[`)) {
      name = names[owner] + name.slice(nodes[owner].n.length); // a result of what has several
    } else if (node.t !== "constant" || !/^[−\d]/.test(name)) {
      if (!isName.test(name) || (name === "e" && numbers)) name = `‘${name}’`;
      while (used.has(name)) name += "′";
    }
    used.add(name);
    names.push(name);
  });
  return names;
})();

/** The node's name in a caption; a constant that has its number as its name is called by its current number. */
function named(place) {
  const value = nodes[place].t === "constant" && ATOM_NUMBER.test(nodes[place].n) ? valueOf(place) : null;
  return value && value.data.length === 1 ? numberText(value.data[0]) : calledAs[place];
}

const ATOM_NUMBER = /^[−\d.]+(?:e−?\d+)?$/;

function lowered(n) {
  return String(n).replace(/\d/g, (d) => String.fromCharCode(0x2080 + Number(d)));
}

/** A number with `digits` significant digits and, if needed, a power of ten. */
function numberText(x, digits = 4) {
  const [front, power] = short(x, digits).split("e");
  if (power === undefined) return front;
  const ten = `10${[...power].map((c) => RAISED[c]).join("")}`;
  return /^−?1$/.test(front) ? front.replace("1", ten) : `${front}·${ten}`;
}

const RAISED = { "−": "⁻", ...Object.fromEntries([..."⁰¹²³⁴⁵⁶⁷⁸⁹"].map((c, d) => [d, c])) };

/** The number that `numberText` shows. */
function asShown(x, digits) {
  return Number.isFinite(x) ? Number(short(x, digits).replaceAll("−", "-")) : x;
}

/** A formula with `word(code point)` in each hole, in brackets where they are needed. */
function filled(template, word) {
  const bare = template.replace(/(^|[^\p{L}\p{N}^⁻)])\(([\uE000-\uE0FF])\)/gu, (all, before, hole) => (ATOM.test(word(hole.charCodeAt(0))) ? before + hole : all));
  return bare.replace(HOLES, (hole, place) => {
    const text = word(hole.charCodeAt(0));
    const before = bare.slice(0, place).trimEnd().slice(-1);
    const after = bare.slice(place + 1).trimStart().slice(0, 1);
    const closed = (before === "" && "+−·".includes(after)) || ((before === "" || "([,|".includes(before)) && (after === "" || ")],|".includes(after)));
    return closed || ATOM.test(text) ? text : `(${text})`;
  });
}

/** ∂L/∂a. */
function partialOf(place) {
  const top = named(result);
  return `∂${top.startsWith("∂") ? `(${top})` : top}/∂${named(place)}`;
}

/** The cotangent of a node, as x̄ if its name is a letter. */
function barOf(place) {
  const letter = /^(\p{L})([₀-₉\d]*)$/u.exec(calledAs[place]);
  return letter ? `${letter[1]}\u0304${letter[2]}` : partialOf(place);
}

/** An entry's index: [0, 2]; nothing for a number. */
function indexText(shape, entry) {
  if (!shape.length) return "";
  const strides = stridesOf(shape);
  return `[${shape.map((d, axis) => Math.floor(entry / strides[axis]) % d).join(",")}]`;
}

/** Entries as a slice where they are one: [0,:]; else their number. */
function sliceText(shape, entries) {
  if (!shape.length) return "";
  const strides = stridesOf(shape);
  const parts = shape.map((d, axis) => {
    const seen = [...new Set(entries.map((k) => Math.floor(k / strides[axis]) % d))].sort((a, b) => a - b);
    if (seen.length === 1) return String(seen[0]);
    if (seen.length === d) return ":";
    return seen[seen.length - 1] - seen[0] === seen.length - 1 ? `${seen[0]}:${seen[seen.length - 1] + 1}` : null;
  });
  return parts.includes(null) ? null : `[${parts.join(",")}]`;
}

/** A sum of products [coefficient, number] as text, and its value from the digits shown. The largest three of
 *  more than six terms are written out; the sum of the rest is one number. `more` is {n, r}: n further terms
 *  with the sum r. */
function sumText(terms, digits, more = null, dtype = "float64") {
  const products = terms.map(([c, x]) => c * x);
  const order = terms.map((_, k) => k).sort((a, b) => Math.abs(products[b]) - Math.abs(products[a]));
  const kept = terms.length > 6 ? order.slice(0, 3) : terms.map((_, k) => k);
  const common = terms.length > 1 && terms.every(([c]) => c === terms[0][0]) && terms[0][0] !== 1 ? terms[0][0] : null;
  const over = common !== null && Math.abs(Math.round(1 / common) * common - 1) < 1e-6 ? Math.round(1 / common) : null; // a mean
  let value = 0;
  let text = "";
  let exact = true;
  const add = (part, number) => {
    text += text ? ` + ${part.startsWith("−") ? `(${part})` : part}` : part;
    value += number;
  };
  for (const k of kept) {
    const [c, x] = over === null ? terms[k] : [1, terms[k][1]];
    exact &&= shownWhole(c, digits, dtype) && shownWhole(x, digits, dtype);
    add(termText(c, x, digits), Number(asShown(c, digits)) * asShown(x, digits));
  }
  if (kept.length < terms.length) {
    const rest = order.slice(3).reduce((sum, k) => sum + (over === null ? products[k] : terms[k][1]), 0);
    exact &&= shownWhole(rest, digits, dtype);
    add(`(${terms.length - 3} more: ${numberText(rest, digits)})`, asShown(rest, digits));
  }
  if (more) exact &&= shownWhole(more.r, digits, dtype);
  if (more) add(`(${more.n} more: ${numberText(more.r, digits)})`, asShown(more.r, digits));
  return over === null ? { text, value, exact } : { text: `(${text})/${over < 0 ? `(−${-over})` : over}`, value: value / over, exact };
}

/** c·x, or x if c is 1. */
function termText(c, x, digits) {
  if (c === 1) return numberText(x, digits);
  const second = numberText(x, digits);
  return `${numberText(c, digits)}·${ATOM.test(second) ? second : `(${second})`}`;
}

/** The shortest true equation: operands with enough digits that they give the result as it is shown.
 *  `write(digits)` is the text of the right side with its value; null if no number of digits does it. */
function trueTo(value, write, dtype = "float64") {
  if (Math.abs(value) === Infinity) {
    const side = write(4);
    if (!side || Math.sign(side.value) !== Math.sign(value)) return null; // 1/0 isn't 1/(−0)
    const shown = numberText(value);
    return { numbers: side.text, shown, digits: 4, sign: signBetween(side.text, shown), bind: bindOf(side), overflow: overflowNote(side.text, shown, dtype) };
  }
  for (const shown of [4, 3, 2])
    for (const digits of [4, 5, 6, 7, 9, 13, 17]) {
      const side = write(digits);
      if (!side) return null;
      if (!agrees(side.value, asShown(value, shown), shown)) continue;
      const text = numberText(value, shown);
      if (side.text === text) return { numbers: "", shown: text, digits: shown, sign: signOf(value, shown, dtype) };
      return { numbers: side.text, shown: text, digits: shown, sign: signBetween(side.text, text), bind: bindOf(side) };
    }
  return null;
}

/** The sign between a formula with names and the one with numbers: "≈" if a number is rounded. */
function bindOf(side) {
  return side.exact === false ? "≈" : "=";
}

function agrees(found, shown, digits) {
  if (!Number.isFinite(found) || !Number.isFinite(shown)) return Object.is(found, shown);
  if (shown === 0) return Math.abs(found) < 1e-12;
  return Math.abs(found - shown) <= 0.51 * 10 ** (Math.floor(Math.log10(Math.abs(shown))) - digits + 1);
}
