import type { StepContext } from "spanloop";
import { DatabaseSync } from "node:sqlite";

/** What the query gives for one airport. */
type Row = {
  city: string;
  airport: string;
  flights: number;
  mean_delay: number;
  late_percent: number;
};

/** Finds the airports whose passengers wait longest, and prints them as a table. */
export default function report(context: StepContext) {
  using db = new DatabaseSync(context.path(String(context.with.database)), {
    readOnly: true,
    timeout: 5_000,
  });
  const rows = db.prepare(`
    SELECT airports.city AS city, flights.origin AS airport, count(*) AS flights,
           round(avg(flights.delay), 1) AS mean_delay,
           round(100.0 * sum(flights.delay > 15) / count(*), 1) AS late_percent
    FROM flights JOIN airports ON airports.iata = flights.origin
    GROUP BY flights.origin HAVING count(*) >= 200
    ORDER BY mean_delay DESC LIMIT 8
  `).all() as unknown as Row[];
  const loaded = db.prepare("SELECT count(*) AS rows FROM flights").get() as { rows: number };

  context.log("  city              from   flights   mean delay      late");
  for (const { city, airport, flights, mean_delay, late_percent } of rows) {
    context.log(
      `  ${city.padEnd(17)} ${airport} ${String(flights).padStart(10)} ${
        mean_delay.toFixed(1).padStart(8)
      } min ${late_percent.toFixed(1).padStart(7)} %`,
    );
  }
  return { rows: loaded.rows, late: rows.map((row) => ({ ...row })) };
}
