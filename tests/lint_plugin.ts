/**
 * The house rules that a machine can check; CONTRIBUTING.md lists them. `deno lint` loads this through
 * deno.json. A rule that must be broken is silenced where it is, with the reason beside it:
 * `// deno-lint-ignore spanloop/no-ambient -- why`.
 */

type Node = Deno.lint.Node;
type Context = Deno.lint.RuleContext;

const ROOT = decodeURI(new URL("../", import.meta.url).pathname);

// A file's path in the repository.
function pathOf(context: Context): string {
  const name = context.filename.replace(/^file:\/\//, "");
  return name.startsWith(ROOT) ? name.slice(ROOT.length) : name;
}

// `_test_x.ts` is what the tests of a folder share.
function isTest(path: string): boolean {
  return path.startsWith("tests/") || /_test\.ts$|\/_test_\w+\.ts$/.test(path);
}

function inEngine(path: string): boolean {
  return path.startsWith("engine/") && !isTest(path);
}

const fileName: Deno.lint.Rule = {
  create(context) {
    const path = pathOf(context);
    const name = path.slice(path.lastIndexOf("/") + 1);
    return {
      Program(node) {
        if (!/^_?[a-z0-9]+(_[a-z0-9]+)*(\.d)?\.[a-z]+$/.test(name)) {
          context.report({ node, message: `Call ${name} in snake_case` });
        }
        const vague = path.split("/").map((part) => part.replace(/\.[a-z.]+$/, ""))
          .find((part) => /^(.*_)?(utils?|helpers?|common|misc)$/.test(part));
        if (vague !== undefined) {
          context.report({
            node,
            message: `\`${vague}\` says nothing about what is in it: name the one idea`,
          });
        }
      },
    };
  },
};

// What only the composition root reads, and hands on as Clock, Random or a plain value.
const AMBIENT: Readonly<Record<string, readonly string[]>> = {
  Date: ["now"],
  performance: ["now", "timeOrigin"],
  Math: ["random"],
  crypto: ["randomUUID", "getRandomValues"],
  Deno: ["env"],
  process: ["env", "hrtime", "uptime"],
  AbortSignal: ["timeout"],
  Temporal: ["Now"],
};
const TIMERS = ["setTimeout", "setInterval"];
const AMBIENT_MODULES: Readonly<Record<string, readonly string[]>> = {
  "node:timers": TIMERS,
  "node:timers/promises": [...TIMERS, "scheduler"],
  "node:crypto": ["randomUUID", "randomBytes", "randomInt", "randomFill", "getRandomValues"],
  "node:process": ["env", "hrtime", "uptime"],
  "node:perf_hooks": ["performance"],
};

const noAmbient: Deno.lint.Rule = {
  create(context) {
    const path = pathOf(context);
    const root = /^engine\/[^/]+\.ts$|^engine\/cli\//;
    if (!inEngine(path) || root.test(path)) return {};
    const report = (node: Node, what: string) =>
      context.report({
        node,
        message:
          `${what} is read by the composition root alone: take a Clock, a Random or the value`,
      });
    return {
      MemberExpression(node) {
        const object = node.object.type === "MemberExpression" && isGlobal(node.object.object)
          ? nameOf(node.object)
          : node.object.type === "Identifier"
          ? node.object.name
          : undefined;
        const property = nameOf(node);
        if (object === undefined || property === undefined) return;
        if (Object.hasOwn(AMBIENT, object) && AMBIENT[object].includes(property)) {
          report(node, `${object}.${property}`);
        }
        if (isGlobal(node.object) && TIMERS.includes(property)) report(node, property);
      },
      NewExpression(node) {
        if (isNamed(node.callee, "Date") && node.arguments.length === 0) report(node, "new Date()");
      },
      CallExpression(node) {
        if (node.callee.type !== "Identifier") return;
        if (TIMERS.includes(node.callee.name)) report(node, node.callee.name);
        if (node.callee.name === "Date") report(node, "Date()");
      },
      ImportDeclaration(node) {
        const names = Object.hasOwn(AMBIENT_MODULES, node.source.value)
          ? AMBIENT_MODULES[node.source.value]
          : [];
        for (const specifier of node.specifiers) {
          if (specifier.type !== "ImportSpecifier") continue;
          const { imported } = specifier;
          const name = imported.type === "Identifier" ? imported.name : imported.value;
          if (names.includes(name)) report(specifier, `${node.source.value}'s ${name}`);
        }
      },
    };
  },
};

const noConsole: Deno.lint.Rule = {
  create(context) {
    const path = pathOf(context);
    // A script's own process speaks by its streams; what is run by hand speaks to whoever runs it.
    if (!inEngine(path) || path === "engine/steps/script_child.ts") return {};
    return {
      CallExpression(node) {
        const { callee } = node;
        if (callee.type !== "MemberExpression" || !isNamed(callee.object, "console")) return;
        if (context.sourceCode.getAncestors(node).some(isMainGuard)) return;
        context.report({
          node,
          message: "The engine says what it has to by a Logger, a command by its Caller",
        });
      },
    };
  },
};

const noBarrel: Deno.lint.Rule = {
  create(context) {
    if (pathOf(context) === "mod.ts") return {};
    return {
      Program(node) {
        const passes = node.body.filter((statement) => statement.type !== "ImportDeclaration");
        const onlyPasses = passes.every((statement) =>
          statement.type === "ExportAllDeclaration" ||
          statement.type === "ExportNamedDeclaration" && statement.declaration === null
        );
        if (passes.length > 0 && onlyPasses) {
          context.report({
            node,
            message: "This file only passes exports on: import from where things are defined",
          });
        }
      },
    };
  },
};

const ENTRIES = ["engine/cli/main.ts", "engine/steps/script_child.ts"];

const noSideEffects: Deno.lint.Rule = {
  create(context) {
    const path = pathOf(context);
    const library = /^(engine|plugins|semconv)\/|^mod\.ts$/.test(path) && !isTest(path);
    if (!library || ENTRIES.includes(path)) return {};
    const message =
      "An import must do nothing: put this into a function, or under import.meta.main";
    return {
      Program(node) {
        for (const statement of node.body) {
          if (!QUIET.has(statement.type) && !isMainGuard(statement) && !isDirective(statement)) {
            context.report({ node: statement, message });
          }
          if (statement.type === "ImportDeclaration" && isBare(context, statement)) {
            context.report({ node: statement, message: "Import what you use by name" });
          }
        }
      },
      AwaitExpression(node) {
        const ancestors = context.sourceCode.getAncestors(node);
        const deferred = ancestors.some((one) =>
          /Function/.test(one.type) || isMainGuard(one) || one.type === "ExpressionStatement"
        );
        if (!deferred) context.report({ node, message });
      },
    };
  },
};

// Declarations; anything else at the top level of a module acts when the module is imported.
const QUIET: ReadonlySet<string> = new Set([
  "ImportDeclaration",
  "ExportNamedDeclaration",
  "ExportAllDeclaration",
  "ExportDefaultDeclaration",
  "VariableDeclaration",
  "FunctionDeclaration",
  "ClassDeclaration",
  "TSInterfaceDeclaration",
  "TSTypeAliasDeclaration",
  "TSEnumDeclaration",
  "TSModuleDeclaration",
  "TSDeclareFunction",
  "EmptyStatement",
]);

const noSilentCatch: Deno.lint.Rule = {
  create(context) {
    const message = "This error vanishes: handle it, or say in a comment why it may";
    const { text } = context.sourceCode;
    // The reason stands in the block, after it on its line, or on the line above.
    const silent = (block: Deno.lint.BlockStatement) => {
      if (block.body.length > 0) return false;
      const line = text.lastIndexOf("\n", block.range[0]) + 1;
      const end = text.indexOf("\n", block.range[1]);
      const here = text.slice(block.range[0], end === -1 ? text.length : end);
      const above = text.slice(text.lastIndexOf("\n", line - 2) + 1, line);
      return !/\/[/*]/.test(here) && !/^\s*(\/[/*]|\*)/.test(above);
    };
    return {
      CatchClause(node) {
        if (silent(node.body)) context.report({ node, message });
      },
      CallExpression(node) {
        if (node.callee.type !== "MemberExpression" || nameOf(node.callee) !== "catch") return;
        const [handler] = node.arguments;
        if (handler?.type !== "ArrowFunctionExpression") return;
        if (handler.body.type === "BlockStatement" && silent(handler.body)) {
          context.report({ node: handler, message });
        }
      },
    };
  },
};

const codedErrors: Deno.lint.Rule = {
  create(context) {
    if (!inEngine(pathOf(context))) return {};
    const check = (node: Node | undefined) => {
      if (node?.type === "NewExpression" && isNamed(node.callee, "Error")) {
        context.report({
          node,
          message: "Throw a class with a code, such as SpanloopError, and say what to do",
        });
      }
    };
    return {
      ThrowStatement: (node) => check(node.argument),
      CallExpression(node) {
        if (isNamed(node.callee, "reject")) check(node.arguments[0]);
        else if (node.callee.type === "MemberExpression" && nameOf(node.callee) === "reject") {
          check(node.arguments[0]);
        }
      },
    };
  },
};

// Namespaces that are ours or CI/CD's whole; of the others what OpenTelemetry has in them.
const KEY = new RegExp(
  "^(spanloop\\.|cicd\\.|error\\.type$|http\\.(request|response|route|connection)\\b" +
    "|url\\.(full|path|query|scheme|fragment|domain|port)\\b" +
    "|process\\.(exit|pid|parent_pid|command|command_args|executable|owner|runtime)\\b)",
);

const attributeKeys: Deno.lint.Rule = {
  create(context) {
    if (!inEngine(pathOf(context))) return {};
    const check = (node: Node | undefined) => {
      const text = node?.type === "Literal" && typeof node.value === "string"
        ? node.value
        : node?.type === "TemplateLiteral"
        ? node.quasis[0].cooked
        : undefined;
      if (node !== undefined && text !== undefined && KEY.test(text)) {
        context.report({ node, message: `Take \`${text}\` from semconv/attributes.ts` });
      }
    };
    return {
      // A pattern's keys too, which read attributes.
      Property: (node) => check(node.key),
      MemberExpression(node) {
        if (node.computed) check(node.property);
      },
      CallExpression(node) {
        const { callee } = node;
        if (callee.type === "MemberExpression" && nameOf(callee) === "setAttribute") {
          check(node.arguments[0]);
        }
      },
    };
  },
};

function isNamed(node: Node, name: string): boolean {
  return node.type === "Identifier" && node.name === name;
}

function isGlobal(node: Node): boolean {
  return isNamed(node, "globalThis");
}

// The name that a member expression asks for, written as `.x` or as `["x"]`.
function nameOf(node: Deno.lint.MemberExpression): string | undefined {
  const { property, computed } = node;
  if (!computed) return property.type === "Identifier" ? property.name : undefined;
  return property.type === "Literal" && typeof property.value === "string"
    ? property.value
    : undefined;
}

function isMainGuard(node: Node): boolean {
  return node.type === "IfStatement" && node.test.type === "MemberExpression" &&
    node.test.object.type === "MetaProperty" && nameOf(node.test) === "main";
}

function isDirective(node: Node): boolean {
  return node.type === "ExpressionStatement" && node.expression.type === "Literal";
}

function isBare(context: Context, node: Deno.lint.ImportDeclaration): boolean {
  return node.specifiers.length === 0 && /^import\s*["']/.test(context.sourceCode.getText(node));
}

/** The house rules, as `deno lint` loads them. */
export default {
  name: "spanloop",
  rules: {
    "file-name": fileName,
    "no-ambient": noAmbient,
    "no-console": noConsole,
    "no-barrel": noBarrel,
    "no-side-effects": noSideEffects,
    "no-silent-catch": noSilentCatch,
    "coded-errors": codedErrors,
    "attribute-keys": attributeKeys,
  },
} satisfies Deno.lint.Plugin;
