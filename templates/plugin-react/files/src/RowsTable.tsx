import { useEffect, useState } from "react";

import { CommandForm } from "./CommandForm";
import type { Table } from "./lib/desks";
import { ask } from "./lib/plugin";
import { shown, words } from "./lib/values";

type Row = Record<string, unknown>;

export function RowsTable({ table, news }: { table: Table; news: number }) {
  const [rows, setRows] = useState<Row[]>([]);
  const [said, setSaid] = useState("");
  const [chosen, setChosen] = useState<string | null>(null);

  useEffect(() => {
    // Answers may come in another order than they were asked for: only the last one counts.
    let isLast = true;
    ask<{ items: Row[] }>(`${table.page}?order=desc&limit=50`).then(
      ({ items }) => {
        if (!isLast) return;
        setRows(items);
        setSaid("");
      },
      (error: Error) => isLast && setSaid(error.message),
    );
    return () => {
      isLast = false;
    };
  }, [table, news]);

  const hasActions = table.commands.length > 0;
  return (
    <div className="table">
      <div className="frame" role="region" aria-label={`Table of ${words(table.name)}`}>
        <table aria-label={words(table.name)}>
          <thead>
            <tr>
              {table.columns.map((column) => (
                <th key={column}>{words(column)}</th>
              ))}
              {hasActions && (
                <th className="actions">
                  <span className="unseen">Actions</span>
                </th>
              )}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={String(row[table.key])}>
                {table.columns.map((column) => (
                  <td key={column} data-label={words(column)} title={String(row[column] ?? "")}>
                    {shown(row[column])}
                  </td>
                ))}
                {hasActions && (
                  <td className="actions">
                    <button type="button" onClick={() => setChosen(String(row[table.key]))}>
                      Actions
                    </button>
                  </td>
                )}
              </tr>
            ))}
            {rows.length === 0 && (
              <tr>
                <td className="empty" colSpan={table.columns.length + 1}>
                  Nothing here yet.
                </td>
              </tr>
            )}
          </tbody>
        </table>
      </div>
      <p className="said" role="status" data-tone="wrong">
        {said}
      </p>
      {chosen && (
        <dialog ref={(dialog) => void (dialog?.open || dialog?.showModal())} onClose={() => setChosen(null)} aria-label="Actions">
          <h3>{shown(chosen)}</h3>
          {table.commands.map((command) => (
            <CommandForm key={command.name} command={command} id={chosen} done={() => setChosen(null)} />
          ))}
          <button type="button" className="close" aria-label="Close" onClick={() => setChosen(null)}>
            ×
          </button>
        </dialog>
      )}
    </div>
  );
}
