import { messageOf } from "../../core/errors.ts";

/** Why a request failed: its innermost cause, without the URL, whose query may hold a secret. */
export function connectionError(thrown: unknown): string {
  let cause = thrown;
  while (cause instanceof Error && cause.cause !== undefined) cause = cause.cause;
  return messageOf(cause)
    // After the URL may stand the address that its name led to.
    .replace(/^error sending request( from \S+)? for (url )?\(?\S+?\)?( \(\S+\))?(: |$)/, "")
    .replace(/^client error \((Connect|SendRequest)\): /, "")
    .replace(/^(tcp connect error|connection error): /, "")
    .replace(/ \(os error \d+\)$/, "") || "The request failed";
}
