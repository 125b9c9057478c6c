import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { internal } from '../base/errors.ts';

/** One request on its way to a handler. */
export interface Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** API version the client speaks, "1.41". */
  readonly version: string;
  /** Aborts when the client goes away before the answer is complete, or when the door closes. */
  readonly gone: AbortSignal;
  /** Set when the client asked for an upgrade on a route that hijacks. `head`: bytes that came with the request. */
  readonly upgrade: { readonly socket: Duplex; readonly head: Buffer } | undefined;
}

/** A path parameter that the route's pattern has. */
export function param(call: Call, name: string): string {
  const value = call.params[name];
  if (value === undefined) throw internal(`the route has no parameter ${name}`);
  return value;
}

/** Answers with JSON and a newline, as moby does. */
export function sendJson(call: Pick<Call, 'response'>, status: number, value: unknown): void {
  sendText(call, status, 'application/json', `${JSON.stringify(value)}\n`);
}

/** Answers with text of the given content type. */
export function sendText(call: Pick<Call, 'response'>, status: number, type: string, text: string): void {
  const body = Buffer.from(text);
  call.response.writeHead(status, { 'Content-Type': type, 'Content-Length': body.length });
  call.response.end(body);
}

/** Answers without a body: 200, 201, 204, 304. */
export function sendStatus(call: Pick<Call, 'response'>, status: number): void {
  if (status === 204 || status === 304) call.response.writeHead(status);
  else call.response.writeHead(status, { 'Content-Length': 0 });
  call.response.end();
}
