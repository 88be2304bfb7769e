import { messageOf, StepError } from "../core/errors.ts";
import type { Json } from "../core/json.ts";
import type { Propagation } from "../core/propagation.ts";
import type { AttemptContext, StepResult, StepType } from "../core/step.ts";
import { redactUrl, redactUrls } from "../core/url.ts";
import { isAddress, isPrivateAddress } from "./_address.ts";
import { ended } from "./_ended.ts";
import { type HttpRequest, readRequest } from "./_http_request.ts";
import { requestAttributes, type SentRequest } from "./_http_span.ts";
import type { StepPorts } from "./ports.ts";

// How much of a refused answer goes to the report, bytes.
const TAIL_LIMIT = 4096;

// Credentials that must not reach another origin (https://fetch.spec.whatwg.org/#http-redirect-fetch), and what
// the run and its callers tell of themselves: the author chose the first origin only.
const PRIVATE_HEADERS = ["authorization", "proxy-authorization", "cookie", "baggage", "tracestate"];

type Send = (input: URL, init: RequestInit) => Promise<Response>;

/**
 * The step type `http`: one request, with `url`, `method`, `headers`, `query`, `body` or `json`, `status`
 * (what is a success; 2xx when absent), `max_bytes`, `follow`, `allow_private` and `baggage`. Its outputs are
 * `status`, `headers` (names in lower case), `body` (text) and, when the answer is JSON, `json`.
 *
 * The trace context goes along, the run's baggage unless `baggage` is false (neither it nor tracestate follows
 * a redirect to another origin), and an Idempotency-Key unless the method is safe. Statuses 408, 429 and
 * 5xx and connections that fail are class `transient`, others `error` (F1). The first URL may be any that
 * the author wrote; a redirect to a private address is refused unless `allow_private`. Names are resolved
 * to check that, and again to connect: who controls a name can still answer differently the second time.
 */
export function httpStep(ports: StepPorts): StepType {
  const traced = /^(true|1)$/i.test(ports.environment.OTEL_DENO ?? "");
  return {
    name: "http",
    interruption: "retry",
    async run(context) {
      const request = readRequest(context);
      const { propagation } = ports;
      for (const [name, value] of Object.entries(await propagation.headers(context))) {
        if (name !== "baggage" || request.baggage) request.headers.set(name, value);
      }
      const send = traced ? tracedSend(propagation.reference(context), request.headers) : fetch;
      let sent: SentRequest | undefined;
      const attributes = () => sent && requestAttributes(sent, context.attempt);
      try {
        const response = await exchange(send, request, context, (last) => sent = last);
        return { ...await answer(response, request, context), attributes: attributes() };
      } catch (error) {
        const failure = context.signal.aborted
          ? ended(context.signal)
          : error instanceof StepError
          ? error
          : connectionError(request, context, error);
        const { code, message, errorClass, tail, cause } = failure;
        throw new StepError(code, message, { errorClass, tail, cause, attributes: attributes() });
      }
    },
  };
}

// What Deno's tracing registers where @opentelemetry/api looks for it; steps do not load that package.
interface Registered {
  readonly context?: {
    active(): { setValue(key: symbol, value: unknown): unknown };
    with<T>(context: unknown, call: () => T): T;
  };
}

// Deno's own tracing adds a traceparent of its own beside ours, and two make none: then its parent is set
// instead, so that its client span stands between our span and the server's.
function tracedSend(reference: ReturnType<Propagation["reference"]>, headers: Headers): Send {
  const registry = globalThis as { readonly [key: symbol]: Registered | undefined };
  const manager = registry[Symbol.for("opentelemetry.js.api.1")]?.context;
  if (manager === undefined) return fetch;
  headers.delete("traceparent");
  const parent = { ...reference, isRemote: false };
  const context = manager.active().setValue(
    Symbol.for("OpenTelemetry Context Key SPAN"),
    { spanContext: () => parent },
  );
  return (url, init) => manager.with(context, () => fetch(url, init));
}

async function exchange(
  send: Send,
  request: HttpRequest,
  context: AttemptContext,
  onSent: (sent: SentRequest) => void,
): Promise<Response> {
  let { url, method, body } = request;
  const headers = new Headers(request.headers);
  for (let redirects = 0;; redirects++) {
    onSent({ method, url, redirects });
    const response = await send(url, {
      method,
      headers,
      body,
      redirect: "manual",
      signal: context.signal,
    });
    const location = response.headers.get("location");
    const { status } = response;
    onSent({ method, url, redirects, status });
    if (location === null || ![301, 302, 303, 307, 308].includes(status)) return response;
    if (request.follow === 0 || request.accepts(status)) return response;
    await response.body?.cancel();
    if (redirects >= request.follow) {
      throw new StepError(
        "http.redirects",
        `${
          shown(request, context)
        } redirects more than ${request.follow} times; raise \`follow\` ` +
          "if that is right",
      );
    }
    const next = await redirectTarget(location, url, request, context);
    if (next.origin !== url.origin) { for (const name of PRIVATE_HEADERS) headers.delete(name); }
    if ((status === 303 && method !== "HEAD") || (status < 303 && method === "POST")) {
      method = "GET";
      body = undefined;
      for (const name of ["content-type", "content-length", "content-encoding"]) {
        headers.delete(name);
      }
    }
    url = next;
  }
}

