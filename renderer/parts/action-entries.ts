import type { ContainerRow } from '../../electron/contract/containers.ts';
import { perform, type ContainerAction } from '../state/container-actions.ts';
import type { MenuEntry } from '../ui/menu.ts';

/** Actions as lines of a menu about these rows. */
export const entriesOf = (actions: readonly ContainerAction[], rows: readonly ContainerRow[]): MenuEntry[] =>
  actions.map((action) => ({
    icon: action.icon,
    label: action.label(),
    chord: action.chord,
    danger: action.danger ?? false,
    apart: action.apart ?? false,
    run: () => perform(action, rows),
  }));
