import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

type Message = string | { match: Record<string, string> }[];
const read = (locale: string): Record<string, Message> =>
  JSON.parse(readFileSync(new URL(`./messages/${locale}.json`, import.meta.url), 'utf8')) as Record<string, Message>;
const en = read('en');
const zh = read('zh-CN');
const variants = (message: Message): string[] =>
  typeof message === 'string' ? [message] : message.flatMap((entry) => Object.values(entry.match));
const places = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '').sort();

test('both languages say everything', () => {
  expect(Object.keys(zh).sort()).toEqual(Object.keys(en).sort());
  for (const [key, message] of [...Object.entries(en), ...Object.entries(zh)])
    for (const text of variants(message)) expect(text.trim(), key).not.toBe('');
});

test('both languages speak of the same values', () => {
  for (const [key, message] of Object.entries(en)) {
    const used = [...new Set(variants(message).flatMap(places))].filter((name) => name !== 'count');
    const chinese = [...new Set(variants(zh[key] ?? '').flatMap(places))].filter((name) => name !== 'count');
    expect(chinese, key).toEqual(used);
  }
});

test('what is said in Chinese is Chinese, or the same word in both', () => {
  for (const [key, message] of Object.entries(zh)) {
    const same = JSON.stringify(en[key]) === JSON.stringify(message);
    expect(same || variants(message).every((text) => /[\u4e00-\u9fff]|^ID$/.test(text)), key).toBe(true);
  }
});
