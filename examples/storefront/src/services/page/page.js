// The page of the shop. What stands in a log may come from a stranger, so all text is put into the
// page by `textContent` and never as markup.

/** Silences from this many milliseconds on are shown. */
const GAP = 20;
/** So many records are shown: the page stays quick whatever the ID. */
const MOST = 1000;
const LANES = 6;

const at = (id) => document.getElementById(id);

/** An element with a class, and with a text or children. */
function element(tag, name, ...content) {
  const made = document.createElement(tag);
  made.className = name;
  made.append(...content); // A string becomes a text node.
  return made;
}

// Buying

let clicks = 0;

async function buy({ card = "tok_visa", sku = "teapot" }) {
  const click = ++clicks;
  answer("", "The shop is asked.");
  try {
    const items = [{ sku, quantity: 1 }, { sku: "cup", quantity: 4 }];
    const response = await fetch("purchase", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ cart: 42, card, items }),
    });
    const id = response.headers.get("x-correlation-id");
    const told = await response.json().catch(() => ({}));
    if (click !== clicks) return; // The customer has clicked again.
    const text = response.ok ? `order ${told.order} is paid` : `${told.error ?? "it failed"}`;
    answer(response.ok ? "good" : "bad", text, response.status, id);
    go(id);
  } catch {
    if (click === clicks) answer("bad", "The shop does not answer.");
  }
}

function answer(kind, text, status, id) {
  const content = [element("p", `verdict ${kind}`, text)];
  if (status) content[0].prepend(element("strong", "", `HTTP ${status}`), " ");
  if (id) {
    content.push(element("p", "", "The response header x-correlation-id is"));
    content.push(element("code", "id", id));
  }
  at("answer").replaceChildren(...content);
  at("answer").hidden = false;
}

// The story

let source;
let records = [];
let state = "";

/** The ID is in the address, so a reload and the back button find the story again. */
function go(id) {
  const hash = `#/${encodeURIComponent(id)}`;
  if (location.hash === hash) show();
  else location.hash = hash;
}

function wanted() {
  try {
    return decodeURIComponent(location.hash.replace(/^#\/?/, ""));
  } catch {
    return "";
  }
}

function show() {
  const id = wanted();
  source?.close();
  records = [];
  state = id ? "opening" : "none";
  render();
  if (!id) return;
  at("id").value = id;
  const opened = (source = new EventSource(`stories/${encodeURIComponent(id)}`));
  opened.onopen = () => {
    // After a break, the story is told from its start.
    records = [];
    become("live");
  };
  opened.onmessage = ({ data }) => {
    records.push(JSON.parse(data));
    later();
  };
  opened.onerror = () => become(opened.readyState === EventSource.CLOSED ? "refused" : "broken");
}

function become(next) {
  state = next;
  later();
}

/** Many records that come at once are rendered once. */
let planned = false;

function later() {
  if (planned) return;
  planned = true;
  setTimeout(() => {
    planned = false;
    render();
  });
}

function render() {
  // Times are texts of one length. Records without any come last.
  const place = (record) => record.time ?? "~";
  records.sort((a, b) => (place(a) < place(b) ? -1 : Number(place(a) > place(b))));
  const services = [...new Set(records.map((record) => record.service))];
  const list = at("records");
  list.style.setProperty("--lanes", Math.min(services.length, LANES));
  const rows = [];
  let last = null;
  let from = 0;
  for (const record of records.slice(0, MOST)) {
    const lane = services.indexOf(record.service) % LANES;
    const silence = last === null || record.since_ms === null ? 0 : record.since_ms - last;
    if (silence >= GAP) rows.push(element("li", "gap", `${millis(silence)} of silence`));
    rows.push(row(record, lane, from));
    from = lane;
    last = record.since_ms ?? last;
  }
  list.replaceChildren(...rows);
  at("summary").textContent = summary(services.length);
  at("summary").dataset.state = state;
}

function row(record, lane, from) {
  const { level, service, message, target } = record;
  const about = record.estimated || record.coarse ? "~" : "+";
  const time = record.since_ms === null ? "?" : `${about}${millis(record.since_ms)}`;
  const text = element("span", "text", message || target || "");
  const long = [["more", record.continuation.join("\n")]];
  for (const [key, value] of Object.entries(record.fields)) {
    if (value.includes("\n")) long.push([key, value]);
    else text.append(" ", element("span", "field", `${key}=${value}`));
  }
  // A backtrace, for instance.
  for (const [key, value] of long) {
    if (!value) continue;
    const lines = element("details", "", element("summary", "", key), element("pre", "", value));
    text.append(lines);
  }
  const lanes = element("span", "lanes", element("span", "hop"), element("span", "dot"));
  lanes.ariaHidden = "true";
  const made = element("li", "record", element("span", "time", time), lanes);
  made.append(element("span", "service", service), element("span", "level", level ?? ""), text);
  made.dataset.lane = lane;
  made.dataset.level = level ?? "";
  made.style.setProperty("--lane", lane);
  made.style.setProperty("--left", Math.min(lane, from));
  made.style.setProperty("--hop", Math.abs(lane - from));
  return made;
}

function summary(services) {
  const live = {
    none: "Buy something, or search for an ID.",
    opening: "The story is looked for.",
    refused: "The shop does not tell this: an ID has 1 to 128 of A-Z a-z 0-9 and - _ . : + / = # @ | ~, and the shop tells few stories at a time.",
    broken: "The shop does not answer. The page tries again.",
    live: records.length ? "" : "No log has this ID so far. The page shows what comes.",
  }[state];
  if (live) return live;
  const errors = records.filter((record) => record.level === "ERROR").length;
  const last = Math.max(0, ...records.map((record) => record.since_ms ?? 0));
  const parts = [count(records.length, "record"), count(services, "service"), millis(last)];
  parts.push(errors ? count(errors, "error") : "no error");
  if (records.length > MOST) parts.push(`the first ${MOST} are shown`);
  return parts.join(", ");
}

const count = (number, what) => `${number} ${what}${number === 1 ? "" : "s"}`;

const millis = (ms) => (ms < 10_000 ? `${ms.toFixed(1)} ms` : `${(ms / 1000).toFixed(1)} s`);

// Where it starts

for (const button of document.querySelectorAll(".shop button")) {
  button.addEventListener("click", () => buy(button.dataset));
}
at("search").addEventListener("submit", (event) => {
  event.preventDefault();
  go(at("id").value.trim());
});
addEventListener("hashchange", show);
show();
