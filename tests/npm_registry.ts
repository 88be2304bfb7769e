/** A registry of npm packages on this machine, with one package in it. */
export interface Registry {
  /** Its address, for NPM_CONFIG_REGISTRY. */
  readonly origin: string;
  /** How many requests came so far. */
  asked(): number;
  /** Ends it. */
  stop(): Promise<void>;
}

/** Starts a registry that has version 1.0.0 of `name`, whose files are given by their names. */
export async function startRegistry(
  folder: string,
  name: string,
  files: Readonly<Record<string, string>>,
): Promise<Registry> {
  const manifest = { name, version: "1.0.0", main: "index.js" };
  await Deno.mkdir(`${folder}/package`, { recursive: true });
  for (
    const [file, text] of Object.entries({ "package.json": JSON.stringify(manifest), ...files })
  ) {
    await Deno.writeTextFile(`${folder}/package/${file}`, text);
  }
  const { stdout } = await new Deno.Command("tar", {
    args: ["-C", folder, "-czf", "-", "package"],
  }).output();
  let asked = 0;
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
    asked++;
    if (request.url.endsWith(".tgz")) return new Response(stdout);
    const dist = { tarball: `${new URL(request.url).origin}/${name}.tgz` };
    return Response.json({
      name,
      "dist-tags": { latest: "1.0.0" },
      versions: { "1.0.0": { ...manifest, dist } },
    });
  });
  return {
    origin: `http://127.0.0.1:${server.addr.port}`,
    asked: () => asked,
    stop: () => server.shutdown(),
  };
}
