// Search for nodes by name, operation, shape such as (3, 4), source line, isnan, isinf.

/** The numbers of the nodes that match a query, the best match first. */
function find(query) {
  const text = query.trim().toLowerCase();
  if (!text) return [];
  if (text === "isnan") return strangeNodes(Number.isNaN, "nan");
  if (text === "isinf") return strangeNodes((x) => x === Infinity || x === -Infinity, "inf");
  const shape = /^\(?\s*(\d+(?:\s*[,x×]\s*\d+)*)\s*,?\s*\)?$/.exec(text);
  if (shape && (text.startsWith("(") || /[,x×]/.test(text))) {
    const sizes = shape[1].split(/\s*[,x×]\s*/).map(Number);
    return placesWhere((node) => node.sh && node.sh.length === sizes.length && node.sh.every((d, k) => d === sizes[k]));
  }
  if (text === "()") return placesWhere((node) => node.sh && !node.sh.length);
  const score = (node) => {
    const name = node.n.toLowerCase();
    if (name === text || node.k === text) return 0;
    if (name.startsWith(text)) return 1;
    if (node.o.startsWith(text)) return 2;
    if (name.includes(text) || node.o.includes(text)) return 3;
    if ((node.sc || []).join("/").toLowerCase().includes(text)) return 4;
    if (node.src && `${node.src[0]}:${node.src[1]} ${node.src[2]}`.toLowerCase().includes(text)) return 5;
    return null;
  };
  return nodes.map((node, place) => [score(node), place]).filter(([s]) => s !== null).sort((a, b) => a[0] - b[0] || a[1] - b[1]).map(([, place]) => place);
}

function placesWhere(test) {
  return nodes.map((node, place) => (test(node) ? place : -1)).filter((place) => place >= 0);
}

function strangeNodes(test, name) {
  return nodes.map((node, place) => place).filter((place) => {
    const value = valueOf(place);
    return value ? value.data.some(test) : nodes[place].v && nodes[place].v.s && nodes[place].v.s[name] > 0;
  });
}

const SHOWN = 40; // the most results in the list

function startSearch() {
  const input = at("search");
  const list = at("found");
  let hits = [];
  let current = 0;
  const close = () => {
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };
  const show = () => {
    hits = find(input.value);
    const items = hits.slice(0, SHOWN).map((place, k) => {
      const node = nodes[place];
      return make("li", { role: "option", id: `hit${k}`, "aria-selected": String(k === current), onpointerdown: (event) => {
        event.preventDefault();
        pick(k);
      } }, make("span", { class: `dot ${node.r} ${node.t}` }), node.n, make("small", {}, `${node.o} ${shapeText(node.sh)}`));
    });
    if (hits.length > SHOWN) items.push(make("li", { class: "none" }, `and ${counted(hits.length - SHOWN)} more`));
    if (!hits.length) items.push(make("li", { class: "none" }, "No node has this name, operation or shape"));
    list.replaceChildren(...items);
    list.hidden = !input.value.trim();
    input.setAttribute("aria-expanded", String(!list.hidden));
    if (hits.length) input.setAttribute("aria-activedescendant", `hit${current}`);
    list.children[current]?.scrollIntoView({ block: "nearest" });
  };
  const pick = (k) => {
    if (hits[k] === undefined) return;
    unfold(hits[k]);
    choose({ node: hits[k] });
    set({ tab: "details" });
    close();
  };
  input.addEventListener("input", () => {
    current = 0;
    show();
  });
  input.addEventListener("keydown", (event) => {
    const last = Math.min(hits.length, SHOWN) - 1;
    if (event.key === "ArrowDown") current = Math.min(last, current + 1);
    else if (event.key === "ArrowUp") current = Math.max(0, current - 1);
    else if (event.key === "Enter") {
      pick(current);
      return;
    } else if (event.key === "Escape") {
      close();
      canvas.focus();
      return;
    } else return;
    event.preventDefault();
    show();
  });
  input.addEventListener("blur", close);
  input.addEventListener("focus", () => input.value && show());
}

/** Expands the scopes that hide any of these nodes. */
function unfoldAll(places) {
  const around = new Set();
  for (const place of places) (nodes[place].s || []).forEach((_, depth, scope) => around.add(scope.slice(0, depth + 1).join("/")));
  const left = [...state.collapsed].filter((path) => !around.has(path));
  if (left.length < state.collapsed.size) set({ collapsed: new Set(left) });
}

/** Expands the scopes that hide a node. */
function unfold(place) {
  unfoldAll([place]);
}
