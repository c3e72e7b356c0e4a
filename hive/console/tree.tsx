import type { Child } from "hono/jsx";
import type { ProcessTree, TreeProcess } from "../api/process_tree.ts";
import { moment, visible } from "./format.ts";

/** Characters of a command line in the tree. */
const COMMAND_MAX = 600;

/**
 * A process with its ancestors above and its children below.
 *
 * @param props The tree.
 */
export function Tree({ tree }: { readonly tree: ProcessTree }): Child {
  const { ancestors, subject, children, complete } = tree;
  return (
    <section class="card" aria-labelledby="tree-title">
      <h2 id="tree-title">Process tree</h2>
      <ol class="tree">
        {!complete && <li class="tree-unknown">Earlier processes are not in the stored events</li>}
        {ancestors.map((process) => <Node key={process.entityId} process={process} />)}
        <Node process={subject} isSubject />
      </ol>
      {children.length > 0 && (
        <>
          <h3 class="tree-children">Started by it</h3>
          <ul class="tree tree-below">
            {children.map((process) => <Node key={process.entityId} process={process} />)}
          </ul>
        </>
      )}
    </section>
  );
}

function Node({ process, isSubject = false }: {
  readonly process: TreeProcess;
  readonly isSubject?: boolean;
}): Child {
  return (
    <li class={isSubject ? "subject" : ""}>
      <p class="tree-head">
        <strong>{visible(process.executable ?? "program not known")}</strong>
        <span class="note">
          {`pid ${process.pid}`}
          {process.uid !== undefined && ` · uid ${process.uid}`}
          {process.start !== undefined && (
            <>
              {" · "}
              <time datetime={process.start}>{moment(process.start)}</time>
            </>
          )}
        </span>
        {isSubject && <span class="tag">raised the alert</span>}
      </p>
      {process.commandLine !== undefined && (
        <code class="command">{visible(process.commandLine, { max: COMMAND_MAX })}</code>
      )}
    </li>
  );
}