async function redirectTarget(
  location: string,
  from: URL,
  request: HttpRequest,
  context: AttemptContext,
): Promise<URL> {
  const refuse = (why: string) =>
    new StepError(
      "http.redirect_refused",
      `${shown(request, context)} redirects to ${context.mask(redactUrl(location))}, which ${why}`,
    );
  if (!URL.canParse(location, from)) throw refuse("is no URL");
  const url = new URL(location, from);
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw refuse("is neither http nor https");
  }
  if (request.allowPrivate) return url;
  const host = url.hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "");
  for (const address of isAddress(host) ? [host] : await resolve(host)) {
    if (isPrivateAddress(address)) {
      throw refuse(
        `is a private address${
          address === host ? "" : ` (${address})`
        }; set \`allow_private: true\` if it is meant`,
      );
    }
  }
  return url;
}

// The system's resolver, hosts file included, as a connection will use it.
async function resolve(host: string): Promise<string[]> {
  const { lookup } = await import("node:dns/promises");
  return (await lookup(host, { all: true })).map(({ address }) => address);
}

async function answer(
  response: Response,
  request: HttpRequest,
  context: AttemptContext,
): Promise<StepResult> {
  const { status } = response;
  if (!request.accepts(status)) {
    const retryAfter = response.headers.get("retry-after");
    const { bytes } = await read(response, TAIL_LIMIT);
    const text = context.mask(new TextDecoder().decode(bytes));
    throw new StepError(
      "http.status",
      `${shown(request, context)} answered ${status}${
        response.statusText && ` ${context.mask(response.statusText)}`
      }${retryAfter === null ? "" : ` (Retry-After: ${context.mask(retryAfter)})`}`,
      {
        errorClass: status === 408 || status === 429 || status >= 500 ? "transient" : "error",
        tail: text === "" ? undefined : text,
      },
    );
  }
  const { bytes, whole } = await read(response, request.maxBytes);
  if (!whole) {
    throw new StepError(
      "http.too_large",
      `${
        shown(request, context)
      } answered with more than ${request.maxBytes} bytes; raise \`max_bytes\`, or fetch ` +
        "it to a file with a shell step",
    );
  }
  const type = response.headers.get("content-type") ?? "";
  const body = decode(bytes, type);
  const outputs: Record<string, Json> = {
    status,
    headers: Object.fromEntries(response.headers),
    body,
  };
  if (/^\s*[\w.+-]+\/([\w.+-]+\+)?json\s*(;|$)/i.test(type) && body.trim() !== "") {
    outputs.json = parse(body, request, context);
  }
  return { outputs };
}

// At most `limit` bytes of the body, after decompression: a small answer can unpack to a huge one.
async function read(
  response: Response,
  limit: number,
): Promise<{ readonly bytes: Uint8Array; readonly whole: boolean }> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    const room = limit - length;
    chunks.push(chunk.length > room ? chunk.subarray(0, room) : chunk);
    length += chunk.length;
    if (length > limit) break; // which cancels the body
  }
  const bytes = new Uint8Array(Math.min(length, limit));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return { bytes, whole: length <= limit };
}

function decode(bytes: Uint8Array, type: string): string {
  const charset = /;\s*charset="?([^\s;"]+)/i.exec(type)?.[1] ?? "utf-8";
  try {
    return new TextDecoder(charset).decode(bytes);
  } catch {
    return new TextDecoder().decode(bytes); // a charset that nobody knows
  }
}

function parse(body: string, request: HttpRequest, context: AttemptContext): Json {
  try {
    return JSON.parse(body);
  } catch (error) {
    throw new StepError(
      "http.json",
      `${shown(request, context)} says that it answers JSON, but its body is none: ${
        context.mask(messageOf(error))
      }`,
      { tail: context.mask(body).slice(0, TAIL_LIMIT), cause: error },
    );
  }
}

function connectionError(
  request: HttpRequest,
  context: AttemptContext,
  error: unknown,
): StepError {
  const why = context.mask(redactUrls(messageOf(error)));
  return new StepError("http.connection", `${shown(request, context)} failed: ${why}`, {
    // Trying again does not make a certificate valid.
    errorClass: /certificate/i.test(why) ? "error" : "transient",
    cause: error,
  });
}

function shown(request: HttpRequest, context: AttemptContext): string {
  const { origin, pathname } = request.url;
  return context.mask(`${request.method} ${origin}${pathname}`);
}
