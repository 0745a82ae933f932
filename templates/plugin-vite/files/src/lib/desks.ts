// The desks of the plugin, by division, as `openapi.json` describes them: a new desk needs no change here.

import type { Schema } from "./values";

export interface Field {
  name: string;
  schema: Schema;
  required: boolean;
}

export interface Command {
  name: string;
  summary: string;
  path: string;
  isBirth: boolean;
  fields: Field[];
}

export interface Table {
  name: string;
  key: string;
  page: string;
  columns: string[];
  /** What can be done to a row. */
  commands: Command[];
}

export interface Division {
  name: string;
  commands: Command[];
  tables: Table[];
}

export interface OpenApi {
  info: { title: string; version: string; description?: string };
  paths: Record<string, Record<string, Operation>>;
}

interface Operation {
  summary: string;
  requestBody?: { content: { "application/json": { schema: Body } } };
  responses: Record<string, { content: { "application/json": { schema: Answer } } }>;
  "x-hecate"?: { desk: string; kind: string; division: string; table?: string; key?: string };
}

interface Body {
  properties: Record<string, Schema>;
  required: string[];
}

interface Answer {
  properties: { items: { items: { properties: Record<string, Schema> } } };
}

export function divisionsOf({ paths }: OpenApi): Division[] {
  const divisions = new Map<string, Division>();
  for (const [path, methods] of Object.entries(paths)) {
    for (const operation of Object.values(methods)) {
      const desk = operation["x-hecate"];
      if (!desk) continue;
      const division = divisions.get(desk.division) ?? { name: desk.division, commands: [], tables: [] };
      divisions.set(desk.division, division);
      const body = operation.requestBody?.content["application/json"].schema;
      if (body) division.commands.push(commandOf(desk, path, operation.summary, body));
      else if (desk.kind === "page") division.tables.push(tableOf(desk, path, operation));
    }
  }
  return [...divisions.values()].map(arranged);
}

function commandOf(desk: { desk: string; kind: string }, path: string, summary: string, body: Body): Command {
  const field = ([name, schema]: [string, Schema]) => ({ name, schema, required: body.required.includes(name) });
  const fields = Object.entries(body.properties).map(field);
  return { name: desk.desk, summary, path, isBirth: desk.kind === "birth", fields };
}

function tableOf(desk: { table?: string; key?: string }, page: string, operation: Operation): Table {
  const row = operation.responses["200"].content["application/json"].schema.properties.items.items.properties;
  // The version says least.
  const columns = Object.keys(row).filter((name) => name !== "version");
  return { name: desk.table ?? page, key: desk.key ?? "id", page, columns, commands: [] };
}

/** Gives each later command to the table of its rows. Without one it stands with the births. */
function arranged({ name, commands, tables }: Division): Division {
  const collection = (path: string) => path.split("/")[1];
  const own = (table: Table) =>
    commands.filter(({ isBirth, path }) => !isBirth && collection(path) === collection(table.page));
  const filled = tables.map((table) => ({ ...table, commands: own(table) }));
  const others = commands.filter((command) => !filled.some((table) => table.commands.includes(command)));
  return { name, commands: others, tables: filled };
}
