// Complex numbers: values and gradients as they were exported, since the page doesn't compute with them.

const SHOWN_COMPLEX = 256; // numbers listed in the details
const isComplex = (place) => (nodes[place].d || "").startsWith("complex");

/** A complex number as text: 1+2i. Parts that are rounding errors of the other are 0 unless all digits are written. */
function complexText(re, im, write = (x) => short(x, 4), whole = false) {
  const [a, b] = whole ? [re, im] : [re, im].map((x, k) => (Math.abs(x) < 1e-12 * Math.abs(k ? re : im) ? 0 : x));
  const part = write(b);
  return `${write(a)}${/^[−-]/.test(part) ? "" : "+"}${part}i`;
}

/** The texts of a node's complex value, or of its gradient; null if the page doesn't have them, as after an edit. */
function complexTexts(place, gradient, write, whole) {
  const found = nodes[place].z?.[gradient ? "g" : "v"];
  if (!found || stale.has(place) || foreign || (gradient && edited.size)) return null;
  return found[0].map((re, k) => complexText(Number(re), Number(found[1][k]), write, whole));
}

/** The gradient of a complex node on its card, once the backward pass is complete. */
function complexGradient(place, digits) {
  if (state.step < schedule.steps.length || sizeOf(place) !== 1) return "";
  const [text] = complexTexts(place, true, (x) => short(x, digits)) || [];
  return text ? `∂ ${text}` : "";
}

function complexList(place, gradient) {
  const { d, n, sh } = nodes[place];
  const texts = complexTexts(place, gradient, (x) => full(x, d === "complex64" ? "float32" : "float64"), true);
  if (!texts) return null;
  const columns = sh.at(-1) ?? 1;
  const rows = Array.from({ length: Math.ceil(Math.min(texts.length, SHOWN_COMPLEX) / columns) }, (_, k) => texts.slice(k * columns, (k + 1) * columns));
  const cells = rows.map((row) => make("tr", {}, ...row.map((text) => make("td", {}, text))));
  const more = texts.length > rows.length * columns ? make("p", { class: "note" }, `The first ${rows.length * columns} of ${counted(texts.length)}: Export has all.`) : null;
  return make("div", {}, make("div", { class: "matrix complex", tabindex: "0", role: "group", "aria-label": `${gradient ? "gradient" : "value"} of ${n}` }, make("table", {}, ...cells)), more);
}

/** The value and gradient of a complex node in the details, with the convention of the gradient. */
function complexPart(place) {
  const { n, z } = nodes[place];
  const value = complexList(place, false);
  const found = [part("Value", value || make("p", { class: "note" }, stale.has(place) || foreign ? "Not computed in the page." : z ? "Unknown." : "Too large for the page, or unknown."))];
  const gradient = complexList(place, true);
  const convention = `For a part a + ib of ${n} it is ∂/∂a − i·∂/∂b, so that the change of the result is the real part of ∂ times that of ${n}; a descending step goes along −conj(∂).`;
  if (gradient) found.push(make("section", {}, make("h2", {}, make("span", { class: "derive" }, `∂${nodes[result].n} / ∂${n}`)), gradient, make("p", { class: "caption" }, convention)));
  if (!ins[place].length) found.push(make("p", { class: "note" }, "Complex numbers can't be edited here, as the page doesn't compute with them: change the value in Python."));
  return found;
}

/** The caption of a complex node: its formula, and its value if that is one number. */
function complexEquation(place, head) {
  const [text] = (sizeOf(place) === 1 && complexTexts(place, false)) || [];
  const [whole] = (text && complexTexts(place, false, (x) => full(x), true)) || [];
  if (text) return [{ ...head, sign: text === whole ? "=" : "≈", shown: text, entry: 0 }];
  return head.symbols ? [{ ...head, note: shapeNote(place) }] : [];
}
