// Draws arrays on cards: numbers, heat maps with a signed scale, images.

const drawings = new Map(); // "place gradient" → {key, tiles, top}: the tiles as canvases

/** The numbers of an array's tiles: {r, c, tiles, top}; null if they are unknown. */
function tilesOf(place, gradient) {
  const { pic, v, j, sh } = nodes[place];
  const total = gradient ? totalOf(place) : null;
  const array = gradient ? (total && total.rows === 1 ? total.data : null) : valueOf(place)?.data;
  if (array) {
    const size = pic.r * pic.c;
    const tiles = Array.from({ length: pic.n }, (_, tile) => (pic.t ? Float64Array.from({ length: size }, (_, k) => array[k * sh[1] + tile]) : array.subarray(tile * size, (tile + 1) * size)));
    return { r: pic.r, c: pic.c, tiles, top: most(array) };
  }
  const small = (gradient ? j : v)?.p;
  if (!small || edited.size || foreign) return null;
  const bytes = Int8Array.from(atob(small.d), (letter) => letter.charCodeAt(0));
  const size = small.r * small.c;
  const tiles = Array.from({ length: pic.n }, (_, tile) => Float64Array.from(bytes.subarray(tile * size, (tile + 1) * size), (x) => (x * small.m) / 127));
  return { r: small.r, c: small.c, tiles, top: small.m };
}

/** The tiles as canvases, drawn again after an edit or in another theme. */
function drawnTiles(place, gradient) {
  const name = `${place} ${gradient}`;
  const key = `${state.version} ${state.run} ${ink.surface}`;
  if (drawings.get(name)?.key !== key) {
    const found = tilesOf(place, gradient);
    const grey = found && nodes[place].pic.i && !gradient && found.tiles.every((tile) => tile.every((x) => x >= 0));
    drawings.set(name, { key, top: found?.top, tiles: found && found.tiles.map((tile) => pixelsOf(found.r, found.c, tile, found.top, grey)) });
  }
  return drawings.get(name);
}

/** A tile as a canvas with a pixel for each number: grey for images, else blue below zero and orange above. */
function pixelsOf(rows, columns, numbers, top, grey) {
  const canvas_ = document.createElement("canvas");
  Object.assign(canvas_, { width: columns, height: rows });
  const g = canvas_.getContext("2d");
  const image = g.createImageData(columns, rows);
  const light = [1, 3, 5].map((k) => parseInt(ink.ink.slice(k, k + 2), 16));
  numbers.forEach((x, k) => {
    const part = top ? Math.abs(x) / top : 0;
    const colour = !Number.isFinite(x) ? [213, 94, 0, 255] : grey ? [...light, 255 * part] : x === 0 ? [0, 0, 0, 0] : [...(x > 0 ? [230, 159, 0] : [0, 114, 178]), 30 + 225 * part ** 0.7];
    image.data.set(colour, 4 * k);
  });
  g.putImageData(image, 0, 0);
  return canvas_;
}

const TALLEST = 18; // the largest digits that rows of numbers have space for, in the graph's units

/** Draws the array of a card, and its gradient once it is complete. Returns whether it is legible there. */
function paintArray(g, box, known, fill) {
  const { pic } = nodes[box.node];
  if (!pic || !known || stale.has(box.node)) return false;
  const paint_ = pic.k === "numbers" ? paintNumbersOf : paintPictureOf;
  const both = pic.g && (nodes[box.node].z ? state.step === schedule.steps.length : hasGradient(box.node, state.step));
  if (pic.k === "numbers" && !(legibleNumbers(g, box.node, false) && (!both || legibleNumbers(g, box.node, true)))) return false;
  paint_(g, box, false, fill);
  if (both) paint_(g, box, true, fill);
  return true;
}

/** The texts of the numbers on a card with as many digits, up to three, as their cells have space for; null without space. */
function legibleNumbers(g, place, gradient) {
  const { pic, z } = nodes[place];
  const size = type(11.5);
  const numbers = z ? null : tilesOf(place, gradient)?.tiles[0];
  if (size > TALLEST) return null;
  g.font = `${size}px ${ink.mono}`;
  const letter_ = g.measureText("0").width;
  for (const digits of [3, 2, 1]) {
    const write = (x) => short(x, digits);
    const texts = z ? complexTexts(place, gradient, write) : numbers && Array.from(numbers, write);
    if (!texts) return [];
    if (letter_ * texts.reduce((n, text) => Math.max(n, text.length), 0) <= pic.s[0] - 4) return texts;
  }
  return null;
}

