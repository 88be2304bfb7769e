/** A file of lines as pipelines have them. */
export interface NdjsonFile {
  /** Its path. */
  readonly path: string;
  /** Its size, bytes. */
  readonly bytes: number;
  /** How many lines it has. */
  readonly items: number;
}

const WORDS = "urgent fragile café insured express gift return bulk prepaid 東京 night".split(" ");
const BLOCK_LINES = 5_000;

/**
 * A file of at least `bytes` bytes of orders, 150 to 250 bytes a line, the same for the same size. It is made
 * once and kept in `folder`.
 */
export function ndjsonFile(folder: string, bytes: number): NdjsonFile {
  Deno.mkdirSync(folder, { recursive: true });
  const path = `${folder}/orders-${bytes}.ndjson`;
  const note = `${path}.json`;
  try {
    const made: NdjsonFile = JSON.parse(Deno.readTextFileSync(note));
    if (Deno.statSync(path).size === made.bytes) return made;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error; // otherwise it is made now
  }
  const encoder = new TextEncoder();
  using file = Deno.openSync(path, { write: true, create: true, truncate: true });
  let written = 0;
  let items = 0;
  while (written < bytes) {
    let block = "";
    let size = 0;
    for (let i = 0; i < BLOCK_LINES && written + size < bytes; i++) {
      const line = order(items++);
      block += line;
      size += line.length;
    }
    const encoded = encoder.encode(block);
    for (let at = 0; at < encoded.length;) at += file.writeSync(encoded.subarray(at));
    written += encoded.length;
  }
  const made = { path, bytes: written, items };
  Deno.writeTextFileSync(note, JSON.stringify(made));
  return made;
}

function order(index: number): string {
  const hash = Math.imul(index, 2654435761) >>> 0;
  const tags = WORDS.slice(hash % 5, hash % 5 + 1 + hash % 6);
  return JSON.stringify({
    id: index,
    customer: `c-${hash % 100_000}`,
    amount: hash % 1_000_000 / 100,
    currency: "EUR",
    placed: `2026-${String(hash % 12 + 1).padStart(2, "0")}-17T08:${hash % 50 + 10}:00Z`,
    address: { street: `${hash % 900} Long Acre`, city: "London", zip: `N${hash % 20} 4XR` },
    tags,
  }) + "\n";
}
