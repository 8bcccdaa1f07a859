// Tiny plots: the result over a leaf with its tangent, and difference quotients for h → 0 beside ∂.

/** An SVG element with attributes and children. */
function drawn(tag, attributes, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const PLOT = { width: 300, height: 72, left: 8, right: 8, top: 8, bottom: 8 };

/** A plot with scales for numbers in these ranges: {svg, x, y}. */
function plot([x0, x1], [y0, y1], label) {
  const { width, height, left, right, top, bottom } = PLOT;
  const x = (value) => left + ((value - x0) / (x1 - x0 || 1)) * (width - left - right);
  const y = (value) => height - bottom - ((value - y0) / (y1 - y0 || 1)) * (height - top - bottom);
  return { x, y, svg: drawn("svg", { viewBox: `0 0 ${width} ${height}`, class: "plot", role: "img", "aria-label": label }) };
}

/** A path through the points with finite numbers; it is broken at others. */
function pathThrough(points) {
  let pen = "M";
  return points.map(([x, y]) => {
    if (!Number.isFinite(x) || !Number.isFinite(y)) {
      pen = "M";
      return "";
    }
    const part_ = `${pen}${x.toFixed(2)},${y.toFixed(2)}`;
    pen = "L";
    return part_;
  }).join("");
}

function span(numbers) {
  const finite = numbers.filter(Number.isFinite);
  if (!finite.length) return null;
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  const pad = high > low ? 0.06 * (high - low) : Math.max(1, Math.abs(high)) * 0.1;
  return [low - pad, high + pad];
}

/** The slope ∂result/∂leaf of one element, or null. */
function slopeOf(place, element) {
  const total = nodes[place].g ? totalOf(place) : null;
  return total && total.rows === 1 ? total.data[element] : null;
}

/** The result over one element of a leaf, a dot at its value, and the tangent there. */
function resultPlot(place, element) {
  const found = curveOver(place, element);
  const range = found && span(found.ys);
  if (!found || !range) return null;
  const { xs, ys, x, y } = found;
  const slope = slopeOf(place, element);
  const names = [nodes[result].n, elementName(place, element)];
  const said = `${names[0]} over ${names[1]}, from ${short(xs[0])} to ${short(xs[xs.length - 1])}${slope === null ? "" : `; slope ${short(slope)} at ${short(x)}`}`;
  const scale = plot([xs[0], xs[xs.length - 1]], range, said);
  const points = xs.map((at_, k) => [scale.x(at_), scale.y(ys[k])]);
  scale.svg.append(drawn("title", {}, said));
  if (found.whole) for (const [px, py] of points) if (Number.isFinite(py)) scale.svg.append(drawn("circle", { cx: px, cy: py, r: 2, class: "curve-dot" }));
  if (!found.whole) scale.svg.append(drawn("path", { d: pathThrough(points), class: "curve" }));
  if (slope !== null && Number.isFinite(slope) && Number.isFinite(y)) {
    const ends = [xs[0], xs[xs.length - 1]].map((at_) => [scale.x(at_), scale.y(y + slope * (at_ - x))]);
    scale.svg.append(drawn("path", { d: pathThrough(ends), class: "tangent" }));
  }
  if (Number.isFinite(y)) scale.svg.append(drawn("circle", { cx: scale.x(x), cy: scale.y(y), r: 4, class: "here" }));
  const line = `${names[0]} over ${names[1]}: ${short(xs[0], 3)} … ${short(xs[xs.length - 1], 3)}${slope === null ? "" : `, tangent ${short(slope, 4)}`}`;
  return make("figure", { class: "tiny" }, scale.svg, make("figcaption", { class: "caption" }, line));
}

/** (f(x + h) − f(x)) / h and (f(x + h) − f(x − h)) / 2h over log h, and ∂ as a line. */
function limitPlot(place, element) {
  const slope = slopeOf(place, element);
  const rows = slope !== null && Number.isFinite(slope) ? quotientsOver(place, element) : null;
  if (!rows) return null;
  const said = `Difference quotients for h from 1 to 1e-12, beside ∂ = ${short(slope)}`;
  // The range is that of the quotients with h ≥ 10⁻⁸, where rounding doesn't dominate.
  const range = span([slope, ...rows.filter(([h]) => h > 0.9e-8).flatMap(([, one, two]) => [one, two])]);
  const scale = plot([0, 12], range, said);
  const inside = (value) => (value >= range[0] && value <= range[1] ? scale.y(value) : NaN);
  scale.svg.append(drawn("title", {}, said),
    drawn("path", { d: pathThrough([0, 12].map((at_) => [scale.x(at_), scale.y(slope)])), class: "tangent" }));
  [["one", 1], ["two", 2]].forEach(([name, column]) => {
    const points = rows.map((row) => [scale.x(-Math.log10(row[0])), inside(row[column])]);
    scale.svg.append(drawn("path", { d: pathThrough(points), class: `quotient ${name}` }));
  });
  const best = rows.reduce((a, b) => (Math.abs(b[2] - slope) < Math.abs(a[2] - slope) ? b : a));
  const caption = make("figcaption", { class: "caption" }, "h = 1 → 10⁻¹², in double precision: ",
    make("span", { class: "one" }, "(f(x+h)−f(x))/h"), ", ", make("span", { class: "two" }, "(f(x+h)−f(x−h))/2h"),
    `; ∂ = ${short(slope, 6)}, closest ${short(best[2], 6)} at h = ${best[0].toExponential(0).replace("-", "−")}`);
  return make("figure", { class: "tiny", "data-closest": best[2] }, scale.svg, caption);
}

/** a, or W[0, 2] for an element of an array. */
function elementName(place, element) {
  const node = nodes[place];
  if (sizeOf(place) === 1 || !node.sh) return node.n;
  const strides = stridesOf(node.sh);
  return `${node.n}[${node.sh.map((size, axis) => Math.floor(element / strides[axis]) % size).join(", ")}]`;
}
