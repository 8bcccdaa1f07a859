// Where the entries of an array lie on its card: as numbers, or as the pixels of a picture's tiles.

const TILE_GAP = 2; // between tiles

/** The size of an array on its card. */
function pictureSize(pic) {
  if (pic.k === "numbers") return [pic.c * pic.s[0], pic.r * pic.s[1]];
  const down = Math.ceil(pic.n / pic.a);
  return [pic.a * pic.s[0] + (pic.a - 1) * TILE_GAP, down * pic.s[1] + (down - 1) * TILE_GAP];
}

/** The top left corner of the value's picture on a card, or of the gradient's. */
function pictureCorner(box, gradient) {
  const node = nodes[box.node];
  const pic = node.pic;
  const [wide, high] = pictureSize(pic);
  const [left, top] = [box.x - box.w / 2, box.y - box.h / 2];
  if (pic.k === "numbers") {
    const beside = pic.r > 1;
    return [left + 12 + (gradient && beside ? wide + 8 : 0), top + 26 + (gradient && !beside ? high : 0)];
  }
  const slots = pic.g ? 2 : 1;
  const start = left + box.w - 6 - slots * (pic.w + 8) + (gradient ? pic.w + 8 : 0) + 8;
  return [start + (pic.w - wide) / 2, box.y - (high + 12) / 2];
}

/** The rectangle of an entry on a card, or null if it isn't shown. */
function cellOf(box, entry, gradient) {
  const pic = nodes[box.node].pic;
  const [tile, k] = pic.t ? [entry % nodes[box.node].sh[1], Math.floor(entry / nodes[box.node].sh[1])] : [Math.floor(entry / (pic.r * pic.c)), entry % (pic.r * pic.c)];
  if (tile >= pic.n) return null;
  const [x, y] = pictureCorner(box, gradient);
  const [w, h] = numberCell(pic);
  return [
    x + (tile % pic.a) * (pic.s[0] + TILE_GAP) + (k % pic.c) * w,
    y + Math.floor(tile / pic.a) * (pic.s[1] + TILE_GAP) + Math.floor(k / pic.c) * h, w, h,
  ];
}

/** The size of an entry on a card. */
function numberCell(pic) {
  return pic.k === "numbers" ? pic.s : [pic.s[0] / pic.c, pic.s[1] / pic.r];
}

/** The entry at a point of a card: {entry, gradient}, or null. */
function entryAt(box, x, y) {
  const node = nodes[box.node];
  const pic = node.pic;
  if (!pic) return null;
  const [w, h] = numberCell(pic);
  for (const gradient of [false, true]) {
    if (gradient && !pic.g) continue;
    const [left, top] = pictureCorner(box, gradient);
    const [wide, high] = pictureSize(pic);
    if (x < left || y < top || x >= left + wide || y >= top + high) continue;
    if (pic.k === "numbers") return { gradient, entry: Math.floor((y - top) / h) * pic.c + Math.floor((x - left) / w) };
    const [across, down] = [Math.floor((x - left) / (pic.s[0] + TILE_GAP)), Math.floor((y - top) / (pic.s[1] + TILE_GAP))];
    const tile = down * pic.a + across;
    const column = Math.floor((x - left - across * (pic.s[0] + TILE_GAP)) / w);
    const row = Math.floor((y - top - down * (pic.s[1] + TILE_GAP)) / h);
    if (tile >= pic.n || column >= pic.c || row >= pic.r) return null;
    const k = row * pic.c + column;
    return { gradient, entry: pic.t ? k * node.sh[1] + tile : tile * pic.r * pic.c + k };
  }
  return null;
}
