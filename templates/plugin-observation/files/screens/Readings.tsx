import { useEffect, useState } from "react";

import { ask } from "../lib/plugin";
import { words } from "../lib/values";

const EVERY_MS = 2_000;

interface Reading {
  name: string;
  value: number;
}

export default function Readings() {
  const [items, setItems] = useState<Reading[]>([]);
  const [said, setSaid] = useState("");

  useEffect(() => {
    const read = async () => {
      try {
        setItems((await ask<{ items: Reading[] }>("/readings")).items);
        setSaid("");
      } catch (error) {
        setSaid(error instanceof Error ? error.message : String(error));
      }
    };
    void read();
    const timer = setInterval(read, EVERY_MS);
    return () => clearInterval(timer);
  }, []);

  return (
    <>
      <h2>Readings</h2>
      <div className="table">
        <div className="frame">
          <table>
            <tbody>
              {items.map(({ name, value }) => (
                <tr key={name}>
                  <th>{words(name)}</th>
                  <td>{Math.round(value * 10) / 10}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
        <p className="said" role="status" data-tone="wrong">
          {said}
        </p>
      </div>
    </>
  );
}
