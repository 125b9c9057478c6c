/** A container's part in the virtual network while it runs: its namespace or another one's, its ports on the host, its rules and what they refused. */
import { conflict, DrydockError, invalid } from '../../base/errors.ts';
import type { PublishedPort } from '../../supervisor/protocol.ts';
import type { ContainerNamespace, Owner } from '../networks/container-namespace.ts';
import type { Bookings } from '../networks/host-ports.ts';
import type { NetMember, NetNamespace } from '../networks/namespace.ts';
import { Refusals } from '../networks/refusals.ts';
import { parseRules, type Rules } from '../networks/rules.ts';
import type { Container } from './container.ts';
import type { Context } from './context.ts';
import { portRequests } from './ports.ts';
import { outboundRules } from './rules.ts';
import { announce } from './transitions.ts';

export class NetworkPart {
  /** Execs become members of it too. */
  readonly namespace: NetNamespace;
  readonly shared: ContainerNamespace;
  readonly refusals: Refusals;
  rules: Rules;
  /** Open on the host. */
  ports: readonly PublishedPort[] = [];
  /** The container's own run. */
  member: NetMember | undefined;

  constructor(shared: ContainerNamespace, rules: Rules, refusals: Refusals) {
    this.shared = shared;
    this.rules = rules;
    this.refusals = refusals;
    this.namespace = shared.as({ rules: () => this.rules, refused: (refused) => refusals.note(refused) });
  }
}

type Needs = Pick<Context, 'store' | 'namespaces' | 'emit' | 'timers'>;

/** At start, once it is on its networks. @throws notFound, conflict, invalid when it is to share a namespace that is not there */
export function enterNamespace(context: Needs, container: Container): void {
  const refusals = new Refusals(
    ({ host, address, port, protocol }) =>
      announce(context, container, 'net_refuse', { host, address, port: String(port), protocol }),
    () => context.timers.now(),
  );
  const shared = sharedWith(context, container) ?? context.namespaces.open(ownerOf(container));
  container.net = new NetworkPart(shared, parseRules(outboundRules(container.record)), refusals);
  container.touch();
}

/** Idempotent. */
export function leaveNamespace({ namespaces }: Pick<Context, 'namespaces'>, container: Container): void {
  container.net?.member?.leave();
  container.net = undefined;
  namespaces.closeOf(container.id);
  namespaces.ports.free(container.id);
  container.touch();
}

/** Books its ports and takes part with a run. @throws conflict with moby's text when a port is another container's */
export async function takePart(
  { namespaces }: Pick<Context, 'namespaces'>,
  container: Container,
  runId: string,
): Promise<{ readonly member: NetMember; readonly booked: Bookings }> {
  const { net } = container;
  if (!net) throw new Error(`container ${container.id} has no namespace`);
  const requests = publishes(net) ? portRequests(container.record.config) : [];
  const booked = await namespaces.ports
    .book(container.id, requests)
    .catch((error: unknown) => Promise.reject(portFailure(container, error)));
  const member = (net.member = net.namespace.member(runId, booked.ports));
  return { member, booked };
}

/** The other way round: the run never began, and another try follows. */
export function giveUpPart({ namespaces }: Pick<Context, 'namespaces'>, container: Container): void {
  container.net?.member?.leave();
  namespaces.ports.free(container.id);
}

/** The run has begun; `opened` are the real numbers, in the order of the bookings. */
export function portsOpened(container: Container, { ports }: Bookings, opened: readonly number[]): void {
  if (!container.net) return;
  container.net.ports = ports.map((port, at) => ({ ...port, hostPort: opened[at] ?? port.hostPort }));
  container.touch();
}

/** A port of the host cannot be had (`Bind for …`): said with what moby says around it. Other errors are what they were. */
export function portFailure(container: Container, error: unknown): unknown {
  if (!(error instanceof DrydockError) || !error.message.startsWith('Bind for ')) return error;
  const endpoint = container.endpoints.find(({ ipAddress }) => ipAddress !== '')?.endpointId ?? '';
  return new DrydockError(
    error.kind,
    `driver failed programming external connectivity on endpoint ${container.name} (${endpoint}): ${error.message}`,
    {
      hint: error.hint ?? 'Stop the program that has the port, or publish another port of the host.',
      data: { ...error.data, exitCode: 125 },
      cause: error,
    },
  );
}

/** As in moby, ports are published on networks that lead out; on the host's network, or another container's, they are that one's. */
const publishes = ({ shared }: NetworkPart): boolean => !shared.owner.host && shared.wayOut() !== undefined;

function ownerOf(container: Container): Owner {
  const { config, networks } = container.record;
  return {
    containerId: container.id,
    host: networks.some(({ name }) => name === 'host'),
    hostname: config.hostname,
    domainname: config.domainname,
    extraHosts: config.extraHosts ?? [],
    endpoints: () => container.endpoints,
  };
}

/** `--network container:X`. Texts are moby's (daemon/container_operations_unix.go). */
function sharedWith({ store }: Pick<Context, 'store'>, container: Container): ContainerNamespace | undefined {
  const { networkMode } = container.record.config;
  if (!networkMode.startsWith('container:')) return undefined;
  const other = store.find(networkMode.slice('container:'.length));
  if (other === container) throw invalid('cannot join own network namespace');
  if (other.state === 'restarting')
    throw conflict(`Container ${other.id} is restarting, wait until the container is running`);
  if (!other.isLive || !other.net)
    throw conflict(`cannot join network namespace of a non running container: ${other.id}`, {
      hint: `Start ${other.name} first.`,
    });
  return other.net.shared;
}
