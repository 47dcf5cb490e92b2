// The linked views. Names and texts only ever become text: no markup is made of them.
const $ = (selector) => document.querySelector(selector);

function el(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("--")) node.style.setProperty(name, value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children);
  return node;
}

// Gives `parent` one child for each key and leaves those alone that are there: what moves, moves, and focus stays.
function keep(parent, keys, make) {
  const children = [...parent.children];
  if (children.length !== keys.length || children.some((child, i) => child.dataset.key !== String(keys[i]))) {
    parent.replaceChildren(...keys.map((key) => {
      const node = make(key);
      node.dataset.key = key;
      return node;
    }));
  }
  return [...parent.children];
}

// a name inside a sentence: what is written from right to left turns nothing around it
function inside(name) {
  return /^[\x20-\x7e]*$/.test(name) ? name : `\u2068${name}\u2069`;
}

function painted(node, layer) {
  const [light, dark] = data.colours[layer];
  node.style.setProperty("--light", light);
  node.style.setProperty("--dark", dark);
  return node;
}

function axis(node, scale) {
  node.replaceChildren(...scale.marks.map(([value, text]) => {
    const at = place(scale, value);
    const edge = at < 4 ? "first" : at > 96 ? "last" : "";
    return el("span", { "--left": `${at}%`, class: edge }, text);
  }));
}

// -- the metric ---------------------------------------------------------------------------------------------------

function drawChart() {
  const metric = data.metrics[state.metric];
  const point = current();
  const before = pinned();
  const names = shown(point);
  $("#chart-title").textContent = metric.title + (metric.better ? `: ${metric.better} is better` : "");
  $("#finding").textContent = finding(metric, point, names);
  const rows = keep($("#chart .rows"), names, (i) => el("div", { class: "row" },
    el("div", { class: "name" }, el("bdi", null, data.names[i])),
    el("div", { class: "track" }, el("i", { class: "interval" }), el("i", { class: "pinned" }), el("i", { class: "dot" })),
    el("div", { class: "said" })));
  rows.forEach((row, n) => {
    const now = point.of[names[n]].m[state.metric];
    const then = before && before.of[names[n]] ? before.of[names[n]].m[state.metric] : null;
    const [interval, mark, dot] = row.querySelectorAll("i");
    interval.hidden = !now || now[1] === null;
    dot.hidden = !now;
    mark.hidden = !then;
    if (now) {
      dot.style.setProperty("--left", `${place(metric.scale, now[0])}%`);
      if (now[1] !== null) {
        const left = place(metric.scale, now[1]);
        interval.style.setProperty("--left", `${left}%`);
        interval.style.setProperty("--width", `${place(metric.scale, now[2]) - left}%`);
      }
    }
    if (then) mark.style.setProperty("--left", `${place(metric.scale, then[0])}%`);
    row.querySelector(".said").textContent = value(metric, now, then);
  });
  axis($("#chart .axis"), metric.scale);
  const log = metric.scale.log ? " The axis is logarithmic." : "";
  const paired = names.some((i) => point.of[i].m.some((row) => row && row[4]));
  const how = paired ? "; differences are paired, replication by replication"
    : "; differences have no interval, as a result doesn't keep the single replications that they would be paired by";
  const pin = before ? ` Diamonds are A, dots are B, what the sliders say now${how}.` : "";
  $("#chart-caption").textContent =
    `Dots are means over ${point.n} replication${point.n === 1 ? "" : "s"}, bars their 95 % intervals.${log}${pin}`;
  $("#hangs-title").hidden = !metric.hangs.length;
  $("#hangs").replaceChildren(...metric.hangs.map((text) => el("li", null, text)));
}

function value(metric, now, then) {
  if (!now) return "–";
  return then ? `A ${then[3]}, B ${now[3]}: ${differs(metric, then, now)}` : now[3];
}

