import { type FormEvent, useId, useRef, useState } from "react";

import type { Command, Field } from "./lib/desks";
import { newKey, Refusal, send } from "./lib/plugin";
import { inputType, valueOf, words } from "./lib/values";

interface Props {
  command: Command;
  /** The thing that it is done to; a birth has none yet. */
  id?: string;
  done?: () => void;
}

type Text = string | boolean;

export function CommandForm({ command, id, done }: Props) {
  const uid = useId();
  const [texts, setTexts] = useState<Record<string, Text>>({});
  const [wrong, setWrong] = useState<Record<string, string>>({});
  const [said, setSaid] = useState({ text: "", tone: "" });
  const isBusy = useRef(false);
  // Kept until the command is accepted: sent again it is still one.
  const key = useRef("");

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (isBusy.current) return;
    isBusy.current = true;
    key.current ||= newKey();
    const value = ({ name, schema }: Field) => {
      const empty = inputType(schema) === "checkbox" ? false : "";
      return [name, valueOf(schema, texts[name] ?? empty)] as const;
    };
    const path = command.path.replace(/\{\w+\}/, encodeURIComponent(id ?? String(texts.id ?? "")));
    try {
      await send(path, Object.fromEntries(command.fields.map(value)), key.current);
      key.current = "";
      setTexts({});
      setWrong({});
      setSaid({ text: `${command.summary}: done.`, tone: "well" });
      done?.();
    } catch (error) {
      // What was refused is another command once it is mended.
      if (error instanceof Refusal && Object.keys(error.fields).length > 0) key.current = "";
      setWrong(error instanceof Refusal ? error.fields : {});
      setSaid({ text: error instanceof Error ? error.message : String(error), tone: "wrong" });
    } finally {
      isBusy.current = false;
    }
  };

  const put = (name: string, text: Text) => setTexts((texts) => ({ ...texts, [name]: text }));

  return (
    <form noValidate autoComplete="off" data-desk={command.name} onSubmit={submit}>
      <div className="fields">
        {!id && !command.isBirth && (
          <div className="field">
            <label htmlFor={`${uid}-id`}>
              Id <Star />
            </label>
            <input
              id={`${uid}-id`}
              name="field-id"
              value={String(texts.id ?? "")}
              onChange={(event) => put("id", event.target.value)}
            />
          </div>
        )}
        {command.fields.map((field) => (
          <Input
            key={field.name}
            id={`${uid}-${field.name}`}
            field={field}
            text={texts[field.name]}
            wrong={wrong[field.name]}
            put={(text) => put(field.name, text)}
          />
        ))}
      </div>
      <div className="foot">
        <button className="primary">{command.summary}</button>
        <p className="said" role="status" data-tone={said.tone}>
          {said.text}
        </p>
      </div>
    </form>
  );
}

interface InputProps {
  id: string;
  field: Field;
  text?: Text;
  wrong?: string;
  put: (text: Text) => void;
}

function Input({ id, field: { name, schema, required }, text = "", wrong, put }: InputProps) {
  const type = inputType(schema);
  const isCheck = type === "checkbox";
  const shared = { id, name: `field-${name}`, "aria-invalid": wrong !== undefined, "aria-describedby": `${id}-error` };
  return (
    <div className={isCheck ? "field check" : "field"}>
      <label htmlFor={id}>
        {words(name)} {required && !isCheck && <Star />}
      </label>
      {schema.enum ? (
        <select {...shared} value={String(text)} onChange={(event) => put(event.target.value)}>
          <option value="">{required ? "Choose…" : "–"}</option>
          {schema.enum.map((word) => (
            <option key={word} value={word}>
              {words(word)}
            </option>
          ))}
        </select>
      ) : isCheck ? (
        <input {...shared} type="checkbox" checked={text === true} onChange={(event) => put(event.target.checked)} />
      ) : (
        <input
          {...shared}
          type={type}
          step={schema.type === "number" ? "any" : undefined}
          value={String(text)}
          onChange={(event) => put(event.target.value)}
        />
      )}
      <p id={`${id}-error`} className="error">
        {wrong}
      </p>
    </div>
  );
}

const Star = () => (
  <span className="star" aria-hidden="true">
    *
  </span>
);
