// Worlds: the graph at the shown values, and at random other values of its leaves. A formula is right if it is
// right in all of them; a mistake is recognised if it explains the answer in all of them.

sealed.remove(); // the data is parsed: its text needn't stay in the document

const POINTS = 4; // random worlds
const worlds = new Map(); // the constants that don't vary → worlds, the first with the shown values

/** Pseudorandom numbers in [0, 1), the same in each visit (mulberry32). */
function randomNumbers(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const leaves = nodes.flatMap((node, place) => (ins[place].length || node.t === "operation" ? [] : [place]));

/** The world with these values of leaves; what isn't given has the shown value. */
function worldOf(given) {
  edited.clear();
  for (const place of leaves) if (isFloat(place)) edited.set(place, { shape: nodes[place].sh, data: given.get(place) || exportedValue(place).data });
  recompute();
  const world = { values: values.slice(), totals: rowsNow, locals: edges_, stale };
  if (!rowsNow || !rowsNow.has(result)) world.totals = reversed(result); // nothing to vary
  return world;
}

/** Runs `task` with the page's arithmetic in this world. */
function within(world, task) {
  world.values.forEach((value, place) => (values[place] = value));
  [rowsNow, edges_, stale] = [world.totals, world.locals, world.stale];
  return task(world);
}

/** Which side of each kink the world is on: the signs of all values and of what each operation sends back. */
function signsIn(world) {
  return within(world, () =>
    nodes.flatMap((node, place) => {
      const own = values[place];
      if (!own) return [];
      const sent = ins[place].length && isFloat(place) ? sentBack(place, new Float64Array(own.data.length).fill(1)) : null;
      return [own.data, ...(sent || [])].flatMap((data) => (data ? [...data].map(Math.sign) : []));
    }),
  );
}

/** The worlds in which a formula is tried. The constants in `fixed` keep their values, as do literal numbers. */
function worldsFor(fixed) {
  const key = [...fixed].sort().join();
  if (!worlds.has(key)) worlds.set(key, tried(fixed));
  return worlds.get(key);
}

/** The shown world and random ones on the same side of all kinks; the first alone if there are no others. */
function tried(fixed) {
  const shown = worldOf(new Map());
  const found = [shown];
  const random = randomNumbers(20071);
  const sides = signsIn(shown);
  const varied = leaves.filter((place) => isFloat(place) && !isLiteral(place) && !fixed.has(place));
  for (let size = 0.4, left = 60; varied.length && found.length <= POINTS && left > 0; left--) {
    const given = new Map(varied.map((place) => {
      const data = exportedValue(place).data;
      const typical = data.reduce((sum, x) => sum + Math.abs(x), 0) / (data.length || 1) || 1;
      return [place, data.map((x) => x + size * (2 * random() - 1) * (x || typical))];
    }));
    const world = worldOf(given);
    const total = world.totals.get(result);
    const finite = total && world.values[result].data.every(Number.isFinite);
    if (finite && signsIn(world).every((sign, k) => sides[k] === 0 || Object.is(sign, sides[k]))) found.push(world);
    else size *= 0.85;
  }
  return found;
}

/** The total derivative or, of a question about a value, the value: what is asked for. */
function truthOf(question, world) {
  const shape = nodes[question.place].sh;
  if (question.value) return { shape, data: world.values[question.place].data };
  const total = world.totals.get(question.place);
  return { shape, data: total ? total.data : new Float64Array(count(shape)) };
}
