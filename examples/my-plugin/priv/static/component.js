// The page of the plugin: adds items, lists them, and hears of new ones over the WebSocket.

const base = "/plugin/my-plugin";

class MyPlugin extends HTMLElement {
  connectedCallback() {
    this.innerHTML = `
      <h1>My items</h1>
      <form>
        <label>Name <input name="name" required /></label>
        <button>Add</button>
      </form>
      <p role="status"></p>
      <ul></ul>`;
    this.querySelector("form").addEventListener("submit", (event) => this.add(event));
    this.load();
    this.listen();
  }

  async add(event) {
    event.preventDefault();
    const form = event.target;
    const answer = await this.ask("/items", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ name: form.elements.name.value }),
    });
    if (answer) form.reset();
  }

  async load() {
    const answer = await this.ask("/items");
    if (!answer) return;
    const entries = answer.items.map((item) => {
      const entry = document.createElement("li");
      entry.textContent = item.name;
      return entry;
    });
    this.querySelector("ul").replaceChildren(...entries);
  }

  listen() {
    const socket = new WebSocket(`ws://localhost:${location.port || 80}${base}/ws`);
    socket.addEventListener("message", ({ data }) => {
      if (JSON.parse(data).type !== "pong") this.load();
    });
    socket.addEventListener("close", () => setTimeout(() => this.listen(), 1000));
  }

  async ask(path, options) {
    const status = this.querySelector("[role=status]");
    try {
      const response = await fetch(`${base}/api${path}`, options);
      const answer = await response.json();
      status.textContent = answer.ok ? "" : answer.error;
      return answer.ok ? answer : null;
    } catch {
      status.textContent = "The plugin cannot be reached.";
      return null;
    }
  }
}

customElements.define("my-plugin", MyPlugin);
