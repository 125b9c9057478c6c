import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/** The rule of the design: text 4.5:1 and shapes 3:1 on every surface that they may lie on, in both themes (WCAG 2.2 §1.4.3, §1.4.11). */
const tokens = new Map<string, string>();
for (const [, name = '', value = ''] of readFileSync(new URL('./tokens.css', import.meta.url), 'utf8').matchAll(
  /--([\w-]+):\s*([^;]+);/g,
))
  if (!tokens.has(name)) tokens.set(name, value.replace(/\s+/g, ' ').trim());

interface Paint {
  /** Linear light. */
  readonly rgb: readonly [number, number, number];
  readonly alpha: number;
}

/** OKLCH to linear sRGB (Ottosson 2020), clipped to what a screen shows. */
function oklch(l: number, c: number, h: number): Paint['rgb'] {
  const a = c * Math.cos((h * Math.PI) / 180);
  const b = c * Math.sin((h * Math.PI) / 180);
  const [x, y, z] = [
    (l + 0.3963377774 * a + 0.2158037573 * b) ** 3,
    (l - 0.1055613458 * a - 0.0638541728 * b) ** 3,
    (l - 0.0894841775 * a - 1.291485548 * b) ** 3,
  ];
  const clip = (value: number): number => Math.min(1, Math.max(0, value));
  return [
    clip(4.0767416621 * x - 3.3077115913 * y + 0.2309699292 * z),
    clip(-1.2684380046 * x + 2.6097574011 * y - 0.3413193965 * z),
    clip(-0.0041960863 * x - 0.7034186147 * y + 1.707614701 * z),
  ];
}

function resolve(text: string, dark: boolean): Paint {
  const pair = /^light-dark\((.*)\)$/.exec(text)?.[1];
  if (pair !== undefined) {
    let depth = 0;
    const cut = [...pair].findIndex((character) => {
      if (character === '(') depth++;
      if (character === ')') depth--;
      return character === ',' && depth === 0;
    });
    return resolve((dark ? pair.slice(cut + 1) : pair.slice(0, cut)).trim(), dark);
  }
  const name = /^var\(--([\w-]+)\)$/.exec(text)?.[1];
  if (name !== undefined) return resolve(tokens.get(name) ?? '', dark);
  const [, l, c, h, alpha] = /^oklch\(([\d.]+) ([\d.]+) ([\d.]+)(?: \/ ([\d.]+))?\)$/.exec(text) ?? [];
  if (l === undefined) throw new Error(`not a colour: ${text}`);
  return { rgb: oklch(Number(l), Number(c), Number(h)), alpha: alpha === undefined ? 1 : Number(alpha) };
}

const encode = (x: number): number => (x <= 0.0031308 ? 12.92 * x : 1.055 * x ** (1 / 2.4) - 0.055);
const decode = (x: number): number => (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
/** A wash over a surface, mixed as browsers do: in encoded sRGB. */
function over(top: Paint, under: Paint): Paint {
  const mix = (i: 0 | 1 | 2): number => decode(encode(top.rgb[i]) * top.alpha + encode(under.rgb[i]) * (1 - top.alpha));
  return { rgb: [mix(0), mix(1), mix(2)], alpha: 1 };
}
const luminance = ({ rgb: [r, g, b] }: Paint): number => 0.2126 * r + 0.7152 * g + 0.0722 * b;
function ratio(a: Paint, b: Paint): number {
  const [x, y] = [luminance(a) + 0.05, luminance(b) + 0.05];
  return Math.max(x, y) / Math.min(x, y);
}

const words = ['text', 'text-2', 'text-3', 'act-text', 'running', 'paused', 'exited', 'failed', 'restarting'];
const shapes = ['running-shape', 'paused-shape', 'failed-shape', 'restarting-shape'];

test.each([['light', false] as const, ['dark', true] as const])('every word and shape is readable, %s', (_, dark) => {
  const paint = (name: string): Paint => resolve(`var(--${name})`, dark);
  const surfaces: [string, Paint][] = ['page', 'chrome', 'raised', 'sunken', 'field'].map((name) => [
    name,
    paint(name),
  ]);
  for (const wash of ['hover', 'chosen', 'act-wash'])
    surfaces.push([`page under ${wash}`, over(paint(wash), paint('page'))]);
  surfaces.push(['current page in the rail', over(paint('press'), paint('chrome'))]);
  for (const [names, least] of [
    [words, 4.5],
    [shapes, 3],
  ] as const)
    for (const name of names)
      for (const [where, surface] of surfaces)
        expect(ratio(paint(name), surface), `${name} on ${where}`).toBeGreaterThanOrEqual(least);
  for (const fill of ['act', 'act-hover'])
    expect(ratio(paint('on-act'), paint(fill)), `on-act on ${fill}`).toBeGreaterThanOrEqual(4.5);
});
