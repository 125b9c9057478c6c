import { print, type Row } from './table.ts';

const name = process.argv[2] ?? '';
const { default: bench } = (await import(`./${name}.bench.ts`)) as { default: () => Promise<Row[]> };
const missed = print(name, await bench());
process.exit(missed === 0 ? 0 : 1);