function paintNumbersOf(g, box, gradient, fill) {
  const { pic } = nodes[box.node];
  const texts = legibleNumbers(g, box.node, gradient);
  if (!texts || !texts.length) return;
  const colour = fill ? contrast(fill) : gradient ? ink.backward : ink.forward;
  g.textBaseline = "middle";
  g.textAlign = "right";
  texts.forEach((text, k) => {
    const [left, top, w, h] = cellOf(box, k, gradient);
    g.fillStyle = colour;
    g.fillText(text, left + w - 2, top + h / 2 + 0.5);
  });
  const [left, top] = pictureCorner(box, gradient);
  bracket(g, left + 1, top + 1, pictureSize(pic)[0], pictureSize(pic)[1] - 2, colour);
}

/** The brackets of a matrix. */
function bracket(g, left, top, wide, high, colour) {
  g.strokeStyle = colour;
  g.lineWidth = 0.9;
  for (const [x, way] of [[left, 3], [left + wide, -3]]) {
    g.beginPath();
    g.moveTo(x + way, top);
    g.lineTo(x, top);
    g.lineTo(x, top + high);
    g.lineTo(x + way, top + high);
    g.stroke();
  }
}

function paintPictureOf(g, box, gradient, fill) {
  const { pic } = nodes[box.node];
  const { tiles, top } = drawnTiles(box.node, gradient);
  const [left, upper] = pictureCorner(box, gradient);
  const [wide, high] = pictureSize(pic);
  const colour = gradient ? ink.backward : ink["strong-line"];
  const [w, h] = pic.s;
  for (let tile = 0; tile < pic.n; tile++) {
    const [x, y] = [left + (tile % pic.a) * (w + TILE_GAP), upper + Math.floor(tile / pic.a) * (h + TILE_GAP)];
    g.fillStyle = ink.surface;
    g.fillRect(x, y, w, h);
    if (tiles) {
      g.imageSmoothingEnabled = w * camera.scale * devicePixelRatio < tiles[tile].width;
      g.drawImage(tiles[tile], x, y, w, h);
    }
    g.strokeStyle = colour;
    g.lineWidth = 0.8;
    g.strokeRect(x, y, w, h);
  }
  if (top === undefined) return;
  g.fillStyle = fill ? contrast(fill) : gradient ? ink.backward : ink.soft;
  const size = type(11);
  const text = `${gradient ? "∂ " : ""}${top ? "±" : ""}${short(top, 2)}`;
  g.font = `${size}px ${ink.mono}`;
  if (size > 16 || g.measureText(text).width > pic.w + 8) return; // too small to be read: the details have the scale
  g.textAlign = "center";
  g.textBaseline = "alphabetic";
  g.fillText(text, left + wide / 2, upper + high + size);
}

/** The images of an array for the details panel, three screen pixels for each number; null without images. */
function imagesView(place, gradient) {
  const { pic, sh } = nodes[place];
  if (!pic || !pic.i || (gradient && !pic.g)) return null;
  const { tiles } = drawnTiles(place, gradient);
  if (!tiles) return null;
  const label = (k) => `${pic.t ? "column" : "row"} ${k}`;
  const shown = tiles.map((tile, k) => {
    const copy = make("canvas", { width: tile.width, height: tile.height, role: "img", "aria-label": `${gradient ? "gradient of " : ""}${nodes[place].n}, ${label(k)}`, title: label(k) });
    copy.getContext("2d").drawImage(tile, 0, 0);
    return copy;
  });
  const size = sh.reduce((a, b) => a * b, 1) / (pic.r * pic.c);
  return make("div", {}, make("div", { class: "images" }, ...shown), size > pic.n ? make("p", { class: "caption" }, `the first ${pic.n} of ${counted(size)}`) : null);
}

/** Marks the lit entries of a card. */
function paintLit(g, box) {
  if (!nodes[box.node].pic) return;
  for (const gradient of [false, true]) {
    const entries = litEntries.get(`${box.node} ${gradient}`);
    if (!entries) continue;
    g.strokeStyle = g.fillStyle = ink.chosen;
    g.lineWidth = 1.3;
    for (const entry of entries) {
      const cell = cellOf(box, entry, gradient);
      if (!cell) continue;
      const [x, y, w, h] = cell;
      if (Math.min(w, h) >= 4) g.strokeRect(x + 0.5, y + 0.5, w - 1, h - 1);
      else {
        g.globalAlpha = 0.55;
        g.fillRect(x, y, Math.max(w, 0.8), Math.max(h, 0.8));
        g.globalAlpha = 1;
      }
    }
  }
}
