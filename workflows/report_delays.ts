import type { StepContext } from "spanloop";

/** What the server answers for one airport. */
interface Answer {
  readonly airport: string;
  readonly flights: number;
  readonly departure_delay: number;
  readonly delay_p90: number;
  readonly delay_after_late_arrival: number | null;
}

/** Prints the busiest airports of the answers. An airport whose request failed has none. */
export default function report(context: StepContext) {
  const responses = context.with.answers as unknown as readonly ({ json: Answer } | null)[];
  const answers = responses.flatMap((response) => response === null ? [] : [response.json])
    .sort((a, b) => b.flights - a.flights);
  context.log("  airport  flights  mean delay  90th percentile  on days after a late arrival");
  for (const answer of answers.slice(0, 10)) {
    context.log(
      `  ${answer.airport.padEnd(7)} ${String(answer.flights).padStart(8)} ${
        minutes(answer.departure_delay, 7)
      } ${minutes(answer.delay_p90, 12)} ${minutes(answer.delay_after_late_arrival, 25)}`,
    );
  }
  return { airports: answers.length, requested: responses.length };
}

function minutes(value: number | null, width: number): string {
  return `${value === null ? "-" : value.toFixed(1)}`.padStart(width) + " min";
}