// the smallest and the largest value, in words
function finding(metric, point, names) {
  const found = names.filter((i) => point.of[i].m[state.metric]);
  if (!found.length) return "None of what is shown has this metric.";
  const by = (i) => point.of[i].m[state.metric];
  const least = found.reduce((a, b) => (by(b)[0] < by(a)[0] ? b : a));
  const most = found.reduce((a, b) => (by(b)[0] > by(a)[0] ? b : a));
  if (by(least)[0] === by(most)[0]) return `${by(least)[3]} everywhere`;
  return `${by(least)[3]} (${inside(data.names[least])}) to ${by(most)[3]} (${inside(data.names[most])})`;
}

function drawTable() {
  const point = current();
  const before = pinned();
  const names = shown(point);
  const head = el("tr", null, el("th", { scope: "col" }, "metric"),
    ...names.map((i) => el("th", { scope: "col" }, el("bdi", null, data.names[i]))));
  const rows = data.metrics.map((metric, m) => el("tr", null, el("th", { scope: "row" }, metric.title),
    ...names.map((i) => el("td", null,
      value(metric, point.of[i].m[m], before && before.of[i] ? before.of[i].m[m] : null)))));
  const where = data.axes.length ? `: ${labels(state.at)}` : "";
  $("#metrics table").replaceChildren(el("caption", null, `Means and 95 % intervals${where}`),
    el("thead", null, head), el("tbody", null, ...rows));
}

// every architecture minus the first one that is shown, in the metric that is chosen
function drawDifferences() {
  const metric = data.metrics[state.metric];
  const point = current();
  const [base, ...others] = shown(point);
  const node = $("#differences");
  node.hidden = !others.length;
  if (node.hidden) return;
  const rows = others.map((i) => {
    const found = versus(metric, point, i, base);
    const text = found ? signed(metric, found.mean) : "–";
    return el("tr", null, el("th", { scope: "row" }, el("bdi", null, data.names[i])), el("td", null, text),
      el("td", null, found ? spanned(metric, found) : "–"));
  });
  const columns = ["architecture", "difference", "95 % interval"];
  node.querySelector("table").replaceChildren(
    el("caption", null, `${metric.title}, compared with `, el("bdi", null, data.names[base])),
    el("thead", null, el("tr", null, ...columns.map((text) => el("th", { scope: "col" }, text)))),
    el("tbody", null, ...rows));
}

// the paired difference: from the replications, or as the result that the page was made of states it
function versus(metric, point, i, base) {
  const [b, a] = [point.of[i].m[state.metric], point.of[base].m[state.metric]];
  if (!a || !b) return null;
  const found = difference(a, b);
  if (found.low !== undefined) return found;
  const stated = data.differences.find((one) => one[0] === metric.name &&
    ((one[1] === i && one[2] === base) || (one[1] === base && one[2] === i)));
  if (!stated || stated[4] === null) return found;
  const [, of, , mean, low, high] = stated;
  return of === i ? { mean, low, high } : { mean: -mean, low: -high, high: -low };
}

function spanned(metric, { mean, low, high }) {
  if (low === undefined) return "none: single replications aren't kept";
  return low === mean && high === mean ? "none: the same each time" : `${signed(metric, low)} to ${signed(metric, high)}`;
}

// -- the stack to scale -------------------------------------------------------------------------------------------

// the layers of one instance, from below, with their bytes; the application last
function parts(point, i) {
  const service = point.services[state.service];
  if (!service) return [];
  const layers = data.stacks[point.of[i].s].map(([layer, title, fixed, fraction]) =>
    ({ layer, title, bytes: fixed + fraction * service.memory }));
  return state.bare ? layers : [...layers, { layer: "application", title: service.n, bytes: service.memory }];
}

function sum(values) {
  return values.reduce((total, one) => total + one, 0);
}

