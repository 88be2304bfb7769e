import assert from "node:assert/strict";
import type { Measurement } from "../../core/improve.ts";
import type { TuningReport } from "../../core/tuning_report.ts";
import { arm, at, entry, eventful, measurement, parameter, verdict } from "./_fixture_test.ts";
import { markdownPage } from "./markdown.ts";
import { htmlPage, MOST_TRIALS, type PageView } from "./page.ts";

const VIEW: PageView = {
  fileOf: ({ file }) => file,
  typed: (...words) => `spanloop ${words.join(" ")}`,
};
const HOSTILE =
  `</title><script>alert(1)</script>"'><img src=x onerror=y>&\`|*_\u001b[31m\u202e\n# head`;

// A report all of whose texts come from somebody who means ill.
function hostile(): TuningReport {
  const { tuned, entries, measurements, guards, ...rest } = eventful();
  const spoil = <T extends { readonly decision: { readonly message: string } }>(one: T): T => ({
    ...one,
    decision: { ...one.decision, message: HOSTILE },
  });
  const bad = entries.map((one) => ({
    ...spoil(one),
    proposal: {
      ...one.proposal,
      reason: HOSTILE,
      author: { kind: "plugin", name: HOSTILE } as const,
    },
  }));
  return {
    ...rest,
    file: HOSTILE,
    objective: { direction: "minimize", expression: HOSTILE, of: HOSTILE },
    guards: guards.map((guard) => ({ ...guard, of: HOSTILE })),
    tuned: {
      ...tuned,
      workflow: HOSTILE,
      parameters: [
        parameter(HOSTILE, HOSTILE, { type: "enum", values: [HOSTILE], default: HOSTILE }),
      ],
      held: [bad[0]],
      tested: bad[4],
    },
    entries: bad,
    measurements: measurements.map((one) => ({
      ...one,
      arms: one.arms.map((arm) => ({ ...arm, values: { [HOSTILE]: HOSTILE } })),
    })),
  };
}

// The names of elements in the order of their starts, with what none of them may have.
function elements(html: string): readonly string[] {
  return [...html.matchAll(/<([a-z0-9]+)[\s>/]/g)].map(([, name]) => name);
}

Deno.test("what a guard took back is marked and told as that in both pages", () => {
  const { entries, ...rest } = eventful();
  const message = "batch_size 80 → 20: errors 9 % of load, change 2 is taken back";
  const taken = entry(6, 11, { outcome: "applied", rule: "guard", message }, { answers: 2 });
  const report = { ...rest, entries: [...entries, taken] };
  const [markdown, html] = [markdownPage, htmlPage].map((page) => page([report], at(12), VIEW));
  const told = "2 verdicts: 1 kept, 1 rolled back; 1 change taken back after that, by a guard.";
  assert.ok(markdown.includes(told) && html.includes(told));
  assert.match(markdown, /^- ▽ batch\\_size 80 → 20: errors 9 % of load/m);
  assert.match(html, /<li class="rolled_back">batch_size 80 → 20: errors 9 % of load/);
  assert.equal(html.match(/class="mark rolled_back"/g)?.length, 2);
});

Deno.test("where no parameter may change both pages say so, and draw no empty table", () => {
  const { tuned, objective: _, ...rest } = eventful();
  const report = { ...rest, tuned: { ...tuned, parameters: [] }, measurements: [], entries: [] };
  for (const page of [markdownPage, htmlPage]) {
    const text = page([report], at(9), VIEW);
    assert.match(text, /What rules now[^]{1,10}No parameter may change\./);
    assert.doesNotMatch(text, /\| parameter|<th/);
  }
});

