import type { Attributes } from "../core/span.ts";
import { redactUrl } from "../core/url.ts";
import * as keys from "../../semconv/attributes.ts";

const METHODS: ReadonlySet<string> = new Set([
  keys.HTTP_REQUEST_METHOD_VALUE_GET,
  keys.HTTP_REQUEST_METHOD_VALUE_HEAD,
  keys.HTTP_REQUEST_METHOD_VALUE_POST,
  keys.HTTP_REQUEST_METHOD_VALUE_PUT,
  keys.HTTP_REQUEST_METHOD_VALUE_PATCH,
  keys.HTTP_REQUEST_METHOD_VALUE_DELETE,
  keys.HTTP_REQUEST_METHOD_VALUE_OPTIONS,
]);

const PORTS: Readonly<Record<string, number>> = { "http:": 80, "https:": 443 };

/** The request that an attempt sent last. */
export interface SentRequest {
  /** In capitals. */
  readonly method: string;
  /** Where to. */
  readonly url: URL;
  /** How often the attempt had sent it before, to be redirected. */
  readonly redirects: number;
  /** The answer's status, once there is one. */
  readonly status?: number;
}

/** What an attempt's span says of its last request, by OpenTelemetry's conventions for HTTP clients. */
export function requestAttributes(
  sent: SentRequest,
  attempt: number,
): Record<string, string | number> {
  const { method, url, redirects, status } = sent;
  const resends = attempt - 1 + redirects;
  return {
    [keys.HTTP_REQUEST_METHOD]: METHODS.has(method) ? method : keys.HTTP_REQUEST_METHOD_VALUE_OTHER,
    [keys.URL_FULL]: redactUrl(url),
    [keys.SERVER_ADDRESS]: url.hostname.replace(/^\[|\]$/g, ""),
    [keys.SERVER_PORT]: url.port === "" ? PORTS[url.protocol] : Number(url.port),
    ...(resends === 0 ? {} : { [keys.HTTP_REQUEST_RESEND_COUNT]: resends }),
    ...(status === undefined ? {} : { [keys.HTTP_RESPONSE_STATUS_CODE]: status }),
  } satisfies Attributes;
}
