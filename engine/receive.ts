import type { Clock } from "./core/clock.ts";
import type { EngineLog } from "./telemetry/log.ts";
import type { ReceivedItem, ReceiverAddress, ReceiverCounts } from "./core/received.ts";
import type { Store } from "./core/store.ts";
import { listen } from "./server/listener.ts";
import type { Bus } from "./telemetry/bus.ts";
import { OtlpReceiver } from "./telemetry/otlp_receiver.ts";
import { logItem, metricItem } from "./telemetry/received_item.ts";
import type { Telemetry } from "./telemetry/telemetry.ts";
import { tailed } from "./telemetry/tail.ts";

/** What receiving works with. */
export interface ReceiveParts {
  /** Where spans are stored. */
  readonly store: Store;
  /** Where they are told of. */
  readonly bus: Bus;
  /** Time. */
  readonly clock: Clock;
  /** Where failures and warnings go. */
  readonly log: EngineLog;
  /** What is exported of this process, if anything is: received metrics and logs go on to the same place. */
  readonly telemetry?: Telemetry;
}

/** A receiver that listens. */
export interface Receiving {
  /** Where, as a URL. */
  readonly url: string;
  /** Ends it; what was received. */
  close(): Promise<ReceiverCounts>;
}

/** Takes other programs' telemetry at an address. Throws SpanloopError `server.listen`. */
export async function startReceiving(
  { store, bus, clock, log, telemetry }: ReceiveParts,
  { host, port, token }: ReceiverAddress,
  onItem?: (item: ReceivedItem) => void,
): Promise<Receiving> {
  const receiver = new OtlpReceiver({
    store,
    bus,
    clock,
    log,
    token,
    forward: await telemetry?.forwarding(),
    measure: (received) => telemetry?.received(received),
    listener: onItem === undefined ? undefined : {
      spans: (spans) => spans.forEach((span) => onItem({ signal: "traces", span: tailed(span) })),
      metrics: (metrics) => metrics.forEach((metric) => onItem(metricItem(metric, clock.now()))),
      logs: (logs) => logs.forEach((record) => onItem(logItem(record, clock.now()))),
    },
  });
  const listener = listen({ host, port }, (request) => receiver.handle(request), clock.after);
  if (token === undefined && !listener.loopback) {
    const body = `whoever reaches ${listener.url} may send telemetry to this store, and so start ` +
      "what its spans trigger; ask for a token";
    log.log({ severity: "warn", body });
  }
  return {
    url: listener.url,
    async close() {
      await listener.close();
      return receiver.counts();
    },
  };
}
