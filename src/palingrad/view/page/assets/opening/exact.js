// Exact arithmetic of what a caption shows: whether "2 · 3 = 6" is true as it is written.

const { signBetween, shownWhole, signOf, overflowNote } = (() => {
  /** A rational number; `over` is never negative, and 0 for an infinite one. */
  function ratio(top, over = 1n) {
    if (over < 0n) [top, over] = [-top, -over];
    let [a, b] = [top < 0n ? -top : top, over];
    while (b) [a, b] = [b, a % b];
    return a > 1n ? { top: top / a, over: over / a } : { top, over };
  }

  class Inexact extends Error {} // a value that no rational number is, or that isn't known exactly

  const ZERO = ratio(0n);
  const ONE = ratio(1n);
  const plus = (x, y) => ratio(x.top * y.over + y.top * x.over, x.over * y.over);
  const minus = (x) => ratio(-x.top, x.over);
  const times = (x, y) => ratio(x.top * y.top, x.over * y.over);
  const compared = (x, y) => Number(x.top * y.over > y.top * x.over) - Number(x.top * y.over < y.top * x.over);
  const whole = (x) => (x.top - (((x.top % x.over) + x.over) % x.over)) / x.over;
  const truth = (holds) => (holds ? ONE : ZERO);

  function over(x, y) {
    if (y.top === 0n) throw new Inexact();
    return ratio(x.top * y.over, x.over * y.top);
  }

  /** The root of a number that is an exact power. */
  function rootOf(x, degree) {
    const part = (n) => {
      const guess = BigInt(Math.round(Math.pow(Number(n), 1 / degree)));
      if (guess ** BigInt(degree) !== n) throw new Inexact();
      return guess;
    };
    if (degree === 2 && x.top < 0n) throw new Inexact();
    const root = ratio(part(x.top < 0n ? -x.top : x.top), part(x.over));
    return x.top < 0n ? minus(root) : root;
  }

  /** A function whose value is known exactly at one place only. */
  const onlyAt = (place, value) => (x) => {
    if (compared(x, place)) throw new Inexact();
    return value;
  };
  const larger = (...xs) => xs.reduce((x, y) => (compared(x, y) < 0 ? y : x));
  const smaller = (...xs) => xs.reduce((x, y) => (compared(x, y) > 0 ? y : x));
  /** A function of truth values; of other integers it isn't known here. */
  const ofTruths = (f) => (x, y) => {
    if ([x, y].some((one) => compared(one, ZERO) && compared(one, ONE))) throw new Inexact();
    return f(x, y);
  };
  const truncated = (x) => ratio(x.top / x.over);

  const EXACT = {
    relu: (x) => larger(x, ZERO), max: larger, min: smaller, positive: (x) => x, stop_gradient: (x) => x,
    sin: onlyAt(ZERO, ZERO), tan: onlyAt(ZERO, ZERO), tanh: onlyAt(ZERO, ZERO), sinh: onlyAt(ZERO, ZERO), arcsin: onlyAt(ZERO, ZERO),
    arctan: onlyAt(ZERO, ZERO), erf: onlyAt(ZERO, ZERO), cos: onlyAt(ZERO, ONE), cosh: onlyAt(ZERO, ONE), "σ": onlyAt(ZERO, ratio(1n, 2n)),
    log: onlyAt(ONE, ZERO), floor: (x) => ratio(whole(x)), ceil: (x) => ratio(-whole(minus(x))), trunc: truncated,
    sign: (x) => ratio(BigInt(compared(x, ZERO))), where: (c, x, y) => (c.top ? x : y), clip: (x, low, high) => smaller(larger(x, low), high),
    equal: (x, y) => truth(!compared(x, y)), not_equal: (x, y) => truth(compared(x, y)), less: (x, y) => truth(compared(x, y) < 0),
    less_equal: (x, y) => truth(compared(x, y) <= 0), greater: (x, y) => truth(compared(x, y) > 0), greater_equal: (x, y) => truth(compared(x, y) >= 0),
    floor_divide: (x, y) => ratio(whole(over(x, y))), remainder: (x, y) => plus(x, minus(times(y, ratio(whole(over(x, y)))))),
    fmod: (x, y) => plus(x, minus(times(y, truncated(over(x, y))))), fmax: larger, fmin: smaller,
    ones_like: () => ONE, zeros_like: () => ZERO, bitwise_and: ofTruths(smaller), bitwise_or: ofTruths(larger),
  };

  /** The exact value of a formula of numbers, as it is shown: {top, over}; null where it has none. */
  function exactly(text) {
    const tokens = text.match(/\d+(?:\.\d+)?|[\p{L}_]+\d*|[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+|\S/gu) || [];
    let at = 0;
    const peek = () => tokens[at] || "";
    const take = (token) => {
      if (token && tokens[at] !== token) throw new Inexact();
      return tokens[at++];
    };
    const sum = () => {
      let found = product();
      while (peek() === "+" || peek() === "−") found = take() === "+" ? plus(found, product()) : plus(found, minus(product()));
      return found;
    };
    const product = () => {
      if (peek() === "−") return take() && minus(product());
      let found = power();
      while (peek() === "·" || peek() === "/") found = take() === "·" ? times(found, power()) : over(found, power());
      return found;
    };
    const power = () => {
      let found = atom();
      while (/^[\^⁻⁰¹²³⁴⁵⁶⁷⁸⁹]/.test(peek())) {
        const mark = take();
        if (mark !== "^") {
          found = raised(found, BigInt([...mark].map((c) => (c === "⁻" ? "-" : "⁰¹²³⁴⁵⁶⁷⁸⁹".indexOf(c))).join("")));
          continue;
        }
        const sign = peek() === "−" ? take() && -1n : 1n;
        const exponent = atom();
        if (exponent.over !== 1n) throw new Inexact();
        found = raised(found, sign * exponent.top);
      }
      return found;
    };
    const atom = () => {
      const token = take() || "";
      if (/^\d/.test(token)) {
        const [front, back = ""] = token.split(".");
        return ratio(BigInt(front + back), 10n ** BigInt(back.length));
      }
      if (token === "(") {
        if (tokens[at + 1] === "more") at += 3; // (781 more: 1.5)
        const found = sum();
        take(")");
        return found;
      }
      if (token === "|") {
        const found = sum();
        take("|");
        return found.top < 0n ? minus(found) : found;
      }
      if (token === "√" || token === "∛") return rootOf(power(), token === "√" ? 2 : 3);
      if (token === "e" && peek() === "^") {
        take();
        return onlyAt(ZERO, ONE)(peek() === "−" ? take() && minus(atom()) : atom());
      }
      if (!EXACT[token]) throw new Inexact();
      if (peek() !== "(") return EXACT[token](power());
      take("(");
      const given = [];
      do {
        if (tokens[at + 1] === "=") at += 2;
        given.push(sum());
      } while (peek() === "," && take());
      take(")");
      return EXACT[token](...given);
    };
    try {
      const found = sum();
      return at === tokens.length ? found : null;
    } catch (error) {
      if (error instanceof Inexact) return null;
      throw error;
    }
  }

  function raised(x, exponent) {
    const size = exponent < 0n ? -exponent : exponent;
    if (size > 1200n) throw new Inexact();
    const found = ratio(x.top ** size, x.over ** size);
    return exponent < 0n ? over(ONE, found) : found;
  }

  /** "=" if a formula of numbers and a number, both as they are shown, are equal; else "≈". */
  function signBetween(text, shown) {
    if (/[∞N]/.test(shown)) return /[∞N]/.test(text) ? "=" : "→"; // what floating point gives
    const [left, right] = [exactly(text), exactly(shown)];
    return left && right && !compared(left, right) ? "=" : "≈";
  }

  /** Whether a number is shown with all its digits. */
  function shownWhole(x, digits, dtype = "float64") {
    const shown = asShown(x, digits);
    return Object.is(shown, x) || shown === x || Number.isNaN(x) || (dtype === "float32" && Math.fround(shown) === x);
  }

  /** "=" if a value is shown with all its digits, else "≈". */
  function signOf(x, digits = 4, dtype = "float64") {
    return shownWhole(x, digits, dtype) ? "=" : "≈";
  }

  /** What is said where finite numbers give ∞: an overflow, or a division by 0. */
  function overflowNote(text, shown, dtype = "float64") {
    if (!/∞/.test(shown) || /[∞N]/.test(text)) return "";
    return exactly(text) || !/\/ ?\(?0\b/.test(text) ? `overflow: more than ${dtype} holds` : "a division by 0";
  }
  return { signBetween, shownWhole, signOf, overflowNote };
})();
