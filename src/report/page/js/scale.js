// From time to pixels, and room for labels; the counterpart of svg/scale.rs for any stretch.

// Steps of the axis, in microseconds.
const STEPS = [1, 2, 5].flatMap((one) => [one, one * 10, one * 100, one * 1e3, one * 1e4, one * 1e5, one * 1e6, one * 1e7]).sort((a, b) => a - b);
const SHORTEST = 200;
const LETTER = 6.3;
const widthOf = (text) => text.length * LETTER;

class Scale {
  constructor(run, width, view) {
    this.run = run;
    this.width = width;
    this.left = width < 640 ? 72 : 136;
    this.right = width < 640 ? 22 : 40;
    [this.from, this.until] = view;
    this.perUs = (width - this.left - this.right) / (this.until - this.from);
  }

  x(at) {
    return this.left + (at - this.from) * this.perUs;
  }

  at(x) {
    return this.from + (x - this.left) / this.perUs;
  }

  shows(from, until) {
    return until >= this.from && from <= this.until;
  }

  // Where a stretch begins and how wide it is, as far as it is shown.
  stretch(from, until) {
    const x = Math.max(this.x(from), this.left);
    const end = Math.min(this.x(until), this.width - this.right);
    return [x, Math.max(end - x, 1.5)];
  }

  // Round instants, with their labels.
  ticks() {
    const most = Math.max(3, Math.floor((this.width - this.left) / 85));
    const step = STEPS.find((one) => (this.until - this.from) / one <= most) ?? 6e7;
    const digits = Math.max(0, 6 - Math.floor(Math.log10(step)));
    const ticks = [];
    const { zero } = this.run;
    for (let at = Math.ceil((zero + this.from) / step) * step; at <= zero + this.until; at += step) {
      ticks.push([at - zero, seconds(at, digits)]);
    }
    return ticks;
  }
}

// Rows of labels that do not run into each other, by the height at which they stand.
class Rows {
  constructor(scale) {
    this.scale = scale;
    this.rows = new Map();
  }

  place(y, wanted, text) {
    const { left, right, width } = this.scale;
    const room = widthOf(text);
    const from = Math.max(left, Math.min(wanted, width - right - room));
    const until = from + room + LETTER;
    const row = this.rows.get(y) ?? [];
    if (row.some(([a, b]) => until > a && from < b)) return null;
    this.rows.set(y, [...row, [from, until]]);
    return from;
  }
}
