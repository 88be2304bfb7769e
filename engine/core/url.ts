/** What stands for a part of a URL that nobody should read in a log. */
const REDACTED = "REDACTED";

/**
 * A URL as it may be shown and exported: credentials as OpenTelemetry's `url.full` asks, and each value of the
 * query and the fragment as well, whose names stay. What is no URL is treated as text that may hold some.
 */
export function redactUrl(url: string | URL): string {
  const parsed = typeof url === "string" ? URL.parse(url) : new URL(url);
  if (parsed === null) return redactUrls(String(url));
  if (parsed.username !== "") parsed.username = REDACTED;
  if (parsed.password !== "") parsed.password = REDACTED;
  if (parsed.username !== "" || parsed.password !== "") {
    parsed.username = parsed.password = REDACTED;
  }
  if (parsed.hash !== "") parsed.hash = REDACTED;
  if (parsed.search !== "") parsed.search = redactQuery(parsed.search.slice(1));
  return parsed.href;
}

/** Text in which every URL is redacted, as error messages have them. */
export function redactUrls(text: string): string {
  return text.replace(
    /(?:\b[a-z][a-z0-9+.-]*:)?\/\/[^\s"'`<>]+|(?<![^\s"'`(])\/[^\s"'`<>?#]*[?#][^\s"'`<>]*/gi,
    redactPart,
  );
}

// A part may be cut or malformed, so that no parser takes it.
function redactPart(part: string): string {
  let end = part.length;
  while (end > 0 && ").,;:".includes(part[end - 1])) end--;
  const url = part.slice(0, end);
  const [from, to] = [url.indexOf("//"), url.lastIndexOf("@")];
  // Of what is no URL nobody knows where the password ends.
  const unclear = from >= 0 && to > from && !URL.canParse(url, "http://host");
  const wanted = unclear ? `${url.slice(0, from)}//${url.slice(to)}` : url;
  const [, authority, path, query] = /^((?:[^/?#]*:)?\/\/[^/?#]*)?([^?#]*)(.*)$/s.exec(wanted)!;
  const at = authority?.lastIndexOf("@") ?? -1;
  const bare = at < 0
    ? authority ?? ""
    : authority.slice(0, authority.indexOf("//")) + `//${REDACTED}:${REDACTED}` +
      authority.slice(at);
  const shown = query === "" ? "" : `?${redactQuery(query.slice(1).replace(/#.*$/s, ""))}`;
  return bare + path + shown + part.slice(end);
}

function redactQuery(query: string): string {
  return query.split("&").map((pair) => {
    const at = pair.indexOf("=");
    // A part without a name is a value.
    return at < 0 ? (pair === "" ? "" : REDACTED) : `${pair.slice(0, at)}=${REDACTED}`;
  }).join("&");
}
