/** Which addresses belong to a machine or its own network, so that no stranger may point us there. */

// The special-purpose registries of RFC 6890, as far as they are not globally reachable, and multicast.
const PRIVATE_V4: readonly (readonly [string, number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["224.0.0.0", 3],
];

/** Whether an IP address in text is private, loopback, link-local or multicast; so is what is no address. */
export function isPrivateAddress(address: string): boolean {
  const v4 = parseV4(address);
  if (v4 !== undefined) return isPrivateV4(v4);
  const v6 = parseV6(address);
  return v6 === undefined || isPrivateV6(v6);
}

/** Whether the text is an IP address, without brackets. */
export function isAddress(text: string): boolean {
  return parseV4(text) !== undefined || parseV6(text) !== undefined;
}

function isPrivateV4(address: number): boolean {
  return PRIVATE_V4.some(([network, bits]) => {
    const size = 2 ** (32 - bits);
    return Math.floor(address / size) === Math.floor(parseV4(network)! / size);
  });
}

function isPrivateV6(groups: readonly number[]): boolean {
  const first = groups[0];
  const v4 = groups[6] * 65_536 + groups[7];
  const zeros = (count: number) => groups.slice(0, count).every((group) => group === 0);
  // Unspecified, loopback, and IPv4 within IPv6: compatible, mapped, translated, NAT64, 6to4.
  if (zeros(6)) return v4 <= 1 || isPrivateV4(v4);
  if (zeros(5) && groups[5] === 0xffff) return isPrivateV4(v4);
  if (zeros(4) && groups[4] === 0xffff && groups[5] === 0) return isPrivateV4(v4);
  if (first === 0x64 && groups[1] === 0xff9b) return groups[2] !== 0 || isPrivateV4(v4);
  if (first === 0x2002) return isPrivateV4(groups[1] * 65_536 + groups[2]);
  return (first & 0xfe00) === 0xfc00 || // unique local
    (first & 0xff80) === 0xfe80 || // link-local and site-local
    (first & 0xff00) === 0xff00; // multicast
}

function parseV4(text: string): number | undefined {
  if (!/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) return undefined;
  const parts = text.split(".").map(Number);
  return parts.some((part) => part > 255)
    ? undefined
    : parts.reduce((sum, part) => sum * 256 + part, 0);
}

function parseV6(text: string): number[] | undefined {
  let address = text.replace(/%.*$/, ""); // a zone does not change what it is
  const tail = address.slice(address.lastIndexOf(":") + 1);
  const v4 = parseV4(tail);
  if (v4 !== undefined) {
    const groups = `${Math.floor(v4 / 65_536).toString(16)}:${(v4 % 65_536).toString(16)}`;
    address = address.slice(0, -tail.length) + groups;
  }
  const halves = address.split("::");
  if (halves.length > 2) return undefined;
  const [before, after] = halves.map((half) => half === "" ? [] : half.split(":"));
  const missing = after === undefined ? 0 : 8 - before.length - after.length;
  if (missing < (after === undefined ? 0 : 1)) return undefined;
  const groups = [...before, ...Array(missing).fill("0"), ...(after ?? [])];
  if (groups.length !== 8 || !groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) {
    return undefined;
  }
  return groups.map((group) => parseInt(group, 16));
}
