// The engine's exporters speak TLS with a real OpenTelemetry Collector that asks for a client's certificate.
import assert from "node:assert/strict";
import { runEngine } from "./engine_run.ts";
import { farEnd } from "./far_end.ts";
import { assertSpans } from "./journal.ts";
import { collectorPath } from "./path.ts";
import { startCollector } from "./running.ts";

async function openssl(folder: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("openssl", { args, cwd: folder }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
}

// An authority, and a certificate of it for the collector and one for the engine.
async function certificates(folder: string): Promise<(name: string) => string> {
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  await openssl(
    folder,
    ...["req", "-x509", ...key, "-days", "2", "-subj", "/CN=authority"],
    ...["-addext", "basicConstraints=critical,CA:TRUE"],
    ...["-keyout", "authority.key", "-out", "authority.pem"],
  );
  for (const name of ["server", "client"]) {
    await openssl(
      folder,
      ...["req", "-x509", ...key, "-days", "2", "-subj", `/CN=${name}`],
      ...["-CA", "authority.pem", "-CAkey", "authority.key"],
      ...["-addext", "basicConstraints=critical,CA:FALSE"],
      ...["-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"],
      ...["-keyout", `${name}.key`, "-out", `${name}.pem`],
    );
  }
  return (name) => `${folder}/${name}`;
}

for (const protocol of ["http/protobuf", "http/json", "grpc"]) {
  Deno.test(`mutual TLS with the collector: ${protocol}`, async () => {
    const folder = await Deno.makeTempDir({ prefix: "spanloop-certificates-" });
    try {
      const file = await certificates(folder);
      await using end = farEnd();
      await using collector = await startCollector(collectorPath(), { endpoint: end.endpoint }, {
        tls: {
          cert: file("server.pem"),
          key: file("server.key"),
          clientAuthority: file("authority.pem"),
        },
      });
      const env = {
        OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
        OTEL_EXPORTER_OTLP_ENDPOINT: protocol === "grpc" ? collector.grpc : collector.http,
      };
      const trusting = { ...env, OTEL_EXPORTER_OTLP_CERTIFICATE: file("authority.pem") };
      const known = {
        ...trusting,
        OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: file("client.pem"),
        OTEL_EXPORTER_OTLP_CLIENT_KEY: file("client.key"),
      };
      const stranger = await runEngine(trusting);
      assert.match(stranger.err, /20 spans not exported to otlp /);
      const distrustful = await runEngine(env);
      assert.match(distrustful.err, /20 spans not exported to otlp .*certificate/i);
      const ran = await runEngine(known);
      assert.doesNotMatch(ran.err, /not exported/);
      await collector.stop();
      assertSpans(end.messages(), ran);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}
