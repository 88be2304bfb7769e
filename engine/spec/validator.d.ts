/** One way in which a value breaks the schema. */
export interface SchemaError {
  readonly instancePath: string;
  readonly schemaPath: string;
  readonly keyword: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** A compiled schema; after a call that gave false, `errors` holds what is wrong. */
export interface Validator {
  (data: unknown): boolean;
  errors?: readonly SchemaError[] | null;
}

/** Checks a workflow, except its steps. */
export const validateWorkflow: Validator;
/** Checks one step. */
export const validateStep: Validator;
/** Checks spanloop.yaml. */
export const validateSettings: Validator;
/** The keys that a closed object allows, by its place: `workflow#/properties/on`, `step#`. */
export const KEYS: Readonly<Record<string, readonly string[]>>;
/** The name of the definition that stands at a place. */
export const DEFINITIONS: Readonly<Record<string, string>>;
