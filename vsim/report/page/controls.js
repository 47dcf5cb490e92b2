// What the reader does, by pointer or by key; and the beginning.
const prefersDark = matchMedia("(prefers-color-scheme: dark)");

function makeControls() {
  $("#sliders").replaceChildren(...data.axes.map((axis, i) => {
    const input = el("input", { type: "range", id: `slider-${i}`, min: 0, max: axis.labels.length - 1, step: 1 });
    input.addEventListener("input", () => {
      state.at[i] = Number(input.value);
      render();
    });
    return el("div", { class: "slider" },
      el("label", { for: `slider-${i}` }, el("bdi", null, axis.title), el("output", { for: `slider-${i}`, dir: "auto" })), input);
  }));
  $("#metric").replaceChildren(...data.metrics.map((metric, m) => el("option", { value: m }, metric.title)));
  $("#shown").append(...data.names.map((name, i) => {
    const box = el("input", { type: "checkbox", "data-name": i });
    box.addEventListener("change", () => {
      if (box.checked) state.hidden.delete(i);
      else if (shown(current()).length > 1) state.hidden.add(i);
      render();
    });
    return el("label", null, box, el("bdi", null, name));
  }));
}

function showControls() {
  data.axes.forEach((axis, i) => {
    const input = $(`#slider-${i}`);
    const label = axis.labels[state.at[i]];
    input.value = state.at[i];
    input.setAttribute("aria-valuetext", label);
    input.closest(".slider").querySelector("output").textContent = label;
  });
  $("#metric").value = state.metric;
  const services = current().services;
  state.service = Math.min(state.service, Math.max(0, services.length - 1));
  const select = $("#service");
  if (select.length !== services.length) {
    select.replaceChildren(...services.map((service, s) => el("option", { value: s, dir: "auto" }, service.n)));
  }
  select.value = state.service;
  // recorded demands have neither an image nor a start of their own to draw
  for (const id of ["#stack", "#timeline"]) $(id).hidden = !services.length;
  $("#service-label").hidden = services.length < 2;
  for (const which of document.querySelectorAll(".which")) {
    which.textContent = services.length ? services[state.service].n : "–";
  }
  for (const box of document.querySelectorAll("#shown input")) box.checked = !state.hidden.has(Number(box.dataset.name));
  $("#shown").hidden = data.names.length < 2;
  $("#pin").setAttribute("aria-pressed", state.pin !== null);
  $("#pin").textContent = state.pin ? `A: ${data.axes.map((axis, i) => axis.labels[state.pin[i]]).join(", ")}` : "Pin as A";
  $("#pin").hidden = !data.axes.length;
  $("#bare").checked = state.bare;
  $("#stretch").checked = state.stretch;
}

function isDark() {
  return state.theme ? state.theme === "dark" : prefersDark.matches;
}

function showTheme() {
  document.documentElement.dataset.theme = isDark() ? "dark" : "light";
  $("#theme").textContent = isDark() ? "Light" : "Dark";
  document.documentElement.style.setProperty("--zoom", SIZES[state.size]);
  $("#smaller").disabled = state.size === 0;
  $("#larger").disabled = state.size === SIZES.length - 1;
}

let announcing = 0;

// one sentence for who hears the page instead of seeing it, once the slider rests
function announce() {
  clearTimeout(announcing);
  announcing = setTimeout(() => {
    const metric = data.metrics[state.metric];
    const where = data.axes.length ? `${labels(state.at)}: ` : "";
    $("#said").textContent = `${where}${metric.title} ${finding(metric, current(), shown(current()))}`;
  }, 400);
}

function render() {
  showTheme();
  showControls();
  drawChart();
  drawTable();
  drawDifferences();
  drawFleets();
  drawStacks();
  drawTimeline();
  $("#command").textContent = commands();
  $("#copied").textContent = "";
  remember();
  announce();
}

function turn(name, count, step) {
  if (count) state[name] = (state[name] + step + count) % count;
  render();
}

async function copy() {
  const text = $("#command").textContent;
  let done = true;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // where there is no clipboard to write to: select the text, and let the browser copy it
    getSelection().selectAllChildren($("#command"));
    done = document.execCommand("copy");
  }
  $("#copied").textContent = done ? "Copied." : "Select it and copy it by hand.";
}

const ACTIONS = {
  pin() { state.pin = state.pin || !data.axes.length ? null : [...state.at]; render(); },
  fail() { failOneOfEach(); render(); },
  repair() { state.failed.clear(); render(); },
  theme() { state.theme = isDark() ? "light" : "dark"; render(); },
  larger() { state.size = Math.min(SIZES.length - 1, state.size + 1); render(); },
  smaller() { state.size = Math.max(0, state.size - 1); render(); },
  help() { $("#keys").showModal(); },
  copy,
};
const KEYS = {
  p: ACTIONS.pin,
  f: ACTIONS.fail,
  r: ACTIONS.repair,
  d: ACTIONS.theme,
  c: ACTIONS.copy,
  "+": ACTIONS.larger,
  "-": ACTIONS.smaller,
  "?": ACTIONS.help,
  m() { turn("metric", data.metrics.length, 1); },
  M() { turn("metric", data.metrics.length, -1); },
  s() { turn("service", current().services.length, 1); },
  S() { turn("service", current().services.length, -1); },
};

function onKey(event) {
  if (event.ctrlKey || event.altKey || event.metaKey || event.target.closest("select, dialog")) return;
  if (!$("#letters").checked && event.key !== "?") return;
  const slider = /^[1-9]$/.test(event.key) ? $(`#slider-${event.key - 1}`) : null;
  if (slider) slider.focus();
  else if (Object.hasOwn(KEYS, event.key)) KEYS[event.key]();
  else return;
  event.preventDefault();
}

function listen() {
  for (const [id, action] of Object.entries(ACTIONS)) $(`#${id}`).addEventListener("click", action);
  $("#metric").addEventListener("change", (event) => { state.metric = Number(event.target.value); render(); });
  $("#service").addEventListener("change", (event) => { state.service = Number(event.target.value); render(); });
  $("#bare").addEventListener("change", (event) => { state.bare = event.target.checked; render(); });
  $("#stretch").addEventListener("change", (event) => { state.stretch = event.target.checked; render(); });
  $("#controls").addEventListener("submit", (event) => event.preventDefault());
  $("#fleet").addEventListener("click", (event) => {
    const button = event.target.closest(".host, [data-chassis]");
    if (!button) return;
    const i = Number(button.closest(".fleet").dataset.key);
    if (button.dataset.host !== undefined) toggleMachine(i, Number(button.dataset.host));
    else toggleChassis(i, Number(button.dataset.chassis));
    render();
  });
  $("#fleet").addEventListener("keydown", moveAmongMachines);
  document.addEventListener("keydown", onKey);
  addEventListener("hashchange", () => { Object.assign(state, fromAddress(location.hash)); render(); });
  prefersDark.addEventListener("change", showTheme);
}

Object.assign(state, fromAddress(location.hash));
makeControls();
listen();
render();
document.documentElement.dataset.ready = "";
