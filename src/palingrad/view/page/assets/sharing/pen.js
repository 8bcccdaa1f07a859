// A pen that writes SVG: it has the methods of a canvas that the drawing of the graph uses.

/** A colour as [opaque colour, opacity]; SVG viewers don't read #rrggbbaa. */
function opaque(colour) {
  const text = String(colour).trim();
  if (text === "transparent") return ["none", 1];
  if (/^#[0-9a-f]{8}$/i.test(text)) return [text.slice(0, 7), parseInt(text.slice(7), 16) / 255];
  return [text, 1];
}

class SvgPen {
  constructor() {
    Object.assign(this, {
      fillStyle: "#000", strokeStyle: "#000", lineWidth: 1, lineCap: "butt", lineJoin: "miter", globalAlpha: 1, font: "10px sans-serif",
      textAlign: "start", textBaseline: "alphabetic", imageSmoothingEnabled: true,
    });
    this.parts = [];
    this.path = "";
    this.dash = [];
    this.clipped = null;
    this.kept = [];
    this.clips = 0;
    this.ruler = document.createElement("canvas").getContext("2d");
  }

  // ---- paths
  beginPath() { this.path = ""; }
  closePath() { this.path += "Z"; }
  moveTo(x, y) { this.path += `M${near2(x)},${near2(y)}`; }
  lineTo(x, y) { this.path += `${this.path ? "L" : "M"}${near2(x)},${near2(y)}`; }
  bezierCurveTo(...p) { this.path += `C${p.map(near2).join(",")}`; }
  quadraticCurveTo(...p) { this.path += `Q${p.map(near2).join(",")}`; }
  rect(x, y, w, h) { this.path += `M${near2(x)},${near2(y)}h${near2(w)}v${near2(h)}h${near2(-w)}Z`; }
  roundRect(x, y, w, h, radius = 0) {
    const r = Math.min(Array.isArray(radius) ? radius[0] : radius, w / 2, h / 2);
    const arc = (dx, dy) => `a${near2(r)},${near2(r)} 0 0 1 ${near2(dx)},${near2(dy)}`;
    this.path += `M${near2(x + r)},${near2(y)}h${near2(w - 2 * r)}${arc(r, r)}v${near2(h - 2 * r)}${arc(-r, r)}h${near2(2 * r - w)}${arc(-r, -r)}v${near2(2 * r - h)}${arc(r, -r)}Z`;
  }
  arc(x, y, r, from, to) {
    const turn = Math.min(Math.abs(to - from), 2 * Math.PI - 1e-3);
    const [ax, ay, bx, by] = [x + r * Math.cos(from), y + r * Math.sin(from), x + r * Math.cos(from + turn), y + r * Math.sin(from + turn)];
    this.path += `${this.path ? "L" : "M"}${near2(ax)},${near2(ay)}A${near2(r)},${near2(r)} 0 ${turn > Math.PI ? 1 : 0} 1 ${near2(bx)},${near2(by)}`;
  }

  // ---- state
  save() { this.kept.push({ clipped: this.clipped, dash: this.dash, ...Object.fromEntries(STYLES.map((name) => [name, this[name]])) }); }
  restore() { Object.assign(this, this.kept.pop()); }
  setLineDash(dash) { this.dash = dash; }
  getLineDash() { return this.dash; }
  measureText(text) {
    this.ruler.font = this.font;
    return this.ruler.measureText(text);
  }
  clip() {
    this.clips += 1;
    this.parts.push(`<clipPath id="clip${this.clips}"><path d="${this.path}"/></clipPath>`);
    this.clipped = `clip${this.clips}`;
  }

  // ---- marks
  put(tag, attributes, inside = "") {
    const all = { ...attributes, opacity: this.globalAlpha < 1 ? near2(this.globalAlpha) : undefined, "clip-path": this.clipped ? `url(#${this.clipped})` : undefined };
    const text = Object.entries(all).filter(([, value]) => value !== undefined).map(([name, value]) => ` ${name}="${safe(value)}"`).join("");
    this.parts.push(`<${tag}${text}${inside ? `>${inside}</${tag}>` : "/>"}`);
  }
  filled() {
    const [fill, opacity] = opaque(this.fillStyle);
    return { fill, "fill-opacity": opacity < 1 ? near2(opacity) : undefined };
  }
  stroked() {
    const [stroke, opacity] = opaque(this.strokeStyle);
    return {
      fill: "none", stroke, "stroke-opacity": opacity < 1 ? near2(opacity) : undefined, "stroke-width": near2(this.lineWidth), "stroke-linecap": this.lineCap,
      "stroke-linejoin": this.lineJoin, "stroke-dasharray": this.dash.length ? this.dash.join(" ") : undefined,
    };
  }
  fill() { this.put("path", { d: this.path, ...this.filled() }); }
  stroke() { this.put("path", { d: this.path, ...this.stroked() }); }
  fillRect(x, y, width, height) { this.put("rect", { x: near2(x), y: near2(y), width: near2(width), height: near2(height), ...this.filled() }); }
  strokeRect(x, y, width, height) { this.put("rect", { x: near2(x), y: near2(y), width: near2(width), height: near2(height), ...this.stroked() }); }
  clearRect() {}
  fillText(text, x, y) {
    const [, style, size, family] = /^(.*?)([\d.]+)px\s+(.*)$/s.exec(this.font) || ["", "", "10", "sans-serif"];
    const down = { middle: 0.35, top: 0.8, hanging: 0.8, bottom: -0.2 }[this.textBaseline] || 0;
    this.put("text", {
      x: near2(x), y: near2(y + down * Number(size)), "font-size": near2(Number(size)), "font-family": family.trim().replace(/\s+/g, " "),
      "font-weight": /\b(\d00|bold)\b/.exec(style)?.[1], "font-style": /italic/.test(style) ? "italic" : undefined,
      "text-anchor": { center: "middle", right: "end", end: "end" }[this.textAlign], "xml:space": "preserve", ...this.filled(),
    }, safe(text));
  }
  drawImage(image, ...where) {
    const [sx, sy, sw, sh, x, y, w, h] = where.length === 8 ? where : [0, 0, image.width, image.height, where[0], where[1], where[2] ?? image.width, where[3] ?? image.height];
    const copy = document.createElement("canvas");
    Object.assign(copy, { width: sw, height: sh });
    copy.getContext("2d").drawImage(image, sx, sy, sw, sh, 0, 0, sw, sh);
    this.put("image", { x: near2(x), y: near2(y), width: near2(w), height: near2(h), preserveAspectRatio: "none", style: this.imageSmoothingEnabled ? undefined : "image-rendering:pixelated", href: copy.toDataURL() });
  }
}

const STYLES = ["fillStyle", "strokeStyle", "lineWidth", "lineCap", "lineJoin", "globalAlpha", "font", "textAlign", "textBaseline", "imageSmoothingEnabled"];

/** A number with two decimals at most. */
function near2(x) {
  return Number(Number(x).toFixed(2));
}
