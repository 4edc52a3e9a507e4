// Plots are drawn by hand in SVG; each has a sentence as its name and, where it is more than a line, a table.
import { h, voice, table } from "./lib.js";

const diamond = (x, y, size) => h("rect", { class: "pp", x: x - size / 2, y: y - size / 2, width: size, height: size, transform: `rotate(45 ${x} ${y})` });
const square = (x, y, size) => h("rect", { class: "pt", x: x - size / 2, y: y - size / 2, width: size, height: size, rx: 1.5 });
const known = value => value !== null && value !== undefined;

// Where self, the peers (median and range) and the instructor stand on one line. `label` is the whole finding in words.
function strip({ self, median, low, high, teach, label, min = 0, max = 100, width = 180 }) {
  const at = value => 8 + (Math.min(max, Math.max(min, value)) - min) * (width - 16) / (max - min);
  return h("svg", { class: "plot strip", width, height: 24, viewBox: `0 0 ${width} 24`, role: "img", "aria-label": label },
    h("line", { class: "ax", x1: 4, x2: width - 4, y1: 12, y2: 12 }),
    known(low) && known(high) ? h("line", { class: "rg", x1: at(low), x2: at(high), y1: 12, y2: 12 }) : null,
    known(median) ? diamond(at(median), 12, 8.4) : null,
    known(self) ? h("circle", { class: "ps", cx: at(self), cy: 12, r: 5.5 }) : null,
    known(teach) ? square(at(teach), 12, 10) : null);
}

// Level by level: criteria [{id, name}], levels [names, lowest first], and by criterion id: self and teach an index,
// peers {low, median, high}. `title` names the table; `who` are the words for the three voices; with `each` ([{name,
// levels}]) the table has a column for every reviewer.
function levelPlot({ criteria, levels: names, self = {}, peers = {}, teach = {}, title = "Level by level", who = { self: "You", peer: "Peers", teach: "Instructor" }, each = [] }) {
  const left = 136, right = 310, gap = (right - left) / Math.max(1, names.length - 1), high = 42 * criteria.length - 2;
  const x = index => left + gap * index, every = names.length === 2 ? 1 : names.length > 5 ? 3 : 2;
  const word = value => names[value] ?? "–";
  const span = range => !range ? "–" : range.low === range.high ? word(range.low) : `${word(range.low)} to ${word(range.high)}`;
  const kinds = [["self", self], ["peer", peers], ["teach", teach]].filter(([, said]) => Object.keys(said).length);
  const told = (id, kind, said) => kind === "peer" ? span(said[id]) : word(said[id]);
  const columns = kinds.flatMap(([kind, said]) => kind === "peer" && each.length ? each.map(one => ({ head: one.name, cell: id => word(one.levels[id]) }))
    : [{ head: who[kind], cell: id => told(id, kind, said) }]);
  const sentence = criteria.map(({ id, name }) => `${name}: ${kinds.map(([kind, said]) => `${who[kind].toLowerCase()} ${told(id, kind, said)}`).join(", ")}.`).join(" ");
  const rows = criteria.map(({ id, name }, index) => {
    const y = 26 + 42 * index, range = peers[id];
    return h("g", null, h("title", null, name), h("text", { class: "name", x: 0, y: y + 4 }, shortened(name)),
      range ? h("line", { class: "rg", x1: x(range.low), x2: x(range.high), y1: y, y2: y }) : null,
      known(self[id]) ? h("circle", { class: "ps", cx: x(self[id]), cy: y - 9, r: 5.5 }) : null,
      range ? diamond(x(range.median), y, 8.6) : null,
      known(teach[id]) ? square(x(teach[id]), y + 10, 10) : null);
  });
  return h("div", { class: "level-plot", testid: "plot-levels" },
    h("p", { class: "xs mu row wrap legend" }, kinds.map(([kind]) => h("span", { class: "row" }, voice(kind), who[kind]))),
    h("svg", { class: "plot", viewBox: `0 0 340 ${high + 32}`, width: "100%", role: "img", "aria-label": sentence },
      names.map((_, index) => h("line", { class: "ax", x1: x(index), x2: x(index), y1: 8, y2: high })),
      names.map((name, index) => index % every ? null : h("text", { x: x(index), y: high + 22, "text-anchor": index === names.length - 1 ? "end" : "middle" }, name)), rows),
    h("details", null, h("summary", { class: "sm mu" }, "Show as a table"),
      h("div", { class: "scroll", tabIndex: 0, role: "group", "aria-label": title },
        table({ caption: title, columns: [{ name: "criterion", text: "Criterion" }, ...columns.map(({ head }) => ({ name: head, text: head }))],
          rows: criteria.map(({ id, name }) => ({ cells: [name, ...columns.map(({ cell }) => cell(id))], head: 0 })) }))));
}

const shortened = name => name.length > 17 ? `${name.slice(0, 16).trimEnd()}…` : name;

export { strip, levelPlot };
