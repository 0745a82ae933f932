// Lists the plugins, and lists them again whenever one of them changes.

const list = document.querySelector("#plugins");
const status = document.querySelector("#status");

function element(name, text, attributes = {}) {
  const made = document.createElement(name);
  made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function entry(plugin) {
  const item = document.createElement("li");
  const name = plugin.version
    ? element("a", plugin.name, { href: plugin.path })
    : element("strong", plugin.name);
  const title = document.createElement("span");
  title.append(name, element("span", plugin.version ? ` ${plugin.version}` : "", { class: "quiet" }));
  item.append(title, element("span", plugin.state.replaceAll("_", " "), { "data-state": plugin.state }));
  if (plugin.reason) item.append(element("span", plugin.reason, { class: "reason" }));
  return item;
}

async function show() {
  try {
    const { plugins } = await (await fetch("/api/plugins")).json();
    list.replaceChildren(...plugins.map(entry));
    status.textContent = plugins.length
      ? `${plugins.length} ${plugins.length === 1 ? "plugin" : "plugins"}`
      : "No plugin yet. In a plugin's directory, `hecate dev` loads it; `hecate install FILE` installs a bundle.";
  } catch {
    status.textContent = "The daemon cannot be reached.";
  }
}

const events = new EventSource("/api/events");
for (const kind of ["open", "error", "state", "lagged"]) events.addEventListener(kind, show);
show();
