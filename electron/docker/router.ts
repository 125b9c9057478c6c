import { invalid } from '../base/errors.ts';
import type { Call } from './call.ts';

export type Handler = (call: Call) => void | Promise<void>;

export interface Route {
  readonly method: string;
  readonly pattern: string;
  /** The first API version that has it. */
  readonly since: string;
  readonly handler: Handler;
  /** Takes the socket over when the client asks for an upgrade. */
  readonly hijacks: boolean;
  readonly expression: RegExp;
}

/**
 * One line of a table. `{name}` is one path segment; `{name*}` may hold slashes (image names: `127.0.0.1:5000/a/b:1`), so what follows it
 * decides. The first line that matches wins, as in moby.
 */
export function route(
  method: string,
  pattern: string,
  handler: Handler,
  options: { readonly since?: string; readonly hijacks?: boolean } = {},
): Route {
  const source = pattern
    .split(/(\{\w+\*?\})/)
    .map((part) => {
      const name = /^\{(\w+)(\*?)\}$/.exec(part);
      if (name) return name[2] ? `(?<${name[1]}>.+)` : `(?<${name[1]}>[^/]+)`;
      return part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    })
    .join('');
  return {
    method,
    pattern,
    handler,
    since: options.since ?? '1.24',
    hijacks: options.hijacks ?? false,
    expression: new RegExp(`^${source}$`),
  };
}

export interface Match {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

/** The first route for method and path (without version and query); undefined when there is none. @throws invalid on a broken %-escape */
export function findRoute(routes: readonly Route[], method: string, path: string): Match | undefined {
  for (const candidate of routes) {
    if (candidate.method !== method) continue;
    const match = candidate.expression.exec(path);
    if (!match) continue;
    const params: Record<string, string> = {};
    for (const [name, value] of Object.entries(match.groups ?? {})) {
      try {
        params[name] = decodeURIComponent(value);
      } catch {
        throw invalid(`the path ${path} holds a broken escape: ${value}`);
      }
    }
    return { route: candidate, params };
  }
  return undefined;
}
