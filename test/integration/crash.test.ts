import { pack } from 'tar-stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fixture } from '../fixtures/compile.ts';
import { api } from '../support/api.ts';
import { buildContext, removeDirectory } from '../support/context.ts';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { hasDocker } from '../support/tools.ts';

const rounds = 20;
const operations = 50;

/** A small repeatable generator, so that a failing round can be run again. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** What the engine has acknowledged. `unsure` names things whose last operation was never answered. */
interface Model {
  readonly containers: Map<string, { lines: string[]; started: boolean }>;
  readonly tags: Set<string>;
  readonly volumes: Set<string>;
  readonly unsure: Set<string>;
}

async function tarOf(files: Readonly<Record<string, string>>): Promise<Buffer> {
  const tar = pack();
  for (const [name, text] of Object.entries(files)) tar.entry({ name }, text);
  tar.finalize();
  return Buffer.concat(await Array.fromAsync(tar as AsyncIterable<Buffer>));
}

describe.skipIf(!hasDocker())('kill -9 of the engine at any moment', () => {
  let engine: TestEngine;
  let context: string;

  beforeAll(async () => {
    engine = await startEngine();
    context = buildContext({
      'tool.wasm': { from: fixture('tool') },
      Dockerfile: 'FROM scratch\nCOPY tool.wasm /tool.wasm\nENTRYPOINT ["/tool.wasm"]\n',
    });
    expect((await engine.docker(['build', '-q', '-t', 'tool', context])).code).toBe(0);
  });
  afterAll(async () => {
    await engine?.stop();
    if (context) removeDirectory(context);
  });

  it(
    `leaves a home that opens and agrees with what was acknowledged, ${rounds} times`,
    { timeout: 300_000 },
    async () => {
      const model: Model = { containers: new Map(), tags: new Set(), volumes: new Set(), unsure: new Set() };
      for (let round = 0; round < rounds; round++) {
        const next = random(round * 7919 + 1);
        const killAt = next(operations);
        for (let i = 0; i < operations; i++) {
          const operation = perform(engine.dockerHost, model, next, `r${round}o${i}`);
          if (i === killAt) operation.catch(() => undefined); // it may be refused while we wait for the end
          if (i === killAt) {
            await new Promise((resolve) => setTimeout(resolve, next(6)));
            await engine.kill9();
            await operation.catch(() => undefined);
            break;
          }
          await operation;
        }
        await engine.restart();
        await compare(engine.dockerHost, model, `round ${round}`);
      }
    },
  );
});

async function perform(host: string, model: Model, next: (below: number) => number, label: string): Promise<void> {
  const pick = <T>(items: Iterable<T>): T | undefined => {
    const list = [...items];
    return list[next(list.length)];
  };
  const name = pick(model.containers.keys());
  /** Does one request on a thing; the thing is in doubt until the answer is there. */
  const certain = async (
    thing: string,
    request: Promise<{ status: number; text: string }>,
    ok: number,
  ): Promise<void> => {
    model.unsure.add(thing);
    const answer = await request;
    expect(`${thing} ${answer.status} ${answer.status === ok ? '' : answer.text}`).toBe(`${thing} ${ok} `);
    model.unsure.delete(thing);
  };
  const create = async (container: string, command: readonly string[]): Promise<void> => {
    await certain(
      container,
      api(host, 'POST', `/containers/create?name=${container}`, { Image: 'tool', Cmd: command }),
      201,
    );
    model.containers.set(container, { lines: [], started: false });
  };
  const choice = next(9);
  if (choice <= 1 || name === undefined) return create(label, ['tick', '50']);
  if (choice === 2) {
    await create(label, ['echo', label]);
    const waited = api(host, 'POST', `/containers/${label}/wait?condition=next-exit`);
    waited.catch(() => undefined);
    await certain(label, api(host, 'POST', `/containers/${label}/start`), 204);
    model.unsure.add(label);
    expect((await waited).json()).toMatchObject({ StatusCode: 0 });
    model.unsure.delete(label);
    model.containers.get(label)?.lines.push(label);
    return;
  }
  if (choice === 3) {
    const held = model.containers.get(name);
    if (held && !held.started && held.lines.length === 0 && !model.unsure.has(name)) {
      await certain(name, api(host, 'POST', `/containers/${name}/start`), 204);
      held.started = true;
    }
    return;
  }
  if (choice === 4 && !model.unsure.has(name)) {
    await certain(name, api(host, 'DELETE', `/containers/${name}?force=1`), 204);
    model.containers.delete(name);
    return;
  }
  if (choice === 5) {
    await certain(`image:${label}`, api(host, 'POST', `/images/tool/tag?repo=${label}&tag=1`), 201);
    model.tags.add(label);
    return;
  }
  if (choice === 6) {
    const tag = pick(model.tags);
    if (tag === undefined || model.unsure.has(`image:${tag}`)) return;
    await certain(`image:${tag}`, api(host, 'DELETE', `/images/${tag}:1`), 200);
    model.tags.delete(tag);
    return;
  }
  if (choice === 7) {
    await certain(`volume:${label}`, api(host, 'POST', '/volumes/create', { Name: label }), 201);
    model.volumes.add(label);
    return;
  }
  const body = await tarOf({ Dockerfile: `FROM tool\nLABEL made=${label}\n` });
  model.unsure.add(`image:${label}`);
  const built = await api(host, 'POST', `/build?t=${label}:1`, body, { 'Content-Type': 'application/x-tar' });
  expect(built.text).toContain('Successfully tagged');
  model.unsure.delete(`image:${label}`);
  model.tags.add(label);
}

