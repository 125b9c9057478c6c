import type { Rectangle } from 'electron';

export interface SavedWindow extends Rectangle {
  readonly maximized: boolean;
}

export const smallest = { width: 720, height: 480 };
const usual = { width: 1280, height: 800 };

/** A number of a stored value that may be anything. */
const numberOf = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) ? Math.round(value) : undefined;

/** What was stored, if it still makes sense. */
export function savedWindow(value: unknown): SavedWindow | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { x, y, width, height, maximized } = value as Record<string, unknown>;
  const numbers = [x, y, width, height].map(numberOf);
  const [left, top, wide, high] = numbers;
  if (left === undefined || top === undefined || wide === undefined || high === undefined) return undefined;
  return { x: left, y: top, width: wide, height: high, maximized: maximized === true };
}

/**
 * Where the window opens: where it was, if enough of its title bar can be grabbed on one of today's displays; else in the middle, no larger than
 * the first display. @param areas work areas, the primary display's first
 */
export function placeWindow(saved: SavedWindow | undefined, areas: readonly Rectangle[]): Partial<Rectangle> {
  const fit = (size: { width: number; height: number }, area: Rectangle | undefined) => ({
    width: Math.max(smallest.width, Math.min(size.width, area?.width ?? size.width)),
    height: Math.max(smallest.height, Math.min(size.height, area?.height ?? size.height)),
  });
  if (!saved) return fit(usual, areas[0]);
  const home = areas.find((area) => {
    const across = Math.min(saved.x + saved.width, area.x + area.width) - Math.max(saved.x, area.x);
    return across >= 120 && saved.y >= area.y && saved.y <= area.y + area.height - 40;
  });
  return home ? { x: saved.x, y: saved.y, ...fit(saved, home) } : fit(saved, areas[0]);
}
