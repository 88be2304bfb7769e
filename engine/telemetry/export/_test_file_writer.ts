/**
 * A process that appends lines to a file which others write, too: `PATH MAX_BYTES KEEP NAME LINES`. Says what became
 * of each line on standard output.
 */
import { systemClock } from "../../system.ts";
import { otlpFileSender } from "./otlp_file.ts";

if (import.meta.main) {
  const [path, maxBytes, keep, name, lines] = Deno.args;
  const sender = otlpFileSender<number>(
    "traces",
    { path, maxBytes: Number(maxBytes), keep: Number(keep) },
    {
      // Up to four pages long, so that a write which is not one would show.
      serializeRequest: ([number]) =>
        new TextEncoder().encode(
          JSON.stringify({ name, number, filler: "x".repeat(number * 997 % 16_384) }),
        ),
    },
    systemClock(),
  );
  for (let number = 0; number < Number(lines); number++) {
    console.log(JSON.stringify(await sender.send([number])));
  }
  await sender.close();
}
