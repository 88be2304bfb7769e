import { StepError } from "../core/errors.ts";
import { isObject, type Json, type JsonObject } from "../core/json.ts";
import type { AttemptContext } from "../core/step.ts";
import { redactUrl } from "../core/url.ts";

/** A request as the step's `with:` describes it, checked. */
export interface HttpRequest {
  /** With the query added. */
  readonly url: URL;
  /** In capitals. */
  readonly method: string;
  /** With an idempotency key; the trace context is not among them. */
  readonly headers: Headers;
  /** Its body; none for GET and HEAD. */
  readonly body: string | undefined;
  /** Whether a status is a success. */
  readonly accepts: (status: number) => boolean;
  /** The largest body that is read, bytes. */
  readonly maxBytes: number;
  /** Whether redirects may lead to private addresses. */
  readonly allowPrivate: boolean;
  /** Whether the run's baggage goes along. */
  readonly baggage: boolean;
  /** How many redirects are followed. */
  readonly follow: number;
}

/** The largest body when `max_bytes` says nothing, bytes. */
export const MAX_BYTES = 10 * 1024 * 1024;

/** Redirects followed when `follow` says nothing. */
export const FOLLOW = 5;

const KEYS = [
  "url",
  "method",
  "headers",
  "query",
  "body",
  "json",
  "status",
  "max_bytes",
  "allow_private",
  "baggage",
  "follow",
];

/** Reads an http step's inputs. Throws StepError `step.input` that names the input at fault. */
export function readRequest(context: AttemptContext): HttpRequest {
  const inputs = context.with;
  for (const key of Object.keys(inputs)) {
    if (!KEYS.includes(key)) {
      throw fault(`An http step has no input \`${key}\`; it has ${KEYS.join(", ")}`);
    }
  }
  const method = typeof inputs.method === "string" ? inputs.method.toUpperCase() : "GET";
  if ((inputs.method ?? "GET") !== method && typeof inputs.method !== "string") {
    throw fault("`method` must be text such as POST");
  }
  const headers = readHeaders(inputs.headers ?? {});
  const body = readBody(inputs, method, headers);
  if (!["GET", "HEAD", "OPTIONS"].includes(method) && !headers.has("idempotency-key")) {
    headers.set("idempotency-key", context.idempotencyKey);
  }
  return {
    url: readUrl(inputs),
    method,
    headers,
    body,
    accepts: readStatus(inputs.status),
    maxBytes: readCount("max_bytes", inputs.max_bytes, MAX_BYTES),
    allowPrivate: inputs.allow_private === true,
    baggage: inputs.baggage !== false,
    follow: readCount("follow", inputs.follow, FOLLOW),
  };
}

function fault(message: string): StepError {
  return new StepError("step.input", message);
}

function readUrl(inputs: JsonObject): URL {
  const text = inputs.url;
  if (typeof text !== "string" || !URL.canParse(text)) {
    throw fault(
      `\`url\` must be a whole URL such as https://example.com/, not ${
        shown(typeof text === "string" ? redactUrl(text) : text)
      }`,
    );
  }
  const url = new URL(text);
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw fault(`\`url\` must be http or https, not ${url.protocol}`);
  }
  const query = inputs.query ?? {};
  if (!isObject(query)) throw fault("`query` must be a map of names and values");
  for (const [name, value] of Object.entries(query)) {
    for (const item of Array.isArray(value) ? value : [value]) {
      if (item !== null) url.searchParams.append(name, scalar(`query.${name}`, item));
    }
  }
  return url;
}

function readHeaders(value: Json): Headers {
  if (!isObject(value)) throw fault("`headers` must be a map of names and values");
  const headers = new Headers();
  for (const [name, item] of Object.entries(value)) {
    if (item === null) continue;
    try {
      headers.append(name, scalar(`headers.${name}`, item));
    } catch (error) {
      if (error instanceof StepError) throw error;
      throw fault(`Header ${shown(name)} has a name or a value that HTTP does not allow`);
    }
  }
  return headers;
}

function readBody(inputs: JsonObject, method: string, headers: Headers): string | undefined {
  const { body, json } = inputs;
  if (body === undefined && json === undefined) return undefined;
  if (body !== undefined && json !== undefined) {
    throw fault("An http step takes `body` or `json`, not both");
  }
  if (method === "GET" || method === "HEAD") {
    throw fault(`A ${method} request cannot have a body; set \`method\`, for example to POST`);
  }
  if (json !== undefined) {
    if (!headers.has("content-type")) headers.set("content-type", "application/json");
    return JSON.stringify(json);
  }
  if (typeof body !== "string") throw fault("`body` must be text; for other values use `json`");
  return body;
}

function readStatus(value: Json | undefined): (status: number) => boolean {
  if (value === undefined) return (status) => status >= 200 && status < 300;
  const wanted = (Array.isArray(value) ? value : [value]).map(String);
  for (const one of wanted) {
    if (!/^[1-5](\d\d|xx)$/.test(one)) {
      throw fault(
        `\`status\` must be a status such as 200, a class such as 2xx, or a list of these`,
      );
    }
  }
  return (status) => wanted.includes(String(status)) || wanted.includes(`${String(status)[0]}xx`);
}

function readCount(name: string, value: Json | undefined, otherwise: number): number {
  if (value === undefined) return otherwise;
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw fault(`\`${name}\` must be a whole number from 0, not ${shown(value)}`);
}

function scalar(name: string, value: Json): string {
  if (typeof value !== "object") return String(value);
  throw fault(`\`${name}\` must be text, a number or a boolean`);
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}
