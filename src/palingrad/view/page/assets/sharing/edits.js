// Edits in the address: each edited leaf's numbers, so that a link or a reload restores them bit for bit.

const IN_DECIMAL = 16; // numbers of the largest leaf that is written in decimal; larger ones in base64
const LONGEST = 60000; // characters of edits in an address

/** The shortest decimal that reads back as the same double. */
function exactly(x) {
  return Object.is(x, -0) ? "-0" : String(x);
}

/** "n0:1.5;n3:~…" of the current edits; "" without edits. */
function writtenEdits() {
  return [...edited].map(([place, { data: numbers }]) => `${nodes[place].k}:${numbers.length <= IN_DECIMAL ? Array.from(numbers, exactly).join(",") : packedEdits(numbers)}`).join(";");
}

/** Doubles in base64, little-endian, after "~". */
function packedEdits(numbers) {
  const bytes = new DataView(new ArrayBuffer(8 * numbers.length));
  numbers.forEach((x, k) => bytes.setFloat64(8 * k, x, true));
  let text = "";
  for (const byte of new Uint8Array(bytes.buffer)) text += String.fromCharCode(byte);
  return `~${btoa(text).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "")}`;
}

function unpackedEdits(text) {
  const bytes = Uint8Array.from(atob(text.slice(1).replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  return Array.from({ length: bytes.length / 8 }, (_, k) => view.getFloat64(8 * k, true));
}

/** The numbers of one edit, or null if the text isn't one of `size` numbers. */
function readNumbers(text, size) {
  try {
    const parts = text.startsWith("~") ? unpackedEdits(text) : text.split(",");
    const wrong = (one) => typeof one === "string" && (one.trim() === "" || (Number.isNaN(Number(one)) && one !== "NaN"));
    return parts.length === size && !parts.some(wrong) ? parts.map(Number) : null;
  } catch {
    return null; // no base64
  }
}

/** Makes the edits of an address the current ones; what doesn't fit this graph is reported. */
function readEdits(text) {
  if ((text || "") === writtenEdits()) return;
  const found = new Map();
  const misfits = [];
  for (const one of (text || "").split(";").filter(Boolean)) {
    const [key, numbers = ""] = one.split(":");
    const place = byKey.get(key);
    const isLeaf = place !== undefined && !ins[place].length && nodes[place].r !== "update" && sizeOf(place) !== null;
    const values_ = isLeaf ? readNumbers(numbers, sizeOf(place)) : null;
    if (values_) found.set(place, { shape: nodes[place].sh, data: Float64Array.from(values_) });
    else misfits.push(key);
  }
  if (misfits.length) notify(`The link's edits of ${misfits.slice(0, 5).join(", ")} don't fit this graph and were left out.`);
  if (!found.size && !edited.size) return;
  edited.clear();
  for (const [place, value] of found) edited.set(place, value);
  recompute();
  set({ version: state.version + 1 });
}

/** Shows a line of text for some seconds. */
function notify(text) {
  const box = at("notice");
  box.textContent = text;
  box.hidden = false;
  clearTimeout(noticed);
  noticed = setTimeout(() => { box.hidden = true; }, 8000);
}

let noticed = 0;
