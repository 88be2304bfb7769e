/**
 * A process that appends lines to a file which others write, too: `PATH MAX_BYTES KEEP NAME LINES`. Says `ready`,
 * waits for a byte on standard input so that several begin at once, and says what became of each line.
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
  console.log("ready");
  await Deno.stdin.read(new Uint8Array(1));
  for (let number = 0; number < Number(lines); number++) {
    let sent = await sender.send([number]);
    // As the queue does.
    while (sent.status === "retry") sent = await sender.send([number]);
    console.log(JSON.stringify(sent));
  }
  await sender.close();
}
