import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { invalid } from '../base/errors.ts';
import { dockerHostOf, socketPathOf } from '../platform/docker-host.ts';
import { defaultHome, defaultSocket } from '../platform/paths.ts';

/** What `npm start -- --web` takes. */
export interface HeadlessFlags {
  /** Absolute path of the data root. */
  readonly home: string;
  /** Absolute path of the Docker socket, or a pipe's name on Windows. */
  readonly socketPath: string;
  /** The same as the docker CLI wants it: "unix:///…" or "npipe:////./pipe/…". */
  readonly dockerHost: string;
  /** 0 = a free one. */
  readonly port: number;
  /** Only read what is stored, say what is damaged, and end. */
  readonly check: boolean;
  readonly help: boolean;
  readonly version: boolean;
}

export const usage = `Usage: npm start -- [--web] [--home DIR] [--docker-host unix:///PATH] [--port N]

  --web               serve the window on http://127.0.0.1 instead of opening the desktop app
  --home DIR          data root (default: ${defaultHome()})
  --docker-host HOST  where the Docker API listens (default: ${dockerHostOf(defaultSocket())})
  --port N            port of the window (default: a free one)
  --check             read all images of the data root, say what is damaged, and end (0 = all is well)
  --version, --help`;

/** @throws invalid with what is wrong and the usage */
export function readFlags(args: readonly string[]): HeadlessFlags {
  const values = parse(args);
  const socketPath = values['docker-host'] === undefined ? defaultSocket() : socketOf(values['docker-host']);
  return {
    home: resolve(values.home ?? defaultHome()),
    socketPath,
    dockerHost: dockerHostOf(socketPath),
    port: portOf(values.port ?? '0'),
    check: values.check ?? false,
    help: values.help ?? false,
    version: values.version ?? false,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      strict: true,
      allowPositionals: false,
      options: {
        web: { type: 'boolean' },
        home: { type: 'string' },
        'docker-host': { type: 'string' },
        port: { type: 'string' },
        check: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
        version: { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    // Node's sentence names the flag: "Unknown option '--hom'. …": its advice on positionals does not apply here.
    const sentence = (error as Error).message.split('. To specify')[0] ?? '';
    throw invalid(sentence.replace(/\.$/, ''), { hint: usage });
  }
}

function socketOf(host: string): string {
  const path = socketPathOf(host);
  if (path === undefined) {
    throw invalid(`--docker-host ${host} is not a Unix socket`, {
      hint: 'Give an absolute path: --docker-host unix:///run/user/1000/drydock.sock',
    });
  }
  return path;
}

function portOf(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(port <= 65535))
    throw invalid(`--port ${text} is not a port`, { hint: 'Give a number from 1 to 65535, or 0 for a free one.' });
  return port;
}
