/** Turns items of a signal into an OTLP export request, in one encoding. */
export interface Serializer<T> {
  /** The request's bytes; undefined when there is nothing to send. */
  serializeRequest(items: readonly T[]): Uint8Array | undefined;
  /** What the answer says was refused (OTLP's partial success). Throws when it cannot be read. */
  rejected(answer: Uint8Array): { readonly rejected?: number; readonly message?: string };
}
