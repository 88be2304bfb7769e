import assert from "node:assert/strict";
import { seeded } from "./seeded_test.ts";
import { redactUrl, redactUrls } from "./url.ts";

Deno.test("a URL is shown without its credentials and without the values of its query", () => {
  const cases: readonly [string, string][] = [
    ["https://example.com/a/b", "https://example.com/a/b"],
    ["https://ann:pw@example.com/", "https://REDACTED:REDACTED@example.com/"],
    ["https://ann@example.com/", "https://REDACTED:REDACTED@example.com/"],
    ["https://:pw@example.com/", "https://REDACTED:REDACTED@example.com/"],
    ["https://example.com/?token=abc&page=2", "https://example.com/?token=REDACTED&page=REDACTED"],
    ["https://example.com/?a=b=c&&d=", "https://example.com/?a=REDACTED&&d=REDACTED"],
    ["https://example.com/?abc", "https://example.com/?REDACTED"],
    ["https://example.com/?", "https://example.com/?"],
    ["https://example.com/#access_token=abc", "https://example.com/#REDACTED"],
    ["http://[::1]:8080/x?y=z", "http://[::1]:8080/x?y=REDACTED"],
  ];
  for (const [url, shown] of cases) {
    assert.equal(redactUrl(url), shown);
    assert.equal(redactUrl(new URL(url)), shown);
  }
});

Deno.test("a URL object that is redacted stays as it was", () => {
  const url = new URL("https://ann:pw@example.com/?a=b#c");
  redactUrl(url);
  assert.equal(url.href, "https://ann:pw@example.com/?a=b#c");
});

Deno.test("URLs are redacted wherever a message has them, malformed ones too", () => {
  const cases: readonly [string, string][] = [
    [
      "error sending request for url (http://ann:pw@127.0.0.1:1/x?token=abc): refused",
      "error sending request for url (http://REDACTED:REDACTED@127.0.0.1:1/x?token=REDACTED): refused",
    ],
    ["//ann:pw@host/path", "//REDACTED:REDACTED@host/path"],
    ["http://ann:p@w@host:port/", "http://REDACTED:REDACTED@host:port/"],
    ["http://ann:p/w?a@host/", "http://REDACTED:REDACTED@host/"],
    ["ftp//ann:pw@host", "ftp//REDACTED:REDACTED@host"],
    ["/login?next=abc", "/login?next=REDACTED"],
    [
      "see http://a/?b=c, and http://d/?e=f.",
      "see http://a/?b=REDACTED, and http://d/?e=REDACTED.",
    ],
    ["http://host/#token=abc", "http://host/?token=REDACTED"],
    ["12/07 and/or a/b?", "12/07 and/or a/b?"],
    ["no URL: what?", "no URL: what?"],
  ];
  for (const [text, shown] of cases) assert.equal(redactUrls(text), shown);
  assert.equal(redactUrl("http://ann:pw@a b/?c=d"), "http://REDACTED:REDACTED@a b/?c=d");
});

Deno.test("no planted secret is left in a redacted URL", () => {
  const random = seeded("urls");
  const one = <T>(values: readonly T[]) => values[random.below(values.length)];
  const secret = "Pl4nted";
  for (let i = 0; i < 2_000; i++) {
    const user = one(["", `${secret}@`, `u:${secret}@`, `:${secret}@`, `${secret}:p%40@`]);
    const path = one(["", "/", "/a/b", "/a;b=c"]);
    const query = one([
      "",
      "?",
      `?a=${secret}`,
      `?a=1&b=${secret}=&c`,
      `?${secret}`,
      `?a=${secret}&`,
    ]);
    const hash = one(["", "#", `#${secret}`, `#a=${secret}`]);
    const url = `${one(["http", "https"])}://${user}host${one(["", ":80"])}${path}${query}${hash}`;
    assert.ok(!redactUrl(url).includes(secret), `${url} (seed ${random.seed})`);
    assert.ok(!redactUrls(`at ${url}: no`).includes(secret), `${url} (seed ${random.seed})`);
  }
});

Deno.test("redacting takes time in proportion to the text", () => {
  for (const part of ["//", "/?", "a:", "a", "@", "&", ".)", "#", "http://"]) {
    redactUrls(part.repeat(50_000));
    redactUrls(`//${part.repeat(50_000)}x`);
  }
});
