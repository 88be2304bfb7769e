const CHUNK_BYTES = 1 << 20;
const NEWLINE = 10;

/** Reads a file in pieces of 1 MiB and finds every line's end; how many there are. */
export async function rawScan(path: string): Promise<number> {
  using file = await Deno.open(path);
  const bytes = new Uint8Array(CHUNK_BYTES);
  let lines = 0;
  for (;;) {
    const read = await file.read(bytes);
    if (read === null) return lines;
    const piece = bytes.subarray(0, read);
    for (let at = piece.indexOf(NEWLINE); at >= 0; at = piece.indexOf(NEWLINE, at + 1)) lines++;
  }
}
