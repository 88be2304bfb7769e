import { COMPUTED_IMPORTS } from "./layers.ts";

// `deno info` leaves out an import whose specifier is computed, so the syntax tree is asked.
const plugin: Deno.lint.Plugin = {
  name: "architecture",
  rules: {
    "computed-import": {
      create(context) {
        return {
          ImportExpression(node) {
            if (node.source.type === "Literal") return;
            context.report({ node, message: context.sourceCode.getText(node) });
          },
        };
      },
    },
  },
};

/** A sentence for each import with a computed specifier where none may stand. */
export async function computedImports(
  root: string,
  files: readonly string[],
): Promise<readonly string[]> {
  const found: string[] = [];
  for (const file of files) {
    if (COMPUTED_IMPORTS.some((place) => place.test(file))) continue;
    const text = await Deno.readTextFile(`${root}/${file}`);
    if (!/\bimport\s*\(/.test(text)) continue;
    for (const { message } of Deno.lint.runPlugin(plugin, `${root}/${file}`, text)) {
      found.push(
        `${file} has a computed import, ${message}: only script steps and plugins are loaded so; ` +
          "write the file's name",
      );
    }
  }
  return found;
}
