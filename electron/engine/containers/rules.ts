/** Outbound rules: what a container may reach beyond its networks. */
import { conflict } from '../../base/errors.ts';
import type { OutboundRules, Refusal } from '../api/index.ts';
import { parseRules, rulesLabel, rulesOfLabel } from '../networks/rules.ts';
import type { Context } from './context.ts';
import type { ContainerRecord } from './record.ts';
import { announce, update } from './transitions.ts';

/** As last set, else as the label says. A label that cannot be understood (its record is from elsewhere) allows nothing. */
export function outboundRules({ outbound, config }: Pick<ContainerRecord, 'outbound' | 'config'>): OutboundRules {
  if (outbound !== undefined) return outbound;
  try {
    return rulesOfLabel(config.labels[rulesLabel]);
  } catch {
    return 'none';
  }
}

/** @throws notFound */
export const rules = ({ store }: Pick<Context, 'store'>, ref: string): OutboundRules =>
  outboundRules(store.find(ref).record);

/** Of the run that there is; none of earlier ones. @throws notFound */
export const refusals = ({ store }: Pick<Context, 'store'>, ref: string): readonly Refusal[] =>
  store.find(ref).net?.refusals.list() ?? [];

/** @throws notFound, conflict, invalid, full; then nothing has changed */
export async function setRules(
  context: Pick<Context, 'store' | 'emit'>,
  ref: string,
  wanted: OutboundRules,
): Promise<void> {
  const container = context.store.find(ref);
  const parsed = parseRules(wanted);
  await container.starting;
  if (container.removing) throw conflict(`container ${container.id} is marked for removal and cannot be changed`);
  update(container, { outbound: wanted });
  if (container.net) container.net.rules = parsed;
  announce(context, container, 'update');
}