function drawStacks() {
  const point = current();
  const names = shown(point);
  const heights = data.points.flatMap((one) => shown(one).map((i) => sum(parts(one, i).map((part) => part.bytes))));
  const most = Math.max(...heights, 1);
  const size = { unit: "bytes" };
  const columns = keep($("#stack .stacks"), names, () => el("div", { class: "column" },
    el("div", { class: "total" }), el("div", { class: "pile", "aria-hidden": "true" }),
    el("div", { class: "name" }), el("ul", { class: "parts" })));
  columns.forEach((column, n) => {
    const found = parts(point, names[n]);
    column.querySelector(".total").textContent = found.length ? amount(size, sum(found.map((part) => part.bytes))) : "–";
    column.querySelector(".name").replaceChildren(el("bdi", null, data.names[names[n]]));
    const boxes = keep(column.querySelector(".pile"), found.map((part) => part.layer), (layer) =>
      painted(el("div", { class: "layer" }, el("b")), layer));
    boxes.forEach((box, k) => {
      const part = 100 * found[k].bytes / most;
      box.style.setProperty("--height", `${part}%`);
      box.classList.toggle("thin", part < 2);
      box.firstChild.textContent = part > 11 ? found[k].title.split(" (")[0] : "";
    });
    column.querySelector(".parts").replaceChildren(...[...found].reverse().map((part) => el("li", null,
      painted(el("span", { class: "swatch layer", "aria-hidden": "true" }), part.layer),
      el("span", null, el("bdi", null, part.title), ` ${amount(size, part.bytes)}`))));
  });
}

// -- one start, stage by stage ------------------------------------------------------------------------------------

function stages(point, i) {
  const line = point.of[i].t[state.service];
  return line === undefined ? [] : data.lines[line];
}

function drawTimeline() {
  const point = current();
  const names = shown(point);
  const service = point.services[state.service];
  const second = { unit: "s" };
  const rows = keep($("#timeline .rows"), names, (i) => el("div", { class: "row" },
    el("div", { class: "name" }, el("bdi", null, data.names[i])),
    el("div", { class: "bar", "aria-hidden": "true" }), el("div", { class: "said" })));
  rows.forEach((row, n) => {
    const found = stages(point, names[n]);
    const total = sum(found.map((stage) => stage[2]));
    const most = state.stretch ? total : data.longest.high;
    const boxes = keep(row.querySelector(".bar"), found.map(([layer, stage]) => JSON.stringify([layer, stage])),
      (key) => painted(el("div", { class: "layer" }, el("b")), JSON.parse(key)[0]));
    boxes.forEach((box, k) => {
      const [layer, stage, seconds, text, spent] = found[k];
      const part = most ? 100 * seconds / most : 0;
      box.style.setProperty("--width", `${part}%`);
      box.classList.toggle("thin", part < 2);
      box.title = `${layer}: ${stage}, ${text} (${spent})`;
      box.firstChild.textContent = part > 2 + 2.2 * stage.length ? stage : "";
    });
    const layers = new Map();
    for (const [layer, , seconds] of found) layers.set(layer, (layers.get(layer) || 0) + seconds);
    const each = [...layers].filter(([, seconds]) => seconds >= total * 0.005)
      .map(([layer, seconds]) => `${layer} ${amount(second, seconds)}`).join(", ");
    row.querySelector(".said").textContent = found.length ? `${amount(second, total)}: ${each}` : "–";
  });
  const scale = $("#timeline .axis");
  scale.hidden = state.stretch;
  axis(scale, data.longest);
  const body = names.flatMap((i) => stages(point, i).map(([layer, stage, , text, spent]) => el("tr", null,
    el("th", { scope: "row" }, el("bdi", null, data.names[i])), el("td", null, layer), el("td", null, stage),
    el("td", null, text), el("td", null, spent))));
  const columns = ["architecture", "layer", "stage", "takes", "of which"];
  $("#stages .wide").replaceChildren(el("table", null,
    el("caption", null, "One start of ", el("bdi", null, service ? service.n : "–")),
    el("thead", null, el("tr", null, ...columns.map((text) => el("th", { scope: "col" }, text)))),
    el("tbody", null, ...body)));
}
