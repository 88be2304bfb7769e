import { type EnvironmentReader, readPairs } from "./_environment.ts";

/** The signals. */
export type Signal = "traces" | "metrics" | "logs";

/** How OTLP is sent for one signal. */
export interface OtlpSettings {
  /** The encoding and transport. */
  readonly protocol: "http/protobuf" | "http/json" | "grpc";
  /** For http the full URL of the signal; for grpc the server's URL, or what else gRPC takes. No credentials. */
  readonly endpoint: string;
  /** Sent with every request, names in lower case; may hold credentials. */
  readonly headers: Readonly<Record<string, string>>;
  /** For one export with its retries, in milliseconds. */
  readonly timeoutMs: number;
  /** Of the request body. */
  readonly compression: "gzip" | "none";
  /** A PEM file of certificates to trust. */
  readonly certificate?: string;
  /** A PEM file: the client's certificate, for mutual TLS. There is a key then, too. */
  readonly clientCertificate?: string;
  /** A PEM file: the client's key. */
  readonly clientKey?: string;
  /** For grpc: whether to do without TLS. */
  readonly insecure: boolean;
}

const PROTOCOLS = ["http/protobuf", "http/json", "grpc"] as const;
const DEFAULT_TIMEOUT_MS = 10_000;
// RFC 9110's token, which gRPC's metadata keys are, too.
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
// What both HTTP and gRPC carry in a header.
const HEADER_VALUE = /^[\x20-\x7e]*$/;

/**
 * The signal's OTLP settings, its own variables before the general ones; and whether the environment says where
 * to send it. https://opentelemetry.io/docs/specs/otel/protocol/exporter/
 */
export function readOtlpSettings(
  reader: EnvironmentReader,
  signal: Signal,
): { readonly otlp: OtlpSettings; readonly hasEndpoint: boolean } {
  const names = (option: string) => variables(signal, option);
  const protocol = reader.choice(names("PROTOCOL"), PROTOCOLS) ?? "http/protobuf";
  const given = endpointOf(reader, signal, protocol);
  const target = given ?? {
    endpoint: protocol === "grpc" ? "http://localhost:4317" : `http://localhost:4318/v1/${signal}`,
    insecure: true,
  };
  const certificate = reader.path(...names("CERTIFICATE"));
  const clientCertificate = reader.path(...names("CLIENT_CERTIFICATE"));
  const clientKey = reader.path(...names("CLIENT_KEY"));
  if ((clientCertificate === undefined) !== (clientKey === undefined)) {
    reader.warn(
      "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and OTEL_EXPORTER_OTLP_CLIENT_KEY belong together: " +
        "the one without the other is ignored",
    );
  }
  const otlp: OtlpSettings = {
    protocol,
    endpoint: target.endpoint,
    headers: headersOf(reader, signal, protocol, given?.authorization),
    timeoutMs: reader.timeout(names("TIMEOUT"), DEFAULT_TIMEOUT_MS),
    compression: reader.choice(names("COMPRESSION"), ["gzip", "none"]) ?? "none",
    ...(certificate === undefined ? {} : { certificate }),
    ...(clientCertificate === undefined || clientKey === undefined
      ? {}
      : { clientCertificate, clientKey }),
    insecure: target.insecure,
  };
  return { otlp, hasEndpoint: given !== undefined };
}

// The signal's own variable, then the general one.
function variables(signal: Signal, option: string): readonly string[] {
  return [`OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_${option}`, `OTEL_EXPORTER_OTLP_${option}`];
}

interface Target {
  readonly endpoint: string;
  readonly insecure: boolean;
  /** From the credentials in the URL, which no request may carry there. */
  readonly authorization?: string;
}

function endpointOf(
  reader: EnvironmentReader,
  signal: Signal,
  protocol: OtlpSettings["protocol"],
): Target | undefined {
  const [own, general] = variables(signal, "ENDPOINT");
  for (const name of [own, general]) {
    const value = reader.text(name);
    if (value === undefined) continue;
    const target = protocol === "grpc"
      ? grpcTarget(value, reader.boolean(...variables(signal, "INSECURE")))
      : httpTarget(value, name === own ? "" : `v1/${signal}`);
    if (target !== undefined) return target;
    // The value is not shown: it may hold credentials.
    reader.warn(`${name} is not a URL that begins with http:// or https://: ignored`);
  }
  return undefined;
}

function httpTarget(value: string, path: string): Target | undefined {
  const url = webUrl(value);
  if (url === undefined) return undefined;
  // The signal's own URL is used as it is; to the general one the signal's path is added.
  if (path !== "") url.pathname = `${url.pathname.replace(/\/$/, "")}/${path}`;
  return { ...withoutCredentials(url), insecure: url.protocol === "http:" };
}

function grpcTarget(value: string, insecure: boolean): Target | undefined {
  const url = webUrl(value);
  // The scheme says more than INSECURE does.
  if (url !== undefined) return { ...withoutCredentials(url), insecure: url.protocol === "http:" };
  if (/^https?:/i.test(value) || /[\s@]/.test(value)) return undefined;
  return { endpoint: value, insecure };
}

function webUrl(value: string): URL | undefined {
  return /^https?:\/\//i.test(value) && URL.canParse(value) ? new URL(value) : undefined;
}

function withoutCredentials(url: URL): { endpoint: string; authorization?: string } {
  if (url.username === "" && url.password === "") return { endpoint: url.href };
  const bare = new URL(url);
  bare.username = bare.password = "";
  const bytes = new TextEncoder().encode(`${decoded(url.username)}:${decoded(url.password)}`);
  return { endpoint: bare.href, authorization: `Basic ${btoa(String.fromCharCode(...bytes))}` };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a percent sign that stands for itself
  }
}

function headersOf(
  reader: EnvironmentReader,
  signal: Signal,
  protocol: OtlpSettings["protocol"],
  authorization: string | undefined,
): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  const given = reader.first(variables(signal, "HEADERS"));
  if (given !== undefined) {
    const { pairs, faults } = readPairs(withoutMetadata(reader, given));
    for (const { entry, fault } of faults) {
      reader.warn(`${given.name}: entry ${entry} ${fault}: ignored`);
    }
    for (const [index, [name, value]] of pairs.entries()) {
      const key = name.toLowerCase();
      // To gRPC a name that ends so promises bytes, and makes it refuse all that is sent.
      const binary = protocol === "grpc" && key.endsWith("-bin");
      if (HEADER_NAME.test(key) && HEADER_VALUE.test(value) && !binary) headers[key] = value;
      else reader.warn(`${given.name}: header ${index + 1} cannot be sent as it is: ignored`);
    }
  }
  const key = reader.text("OTLP_API_KEY");
  if (key !== undefined && !HEADER_VALUE.test(key)) {
    reader.warn("OTLP_API_KEY holds characters that a header cannot carry: ignored");
  }
  const bearer = key !== undefined && HEADER_VALUE.test(key) ? `Bearer ${key}` : undefined;
  const credentials = authorization ?? bearer;
  if (credentials !== undefined) headers.authorization ??= credentials;
  return headers;
}

// W3C baggage allows properties after a semicolon; for headers they are not supported.
function withoutMetadata(
  reader: EnvironmentReader,
  { name, value }: { readonly name: string; readonly value: string },
): string {
  if (!value.includes(";")) return value;
  reader.warn(`${name}: what follows a semicolon is ignored; write %3B for one within a value`);
  return value.split(",").map((entry) => entry.split(";")[0]).join(",");
}
