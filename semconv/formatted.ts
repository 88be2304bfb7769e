/** The text as `deno fmt` writes it, in lines of 100 columns. Throws TypeError for one that does not parse. */
export async function formatted(extension: "ts" | "md", text: string): Promise<string> {
  const process = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--quiet", "--no-config", "--line-width", "100", "--ext", extension, "-"],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const writer = process.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
  const { success, stdout } = await process.output();
  if (!success) throw new TypeError("The generated text does not parse; see above");
  return new TextDecoder().decode(stdout);
}
