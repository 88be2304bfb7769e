/** A copy that holds nothing that JSON would not: properties that are undefined are left out. */
export function copy<T>(value: T): T {
  if (typeof value === "number") return (Number.isFinite(value) ? value + 0 : null) as T;
  if (Array.isArray(value)) return value.map((one) => copy(one ?? null)) as T;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).filter(([, one]) => one !== undefined).map(([key, one]) => [
      key,
      copy(one),
    ]),
  ) as T;
}
