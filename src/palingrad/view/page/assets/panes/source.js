// The source pane: the user's lines that built the nodes, each node's expression marked in them.

const PYTHON = /(?<comment>#.*)|(?<string>[rbf]?("""|'''|"|')(?:\\.|(?!\3).)*\3?)|(?<word>\b(?:and|as|assert|async|await|break|class|continue|def|del|elif|else|except|finally|for|from|global|if|import|in|is|lambda|not|or|pass|raise|return|try|while|with|yield|None|True|False)\b)/g;

function startSource() {
  const pane = at("source");
  const files = data.files || [];
  const cells = []; // [element, node numbers], one for each piece of text inside some node's expression
  const onLine = new Map(); // "file:line" → node numbers
  nodes.forEach((node, place) => {
    if (!node.sp) return;
    for (let line = node.sp[1]; line <= node.sp[2]; line++) {
      const key = `${node.sp[0]}:${line}`;
      if (!onLine.has(key)) onLine.set(key, []);
      onLine.get(key).push(place);
    }
  });
  const several = files.length > 1;
  files.forEach((file, number) => {
    if (several || !file.lines.length) pane.append(make("h3", {}, file.name));
    if (!file.lines.length) pane.append(make("p", { class: "note" }, `The source of ${file.name} isn't available: it was typed, or run from a string. Save the code to a file to see it here.`));
    let before = null;
    for (const [line, text] of file.lines) {
      if (before !== null && line > before + 1) pane.append(make("div", { class: "gap", "aria-hidden": "true" }, "⋯"));
      pane.append(sourceLine(number, line, text, onLine.get(`${number}:${line}`) || [], cells));
      before = line;
    }
  });
  if (!files.length) pane.append(make("p", { class: "note" }, "No source: this graph was loaded, or built by the library itself."));
  at("source-name").textContent = files.length === 1 ? files[0].name : "Source";
  const under = (element) => {
    const cell = element.closest?.("[data-n]");
    return cell ? placesOf(cell) : placesOf(element.closest?.("[data-row]"));
  };
  const rows = [...pane.querySelectorAll("[data-row]")];
  for (const row of rows) row.dataset.n = row.dataset.row;
  lightsUp(pane, "source", under);
  onLight((from) => markLit(pane, cells, from, "source"));
  watch(["node"], () => markLit(pane, cells, "choice", "source"));
}

/** A line with its number; the pieces inside an expression carry the nodes that it built. */
function sourceLine(file, line, text, places, cells) {
  const covers = places.map((place) => [place, ...piece(nodes[place].sp, line, text)]);
  const classes = [...text.matchAll(PYTHON)].map((found) => [Object.entries(found.groups).find(([, value]) => value)[0], found.index, found.index + found[0].length]);
  const cuts = [...new Set([0, text.length, ...covers.flatMap(([, a, b]) => [a, b]), ...classes.flatMap(([, a, b]) => [a, b])])].sort((a, b) => a - b);
  const code = make("code");
  for (let k = 0; k + 1 < cuts.length; k++) {
    const [from, to] = [cuts[k], cuts[k + 1]];
    const inside = covers.filter(([, a, b]) => a <= from && to <= b);
    const kind = classes.find(([, a, b]) => a <= from && to <= b);
    const least = Math.min(...inside.map(([place, a, b]) => b - a + 1e4 * (nodes[place].sp[2] - nodes[place].sp[1])));
    const inner = inside.filter(([place, a, b]) => b - a + 1e4 * (nodes[place].sp[2] - nodes[place].sp[1]) === least).map(([place]) => place);
    const cell = make("span", { class: kind ? kind[0] : "", "data-n": inner.length ? inner.join() : null }, text.slice(from, to));
    if (inside.length) cells.push([cell, inside.map(([place]) => place)]);
    code.append(cell);
  }
  return make("div", { class: places.length ? "line built" : "line", "data-line": `${file}:${line}`, "data-row": places.length ? places.join() : null },
    make("span", { class: "count", "aria-hidden": "true" }, String(line)), code);
}

/** The columns of a span on one line: from its first to its last column, or the text of a whole line. */
function piece([, first, last, start, end], line, text) {
  const indent = text.length - text.trimStart().length;
  return [line === first && start !== undefined ? start : indent, line === last && end !== undefined ? Math.min(end, text.length) : text.length];
}
