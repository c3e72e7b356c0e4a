import type { EcsDocument, EcsEndpoint } from "./ecs.ts";

/** What of a document is told in one line. */
type Told = Pick<EcsDocument, "authentication" | "message" | "source" | "tamper" | "user">;

/**
 * One end of a connection, for people.
 *
 * @param endpoint Address, name and port, as far as they are known.
 * @returns Such as `[2001:db8::1]:22`; `undefined` where there is neither address nor name.
 */
export function endpointText(endpoint: Partial<EcsEndpoint> | undefined): string | undefined {
  const place = endpoint?.ip ?? endpoint?.domain;
  if (place === undefined) return undefined;
  const host = place.includes(":") ? `[${place}]` : place;
  return endpoint?.port === undefined ? host : `${host}:${endpoint.port}`;
}

/**
 * What an event of a log, or of the agent's own protection, is about, in one line.
 *
 * @param document The event, or an alert of it.
 * @returns The line, `undefined` for other events. It is as it came: make it visible before it is
 * shown.
 */
export function subjectText(document: Told): string | undefined {
  const { authentication, message, source, tamper, user } = document;
  if (tamper !== undefined) return `${tamper.object}: ${tamper.detail}`;
  if (message === undefined) return undefined;
  const { service, method, terminal, command } = authentication ?? {};
  const parts = [
    ["", user?.name],
    ["as", user?.effective?.name],
    ["from", endpointText(source)],
    ["on", terminal],
    ["by", method],
    ["at", service],
    ["ran", command],
  ].flatMap(([word, value]) =>
    value === undefined ? [] : [word === "" ? value : `${word} ${value}`]
  );
  return user === undefined ? message : parts.join(" ");
}
