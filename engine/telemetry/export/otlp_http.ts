import { Buffer } from "node:buffer";
import { gzipSync } from "node:zlib";
import type { Clock } from "../../core/clock.ts";
import { SpanloopError } from "../../core/errors.ts";
import type { OtlpSettings, Signal } from "../settings.ts";
import { connectionError } from "./_connection_error.ts";
import { readPem } from "./_tls.ts";
import type { Sender, Sent } from "./sender.ts";
import type { Serializer } from "./serializer.ts";

// What may work later, by OTLP's specification: https://opentelemetry.io/docs/specs/otlp/#retryable-response-codes
const RETRYABLE = new Set([429, 502, 503, 504]);
const TOO_LARGE = 413;
// They would take the headers, and what is secret in them, to another place.
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
// An answer is a few bytes; what is longer is not from a collector.
const LONGEST_ANSWER = 4 << 20;

/**
 * Sends one signal over OTLP/HTTP, in JSON or protobuf. One try a call: trying again is the queue's. Throws
 * SpanloopError when a certificate cannot be read.
 */
export function otlpHttpSender<T>(
  signal: Signal,
  settings: OtlpSettings,
  serializer: Serializer<T>,
  clock: Clock,
): Sender<T> {
  const url = new URL(settings.endpoint);
  const headers = {
    ...basic(url),
    ...settings.headers,
    "content-type": settings.protocol === "http/json"
      ? "application/json"
      : "application/x-protobuf",
    ...(settings.compression === "gzip" ? { "content-encoding": "gzip" } : {}),
  };
  const client = httpClient(settings);
  const closing = new AbortController();

  async function post(body: Uint8Array<ArrayBuffer>, signal: AbortSignal): Promise<Sent> {
    const response = await fetch(url, {
      method: "POST",
      body,
      headers,
      client,
      redirect: "manual",
      signal,
    });
    if (REDIRECTS.has(response.status)) {
      await response.body?.cancel();
      const message = `${response.status} ${response.statusText}: redirects are not followed, ` +
        "set the endpoint to where it really is";
      return { status: "failed", message };
    }
    const answer = await answerOf(response);
    if ("status" in answer) return answer;
    if (response.ok) {
      if (!isPage(response)) return accepted(answer, serializer);
      const message = "The answer is a web page: no receiver of OTLP is there";
      return { status: "failed", message };
    }
    const message = `${response.status} ${response.statusText}${reason(response, answer)}`;
    if (response.status === TOO_LARGE) return { status: "too_large", message };
    if (!RETRYABLE.has(response.status)) return { status: "failed", message };
    return { status: "retry", message, afterMs: retryAfter(response) };
  }

  return {
    signal,
    name: `otlp ${settings.protocol} ${url.origin}${url.pathname}`,
    async send(batch) {
      const late = new AbortController();
      const cancel = clock.after(settings.timeoutMs, () => late.abort());
      try {
        const body = serializer.serializeRequest(batch);
        if (body === undefined) return { status: "failed", message: "It cannot be serialized" };
        const bytes = settings.compression === "gzip" ? gzipSync(body) : body;
        return await post(
          bytes as Uint8Array<ArrayBuffer>,
          AbortSignal.any([late.signal, closing.signal]),
        );
      } catch (thrown) {
        if (late.signal.aborted) {
          return { status: "retry", message: `No answer within ${settings.timeoutMs} ms` };
        }
        return { status: "retry", message: connectionError(thrown), unreachable: true };
      } finally {
        cancel();
      }
    },
    close() {
      closing.abort();
      client?.close();
      return Promise.resolve();
    },
  };
}

// fetch refuses a URL with credentials; they belong into a header.
function basic(url: URL): Record<string, string> {
  const { username, password } = url;
  url.username = url.password = "";
  if (username === "" && password === "") return {};
  const pair = [username, password].map(decodeURIComponent).join(":");
  return { authorization: `Basic ${Buffer.from(pair).toString("base64")}` };
}

function httpClient(settings: OtlpSettings): Deno.HttpClient | undefined {
  const { certificate, clientCertificate, clientKey } = settings;
  if (certificate === undefined && clientCertificate === undefined) return undefined;
  return Deno.createHttpClient({
    ...(certificate === undefined ? {} : { caCerts: [readPem(certificate)] }),
    ...(clientCertificate === undefined || clientKey === undefined
      ? {}
      : { cert: readPem(clientCertificate), key: readPem(clientKey) }),
  });
}

// What the other side has taken is not sent again: not for an answer that broke off, or will not end.
async function answerOf(response: Response): Promise<Uint8Array | Sent> {
  try {
    return await bounded(response);
  } catch (thrown) {
    if (thrown instanceof SpanloopError) return { status: "failed", message: thrown.message };
    if (response.ok) return { status: "ok" };
    throw thrown;
  }
}

async function bounded(response: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > LONGEST_ANSWER) {
      throw new SpanloopError("telemetry.answer", "The answer is longer than 4 MiB");
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

// A sign-in page, or a program's own, answers 200 to anything.
function isPage(response: Response): boolean {
  return /^text\/html\b/i.test(response.headers.get("content-type") ?? "");
}

function accepted<T>(answer: Uint8Array, serializer: Serializer<T>): Sent {
  if (answer.length === 0) return { status: "ok" };
  try {
    return { status: "ok", ...serializer.rejected(answer) };
  } catch {
    // It was taken, whatever the answer says beside.
    return { status: "ok" };
  }
}

// A short answer in words says more than its number.
function reason(response: Response, answer: Uint8Array): string {
  const type = response.headers.get("content-type") ?? "";
  if (!/^(text\/plain|application\/json)/.test(type) || answer.length === 0) return "";
  const text = new TextDecoder().decode(answer).replace(/[\s\p{Cc}]+/gu, " ").trim();
  return text === "" ? "" : `: ${text.slice(0, 200)}`;
}

// Seconds or a date: RFC 9110, section 10.2.3.
function retryAfter(response: Response): number | undefined {
  const value = response.headers.get("retry-after");
  if (value === null) return undefined;
  if (/^\d+$/.test(value)) return Number(value) * 1_000;
  const [at, date] = [Date.parse(value), Date.parse(response.headers.get("date") ?? "")];
  return Number.isNaN(at) || Number.isNaN(date) ? undefined : Math.max(0, at - date);
}
