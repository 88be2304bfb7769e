/** Runs `true` by a shell so often, so many at once: nothing but Deno.Command. */
export async function rawShell(count: number, concurrency: number): Promise<void> {
  let left = count;
  const loop = async () => {
    while (left-- > 0) {
      const { success } = await new Deno.Command("sh", { args: ["-c", "true"] }).output();
      if (!success) throw new Error("sh -c true failed");
    }
  };
  await Promise.all(Array.from({ length: concurrency }, loop));
}
