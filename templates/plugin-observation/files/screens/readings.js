// What the plugin watches, read again every two seconds.

const EVERY_MS = 2_000;

/** Draws the screen; `ask` fetches JSON from the plugin. */
export default function readings({ ask }) {
  const element = document.createElement("div");
  element.className = "table";
  element.innerHTML = `<h2>Readings</h2><div class="frame"><table><tbody></tbody></table></div><p class="said"></p>`;
  const [body, said] = ["tbody", ".said"].map((part) => element.querySelector(part));
  const cell = (tag, text) => Object.assign(document.createElement(tag), { textContent: text });
  const read = async () => {
    try {
      const { items } = await ask("/readings");
      const rows = items.map(({ name, value }) => {
        const row = document.createElement("tr");
        row.append(cell("th", name.replaceAll("_", " ")), cell("td", Math.round(value * 10) / 10));
        return row;
      });
      body.replaceChildren(...rows);
      said.textContent = "";
    } catch ({ message }) {
      said.textContent = message;
    }
    setTimeout(read, EVERY_MS);
  };
  read();
  return element;
}
