import { expect, test } from 'vitest';
import { placeWindow, savedWindow } from './window-bounds.ts';

const area = { x: 0, y: 25, width: 1600, height: 975 };
const right = { x: 1600, y: 0, width: 1920, height: 1080 };
const saved = (x: number, y: number, width = 1000, height = 700) => ({ x, y, width, height, maximized: false });

test('opens in the usual size the first time, smaller on a small display', () => {
  expect(placeWindow(undefined, [area])).toEqual({ width: 1280, height: 800 });
  expect(placeWindow(undefined, [{ x: 0, y: 0, width: 1024, height: 600 }])).toEqual({ width: 1024, height: 600 });
  expect(placeWindow(undefined, [])).toEqual({ width: 1280, height: 800 });
});

test('comes back to where it was, on any display', () => {
  expect(placeWindow(saved(50, 60), [area])).toEqual({ x: 50, y: 60, width: 1000, height: 700 });
  expect(placeWindow(saved(2000, 10), [area, right])).toEqual({ x: 2000, y: 10, width: 1000, height: 700 });
});

test('a display that is gone does not keep it out of sight', () => {
  expect(placeWindow(saved(2000, 10), [area])).toEqual({ width: 1000, height: 700 });
  expect(placeWindow(saved(-950, 100), [area])).toEqual({ width: 1000, height: 700 });
  expect(placeWindow(saved(100, -200), [area])).toEqual({ width: 1000, height: 700 });
  expect(placeWindow(saved(100, 980), [area])).toEqual({ width: 1000, height: 700 });
});

test('is never larger than its display, nor smaller than it can be used', () => {
  expect(placeWindow(saved(0, 25, 5000, 4000), [area])).toMatchObject({ width: 1600, height: 975 });
  expect(placeWindow(saved(0, 25, 10, 10), [area])).toMatchObject({ width: 720, height: 480 });
});

test('stored nonsense is nothing', () => {
  expect(savedWindow({ x: 1, y: 2, width: 3, height: 4, maximized: true })).toEqual({
    ...saved(1, 2, 3, 4),
    maximized: true,
  });
  for (const value of [
    undefined,
    null,
    7,
    {},
    { x: 'a', y: 0, width: 1, height: 1 },
    { x: NaN, y: 0, width: 1, height: 1 },
  ])
    expect(savedWindow(value)).toBeUndefined();
});
