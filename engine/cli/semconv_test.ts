// `semconv`: a real run's telemetry in a file, and an author's registry, by the command line.
import assert from "node:assert/strict";
import { cli, inFolder } from "./_process_test.ts";

const FLOW = `name: orders
steps:
  - id: load
    run: "true"
    span: { name: orders.load, attributes: { orders.source: shop } }
  - id: broken
    continue_on_error: true
    run: exit 3
`;
const REGISTRY = `groups:
  - id: registry.orders
    type: attribute_group
    display_name: Orders
    brief: Orders.
    attributes:
      - { id: orders.source, type: int, stability: stable, brief: A source., examples: [1] }
`;

Deno.test("semconv check: what a run exports holds, and an author's registry is held, too", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/orders.yaml`, FLOW);
    await Deno.mkdir(`${folder}/wrong`);
    await Deno.mkdir(`${folder}/right`);
    await Deno.writeTextFile(`${folder}/wrong/orders.yaml`, REGISTRY);
    await Deno.writeTextFile(
      `${folder}/right/orders.yaml`,
      REGISTRY.replace("type: int", "type: string").replace("[1]", "[shop]"),
    );
    const file = { SPANLOOP_OTLP_FILE: `${folder}/out.jsonl` };
    const run = await cli(folder, ["run", "orders.yaml", "--quiet"], file);
    assert.equal(run.code, 0, run.err);

    const alone = await cli(folder, ["semconv", "check", "out.jsonl"]);
    assert.equal(alone.code, 0, alone.out + alone.err);
    assert.match(
      alone.out,
      /^information out\.jsonl:\d+ span orders\.load: No registry has orders\.source: .*\(missing_attribute\)$/m,
    );
    assert.match(alone.err, /^0 violations, \d+ improvements?, 1 information in \d+ lines\n$/);

    const strict = await cli(folder, ["semconv", "check", "out.jsonl", "--strict"]);
    assert.equal(strict.code, 1);
    assert.match(strict.out, /^violation out\.jsonl:\d+ span orders\.load: No registry has/);

    const right = ["semconv", "check", "out.jsonl", "--strict", "--registry", "right"];
    assert.equal((await cli(folder, right)).code, 0);

    const wrong = ["semconv", "check", "out.jsonl", "--registry", "wrong", "--json"];
    const { code, out, err } = await cli(folder, wrong);
    assert.equal(code, 1);
    assert.equal(err, "");
    const { valid, advice: [first] } = JSON.parse(out);
    assert.equal(valid, false);
    const { level, id, key, name, message } = first;
    assert.deepEqual({ level, id, key, name, message }, {
      level: "violation",
      id: "type_mismatch",
      key: "orders.source",
      name: "orders.load",
      message: "orders.source is of type int, not string",
    });
  }));

Deno.test("semconv generate: constants on stdout or in a file, mistakes with file and line", () =>
  inFolder(async (folder) => {
    await Deno.mkdir(`${folder}/my`);
    await Deno.writeTextFile(`${folder}/my/orders.yaml`, REGISTRY);
    const shown = await cli(folder, ["semconv", "generate", "my"]);
    assert.equal(shown.code, 0, shown.err);
    assert.match(shown.out, /export const ORDERS_SOURCE = "orders\.source";/);
    const written = await cli(folder, ["semconv", "generate", "my", "--out", "keys.ts"]);
    assert.deepEqual([written.code, written.out], [0, ""]);
    assert.equal(await Deno.readTextFile(`${folder}/keys.ts`), shown.out);

    await Deno.writeTextFile(`${folder}/my/orders.yaml`, REGISTRY.replace("A source.", '""'));
    const { code, err } = await cli(folder, ["semconv", "generate", "my"]);
    assert.equal(code, 2);
    assert.match(err, /my\/orders\.yaml:7: orders\.source lacks `brief`: add it/);
  }));

Deno.test("semconv: what is misused or cannot be read is said, with exit code 2", () =>
  inFolder(async (folder) => {
    for (
      const [args, message] of [
        [["semconv", "chek", "x"], /takes check or generate, not `chek`/],
        [["semconv", "check"], /needs FILE\|FOLDER/],
        [["semconv", "check", "none.jsonl"], /Cannot read none\.jsonl: it does not exist/],
        [["semconv", "check", "."], /Cannot read \.: it is a folder/],
        [
          ["semconv", "check", "one.yaml", "--registry", "no"],
          /Cannot read the registry no: it does/,
        ],
        [["semconv", "check", "one.yaml", "--out", "x"], /takes no --out/],
        [["semconv", "generate", "a", "b"], /takes one folder/],
        [["semconv", "generate", "a", "--strict"], /takes no --strict/],
        [
          ["semconv", "generate", "one.yaml"],
          /Cannot read the registry one\.yaml: it is not a folder/,
        ],
      ] as const
    ) {
      const { code, err } = await cli(folder, args);
      assert.equal(code, 2, args.join(" "));
      assert.match(err, message);
    }
  }));

Deno.test("semconv check: a line longer than any export request is refused, and soon", () =>
  inFolder(async (folder) => {
    const file = await Deno.create(`${folder}/long.jsonl`);
    await file.write(new TextEncoder().encode("{}\n"));
    await file.truncate(200 * 2 ** 20); // of zero bytes: one line
    file.close();
    const { code, err } = await cli(folder, ["semconv", "check", "long.jsonl"]);
    assert.equal(code, 2);
    assert.match(err, /Cannot read long\.jsonl: line 2 has more than 67108864 characters/);
  }));
