// Displays an array as a number, a table of coloured cells, a heat map, or a summary with a slice.

/** The colour of a number: blue below zero, orange above (a pair safe for colour-blind readers), by magnitude. */
function heat(x, most) {
  if (!Number.isFinite(x)) return "#d55e0099";
  const strength = most ? Math.min(1, Math.abs(x) / most) : 0;
  const alpha = Math.round(30 + 190 * strength ** 0.7).toString(16).padStart(2, "0");
  return x === 0 ? "transparent" : x > 0 ? `#e69f00${alpha}` : `#0072b2${alpha}`;
}

/** The largest finite magnitude among the numbers. */
function most(numbers) {
  return numbers.reduce((best, x) => (Number.isFinite(x) ? Math.max(best, Math.abs(x)) : best), 0);
}

/** A table of rows × columns numbers, each cell coloured by its number. */
function table(rows, columns, numbers, { write = (x) => short(x, 3), label = "matrix" } = {}) {
  const top = most(numbers);
  const head = make("tr", {}, make("td"), ...Array.from({ length: columns }, (_, j) => make("th", { scope: "col" }, String(j))));
  const body = Array.from({ length: rows }, (_, i) =>
    make("tr", {}, make("th", { scope: "row" }, String(i)), ...Array.from({ length: columns }, (_, j) => {
      const x = numbers[i * columns + j];
      const cell = write(x);
      return make("td", { style: `background:${heat(x, top)}`, title: full(x) }, cell);
    })));
  return make("div", { class: "matrix", tabindex: "0", role: "group", "aria-label": label }, make("table", {}, head, ...body));
}

/** A heat map with one cell for each number, and a line of text about the cell under the pointer. */
function heatmap(rows, columns, numbers, label) {
  const cell = Math.max(1, Math.min(14, Math.floor(330 / columns), Math.ceil(260 / rows)));
  const picture = make("canvas", { width: columns, height: rows, style: `width:${columns * cell}px;height:${rows * cell}px`, role: "img", "aria-label": label });
  const g = picture.getContext("2d");
  const top = most(numbers);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) {
      g.fillStyle = numbers[i * columns + j] === 0 ? ink.raised : heat(numbers[i * columns + j], top);
      g.fillRect(j, i, 1, 1);
    }
  const line = make("div", { class: "at" }, "");
  picture.addEventListener("pointermove", (event) => {
    const j = Math.min(columns - 1, Math.floor((event.offsetX / picture.clientWidth) * columns));
    const i = Math.min(rows - 1, Math.floor((event.offsetY / picture.clientHeight) * rows));
    line.textContent = `[${i}, ${j}]  ${full(numbers[i * columns + j])}`;
  });
  return make("div", { class: "matrix" }, picture, line);
}

/** A matrix as a table if it is small, else as a heat map. */
function matrixView(rows, columns, numbers, label, options = {}) {
  if (rows * columns === 1) return make("div", { html: digitsOf(numbers[0]) });
  if (columns <= 10 && rows <= 16) return table(rows, columns, numbers, { label, ...options });
  return heatmap(rows, columns, numbers, label);
}

/** An array of any shape: the last two axes as a matrix, with a selector for each other index. */
function arrayView(shape, numbers, label, dtype) {
  if (!numbers.length) return make("p", { class: "note" }, "no elements");
  if (numbers.length === 1) return make("div", { class: "big", html: digitsOf(numbers[0], dtype) });
  const [rows, columns] = shape.length < 2 ? [1, numbers.length] : shape.slice(-2);
  const lead = shape.slice(0, -2);
  const chosen = lead.map(() => 0);
  const box = make("div");
  const show = () => {
    const strides = stridesOf(lead);
    const start = chosen.reduce((sum, k, axis) => sum + k * strides[axis], 0) * rows * columns;
    box.replaceChildren(matrixView(rows, columns, numbers.slice(start, start + rows * columns), label));
  };
  show();
  if (!lead.length) return box;
  const picks = lead.map((size, axis) =>
    make("label", { class: "field" }, `axis ${axis}`, make("input", {
      type: "number", min: 0, max: size - 1, value: 0, style: "width:64px",
      oninput: (event) => {
        chosen[axis] = Math.max(0, Math.min(size - 1, Math.round(Number(event.target.value)) || 0));
        show();
      },
    })));
  return make("div", {}, make("div", { class: "row" }, ...picks), box);
}

