import { MetricReader } from "@opentelemetry/sdk-metrics";

/** Collects metrics when it is asked to. */
export class CollectOnly extends MetricReader {
  protected onForceFlush(): Promise<void> {
    return Promise.resolve();
  }

  protected onShutdown(): Promise<void> {
    return Promise.resolve();
  }
}
