import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** One test: a module, what it is given, and what it must do. */
export interface TestCase {
  readonly name: string;
  readonly module: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Host directory whose content is the guest's root. */
  readonly root: string | undefined;
  /** Host directories by the names under which the guest finds them preopened. */
  readonly directories: ReadonlyMap<string, string>;
  /** Written to stdin, which then stays open when `threads`, else ends. */
  readonly stdin: string;
  readonly exitCode: number;
  /** What the streams must begin with. */
  readonly stdout: string;
  readonly stderr: string;
  /** The test is of the wasi-threads proposal. Its programs wait on stdin for ever, and are ended by another thread. */
  readonly threads: boolean;
  /** Why it cannot be run. */
  readonly skipped: string | undefined;
}

interface Operation {
  readonly type?: string;
  readonly id?: string;
  readonly payload?: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly root?: string | null;
  readonly dirs?: readonly string[];
  readonly exit_code?: number;
}

interface Specification extends Operation {
  readonly stdout?: string | null;
  readonly stderr?: string | null;
  readonly operations?: readonly Operation[] | null;
}

/** What a test of preview 1 can be told to do. Servers, requests and signals belong to other worlds. */
const understood = new Set(['run', 'write', 'read', 'wait']);
const defaultStream: Readonly<Record<string, string>> = { read: 'stdout', write: 'stdin' };

/**
 * Reads the JSON beside a module; without one the defaults hold (wasi-testsuite: doc/specification.md). Both styles: plain fields, and `operations`.
 * @throws Error that names the file
 */
export function readCase(module: string): TestCase {
  const name = basename(module, '.wasm');
  const file = module.replace(/\.wasm$/, '.json');
  let specification: Specification = {};
  if (existsSync(file)) {
    try {
      specification = JSON.parse(readFileSync(file, 'utf8')) as Specification;
    } catch (error) {
      throw new Error(`cannot read ${file}: ${(error as Error).message}`, { cause: error });
    }
  }
  const operations = specification.operations ?? plainOperations(specification);
  const run = operations.find((operation) => operation.type === 'run') ?? {};
  const wait = operations.find((operation) => operation.type === 'wait') ?? {};
  const strange = operations.find((operation) => !understood.has(operation.type ?? ''));
  const text = (type: string, id: string): string =>
    operations
      .filter((operation) => operation.type === type && (operation.id ?? defaultStream[type]) === id)
      .map((operation) => operation.payload ?? '')
      .join('');
  const here = dirname(module);
  return {
    name,
    module,
    args: run.args ?? [],
    env: run.env ?? {},
    root: run.root ? join(here, run.root) : undefined,
    directories: new Map((run.dirs ?? []).map((directory) => [directory, join(here, directory)])),
    stdin: text('write', 'stdin'),
    exitCode: wait.exit_code ?? 0,
    stdout: text('read', 'stdout'),
    stderr: text('read', 'stderr'),
    threads: /thread/.test(here.split('/').slice(-2).join('/')),
    skipped: strange ? `it needs "${strange.type ?? 'an operation without a type'}"` : undefined,
  };
}

const plainOperations = ({ stdout, stderr, ...rest }: Specification): readonly Operation[] => [
  { ...rest, type: 'run' },
  { type: 'read', id: 'stdout', payload: stdout ?? '' },
  { type: 'read', id: 'stderr', payload: stderr ?? '' },
  { ...rest, type: 'wait' },
];
