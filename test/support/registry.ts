import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';

/** The one person that a registry with log-in knows. The hash is bcrypt's of the password, with the fewest rounds. */
export const person = { username: 'anna', password: 'sesam' };
const htpasswd = `${person.username}:$2b$04$I7GP2VB.Lmu3gYuJwBkZNOxFs5u3bFhc59xUlUoOso1Atpbp5JWVy\n`;

export interface TestRegistry {
  /** "127.0.0.1:PORT" */
  readonly host: string;
  readonly port: number;
  /** The throw-away authority that signed its certificate; '' without TLS. */
  readonly caFile: string;
  stop(): Promise<void>;
}

/** Debian's docker-registry on loopback, with its data in a temporary directory. `tls`: for the names given and 127.0.0.1. */
export async function startRegistry(
  options: { readonly login?: boolean; readonly tls?: readonly string[] } = {},
): Promise<TestRegistry> {
  const directory = mkdtempSync(join(tmpdir(), 'drydock-registry-'));
  const caFile = options.tls ? makeCertificate(directory, options.tls) : '';
  if (options.login) writeFileSync(join(directory, 'htpasswd'), htpasswd);
  const config = {
    version: '0.1',
    log: { level: 'info', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: join(directory, 'data') }, delete: { enabled: true } },
    http: {
      addr: '127.0.0.1:0',
      secret: 'of a test',
      ...(options.tls && { tls: { certificate: join(directory, 'server.pem'), key: join(directory, 'server.key') } }),
    },
    ...(options.login && { auth: { htpasswd: { realm: 'test', path: join(directory, 'htpasswd') } } }),
  };
  // JSON is YAML.
  writeFileSync(join(directory, 'config.yml'), JSON.stringify(config));
  const child = spawn('docker-registry', ['serve', join(directory, 'config.yml')], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  try {
    const port = await listening(child);
    return {
      host: `127.0.0.1:${port}`,
      port,
      caFile,
      async stop() {
        child.kill('SIGKILL');
        await ended;
        rmSync(directory, { recursive: true, force: true });
      },
    };
  } catch (error) {
    child.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
    throw error;
  }
}

/** It says in its log where it listens. */
function listening(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    let said = '';
    const look = (text: string): void => {
      said += text;
      const port = /listening on 127\.0\.0\.1:(\d+)/.exec(said)?.[1];
      if (port !== undefined) resolve(Number(port));
    };
    child.stdout?.setEncoding('utf8').on('data', look);
    child.stderr?.setEncoding('utf8').on('data', look);
    child.once('error', reject);
    child.once('close', (code) => reject(new Error(`docker-registry ended with ${code}\n${said}`)));
  });
}

/** An authority and a certificate of a day. Answers the authority's file. */
function makeCertificate(directory: string, names: readonly string[]): string {
  const openssl = (...args: string[]): void => {
    const { status, stderr } = spawnSync('openssl', args, { cwd: directory, encoding: 'utf8' });
    if (status !== 0) throw new Error(`openssl ${args[0]}: ${stderr}`);
  };
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  writeFileSync(
    join(directory, 'names'),
    `subjectAltName=IP:127.0.0.1,${names.map((name) => `DNS:${name}`).join(',')}\n`,
  );
  openssl(
    'req',
    '-x509',
    ...key,
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
    '-days',
    '1',
    '-subj',
    '/CN=Drydock test authority',
  );
  openssl('req', ...key, '-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=registry');
  openssl(
    'x509',
    '-req',
    '-in',
    'server.csr',
    '-CA',
    'ca.pem',
    '-CAkey',
    'ca.key',
    '-CAcreateserial',
    '-days',
    '1',
    '-extfile',
    'names',
    '-out',
    'server.pem',
  );
  return join(directory, 'ca.pem');
}

export interface TestProxy {
  readonly url: string;
  /** "CONNECT registry.test:443", in order. */
  readonly asked: string[];
  /** Cuts each new connection after so many bytes towards the client, as often as this list is long. */
  readonly cuts: number[];
  stop(): Promise<void>;
}

/** An HTTP proxy that leads every name to one port of loopback: names need no DNS then, and lines can be cut. */
export async function startProxy(port: number): Promise<TestProxy> {
  const asked: string[] = [];
  const cuts: number[] = [];
  const open = new Set<Duplex>();
  const server = createServer((_request, response) => void response.writeHead(405).end());
  server.on('connect', (request: IncomingMessage, client: Duplex) => {
    asked.push(`CONNECT ${request.url}`);
    const upstream = connect(port, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      client.pipe(upstream);
      let left = cuts.shift() ?? Infinity;
      upstream.on('data', (chunk: Buffer) => {
        left -= chunk.length;
        if (left >= 0)
          return void (client.write(chunk) || (upstream.pause(), client.once('drain', () => upstream.resume())));
        client.destroy();
        upstream.destroy();
      });
      upstream.on('end', () => client.end());
    });
    for (const end of [client, upstream]) {
      open.add(end);
      end.on('error', () => undefined);
      end.once('close', () => {
        open.delete(end);
        client.destroy();
        upstream.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    cuts,
    async stop() {
      for (const end of open) end.destroy();
      await new Promise<void>((resolve) => void server.close(() => resolve()));
    },
  };
}

/** Runs skopeo without anybody's configuration. @throws with its stderr when it fails */
export async function skopeo(...args: readonly string[]): Promise<string> {
  const child = spawn('skopeo', ['--insecure-policy', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`skopeo ${args.join(' ')} ended with ${code}\n${stderr}`);
  return stdout;
}
