// What leaves the page: the graph as SVG or PNG, the numbers as CSV, and a link with the edits.

const MARGIN = 24; // around the exported picture
const SIDE = 16000; // pixels of the longest side of a PNG
const PIXELS = 1e8;

/** The rectangle that the cards, lines and frames take. */
function extent() {
  const seen = { left: Infinity, right: -Infinity, top: Infinity, bottom: -Infinity };
  const take = (left, right, top, bottom) => Object.assign(seen, { left: Math.min(seen.left, left), right: Math.max(seen.right, right), top: Math.min(seen.top, top), bottom: Math.max(seen.bottom, bottom) });
  for (const b of scene.boxes) take(b.x - b.w / 2, b.x + b.w / 2, b.y - b.h / 2, b.y + b.h / 2);
  for (const l of scene.lines) take(l.left, l.right, l.top, l.bottom);
  for (const f of frames.values()) take(f.left, f.right, f.top, f.bottom);
  return { x: seen.left - MARGIN, y: seen.top - MARGIN, width: seen.right - seen.left + 2 * MARGIN, height: seen.bottom - seen.top + 2 * MARGIN };
}

/** Draws the whole graph with every detail, in graph coordinates. */
function drawWhole(pen) {
  const kept = { ...camera };
  camera.scale = 1;
  light([], "export");
  try {
    paintFrames(pen);
    paintLines(pen, scene.lines.map((_, k) => k), 2);
    for (const box of scene.boxes) paintBox(pen, box, 2);
    paintNumbers(pen, scene.lines.map((_, k) => k));
  } finally {
    Object.assign(camera, kept);
    redraw();
  }
}

/** The graph as the text of an SVG file, with plain colours as attributes. */
function svgText() {
  const { x, y, width, height } = extent();
  const pen = new SvgPen();
  pen.fillStyle = ink.paper;
  pen.fillRect(x, y, width, height);
  drawWhole(pen);
  const box = [x, y, width, height].map(near2).join(" ");
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${near2(width)}" height="${near2(height)}" viewBox="${box}" role="img"><title>${safe(data.title)}</title>\n${pen.parts.join("\n")}\n</svg>\n`;
}

/** The graph as a canvas, two pixels a unit where that isn't too large. */
function pngCanvas() {
  const { x, y, width, height } = extent();
  const scale = Math.min(2, SIDE / width, SIDE / height, Math.sqrt(PIXELS / (width * height)));
  const picture = make("canvas", { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) });
  const g = picture.getContext("2d");
  g.setTransform(scale, 0, 0, scale, -x * scale, -y * scale);
  g.fillStyle = ink.paper;
  g.fillRect(x, y, width, height);
  drawWhole(g);
  return picture;
}

/** One row for each number: node, name, operation, dtype, shape, index, value, gradient. */
function csvText() {
  const cell = (text) => (/[",\n\r]/.test(text) || /^[=+@\t]/.test(text) ? `"${String(text).replaceAll('"', '""')}"` : text);
  const rows = ["node,name,operation,dtype,shape,index,value,gradient"];
  let missing = 0;
  nodes.forEach((node, place) => {
    const [value, total] = [valueOf(place), totalOf(place)];
    const gradient = total && total.rows === 1 ? total.data : null;
    const head = [node.k, node.n, node.t === "operation" ? node.o : node.t, node.d || "", node.parts ? "" : shapeText(node.sh)].map(cell).join(",");
    const complex = isComplex(place) && complexTexts(place, false, (x) => numeral(x, node.d === "complex64" ? "float32" : "float64"), true);
    if (complex) {
      const slopes = complexTexts(place, true, (x) => numeral(x), true) || [];
      const python = (text) => (text || "").replace(/i$/, "j");
      complex.forEach((x, k) => rows.push(`${head},${cell(csvIndex(node, k))},${python(x)},${python(slopes[k])}`));
      return;
    }
    if (!value) {
      missing += 1;
      rows.push(`${head},,,`);
      return;
    }
    const exact = edited.size ? null : node.v?.x;
    value.data.forEach((x, k) => rows.push(`${head},${cell(csvIndex(node, k))},${exact ? exact[k] : numeral(x, node.d)},${gradient ? numeral(gradient[k]) : ""}`));
  });
  return [`${rows.join("\r\n")}\r\n`, missing];
}

function csvIndex(node, k) {
  if (node.parts || !node.sh) return String(k);
  const strides = stridesOf(node.sh);
  return node.sh.map((size, axis) => Math.floor(k / strides[axis]) % size).join(" ");
}

/** A number as Python and spreadsheets read it. */
function numeral(x, dtype) {
  if (Number.isNaN(x)) return "nan";
  if (!Number.isFinite(x)) return x > 0 ? "inf" : "-inf";
  return Object.is(x, -0) ? "-0.0" : full(x, dtype).replaceAll("−", "-");
}

function save(name, blob) {
  const link_to = make("a", { href: URL.createObjectURL(blob), download: name });
  document.body.append(link_to);
  link_to.click();
  link_to.remove();
  setTimeout(() => URL.revokeObjectURL(link_to.href), 10000);
}

/** Whether the page has an address of its own: a notebook's frame hasn't. */
function hasAddress() {
  return !/^(about|blob|data):/.test(location.href);
}

/** The page's address with the selection and the edits, or "" where it has none, as in a notebook. */
function address() {
  link();
  if (writtenEdits().length >= LONGEST) return "";
  return hasAddress() && location.href.length < LONGEST + 2000 ? location.href : "";
}

const EXPORTS = {
  "export-svg": (name) => save(`${name}.svg`, new Blob([svgText()], { type: "image/svg+xml" })),
  "export-png": (name) => pngCanvas().toBlob((blob) => (blob ? save(`${name}.png`, blob) : notify("The picture is too large for a PNG: export SVG."))),
  "export-csv": (name) => {
    const [text, missing] = csvText();
    save(`${name}.csv`, new Blob([text], { type: "text/csv" }));
    if (missing) notify(`${counted(missing)} arrays are unknown or shown as summaries here; their rows are empty.`);
  },
  "export-link": () => {
    const text = address();
    if (!text) {
      notify(hasAddress() ? "The edits are too many for an address." : "This page has no address: save it with pg.view(…, \"page.html\") and open that file.");
      return;
    }
    const said = () => notify("Copied: a link to this page with the selection and the edits.");
    const field = at("export-address");
    field.value = text;
    field.hidden = false;
    field.select();
    if (navigator.clipboard) navigator.clipboard.writeText(text).then(said, () => notify("Copy the link from the field."));
    else notify("Copy the link from the field.");
  },
};

function startExport() {
  const [button, menu] = [at("export"), at("export-menu")];
  const show = (open) => {
    menu.hidden = !open;
    button.setAttribute("aria-expanded", String(open));
  };
  button.onclick = () => show(menu.hidden);
  document.addEventListener("pointerdown", (event) => {
    if (!menu.hidden && !menu.contains(event.target) && event.target !== button) show(false);
  });
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    show(false);
    button.focus();
    event.stopPropagation();
  });
  const name = (data.title.normalize("NFKD").replace(/[^\w.-]+/g, "_").replace(/^_+|_+$/g, "") || "graph").slice(0, 60);
  for (const [id, run_] of Object.entries(EXPORTS)) {
    at(id).onclick = () => {
      run_(name);
      if (id !== "export-link") show(false);
    };
  }
}
