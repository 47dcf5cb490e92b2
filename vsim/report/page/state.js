// What the page shows, and its form in the address: everything after the # can be copied, and comes back.
const data = JSON.parse(document.getElementById("data").textContent);
const points = new Map(data.points.map((point) => [point.at.join("."), point]));
const SIZES = [1, 1.2, 1.45, 1.75];
const WHOLE = /^\d{1,6}$/;

const state = fresh();

function fresh() {
  return {
    at: data.axes.map((axis) => axis.start),
    metric: data.start,
    service: 0,
    hidden: new Set(),
    pin: null,
    failed: new Map(),
    theme: "",
    size: 0,
    bare: false,
    stretch: false,
  };
}

// numbers of what the page has; anything else in an address is left out
function number(text, below) {
  return WHOLE.test(text) && Number(text) < below ? Number(text) : null;
}

function position(text) {
  const at = (text || "").split(".").map((part, i) => (data.axes[i] ? number(part, data.axes[i].labels.length) : null));
  return at.length === data.axes.length && !at.includes(null) ? at : null;
}

function fromAddress(hash) {
  const read = fresh();
  const given = new URLSearchParams(hash.replace(/^#/, ""));
  read.at = position(given.get("at")) || read.at;
  read.pin = given.has("pin") ? (data.axes.length ? position(given.get("pin")) : []) : null;
  const metric = data.metrics.findIndex((one) => one.name === given.get("metric"));
  if (metric >= 0) read.metric = metric;
  const service = data.services.indexOf(given.get("service"));
  if (service >= 0) read.service = service;
  for (const text of (given.get("hide") || "").split(".")) {
    const name = number(text, data.names.length);
    if (name !== null) read.hidden.add(name);
  }
  if (read.hidden.size === data.names.length) read.hidden.clear();
  for (const part of (given.get("failed") || "").split("_")) {
    const [name, hosts] = part.split("-");
    if (number(name || "", data.names.length) === null) continue;
    const found = (hosts || "").split(".").filter((text) => WHOLE.test(text)).map(Number);
    if (found.length) read.failed.set(Number(name), new Set(found));
  }
  read.theme = ["dark", "light"].includes(given.get("theme")) ? given.get("theme") : "";
  read.size = number(given.get("size") || "", SIZES.length) || 0;
  read.bare = given.get("bare") === "1";
  read.stretch = given.get("stretch") === "1";
  return read;
}

function toAddress() {
  const said = new URLSearchParams();
  const usual = fresh();
  if (state.at.join(".") !== usual.at.join(".")) said.set("at", state.at.join("."));
  if (state.metric !== usual.metric) said.set("metric", data.metrics[state.metric].name);
  if (state.service) said.set("service", data.services[state.service]);
  if (state.hidden.size) said.set("hide", [...state.hidden].sort((a, b) => a - b).join("."));
  if (state.pin) said.set("pin", state.pin.join("."));
  const failed = [...state.failed].filter(([, hosts]) => hosts.size).sort((a, b) => a[0] - b[0]);
  if (failed.length) {
    said.set("failed", failed.map(([name, hosts]) => `${name}-${[...hosts].sort((a, b) => a - b).join(".")}`).join("_"));
  }
  if (state.theme) said.set("theme", state.theme);
  if (state.size) said.set("size", state.size);
  if (state.bare) said.set("bare", "1");
  if (state.stretch) said.set("stretch", "1");
  return said.toString();
}

function remember() {
  const address = `#${toAddress()}`;
  if (address === (location.hash || "#")) return;
  try {
    history.replaceState(null, "", address);
  } catch {
    location.replace(address); // a page without an address of its own, in a frame
  }
}

// -- what the state means -----------------------------------------------------------------------------------------

function current() {
  return points.get(state.at.join("."));
}

function pinned() {
  return state.pin && points.get(state.pin.join("."));
}

// the numbers of the architectures that are there at a point and shown
function shown(point) {
  return data.names.map((_, i) => i).filter((i) => point.of[i] && !state.hidden.has(i));
}

function labels(at) {
  return data.axes.map((axis, i) => `${axis.title} ${axis.labels[at[i]]}`).join(", ");
}

// the command that prints the numbers of a point; its words are quoted already
function command(point) {
  const words = [...data.command];
  const names = shown(point);
  if (data.on || names.length < data.names.length) for (const i of names) words.push("--on", data.quoted[i]);
  return [...words, ...point.set].join(" ");
}

function commands() {
  const here = command(current());
  if (!state.pin) return here;
  // a label is a scenario's text: what breaks a line would end the comment
  const plain = (at) => labels(at).replace(/[\p{C}\p{Z}]+/gu, " ");
  return `# A: ${plain(state.pin)}\n${command(pinned())}\n# B: ${plain(state.at)}\n${here}`;
}
