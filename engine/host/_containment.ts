/**
 * Keeps the engine from ending by what a trusted plugin throws or rejects where nobody waits for it (I1). Deno asks the
 * whole process; who it was is told by the stack.
 */
import { placeIn } from "./program.ts";

// By the module's URL, without what reloads it. One for the process, as what it listens to, and for ever: what a plugin
// has started may throw long after it was closed.
const contained = new Map<string, (line: string) => void>();
let listening = false;

/** From now on, what the module at `url` lets go is a line for `say`. */
export function contain(url: string, say: (line: string) => void): void {
  const [plain] = url.split("?");
  contained.delete(plain);
  contained.set(plain, say);
  if (listening) return;
  listening = true;
  globalThis.addEventListener("unhandledrejection", (event) => take(event, event.reason));
  globalThis.addEventListener("error", (event) => take(event, event.error));
}

function take(event: Event, thrown: unknown): void {
  const found = ownerOf(thrown);
  if (found === undefined) return;
  event.preventDefault();
  const message = thrown instanceof Error ? thrown.message || thrown.name : String(thrown);
  const place = found.place === undefined ? "" : ` (${found.place})`;
  found.say(`It threw or rejected what nothing caught: ${message}${place}; await every promise`);
}

// The engine itself throws errors alone, so what has no stack is a plugin's: the one that was loaded last.
function ownerOf(thrown: unknown): { say: (line: string) => void; place?: string } | undefined {
  const all = [...contained].reverse();
  const stack = thrown instanceof Error ? thrown.stack : undefined;
  if (stack === undefined) return all.length === 0 ? undefined : { say: all[0][1] };
  for (const [url, say] of all) {
    const place = placeIn(stack, url);
    if (place !== undefined) return { say, place };
  }
}
