/** What the Overview shows of `docker inspect` JSON. Everything may be missing: the JSON comes from an engine of any version. */

export interface InspectFacts {
  readonly restart: string;
  readonly runtime: string;
  readonly workingDir: string;
  readonly env: readonly string[];
  readonly labels: readonly (readonly [string, string])[];
  readonly networks: readonly { readonly name: string; readonly address: string }[];
  readonly mounts: readonly {
    readonly type: string;
    readonly source: string;
    readonly target: string;
    readonly readOnly: boolean;
  }[];
}

const object = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

export function readInspect(inspect: Record<string, unknown>): InspectFacts {
  const config = object(inspect['Config']);
  const host = object(inspect['HostConfig']);
  return {
    restart: text(object(host['RestartPolicy'])['Name']) || 'no',
    runtime: text(host['Runtime']),
    workingDir: text(config['WorkingDir']),
    env: list(config['Env']).filter((entry) => typeof entry === 'string'),
    labels: Object.entries(object(config['Labels'])).map(([name, value]) => [name, text(value)] as const),
    networks: Object.entries(object(object(inspect['NetworkSettings'])['Networks'])).map(([name, value]) => ({
      name,
      address: text(object(value)['IPAddress']),
    })),
    mounts: list(inspect['Mounts']).map((entry) => {
      const mount = object(entry);
      return {
        type: text(mount['Type']),
        source: text(mount['Name']) || text(mount['Source']),
        target: text(mount['Destination']),
        readOnly: mount['RW'] === false,
      };
    }),
  };
}
