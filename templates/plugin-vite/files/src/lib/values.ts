// Values of the plugin's types: the input that takes one, how its text becomes JSON, how it is shown.

/** A JSON Schema, as far as the plugin's types need one. */
export interface Schema {
  type?: string;
  format?: string;
  enum?: string[];
}

/** The kind of input for a value; a select where there are words to choose from. */
export function inputType({ type, format }: Schema): string {
  if (format === "date") return "date";
  if (format === "date-time") return "datetime-local";
  if (type === "integer" || type === "number") return "number";
  return type === "boolean" ? "checkbox" : "text";
}

/** The value as JSON has it; `undefined` for what is left empty. */
export function valueOf({ type, format }: Schema, text: string | boolean): unknown {
  if (typeof text === "boolean") return text;
  const trimmed = text.trim();
  if (!trimmed) return undefined;
  if (format === "date-time") return new Date(trimmed).toISOString();
  if (type === "integer" || type === "number") return Number(trimmed);
  if (type) return trimmed;
  try {
    return JSON.parse(trimmed);
  } catch {
    return trimmed;
  }
}

/** A value as people read it. */
export function shown(value: unknown): string {
  if (value === null || value === undefined) return "–";
  if (typeof value === "boolean") return value ? "Yes" : "No";
  if (typeof value === "object") return JSON.stringify(value);
  const text = String(value);
  if (/^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(text)) return new Date(text).toLocaleString();
  // Ids of one minute begin alike, so the end is shown too.
  return /^[0-9a-f-]{36}$/.test(text) ? `${text.slice(0, 8)}…${text.slice(-4)}` : text;
}

/** `order_confirmed_v1` as people write it: `Order confirmed`. */
export function words(name: string): string {
  const text = name.replace(/_v\d+$/, "").replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}
