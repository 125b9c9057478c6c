import type { Icon } from './icons.ts';

/** A line of a menu. */
export interface MenuEntry {
  readonly icon: Icon;
  readonly label: string;
  /** The key that does the same; '' or absent = none. */
  readonly chord?: string;
  readonly danger?: boolean;
  /** A rule above it. */
  readonly apart?: boolean;
  run(): void;
}
