// Numbers as text: rounded for cards, with all digits for verification, and both as HTML.

/** A number with at most `digits` significant digits, without an exponent if it is readable so. */
function short(x, digits = 4) {
  if (Number.isNaN(x)) return "NaN";
  if (!Number.isFinite(x)) return x > 0 ? "∞" : "−∞";
  if (Number.isInteger(x) && Math.abs(x) < 1e6) return signed(String(x));
  const text = x !== 0 && Math.abs(x) < 1e-4 ? x.toExponential(digits - 1) : x.toPrecision(digits);
  const [front, power] = text.includes("e") ? text.split("e") : [text, ""];
  const trimmed = front.includes(".") ? front.replace(/\.?0+$/, "") : front;
  return signed(power ? `${trimmed}e${power.replace("+", "")}` : trimmed);
}

/** A number as a factor after another: in brackets if it is negative. */
function factor(x) {
  return x < 0 ? `(${short(x)})` : short(x);
}

/** The shortest text that identifies a double (or a float32). */
function full(x, dtype = "float64") {
  if (!Number.isFinite(x)) return short(x);
  if (dtype === "float32") {
    for (let digits = 1; digits <= 9; digits++) {
      const text = x.toPrecision(digits);
      if (Math.fround(Number(text)) === x) return signed(String(Number(text)));
    }
  }
  return signed(String(x));
}

/** The text with a typographic minus sign. */
function signed(text) {
  return text.replaceAll("-", "−");
}

/** All digits as HTML: the leading ones, and the rest in a lighter colour. */
function digitsOf(x, dtype) {
  const text = full(x, dtype);
  const power = text.search(/e/);
  const body = power < 0 ? text : text.slice(0, power);
  const end = body.replace(/^[−0.]*/, "");
  const lead = body.length - end.length;
  let cut = lead;
  for (let seen = 0; cut < body.length && seen < 6; cut++) if (body[cut] !== ".") seen++;
  const point = body.indexOf(".");
  if (point < 0 || cut >= body.length) return `<span class="number">${text}</span>`;
  cut = Math.max(cut, point);
  const tail = power < 0 ? "" : text.slice(power);
  return `<span class="number">${body.slice(0, cut)}<span class="rest">${body.slice(cut)}</span>${tail}</span>`;
}

/** A count with thousands separators; a BigInt above a trillion as a power of ten. */
function counted(n) {
  const text = String(n);
  if (text.length > 12) return `${text[0]}.${text.slice(1, 3)} × 10^${text.length - 1}`;
  return text.replace(/\B(?=(\d{3})+(?!\d))/g, " ");
}

/** Text escaped for HTML. */
function safe(text) {
  return String(text).replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);
}

/** A shape in Python's notation. */
function shapeText(shape) {
  if (!shape) return "?";
  return `(${shape.map((d) => (d === null ? "?" : d)).join(", ")}${shape.length === 1 ? "," : ""})`;
}

/** Creates an element from a tag, attributes and children (text or elements). */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "html") element.innerHTML = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** The element with this id. */
function at(id) {
  return document.getElementById(id);
}
