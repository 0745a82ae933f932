import { useEffect, useState } from "react";

import { CommandForm } from "./CommandForm";
import { screens } from "./generated/screens";
import { type Division, divisionsOf, type OpenApi } from "./lib/desks";
import { ask, listen, TITLE } from "./lib/plugin";
import { words } from "./lib/values";
import { RowsTable } from "./RowsTable";

export function Page() {
  const [about, setAbout] = useState("");
  const [state, setState] = useState({ text: "Connecting…", tone: "" });
  const [divisions, setDivisions] = useState<Division[] | null>(null);
  // Raised by everything that is stored: tables read again.
  const [news, setNews] = useState(0);

  useEffect(() => {
    const lost = (why = "The connection is lost.") => setState({ text: `${why} Trying again…`, tone: "wrong" });
    const read = async () => {
      try {
        const openapi = await ask<OpenApi>("/openapi.json");
        const { status } = await ask<{ status: string }>("/health");
        setAbout([openapi.info.version, openapi.info.description].filter(Boolean).join(" · "));
        setDivisions(divisionsOf(openapi));
        setNews((news) => news + 1);
        const isWell = status === "ok";
        setState({ text: isWell ? "Live, healthy" : `Live, ${status}`, tone: isWell ? "well" : "wrong" });
      } catch (error) {
        lost(error instanceof Error ? error.message : String(error));
      }
    };
    return listen(
      () => void read(),
      () => lost(),
      () => setNews((news) => news + 1),
    );
  }, []);

  return (
    <>
      <header>
        <div>
          <h1>{TITLE}</h1>
          <p className="about">{about}</p>
        </div>
        <p className="state" role="status" data-tone={state.tone}>
          {state.text}
        </p>
      </header>
      <div className="divisions">
        {screens.map(({ name, component: Screen }) => (
          <section key={name} aria-label={words(name)} data-screen={name}>
            <Screen news={news} />
          </section>
        ))}
        {divisions?.map(({ name, commands, tables }) => (
          <section key={name} aria-label={words(name)}>
            <h2>{words(tables[0]?.name ?? name)}</h2>
            {commands.map((command, nth) => (
              <details key={command.name} className="panel" open={nth === 0}>
                <summary>{command.summary}</summary>
                <CommandForm command={command} />
              </details>
            ))}
            {tables.map((table) => (
              <RowsTable key={table.name} table={table} news={news} />
            ))}
          </section>
        ))}
        {divisions?.length === 0 && screens.length === 0 && (
          <section className="nothing">
            <h2>Nothing here yet</h2>
            <p>This plugin has no division. Add the first one, in the folder of the plugin:</p>
            <pre>
              <code>hecate gen division order</code>
            </pre>
          </section>
        )}
      </div>
    </>
  );
}