Deno.test("the page has every chart, every verdict as a sentence, what is open and what is next", () => {
  const report = eventful();
  const html = htmlPage([report], report.at, VIEW);
  assert.equal(html.match(/<svg viewBox="0 0 760/g)?.length, 1 + 1 + 2 + 3);
  for (const { decision } of report.entries) assert.ok(html.includes(decision.message));
  assert.match(
    html,
    /went from 505 µs an item to 164 µs an item \(3\.1x better, medians of 5 and 8 runs/,
  );
  assert.match(html, /10 runs measured, 2 verdicts: 1 kept, 1 rolled back/);
  assert.match(html, /spanloop params revert \/home\/me\/workflows\/quickstart\.yaml 5</);
  assert.match(html, /The guard on duration below 30 of report is not measured/);
  assert.equal(html.match(/class="mark kept"/g)?.length, 1);
  assert.equal(html.match(/class="mark rolled_back"/g)?.length, 1);
  assert.equal(html.match(/class="pair"/g)?.length, 6);
  assert.equal(html.match(/<circle class="better"/g)?.length, 1);
  assert.equal(html.match(/<circle class="worse"/g)?.length, 1);
});

Deno.test("the page needs nothing from elsewhere and runs nothing", () => {
  for (const report of [eventful(), hostile()]) {
    const html = htmlPage([report], report.at, VIEW);
    assert.match(html, /^<!doctype html>\n<html lang="en"><head><meta charset="utf-8"\/>/);
    assert.match(html, /content="default-src &#39;none&#39;; style-src &#39;unsafe-inline&#39;"/);
    const names = new Set(elements(html));
    for (const name of ["script", "img", "link", "iframe", "object", "image", "use"]) {
      assert.ok(!names.has(name), name);
    }
    assert.ok(!/\b(?:https?:|url\(|@import|javascript:)/.test(html));
    assert.ok(!/ on[a-z]+=["']/.test(html.replace(/&[a-z#0-9]+;/g, "")));
    assert.match(html, /@media \(prefers-color-scheme: dark\)/);
  }
});

Deno.test("whatever a text holds, it stays a text: the page's elements are those of an innocent one", () => {
  const bad = hostile();
  const html = htmlPage([bad], bad.at, VIEW);
  assert.ok(!html.includes("\u001b") && !html.includes("\u202e"));
  assert.ok(html.includes("&lt;script&gt;alert(1)&lt;/script&gt;"));
  const word = (text: string) => text.replaceAll(/[^a-z ]/gi, "");
  const innocent: TuningReport = JSON.parse(
    JSON.stringify(bad, (_, value) => typeof value === "bigint" ? { big: String(value) } : value)
      .replaceAll(JSON.stringify(HOSTILE).slice(1, -1), word(HOSTILE)),
    (_, value) => typeof value?.big === "string" ? BigInt(value.big) : value,
  );
  assert.deepEqual(elements(html), elements(htmlPage([innocent], innocent.at, VIEW)));
  // Every element that begins ends, in order.
  const open: string[] = [];
  for (const [, slash, name, empty] of html.matchAll(/<(\/?)([a-z0-9]+)[^<>]*?(\/?)>/g)) {
    if (empty === "/") continue;
    if (slash === "") open.push(name);
    else assert.equal(open.pop(), name);
  }
  assert.deepEqual(open, []);
});

Deno.test("a page on thousands of runs and a hundred trials stays of a size to read", () => {
  const values = { batch_size: 20, codec: "none" };
  const measurements = Array.from({ length: 2_000 }, (_, i) =>
    measurement(i, [
      arm(values, 1 + (i % 7) / 10),
      arm(values, 1 + (i % 5) / 10, { arm: "candidate" }),
    ], `p${Math.floor(i / 20) * 2}`));
  const entries = Array.from({ length: 100 }, (_, i) => [
    entry(i * 2, i * 20, { message: `change ${i}` }),
    entry(i * 2 + 1, i * 20 + 19, { outcome: "ended", message: `verdict ${i}` }, {
      answers: i * 2,
      verdict: verdict("rolled_back", { ratio: 0.9, low: 0.8, high: 1.1 }),
    }),
  ]).flat();
  const report = { ...eventful(), measurements, entries, more: true };
  const html = htmlPage([report], report.at, VIEW);
  assert.ok(html.length < 5e6, `${html.length} characters`);
  assert.equal(html.match(/aria-label="candidate against incumbent"/g)?.length, MOST_TRIALS);
  assert.match(html, /What is older was left out/);
});

Deno.test("pages on what has no objective, no measurement or no tunable parameter say what to do", () => {
  const { objective, tuned: { tested: _, ...tuned }, ...rest } = eventful();
  const empty = { ...rest, measurements: [], entries: [] };
  const of = (report: TuningReport) => {
    const html = htmlPage([report], report.at, VIEW);
    assert.ok(!html.includes("NaN") && !html.includes("undefined"));
    const markdown = markdownPage([report], report.at, VIEW);
    assert.ok(!markdown.includes("NaN") && !markdown.includes("undefined"));
    return html;
  };
  assert.match(of({ ...empty, tuned }), /Give the file a `tune\.objective`/);
  assert.match(of({ ...empty, objective, tuned }), /Nothing has been measured yet/);
  assert.match(of({ ...empty, objective, tuned: { ...tuned, parameters: [] } }), /`tune:`/);
  const held = [entry(7, 3, { outcome: "held", message: "batch_size 20 → 40" })];
  assert.match(
    of({ ...empty, objective, tuned: { ...tuned, held } }),
    /Change 7 is held for you.*spanloop params accept \/home\/me\/workflows\/quickstart\.yaml 7/,
  );
  const none = measurement(1, [arm({}, 0, { items: 0, failed: 0 })]);
  assert.match(
    of({ ...empty, objective, tuned, measurements: [none] }),
    /The step counts no items, so there is nothing to draw/,
  );
});

Deno.test("several workflows stand on one page, each with its own part", () => {
  const one = eventful();
  const other = { ...one, tuned: { ...one.tuned, workflow: "other" } };
  const html = htmlPage([one, other], at(12), VIEW);
  assert.deepEqual([...html.matchAll(/<h2>([a-z]+)</g)].map(([, name]) => name), [
    "quickstart",
    "other",
  ]);
  assert.match(html, /<a href="#w1">other<\/a>.*<article id="w1">/);
});

Deno.test("Markdown has the same, its chart as text, and no text is taken for a mark-up", () => {
  const report = eventful();
  const markdown = markdownPage([report], report.at, VIEW);
  for (const heading of ["Next", "What rules now", "Under measurement", "Verdicts"]) {
    assert.ok(markdown.includes(`\n### ${heading}\n`), heading);
  }
  assert.match(markdown, /\n- ▲ batch\\_size 20 → 80: 3\.1x faster per item/);
  assert.match(markdown, /```text\n541 µs ┤●/);
  const bad = hostile();
  const lines = markdownPage([bad], bad.at, VIEW).split("\n");
  // What stands between as many backticks is code, whatever it is.
  const plain = lines.map((line) => line.replace(/(?<![`\\])(`+)(?!`)[^]*?(?<!`)\1(?!`)/g, ""));
  assert.deepEqual(plain.filter((line) => /(?<!\\)</.test(line)), []);
  assert.equal(lines.filter((line) => line.startsWith("# ")).length, 1);
  const cells = lines.filter((line) => line.startsWith("|")).map((line) =>
    line.match(/(?<!\\)\|/g)!.length
  );
  assert.deepEqual(new Set(cells), new Set([7]));
});

Deno.test("a run that failed as a whole does not press the others to a guard's ground", () => {
  const values = { batch_size: 80, codec: "none" };
  const measurements = [10, 1_000].map((failed, i) =>
    measurement(i + 1, [arm(values, 1, { failed })])
  );
  const html = htmlPage([{ ...eventful(), measurements }], at(3), VIEW);
  assert.match(html, /what is above 10 % is drawn at the top/);
  assert.match(html, /<title>run 2, [^<]*: error_rate 100 %<\/title>/);
  const heights = [...html.matchAll(/cy="([\d.]+)"/g)].map(([, y]) => Number(y));
  assert.ok(heights.every((y) => y >= 0 && y <= 300), `${heights}`);
});

Deno.test("a limit on the whole step is not held against what one arm had a share of", () => {
  const values = { batch_size: 80, codec: "none" };
  const guards = [{ metric: "duration", of: "load", below: 30 }];
  const both = (run: number) =>
    measurement(run, [arm(values, 1), arm(values, 1, { arm: "candidate" })]);
  const page = (measurements: Measurement[]) =>
    htmlPage([{ ...eventful(), guards, measurements }], at(3), VIEW);
  const one = page([both(1), measurement(2, [arm(values, 1, { duration: 12 })])]);
  const drawn = [...one.matchAll(/<title>(run \d)[^<]*: duration (\d+)<\/title>/g)];
  assert.deepEqual(drawn.map(([, run, seconds]) => [run, seconds]), [["run 2", "12"]]);
  assert.match(page([both(1)]), /In no run one set of values ruled alone, so there is nothing/);
});
