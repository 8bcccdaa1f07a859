// Answers as they are typed: numbers, arrays and formulas in the names of the cards.

class Unreadable extends Error {}

/** A product of matrices whose shapes don't fit: `tree` is the product, `shapes` those of its factors. */
class Misfit extends Unreadable {
  constructor(tree, shapes, text) {
    super(text);
    Object.assign(this, { tree, shapes });
  }
}

/** A name without what may be typed in another way: h₁, h_1 and h1 are one name. */
function plainName(name) {
  return name.normalize("NFKC").trim().replace(/_(?=\d+$)/, "");
}

const nameOf = (place) => nodes[place].n;
const isLiteral = (place) => nodes[place].t === "constant" && /^[−-]?[\d.]+(e[−+-]?\d+)?$/.test(nodes[place].n);
const byName = new Map();
nodes.forEach((node, place) => !isLiteral(place) && byName.set(plainName(node.n), place));

const unary = (name) => (x) => m[name](x);
const sigmoid = (x) => m.divide(1, m.add(1, m.exp(m.negative(x))));
const FUNCTIONS = {
  sin: unary("sin"), cos: unary("cos"), tan: unary("tan"), exp: unary("exp"), log: unary("log"), ln: unary("log"),
  sqrt: unary("sqrt"), tanh: unary("tanh"), sinh: unary("sinh"), cosh: unary("cosh"), abs: unary("absolute"),
  sign: unary("sign"), square: unary("square"), arctan: unary("arctan"), sigmoid, "σ": sigmoid,
  relu: (x) => m.maximum(x, 0), softplus: (x) => m.logaddexp(x, 0),
  sum: (x, axis) => m.sum(x, { axis: axisOf(axis) }),
  mean: (x, axis) => {
    const total = m.sum(x, { axis: axisOf(axis) });
    return m.multiply(total, total.data.length / x.data.length);
  },
  max: (x, y) => (y ? m.maximum(x, y) : m.max(x, {})),
  min: (x, y) => (y ? m.minimum(x, y) : m.min(x, {})),
  softmax: (x) => {
    const e = m.exp(m.subtract(x, m.max(x, { axis: x.shape.length - 1, keepdims: true })));
    return m.divide(e, m.sum(e, { axis: x.shape.length - 1, keepdims: true }));
  },
  transpose: (x) => transposedOf(x), T: (x) => transposedOf(x), ones: (x) => m.ones_like(x),
};
const axisOf = (axis) => (axis ? axis.data[0] : null);
const CONSTANTS = new Map([["pi", Math.PI], ["π", Math.PI], ["e", Math.E], ["ℯ", Math.E]]); // unless a card has the name
const TWO = new Set(["sum", "mean", "max", "min"]); // functions of one or two arguments

function transposedOf(x) {
  return x.shape.length < 2 ? x : m.swapaxes(x, -1, -2);
}

const LONGEST = 2000; // characters of an answer
const SUPERSCRIPTS = { "²": 2, "³": 3, "⁴": 4 };

/** The tokens of a text: {kind, text, value or place, half: half a unit of a number's last digit}. */
function tokensOf(typed, solved) {
  const text = typed.replaceAll("−", "-").replace(/[·×⋅]/g, "*").replace(/\*\*/g, "^");
  const found = [];
  let rest = text;
  while ((rest = rest.trimStart())) {
    const [token, length] = tokenAt(rest, solved, found.at(-1));
    found.push(token);
    rest = rest.slice(length);
  }
  return found;
}

