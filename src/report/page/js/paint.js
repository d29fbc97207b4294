// Draws a run as SVG; what is drawn was laid out in scene.rs, here it only gets its place in time.

const SVG = "http://www.w3.org/2000/svg";
const svgElement = (name, attributes = {}, text) => fill(document.createElementNS(SVG, name), attributes, text);
const htmlElement = (name, attributes = {}, text) => fill(document.createElement(name), attributes, text);

function fill(element, attributes, text) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

const titled = (element, note) => {
  element.append(svgElement("title", {}, note));
  return element;
};
const round = (value) => Math.round(value * 10) / 10;

// `look`: { event, hits, messages, lane }: what is chosen, found, and asked for.
function paint(svg, scale, look) {
  const { run } = scale;
  svg.setAttribute("viewBox", `0 0 ${scale.width} ${run.height}`);
  svg.replaceChildren(
    grid(scale), bars(scale), margin(scale, look), labels(scale), instants(scale),
    curves(scale), marks(scale), arrows(scale, look), chosen(scale, look),
  );
}

function grid(scale) {
  const group = svgElement("g", { class: "grid" });
  for (const [at, text] of scale.ticks()) {
    const x = round(scale.x(at));
    group.append(svgElement("path", { d: `M${x} 18V${scale.run.height}` }), svgElement("text", { x, y: 13 }, text));
  }
  group.append(svgElement("path", { class: "frame", d: `M${scale.left} 18H${scale.width - scale.right}` }));
  return group;
}

function bars(scale) {
  const group = svgElement("g");
  for (const [style, from, length, y, height, note] of scale.run.bars) {
    if (!scale.shows(from, from + length)) continue;
    const [x, width] = scale.stretch(from, from + length).map(round);
    group.append(titled(svgElement("rect", { class: style, x, y, width, height }), note));
  }
  return group;
}

function margin(scale, look) {
  const group = svgElement("g");
  for (const [host, top, bottom] of scale.run.lanes) {
    group.append(svgElement("path", { class: "frame", d: `M6 ${bottom}H${scale.width - scale.right}` }));
    const spot = svgElement("rect", { class: look.lane === host ? "spot on" : "spot", x: 0, y: top, width: scale.left - 2, height: bottom - top, "data-lane": host });
    group.append(titled(spot, `messages of ${host}`));
  }
  for (const [style, y, text] of scale.run.tags) {
    if (style === "row" && scale.left < 100) continue;
    group.append(svgElement("text", { class: style, x: style === "row" ? scale.left - 8 : 6, y }, text));
  }
  return group;
}

function labels(scale) {
  const group = svgElement("g");
  const rows = new Rows(scale);
  for (const [style, from, length, y, place, text] of scale.run.labels) {
    if (!scale.shows(from, from + length)) continue;
    const [x, width] = scale.stretch(from, from + length);
    if (place === 2 && widthOf(text) + 8 > width) continue;
    const wanted = place === 0 ? x + 3 : x + width / 2 - widthOf(text) / 2;
    const at = rows.place(y, wanted, text);
    if (at !== null) group.append(svgElement("text", { class: `label ${style}`, x: round(at), y }, text));
  }
  return group;
}

function instants(scale) {
  const group = svgElement("g");
  for (const [style, at] of scale.run.instants) {
    if (scale.shows(at, at)) group.append(svgElement("path", { class: style, d: `M${round(scale.x(at))} 50V${scale.run.height}` }));
  }
  return group;
}

// The marks that do not cover each other: first those that prove something, then those that tell
// much.
function marks(scale) {
  const inside = scale.run.marks.filter(([, at]) => scale.shows(at, at));
  const rank = ([kind, , , , witness]) => (witness ? -1 : SIGNS[kind][2]);
  inside.sort((a, b) => rank(a) - rank(b) || a[3] - b[3]);
  const rows = new Map();
  const group = svgElement("g");
  for (const [kind, at, y, index, witness] of inside) {
    const x = scale.x(at);
    const row = rows.get(y) ?? rows.set(y, []).get(y);
    if (!witness && row.some((other) => Math.abs(other - x) < 7)) continue;
    row.push(x);
    if (witness) group.append(svgElement("circle", { class: "witness", cx: round(x), cy: y, r: 7.5 }));
    const sign = svgElement("use", { href: `#${SIGNS[kind][0]}`, x: round(x), y });
    group.append(titled(sign, `#${index} ${scale.run.events[scale.run.places.get(index)]?.text ?? ""}`));
  }
  return group;
}

function curves(scale) {
  const group = svgElement("g");
  for (const panel of scale.run.panels) group.append(curve(scale, panel));
  return group;
}

