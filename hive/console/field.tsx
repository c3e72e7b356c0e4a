import type { Child } from "hono/jsx";

/** A field of a form with its label. */
export interface FieldProps {
  /** Name of the field, and its id unless there is one. */
  readonly name: string;
  readonly label: string;
  /** Default: that of `name`. Needed where a page has two fields of one name. */
  readonly id?: string;
  /** Default: `text`. */
  readonly type?: "text" | "password";
  /** What browsers fill in. Default: nothing. */
  readonly autocomplete?: string;
  /** Said below the field. */
  readonly hint?: string;
  /** Default: true. */
  readonly isRequired?: boolean;
  /** Default: false. */
  readonly isFirst?: boolean;
  /** Default: none. */
  readonly inputmode?: "numeric";
}

/**
 * A field of a form with its label.
 *
 * @param props Name, label, kind.
 */
export function Field(props: FieldProps): Child {
  const { name, label, id = name, type = "text", autocomplete = "off", hint } = props;
  const { isRequired = true, isFirst = false, inputmode } = props;
  return (
    <>
      <label for={id}>{label}</label>
      <input
        id={id}
        name={name}
        type={type}
        autocomplete={autocomplete}
        autocapitalize="none"
        spellcheck={false}
        maxlength={256}
        required={isRequired}
        autofocus={isFirst}
        inputmode={inputmode}
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
      />
      {hint !== undefined && <p class="note" id={`${id}-hint`}>{hint}</p>}
    </>
  );
}

/**
 * A choice of a form with its label.
 *
 * @param props Name, label, what there is to choose, and what is chosen.
 */
export function Choice(
  { name, label, id = name, values, value, isHidden = false }: {
    readonly name: string;
    readonly label: string;
    /** Default: that of `name`. */
    readonly id?: string;
    readonly values: readonly string[];
    readonly value: string;
    /** True when the label is for those who do not see the page. */
    readonly isHidden?: boolean;
  },
): Child {
  return (
    <>
      <label for={id} class={isHidden ? "hidden" : undefined}>{label}</label>
      <select id={id} name={name}>
        {values.map((each) => (
          <option key={each} value={each} selected={each === value}>{each}</option>
        ))}
      </select>
    </>
  );
}
