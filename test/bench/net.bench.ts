/** TCP echo in C through a published port, beside a bare Node echo server in a process of its own: MB/s one way, and round trips of 64 bytes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { fixture } from '../fixtures/compile.ts';
import { buildContext, removeDirectory } from '../support/context.ts';
import { startEngine } from '../support/engine.ts';
import { median, type Row } from './table.ts';

const rounds = 5;
const megabytes = 400;
const trips = 20_000;

async function dial(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
  await once(socket, 'connect');
  return socket;
}

/** Sends all and reads all back at the same time. MB/s. */
async function stream(port: number): Promise<number> {
  const socket = await dial(port);
  const block = Buffer.alloc(1 << 18, 'x');
  const total = Math.round((megabytes * 1e6) / block.length) * block.length;
  let back = 0;
  let sent = 0;
  const started = performance.now();
  socket.on('data', (chunk: Buffer) => (back += chunk.length));
  const pour = (): void => {
    for (let room = true; room && sent < total; sent += block.length) room = socket.write(block);
    if (sent < total) socket.once('drain', pour);
    else socket.end();
  };
  pour();
  await once(socket, 'end');
  if (back !== total) throw new Error(`${back} bytes came back of ${total}`);
  return total / 1e6 / ((performance.now() - started) / 1000);
}

/** One after another on one connection. Per second. */
async function pingPong(port: number): Promise<number> {
  const socket = await dial(port);
  const ping = Buffer.alloc(64, 'p');
  const started = performance.now();
  await new Promise<void>((resolve) => {
    let left = trips;
    let got = 0;
    socket.on('data', (chunk: Buffer) => {
      got += chunk.length;
      if (got < ping.length) return;
      got = 0;
      if (--left > 0) socket.write(ping);
      else resolve();
    });
    socket.write(ping);
  });
  const rate = trips / ((performance.now() - started) / 1000);
  socket.destroy();
  return rate;
}

/** A bare echo server under the same Node. */
async function startPeer(): Promise<{ readonly child: ChildProcess; readonly port: number }> {
  const program = `const server = require('node:net').createServer((socket) => socket.pipe(socket).on('error', () => {}));
    server.listen(0, '127.0.0.1', () => console.log(server.address().port));`;
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [said] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
  return { child, port: Number(said.toString()) };
}

export default async function bench(): Promise<Row[]> {
  const engine = await startEngine();
  const context = buildContext({
    'echo.wasm': { from: fixture('tcp-echo') },
    Dockerfile: 'FROM scratch\nCOPY echo.wasm /echo.wasm\nENTRYPOINT ["/echo.wasm"]\n',
  });
  const peer = await startPeer();
  try {
    await engine.docker(['build', '-q', '-t', 'echo', context]);
    await engine.docker(['run', '-d', '--name', 'echo', '-p', '127.0.0.1::7', 'echo']);
    const port = Number((await engine.docker(['port', 'echo', '7/tcp'])).stdout.trim().split(':').at(-1));
    while (!(await engine.docker(['logs', 'echo'])).stdout.includes('listening'));
    const ports = { ours: port, bare: peer.port };
    const speed = { ours: [] as number[], bare: [] as number[] };
    const rate = { ours: [] as number[], bare: [] as number[] };
    for (let round = 0; round < rounds; round++) {
      for (const who of ['ours', 'bare'] as const) {
        speed[who].push(await stream(ports[who]));
        rate[who].push(await pingPong(ports[who]));
      }
    }
    const ratio = ({ ours, bare }: typeof speed): number => median(ours) / median(bare);
    return [
      { what: 'TCP echo through a published port', p50: median(speed.ours), n: rounds, unit: 'MB/s' },
      { what: 'bare Node echo server', p50: median(speed.bare), n: rounds, unit: 'MB/s' },
      { what: 'ours / bare', p50: ratio(speed), n: rounds, unit: 'x', goal: '≥0.5' },
      { what: 'round trips of 64 bytes', p50: median(rate.ours), n: rounds, unit: '/s' },
      { what: 'bare Node echo server', p50: median(rate.bare), n: rounds, unit: '/s' },
      { what: 'ours / bare', p50: ratio(rate), n: rounds, unit: 'x', goal: '≥0.5' },
    ];
  } finally {
    peer.child.kill();
    await engine.stop();
    removeDirectory(context);
  }
}
