import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { tarballUrl } from '../../electron/engine/starters/fetch-package.ts';

interface Pinned {
  readonly package: string;
  readonly version: string;
  readonly integrity: string;
}

export interface NpmRegistry {
  readonly url: string;
  /** Paths that were asked for. */
  readonly asked: readonly string[];
  close(): Promise<void>;
}

const recipes = join(import.meta.dirname, '../../assets/starters');
const upstream = process.env['npm_config_registry'] || 'https://registry.npmjs.org/';

/** Where `npm ci` keeps a tarball that it has fetched (cacache: content-v2/sha512/ab/cd/…). */
function cached({ integrity }: Pinned, cache: string): string {
  const hex = Buffer.from(integrity.slice('sha512-'.length), 'base64').toString('hex');
  return join(cache, '_cacache/content-v2/sha512', hex.slice(0, 2), hex.slice(2, 4), hex.slice(4));
}

/** An npm registry on loopback with the packages of all starters: out of npm's own cache, else by a redirect to the real one. */
export async function startNpmRegistry(): Promise<NpmRegistry> {
  const cache = execFileSync('npm', ['config', 'get', 'cache'], {
    encoding: 'utf8',
    shell: process.platform === 'win32',
  }).trim();
  const packages = readdirSync(recipes, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => (JSON.parse(readFileSync(join(recipes, name, 'starter.json'), 'utf8')) as { npm?: Pinned }).npm)
    .filter((npm) => npm !== undefined);
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    asked.push(path);
    const found = packages.find((npm) => tarballUrl('http://x/', npm).pathname === path);
    if (!found) return void response.writeHead(404).end();
    const file = cached(found, cache);
    if (existsSync(file)) return void response.end(readFileSync(file));
    response.writeHead(302, { Location: tarballUrl(upstream, found).href }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    asked,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