async function compare(host: string, model: Model, when: string): Promise<void> {
  const rows = (await api(host, 'GET', '/containers/json?all=1')).json<{ Names: string[]; State: string }[]>();
  const found = new Map(rows.map((row) => [row.Names[0]?.slice(1) ?? '', row]));
  for (const [name, held] of model.containers) {
    const row = found.get(name);
    if (model.unsure.has(name)) {
      if (!row) model.containers.delete(name);
      continue;
    }
    expect(row, `${when}: container ${name} is gone`).toBeDefined();
    if (!held.started && held.lines.length === 0) expect(row?.State, `${when}: ${name}`).toBe('created');
    else expect(row?.State, `${when}: ${name}`).toBe('exited');
    if (held.lines.length > 0) {
      const logs = (await api(host, 'GET', `/containers/${name}/logs?stdout=1&tail=all`)).text;
      for (const line of held.lines) expect(logs, `${when}: log of ${name}`).toContain(`${line}\n`);
    }
    if (held.started) {
      const state = (await api(host, 'GET', `/containers/${name}/json`)).json<{ State: { ExitCode: number } }>().State;
      expect(state.ExitCode, `${when}: ${name} was running`).toBe(137);
    }
  }
  for (const [name] of found) {
    if (model.containers.has(name)) continue;
    expect(model.unsure.has(name), `${when}: container ${name} was removed or never acknowledged`).toBe(true);
    model.containers.set(name, { lines: [], started: true });
    // Its state is whatever the lost answer was about: take it out of the game.
    await api(host, 'DELETE', `/containers/${name}?force=1`);
    model.containers.delete(name);
  }
  const images = (await api(host, 'GET', '/images/json')).json<{ RepoTags: string[] }[]>();
  const tags = new Set(images.flatMap((image) => image.RepoTags));
  for (const tag of model.tags) {
    if (!model.unsure.has(`image:${tag}`)) expect(tags, `${when}: image ${tag}`).toContain(`${tag}:1`);
    else if (!tags.has(`${tag}:1`)) model.tags.delete(tag);
  }
  for (const tag of tags) {
    const name = tag.replace(/:.*/, '');
    if (tag === 'tool:latest' || model.tags.has(name)) continue;
    expect(model.unsure.has(`image:${name}`), `${when}: image ${tag} should not be there`).toBe(true);
    model.tags.add(name);
  }
  const volumes = (await api(host, 'GET', '/volumes')).json<{ Volumes: { Name: string }[] }>();
  const names = new Set(volumes.Volumes.map((volume) => volume.Name));
  for (const volume of model.volumes) expect(names, `${when}: volume ${volume}`).toContain(volume);
  for (const name of names) model.volumes.add(name);
  for (const thing of model.unsure) {
    const held = model.containers.get(thing);
    // A container whose start or end was never answered: its state is legitimate either way, so it leaves the game.
    if (held) {
      await api(host, 'DELETE', `/containers/${thing}?force=1`);
      model.containers.delete(thing);
    }
  }
  model.unsure.clear();
}