function curve(scale, panel) {
  const past = panel.at.filter((at) => at <= scale.from).length;
  const first = past ? panel.to[past - 1] : panel.before;
  const inside = panel.at.map((at, place) => [at, panel.to[place]]).filter(([at]) => at > scale.from && at <= scale.until);
  const values = [first, ...inside.map(([, value]) => value)];
  const low = Math.min(...values);
  const limit = panel.limit !== null && panel.limit <= Math.max(...values) + 1 ? panel.limit : null;
  const high = Math.max(...values, limit ?? low);
  const span = Math.max(high - low, 2);
  const y = (value) => round(panel.top + 10 + ((high - value) / span) * (panel.height - 20));
  const end = scale.width - scale.right;
  const group = svgElement("g");
  const path = inside.map(([at, value]) => `H${round(scale.x(at))}V${y(value)}`).join("");
  if (limit !== null) group.append(svgElement("path", { class: "limit", d: `M${scale.left} ${y(limit)}H${end}` }));
  group.append(
    svgElement("text", { class: "value", x: scale.left - 8, y: y(first), dy: 4 }, first),
    svgElement("path", { class: "steps", d: `M${scale.left} ${y(first)}${path}H${end}` }),
    svgElement("text", { x: end + 6, y: y(values.at(-1)), dy: 4 }, values.at(-1)),
  );
  for (const [at, value, note] of panel.odd.filter(([at]) => scale.shows(at, at))) {
    group.append(titled(svgElement("circle", { class: "odd", cx: round(scale.x(at)), cy: y(value), r: 4 }), note));
  }
  return group;
}

// More arrows than this carry no text.
const TOLD = 12;

function arrows(scale, look) {
  const { run } = scale;
  // A picture in the picture, so that nothing runs into the margins.
  const { left, width, right } = scale;
  const room = width - left - right;
  const group = svgElement("svg", { x: left, width: room, height: run.height, viewBox: `${left} 0 ${room} ${run.height}` });
  const wires = new Map(run.lanes.map(([host, , , wire]) => [host, wire]));
  const asked = (one) => look.messages && (!look.lane || one.from === look.lane || one.to === look.lane);
  const chosen = look.event ? messagesOf(run, look.event) : [];
  const inView = (one) => scale.shows(one.sent, one.arrived ?? one.sent);
  const shown = new Set([...(run.messages ?? []).filter(asked), ...chosen].filter(inView));
  const rows = new Rows(scale);
  for (const one of shown) {
    const [a, b] = [wires.get(one.from), wires.get(one.to)];
    if (a === undefined || b === undefined) continue;
    const text = `${one.from} → ${one.to}: ${one.text}`;
    const lost = one.arrived === null;
    const [x0, x1] = [scale.x(one.sent), lost ? scale.x(one.sent) + 14 : scale.x(one.arrived)];
    const y1 = lost ? a + Math.sign(b - a) * 26 : b;
    const style = `message${lost ? " lost" : ""}${chosen.includes(one) ? " on" : ""}`;
    const arrow = svgElement("g", { class: style });
    arrow.append(svgElement("path", { d: `M${round(x0)} ${a}L${round(x1)} ${y1}${head(x0, a, x1, y1, lost)}` }));
    group.append(titled(arrow, `${text}${lost ? " (never arrived)" : ""}, ${seconds(run.zero + one.sent, 3)}`));
    if (shown.size > TOLD && !chosen.includes(one)) continue;
    const y = Math.round((a + 2 * y1) / 3);
    const x = rows.place(Math.round(y / 12), x0 + ((x1 - x0) * 2) / 3 + 6, one.text);
    if (x !== null) group.append(svgElement("text", { class: "label message", x: round(x), y }, one.text));
  }
  return group;
}

// The tip of an arrow, or the cross of a message that is lost.
function head(x0, y0, x1, y1, lost) {
  if (lost) return `m-4 -4l8 8m0 -8l-8 8`;
  const length = Math.hypot(x1 - x0, y1 - y0) || 1;
  const [ux, uy] = [((x1 - x0) / length) * 7, ((y1 - y0) / length) * 7];
  return `m${round(-ux - uy / 2)} ${round(-uy + ux / 2)}L${round(x1)} ${y1}l${round(-ux + uy / 2)} ${round(-uy - ux / 2)}`;
}

// The chosen event, and what was found by searching.
function chosen(scale, look) {
  const group = svgElement("g");
  for (const event of look.hits) {
    if (!scale.shows(event.at, event.at)) continue;
    const x = round(scale.x(event.at));
    group.append(svgElement("path", { class: "hit", d: `M${x} 18l-3.500 7h7Z` }));
  }
  const { event } = look;
  if (!event || !scale.shows(event.at, event.at)) return group;
  const x = round(scale.x(event.at));
  group.append(svgElement("path", { class: "chosen", d: `M${x} 18V${scale.run.height}` }));
  const lane = scale.run.lanes.find(([host]) => host === event.host);
  if (lane) group.append(svgElement("circle", { class: "chosen", cx: x, cy: lane[3], r: 9 }));
  return group;
}
