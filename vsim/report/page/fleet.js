// The machines, and what goes down with them.
const MOST_SQUARES = 40; // of one kernel; the others are a number

function failed(i) {
  if (!state.failed.has(i)) state.failed.set(i, new Set());
  return state.failed.get(i);
}

// the instances of each service on a machine; those of none (recorded demands) come last
function carried(host) {
  const counts = new Array(data.services.length + 1).fill(0);
  for (const [times, held] of host[1]) {
    for (const [service, count] of held) counts[service < 0 ? data.services.length : service] += times * count;
  }
  return counts;
}

function said(counts, services) {
  const parts = counts.flatMap((count, s) => (count ? [`${count} ${s < services.length ? inside(services[s]) : "instances"}`] : []));
  return parts.join(", ") || "nothing";
}

function machine(fleet, number) {
  const host = fleet.hosts[number];
  const kernels = host[1].flatMap(([times, held]) => {
    const drawn = [];
    for (let n = 0; n < Math.min(times, MOST_SQUARES); n += 1) {
      const box = el("span", { class: "kernel" });
      let left = MOST_SQUARES;
      for (const [service, count] of held) {
        for (let k = 0; k < Math.min(count, left); k += 1) {
          box.append(el("i", { "data-service": service }));
        }
        left -= Math.min(count, left);
      }
      const more = sum(held.map(([, count]) => count)) - MOST_SQUARES;
      if (more > 0) box.append(el("small", null, `+${more}`));
      drawn.push(box);
    }
    if (times > MOST_SQUARES) drawn.push(el("span", { class: "kernel" }, el("small", null, `+${times - MOST_SQUARES}`)));
    return drawn;
  });
  return el("button", { type: "button", class: "host", "data-host": number, tabindex: "-1" }, ...kernels);
}

function drawFleets() {
  const point = current();
  const names = shown(point);
  const sections = keep($("#fleet .fleets"), names, () =>
    el("div", { class: "fleet" }, el("h3"), el("p", { class: "outcome" }), el("div", { class: "hosts", role: "group" })));
  sections.forEach((section, n) => drawFleet(section, names[n], point));
}

function drawFleet(section, i, point) {
  const number = point.of[i].f;
  const fleet = data.fleets[number];
  const hosts = section.querySelector(".hosts");
  const all = fleet.hosts.length + fleet.more;
  if (section.dataset.fleet !== String(number)) {
    section.dataset.fleet = number;
    section.querySelector("h3").replaceChildren(el("bdi", null, data.names[i]),
      `: ${all} machine${all === 1 ? "" : "s"}`);
    hosts.setAttribute("aria-label", `Machines of ${data.names[i]}: arrow keys move, space fails one`);
    hosts.replaceChildren(...machines(fleet));
    const first = hosts.querySelector(".host");
    if (first) first.tabIndex = 0;
  }
  const down = failed(i);
  const chosen = point.services[state.service] ? data.services.indexOf(point.services[state.service].n) : -1;
  for (const button of hosts.querySelectorAll(".host")) {
    const host = Number(button.dataset.host);
    const isDown = down.has(host);
    button.setAttribute("aria-pressed", isDown);
    const what = said(carried(fleet.hosts[host]), data.services);
    button.setAttribute("aria-label", `machine ${host + 1} with ${what}${isDown ? ", failed" : ""}`);
    button.title = `machine ${host + 1}: ${what}`;
    for (const square of button.querySelectorAll("i")) {
      square.classList.toggle("chosen", Number(square.dataset.service) === chosen);
    }
  }
  for (const button of hosts.querySelectorAll("[data-chassis]")) {
    const blades = members(fleet, Number(button.dataset.chassis));
    button.setAttribute("aria-pressed", blades.every((host) => down.has(host)));
  }
  outcome(section.querySelector(".outcome"), fleet, down, point);
}

function machines(fleet) {
  const groups = new Map();
  fleet.hosts.forEach((host, number) => {
    if (!groups.has(host[0])) groups.set(host[0], []);
    groups.get(host[0]).push(machine(fleet, number));
  });
  const drawn = [...groups].flatMap(([chassis, buttons]) => {
    if (chassis === null) return buttons;
    const part = fleet.single.length ? ` (its ${fleet.single.join(" or ")})` : "";
    const whole = el("button", { type: "button", "data-chassis": chassis }, `Fail chassis ${chassis + 1}${part}`);
    return [el("div", { class: "chassis" }, whole, ...buttons)];
  });
  if (fleet.more) drawn.push(el("span", null, `and ${fleet.more} more machines with ${said(fleet.rest, data.services)}`));
  return drawn;
}

function members(fleet, chassis) {
  return fleet.hosts.flatMap((host, number) => (host[0] === chassis ? [number] : []));
}

// what is left when the machines in `down` are: counted, service by service
function outcome(node, fleet, down, point) {
  const total = fleet.hosts.reduce((sums, host) => carried(host).map((count, s) => count + sums[s]), carried([null, []]));
  fleet.rest.forEach((count, s) => { total[s] += count; });
  const there = [...down].filter((host) => host < fleet.hosts.length);
  const lost = there.reduce((sums, host) => carried(fleet.hosts[host]).map((count, s) => count + sums[s]), carried([null, []]));
  const placed = sum(total);
  const none = fleet.unplaced ? `, ${fleet.unplaced} without a place` : "";
  const usual = `${placed} instance${placed === 1 ? "" : "s"}${none}`;
  node.classList.toggle("down", there.length > 0);
  if (!there.length) {
    node.textContent = usual;
    return;
  }
  const short = point.services.filter((service) => {
    const s = data.services.indexOf(service.n);
    return total[s] - lost[s] < service.needs;
  });
  const enough = short.length
    ? `too few left of ${short.map((service) => {
      const s = data.services.indexOf(service.n);
      return `${inside(service.n)} (${total[s] - lost[s]} of the ${service.needs} needed)`;
    }).join(", ")}`
    : "every service has enough left";
  node.textContent = `${sum(lost)} of ${usual} down${point.services.length ? `; ${enough}` : ""}`;
}

// -- failing and repairing ----------------------------------------------------------------------------------------

function toggleMachine(i, host) {
  const down = failed(i);
  if (!down.delete(host)) down.add(host);
}

function toggleChassis(i, chassis) {
  const blades = members(data.fleets[current().of[i].f], chassis);
  const down = failed(i);
  const repaired = blades.every((host) => down.has(host));
  for (const host of blades) {
    if (repaired) down.delete(host);
    else down.add(host);
  }
}

function failOneOfEach() {
  for (const i of shown(current())) {
    const hosts = data.fleets[current().of[i].f].hosts.length;
    for (let host = 0; host < hosts; host += 1) {
      if (!failed(i).has(host)) {
        failed(i).add(host);
        break;
      }
    }
  }
}

function moveAmongMachines(event) {
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  const end = { Home: 0, End: -1 }[event.key];
  const button = event.target.closest(".host");
  if (!button || (step === undefined && end === undefined)) return;
  event.preventDefault();
  const all = [...button.closest(".hosts").querySelectorAll(".host")];
  const to = end === undefined ? all[all.indexOf(button) + step] : all.at(end);
  if (!to) return;
  button.tabIndex = -1;
  to.tabIndex = 0;
  to.focus();
}
