import { expect, test } from 'vitest';
import { findCommands, matchTitle, type Command } from './commands.ts';

const command = (title: string, part: Partial<Command> = {}): Command => ({
  id: title,
  group: 'everywhere',
  title,
  icon: '',
  kind: 'command',
  run: () => undefined,
  ...part,
});
const titles = (commands: Command[], query: string): string[] =>
  findCommands(commands, query).map((found) => found.command.title);

test('every word must occur, in the title or what is greyed behind it', () => {
  expect(matchTitle('Show logs', 'web', 'log web')).toEqual([[5, 8]]);
  expect(matchTitle('Show logs', '', 'stop')).toBeUndefined();
  expect(matchTitle('Show logs', '', '')).toEqual([]);
  expect(matchTitle('logs', '', 'log ogs')).toEqual([[0, 4]]);
});

test('a title that begins with the word comes before one that holds it', () => {
  expect(titles([command('catalog'), command('Show logs'), command('Log in')], 'log')).toEqual([
    'Log in',
    'Show logs',
    'catalog',
  ]);
});

test('groups keep their order and prefixes choose a kind', () => {
  const commands = [
    command('Images', { kind: 'page' }),
    command('img:1', { kind: 'image', group: 'things' }),
    command('Stop', { group: 'row' }),
  ];
  expect(titles(commands, '')).toEqual(['Stop', 'img:1', 'Images']);
  expect(titles(commands, '#im')).toEqual(['img:1']);
  expect(titles(commands, ':')).toEqual(['Images']);
});
