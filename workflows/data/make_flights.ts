/**
 * Makes flights.ndjson and airports.csv from the npm package vega-datasets. Run it in any folder that holds
 * its node_modules:
 *
 *     npm install vega-datasets@3.2.1
 *     deno run -A PATH/TO/workflows/data/make_flights.ts
 */
import { copyFile, readFile, writeFile } from "node:fs/promises";

interface Flight {
  date: string;
  delay: number;
  distance: number;
  origin: string;
  destination: string;
}

const source = "node_modules/vega-datasets/data";
const flights: Flight[] = JSON.parse(await readFile(`${source}/flights-20k.json`, "utf8"));

// The rows have no key of their own, so each gets its place in the source: what is loaded again replaces itself.
const lines = flights.map(({ date, delay, distance, origin, destination }, index) =>
  JSON.stringify({ id: index + 1, date, origin, destination, distance, delay }) + "\n"
);
await writeFile(new URL("flights.ndjson", import.meta.url), lines.join(""));
await copyFile(`${source}/airports.csv`, new URL("airports.csv", import.meta.url));
console.log(`flights.ndjson: ${lines.length} rows`);
