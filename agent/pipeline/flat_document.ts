import { known } from "../../common/record/known.ts";
import type { EcsContext, EcsDocument, EcsProcess } from "../../common/record/mod.ts";
import { fieldValue, type JsonObject } from "../../common/sigma/event_value.ts";

/** Where and when an event that came as a JSON object belongs. */
export interface FlatOrigin {
  readonly context: Pick<EcsContext, "hostId" | "hostName">;
  /** Unix time in milliseconds. */
  readonly timeMs: number;
  /** Its line, from 1. */
  readonly line: number;
}

/**
 * An event that came as a JSON object, as an ECS document of this host: as much of it as records
 * carry too.
 *
 * @param event Event in ECS form, or flat with field names as rules have them.
 * @param origin Host, time and line.
 */
export function flatDocument(event: JsonObject, origin: FlatOrigin): EcsDocument {
  const { context: { hostId, hostName }, timeMs, line } = origin;
  const of = (name: string): string | undefined => fieldValue(event, name);
  const path = of("TargetFilename");
  return {
    "@timestamp": new Date(timeMs).toISOString(),
    host: { id: hostId, name: hostName },
    event: {
      kind: "event",
      category: ["host"],
      type: ["info"],
      action: "replay",
      sequence: line,
      provider: "replay",
    },
    process: processOf(of),
    ...userOf(of),
    ...(path === undefined ? {} : { file: { path } }),
    ...endpointOf("destination", { ip: of("DestinationIp"), port: of("DestinationPort") }),
    ...endpointOf("source", { ip: of("SourceIp"), port: of("SourcePort") }),
  };
}

type FieldOf = (name: string) => string | undefined;

function processOf(of: FieldOf): EcsProcess {
  const parent = known({
    executable: of("ParentImage"),
    command_line: of("ParentCommandLine"),
  });
  const session = of("Session");
  return {
    pid: wholeNumber(of("ProcessId")),
    ...known({
      executable: of("Image"),
      command_line: of("CommandLine"),
      working_directory: of("CurrentDirectory"),
      role: of("Role"),
    }),
    ...(session === undefined ? {} : { session: { id: session } }),
    ...(Object.keys(parent).length === 0
      ? {}
      : { parent: { pid: wholeNumber(of("ParentProcessId")), ...parent } }),
  };
}

function userOf(of: FieldOf): Pick<EcsDocument, "user"> {
  const [id, name] = [of("UserId"), of("User")];
  if (id === undefined && name === undefined) return {};
  return { user: { id: id ?? name ?? "", ...known({ name }) } };
}

function endpointOf(
  end: "source" | "destination",
  { ip, port }: { readonly ip: string | undefined; readonly port: string | undefined },
): Partial<Pick<EcsDocument, "source" | "destination">> {
  return ip === undefined ? {} : { [end]: { ip, port: wholeNumber(port) } };
}

/** A number of a process or a port; 0 where the event has none. */
function wholeNumber(text: string | undefined): number {
  const number = Number(text ?? 0);
  return Number.isSafeInteger(number) && number >= 0 ? number : 0;
}
