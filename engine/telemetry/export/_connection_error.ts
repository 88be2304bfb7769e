import { messageOf } from "../../core/errors.ts";

/** Why a request failed: its innermost cause, without the URL, whose query may hold a secret. */
export function connectionError(thrown: unknown): string {
  let cause = thrown;
  while (cause instanceof Error && cause.cause !== undefined) cause = cause.cause;
  return messageOf(cause)
    .replace(/^error sending request( from \S+)? for (url )?\(?\S+?\)?(: |$)/, "")
    .replace(/^client error \((Connect|SendRequest)\): /, "")
    .replace(/^(tcp connect error|connection error): /, "")
    .replace(/ \(os error \d+\)$/, "") || "The request failed";
}