/** A summary with a histogram, and the exported slice. */
function summaryView(array, label) {
  const { s, c } = array;
  const fact = (name, x) => (x === undefined ? [] : [make("dt", {}, name), make("dd", {}, typeof x === "number" ? short(x, 5) : String(x))]);
  const parts = [make("dl", { class: "facts" }, ...fact("elements", counted(s.n)), ...fact("smallest", s.min), ...fact("largest", s.max),
    ...fact("mean", s.mean), ...fact("deviation", s.std), ...fact("zeros", counted(s.zeros)),
    ...(s.nan ? fact("NaN", counted(s.nan)) : []), ...(s.inf ? fact("infinite", counted(s.inf)) : []))];
  if (s.hist) {
    const high = Math.max(...s.hist);
    parts.push(make("div", { class: "hist", role: "img", "aria-label": `Histogram from ${short(s.min)} to ${short(s.max)}` },
      ...s.hist.map((n) => make("i", { style: `height:${(100 * n) / high}%`, title: counted(n) }))));
  }
  if (c[2].length) {
    parts.push(make("p", { class: "caption" }, `The first ${c[0]} × ${c[1]} of the last axes`),
      matrixView(c[0], c[1], c[2].map(Number), `${label}, a slice`));
  }
  return make("div", {}, ...parts);
}

/** The structure of a matrix in a word, found from its numbers. */
function structureOf(rows, columns, numbers) {
  if (rows * columns === 1) return "number";
  let [diagonal, selecting, equal, zero] = [rows === columns, true, true, true];
  for (let i = 0; i < rows; i++) {
    let hot = 0;
    for (let j = 0; j < columns; j++) {
      const x = numbers[i * columns + j];
      if (x !== 0) {
        zero = false;
        hot++;
        if (i !== j) diagonal = false;
        if (x !== 1) selecting = false;
      }
      if (diagonal && i === j && x !== numbers[0]) equal = false;
    }
    if (hot > 1) selecting = false;
  }
  if (zero) return "zero";
  if (diagonal) return equal ? (numbers[0] === 1 ? "identity" : `${short(numbers[0], 3)} · identity`) : "diagonal";
  if (selecting) return permutes(rows, columns, numbers) ? "permutation" : "selection";
  if (rows === 1 || columns === 1) return rows === 1 ? "row" : "column";
  return rankOne(rows, columns, numbers) ? "outer product (rank 1)" : blocky(rows, columns, numbers);
}

function permutes(rows, columns, numbers) {
  if (rows !== columns) return false;
  return Array.from({ length: columns }, (_, j) => j).every((j) => {
    let total = 0;
    for (let i = 0; i < rows; i++) total += numbers[i * columns + j];
    return total === 1;
  });
}

/** Whether all rows are multiples of one row, up to rounding. */
function rankOne(rows, columns, numbers) {
  const top = most(numbers);
  const pivot = numbers.findIndex((x) => Math.abs(x) === top);
  const [pi, pj] = [Math.floor(pivot / columns), pivot % columns];
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) {
      const cross = (numbers[i * columns + pj] * numbers[pi * columns + j]) / numbers[pivot];
      if (!(Math.abs(cross - numbers[i * columns + j]) <= 1e-12 * top)) return false;
    }
  return true;
}

/** "blocks" where most entries are zero, else "dense". */
function blocky(rows, columns, numbers) {
  const zeros = numbers.reduce((n, x) => n + (x === 0 ? 1 : 0), 0);
  return zeros >= 0.5 * rows * columns ? "sparse blocks" : "dense";
}
