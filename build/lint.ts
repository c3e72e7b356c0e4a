// The project's own lint rules (specs/architecture.md lists them). Loaded by `deno lint`.

/** Most positional arguments of a function; the rest goes into options. */
const POSITIONAL_MAX = 2;
/** Folders whose programs talk to a terminal. */
const CONSOLE_FOLDERS = /\/(cli|build)\/|\/tests\//;
const TLS_MODULES = new Set(["node:tls", "node:https"]);

function isFit(params: readonly Deno.lint.Parameter[]): boolean {
  if (params.length <= POSITIONAL_MAX) return true;
  const last = params[POSITIONAL_MAX];
  const name = last?.type === "AssignmentPattern" ? last.left : last;
  return params.length === POSITIONAL_MAX + 1 && name?.type === "Identifier" &&
    name.name === "options";
}

const plugin: Deno.lint.Plugin = {
  name: "immune",
  rules: {
    "error-style": {
      create(context): Deno.lint.LintVisitor {
        return {
          'NewExpression[callee.name="ImmuneError"]'(node: Deno.lint.NewExpression): void {
            const message = node.arguments[1];
            const first = message?.type === "TemplateLiteral"
              ? message.quasis[0]?.cooked ?? ""
              : message?.type === "Literal"
              ? String(message.value)
              : undefined;
            const last = message?.type === "TemplateLiteral"
              ? message.quasis.at(-1)?.cooked ?? ""
              : first ?? "";
            if (first === undefined) return;
            if (/^[a-z]/.test(first) || /\.$/.test(last)) {
              context.report({
                node,
                message: "An error message is in sentence case and ends without a full stop",
              });
            }
          },
        };
      },
    },
    "argument-count": {
      create(context): Deno.lint.LintVisitor {
        // These have the signatures of the modules that they stand for.
        if (context.filename.includes("/common/std/")) return {};
        return {
          "ExportNamedDeclaration > FunctionDeclaration"(
            node: Deno.lint.FunctionDeclaration,
          ): void {
            if (isFit(node.params)) return;
            context.report({
              node,
              message: "An exported function takes two positional arguments, then options",
            });
          },
        };
      },
    },
    "no-console": {
      create(context): Deno.lint.LintVisitor {
        if (CONSOLE_FOLDERS.test(context.filename)) return {};
        return {
          'MemberExpression[object.name="console"]'(node: Deno.lint.MemberExpression): void {
            context.report({ node, message: "Only cli/ talks to the terminal" });
          },
        };
      },
    },
    "no-tls": {
      create(context): Deno.lint.LintVisitor {
        if (context.filename.includes("/hive/intake/")) return {};
        return {
          ImportDeclaration(node): void {
            if (!TLS_MODULES.has(String(node.source.value))) return;
            context.report({ node, message: "Only hive/intake serves agents by node:tls" });
          },
        };
      },
    },
    "no-default-export": {
      create(context): Deno.lint.LintVisitor {
        if (/\/(build\/lint|hive\/serve)\.ts$/.test(context.filename)) return {};
        return {
          ExportDefaultDeclaration(node): void {
            context.report({ node, message: "Export by name" });
          },
        };
      },
    },
  },
};

export default plugin;