function tokenAt(rest, solved, before) {
  const derivative = /^[∂d]\s*([\p{L}\p{N}_₀-₉]+)\s*\/\s*[∂d]\s*([\p{L}\p{N}_₀-₉]+)/u.exec(rest);
  if (derivative && plainName(derivative[1]) === plainName(nameOf(result)) && byName.has(plainName(derivative[2])) && !byName.has(plainName(`d${derivative[1]}`))) {
    const place = byName.get(plainName(derivative[2]));
    if (place !== result && !solved.has(place)) throw new Unreadable(`${derivative[0]} isn't known yet: write the answer in the values on the cards.`);
    return [{ kind: "gradient", place, text: derivative[0] }, derivative[0].length];
  }
  const number = /^(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?/.exec(rest);
  if (number) return [{ kind: "number", value: Number(number[0]), half: halfUnit(number[1], number[2]), text: number[0] }, number[0].length];
  if (/^(\.T\b|ᵀ)/.test(rest)) return [{ kind: "T", text: "ᵀ" }, rest[0] === "." ? 2 : 1];
  if (SUPERSCRIPTS[rest[0]]) return [{ kind: "power", value: SUPERSCRIPTS[rest[0]], text: rest[0] }, 1];
  const word = /^(?!ᵀ)[\p{L}_](?:(?![ᵀ²³⁴])[\p{L}\p{N}_₀-₉])*/u.exec(rest); // superscripts aren't parts of names
  if (word) {
    const after = rest.slice(word[0].length).trimStart()[0];
    const place = byName.get(plainName(word[0]));
    if (word[0] in FUNCTIONS && after === "(" && (place === undefined || before?.kind !== "name")) return [{ kind: "function", text: word[0] }, word[0].length];
    if (place !== undefined) return [{ kind: "name", place, text: word[0] }, word[0].length];
    if (CONSTANTS.has(word[0])) return [{ kind: "constant", value: CONSTANTS.get(word[0]), half: 0, text: word[0] }, word[0].length];
    throw new Unreadable(unknownName(word[0], after === "("));
  }
  if ("+-*/^@()[],<>".includes(rest[0])) return [{ kind: rest[0], text: rest[0] }, 1];
  throw new Unreadable(`“${rest[0]}” can't be read here.`);
}

const MOST_NAMES = 12;

/** What to write in the place of a word that is no name: a product, a name like it, or any of the names. */
function unknownName(word, called) {
  const split = [...word].every((letter) => byName.has(letter));
  if (split && word.length > 1) return `No card is named ${word}. A product is written ${[...word].join("*")}.`;
  const names = [...byName.values()].map(nameOf);
  const known = called ? [...Object.keys(FUNCTIONS), ...names] : names;
  const numbered = names.filter((name) => plainName(name).replace(/\d+$/, "") === plainName(word));
  const close = numbered.length ? numbered : known.filter((name) => stepsBetween(name.toLowerCase(), word.toLowerCase()) <= (word.length > 4 ? 2 : word.length > 1 ? 1 : 0));
  const meant = close.length ? ` Did you mean ${close.slice(0, 3).join(" or ")}?` : "";
  const listed_ = (all) => all.slice(0, MOST_NAMES).join(", ") + (all.length > MOST_NAMES ? ", …" : "");
  if (called) return `No function is named ${word}.${meant} There are ${Object.keys(FUNCTIONS).join(", ")}.`;
  return `No card is named ${word}.${meant} The names are ${listed_(names)}.`;
}

/** The number of letters to insert, delete or replace. */
function stepsBetween(one, other) {
  let row = Array.from({ length: other.length + 1 }, (_, k) => k);
  for (let i = 1; i <= one.length; i++) {
    const next = [i];
    for (let k = 1; k <= other.length; k++) next.push(Math.min(next[k - 1] + 1, row[k] + 1, row[k - 1] + (one[i - 1] === other[k - 1] ? 0 : 1)));
    row = next;
  }
  return row[other.length];
}

/** Half a unit of the last digit: 0.005 for 2.13. */
function halfUnit(digits, power) {
  const decimals = digits.includes(".") ? digits.length - digits.indexOf(".") - 1 : 0;
  return 0.5 * 10 ** ((power ? Number(power.slice(1)) : 0) - decimals);
}

/** Parses an answer to a tree: {op, …}. `names` are the places of the cards that it names. */
function parsed(typed, solved = new Set()) {
  if (typed.length > LONGEST || (typed.match(/[([-]/g) || []).length > 400) throw new Unreadable("The answer is too long to be read.");
  const tokens = tokensOf(typed, solved);
  if (!tokens.length) throw new Unreadable("Type a number, an array such as [[1, 2], [3, 4]], or a formula.");
  const state = { tokens, at: 0, names: new Set(), gradients: new Set() };
  const tree = comparison(state);
  if (state.at < tokens.length) {
    const next = tokens[state.at];
    if (next.kind === ",") throw new Unreadable("Write decimals with a point, 0.5, and arrays in brackets, [1, 2].");
    throw new Unreadable(`“${next.text}” isn't expected here.`);
  }
  return { tree, names: state.names, gradients: state.gradients };
}

const peek = (state) => state.tokens[state.at]?.kind;

function comparison(state) {
  const left = sum(state);
  const sign = peek(state);
  if (sign !== "<" && sign !== ">") return left;
  state.at++;
  return { op: sign === "<" ? "less" : "greater", parts: [left, sum(state)] };
}

function sum(state) {
  let left = term(state);
  while (peek(state) === "+" || peek(state) === "-") {
    const op = state.tokens[state.at++].kind === "+" ? "add" : "subtract";
    left = { op, parts: [left, term(state)] };
  }
  return left;
}

const STARTS = new Set(["number", "constant", "name", "gradient", "function", "("]);
const PRODUCTS = { "*": "multiply", "/": "divide", "@": "matmul" };

function term(state) {
  let left = signed_(state);
  for (;;) {
    const next = peek(state);
    if (next in PRODUCTS) {
      state.at++;
      left = { op: PRODUCTS[next], parts: [left, signed_(state)] };
    } else if (STARTS.has(next) && !(next === "number" && state.tokens[state.at - 1].kind === "number")) {
      left = { op: "adjacent", parts: [left, power_(state)] };
    } else return left;
  }
}

function signed_(state) {
  if (peek(state) === "+") state.at++;
  if (peek(state) !== "-") return power_(state);
  state.at++;
  return { op: "negative", parts: [signed_(state)] };
}

function power_(state) {
  let base = primary(state);
  while (peek(state) === "T" || peek(state) === "power") {
    const token = state.tokens[state.at++];
    base = token.kind === "T" ? { op: "transpose", parts: [base] } : { op: "power", parts: [base, { op: "number", value: token.value }] };
  }
  if (peek(state) !== "^") return base;
  state.at++;
  return { op: "power", parts: [base, signed_(state)] };
}

function primary(state) {
  const token = state.tokens[state.at++];
  if (!token) throw new Unreadable("The answer ends too early.");
  if (token.kind === "number" || token.kind === "constant") return { op: "number", value: token.value, half: token.half };
  if (token.kind === "name" || token.kind === "gradient") {
    state[token.kind === "name" ? "names" : "gradients"].add(token.place);
    return { op: token.kind, place: token.place };
  }
  if (token.kind === "(") {
    const inside = comparison(state);
    expect(state, ")");
    return inside;
  }
  if (token.kind === "[") return { op: "array", parts: listed(state, "]") };
  if (token.kind !== "function") throw new Unreadable(`“${token.text}” isn't expected here.`);
  expect(state, "(");
  const parts = listed(state, ")");
  const most = TWO.has(token.text) ? 2 : 1;
  if (parts.length < 1 || parts.length > most) throw new Unreadable(`${token.text} takes ${most === 1 ? "one argument" : "one or two arguments"}.`);
  return { op: "call", name: token.text, parts };
}

function listed(state, end) {
  const parts = [];
  while (peek(state) !== end) {
    parts.push(comparison(state));
    if (peek(state) === ",") state.at++;
    else if (peek(state) !== end) throw new Unreadable(`A “${end}” or a comma is missing.`);
  }
  state.at++;
  return parts;
}

function expect(state, kind) {
  if (peek(state) !== kind) throw new Unreadable(`A “${kind}” is missing.`);
  state.at++;
}

// ---------------------------------------------------------------- values

/** The value of a tree in the world that the page's arithmetic is in. */
function evaluated(tree, world) {
  if (tree.op === "number") return scalar(tree.value);
  if (tree.op === "name") return within(world, () => valueOf(tree.place));
  if (tree.op === "gradient") return truthOf({ place: tree.place }, world);
  const parts = tree.parts.map((part) => evaluated(part, world));
  if (tree.op === "array") return stacked(parts);
  if (tree.op === "call") return FUNCTIONS[tree.name](...parts);
  if (tree.op === "transpose") return transposedOf(parts[0]);
  if (tree.op === "matmul") {
    try {
      return multiplied(...parts);
    } catch (error) {
      throw error instanceof Unreadable && parts.every((part) => part.shape.length) ? new Misfit(tree, parts.map((part) => part.shape), error.message) : error;
    }
  }
  if (parts.length === 2) fitting(...parts);
  if (tree.op === "adjacent" && parts.every((part) => part.shape.length)) {
    throw new Unreadable("Write @ for a product of matrices, and * for a product element by element.");
  }
  return m[tree.op === "adjacent" ? "multiply" : tree.op](...parts);
}

function stacked(parts) {
  if (!parts.length) return tensor([0], new Float64Array(0));
  if (parts.some((part) => String(part.shape) !== String(parts[0].shape))) throw new Unreadable("The rows of the array differ in length.");
  return m.stack(parts);
}

function multiplied(x, y) {
  if (!x.shape.length || !y.shape.length) throw new Unreadable("@ multiplies vectors and matrices; numbers are multiplied by *.");
  const inner = y.shape.length > 1 ? y.shape.at(-2) : y.shape[0];
  if (x.shape.at(-1) !== inner) throw new Unreadable(`Shapes ${shapeText(x.shape)} and ${shapeText(y.shape)} don't fit a matrix product in this order.`);
  fitting(tensor(x.shape.slice(0, -2)), tensor(y.shape.slice(0, -2)));
  return m.matmul(x, y);
}

function fitting(x, y) {
  const [a, b] = [x.shape, y.shape];
  for (let k = 1; k <= Math.min(a.length, b.length); k++) {
    const [p, q] = [a.at(-k), b.at(-k)];
    if (p !== q && p !== 1 && q !== 1) throw new Unreadable(`Shapes ${shapeText(a)} and ${shapeText(b)} don't fit together.`);
  }
}

/** Half units of the last digits of an answer that consists of literal numbers, or null for a formula. */
function halvesOf(tree) {
  if (tree.op === "number") return [tree.half || 0];
  if (tree.op === "negative") return halvesOf(tree.parts[0]);
  if (tree.op !== "array") return null;
  const parts = tree.parts.map(halvesOf);
  return parts.includes(null) ? null : parts.flat();
}
