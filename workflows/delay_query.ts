/** A worker of flight_server.ts: loads the flights into a database in memory and answers for one airport at a time. */
import { readFileSync } from "node:fs";
import { DatabaseSync, type StatementSync } from "node:sqlite";

/** The part of a worker's global scope that is used here. */
interface WorkerScope {
  onmessage: ((event: MessageEvent<string | { flights: string }>) => void) | null;
  postMessage(message: unknown): void;
}

const worker = globalThis as unknown as WorkerScope;
let query: StatementSync;

worker.onmessage = ({ data }) => {
  if (typeof data === "string") {
    const row = query.get(data, data, data) as { flights: number } | undefined;
    worker.postMessage(row === undefined || row.flights === 0 ? null : { ...row });
  } else {
    query = prepare(data.flights);
    worker.postMessage("ready");
  }
};

// No index, on purpose or not, would spare the scans: every request reads all the flights.
function prepare(file: string): StatementSync {
  const db = new DatabaseSync(":memory:");
  db.exec("CREATE TABLE flights (day TEXT, origin TEXT, destination TEXT, delay INTEGER); BEGIN");
  const insert = db.prepare("INSERT INTO flights VALUES (?, ?, ?, ?)");
  for (const line of readFileSync(file, "utf8").trimEnd().split("\n")) {
    const { date, origin, destination, delay } = JSON.parse(line);
    insert.run(date.slice(0, 10), origin, destination, delay);
  }
  db.exec("COMMIT");
  return db.prepare(`
    WITH
      departures AS (SELECT day, destination, delay FROM flights WHERE origin = ?),
      arrivals AS (SELECT day, delay FROM flights WHERE destination = ?)
    SELECT
      ? AS airport,
      (SELECT count(*) FROM departures) AS flights,
      (SELECT count(DISTINCT destination) FROM departures) AS destinations,
      (SELECT round(avg(delay), 1) FROM departures) AS departure_delay,
      (SELECT round(avg(delay), 1) FROM arrivals) AS arrival_delay,
      (SELECT delay FROM departures ORDER BY delay
        LIMIT 1 OFFSET (SELECT count(*) * 9 / 10 FROM departures)) AS delay_p90,
      (SELECT round(avg(departures.delay), 1) FROM arrivals JOIN departures USING (day)
        WHERE arrivals.delay > 30) AS delay_after_late_arrival
  `);
}
