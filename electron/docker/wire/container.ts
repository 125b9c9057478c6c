import type { ContainerView, NetworkEndpoint } from '../../engine/api/index.ts';
import { healthcheckJson, healthJson } from './healthcheck.ts';
import { mountJson } from './mounts.ts';
import { portMap, portRows } from './ports.ts';
import { statusText } from './status-text.ts';

type Json = Record<string, unknown>;

export interface InspectExtras {
  /** With `?size=1`. */
  readonly size?: { readonly rw: number; readonly root: number } | undefined;
}

/** `GET /containers/{id}/json`; also the window's Inspect tab. */
export function containerInspectJson(view: ContainerView, extras: InspectExtras = {}): Json {
  const running = view.state === 'running' || view.state === 'paused' || view.state === 'restarting';
  return {
    Id: view.id,
    Created: view.created,
    Path: view.path,
    Args: view.args,
    State: {
      Status: view.state,
      Running: running,
      Paused: view.state === 'paused',
      Restarting: view.state === 'restarting',
      OOMKilled: view.oomKilled,
      Dead: view.state === 'dead',
      Pid: view.pid,
      ExitCode: view.exitCode,
      Error: view.error,
      StartedAt: view.startedAt,
      FinishedAt: view.finishedAt,
      ...(view.health ? { Health: healthJson(view.health) } : {}),
    },
    Image: view.imageId,
    ResolvConfPath: '',
    HostnamePath: '',
    HostsPath: '',
    LogPath: view.logPath,
    Name: `/${view.name}`,
    RestartCount: view.restartCount,
    Driver: 'overlay',
    Platform: 'wasi',
    MountLabel: '',
    ProcessLabel: '',
    AppArmorProfile: '',
    ExecIDs: view.execIds.length > 0 ? view.execIds : null,
    HostConfig: hostConfigJson(view),
    GraphDriver: { Name: 'overlay', Data: null },
    ...(extras.size ? { SizeRw: extras.size.rw, SizeRootFs: extras.size.root } : {}),
    Mounts: view.mounts.map(mountJson),
    Config: configJson(view),
    NetworkSettings: {
      Bridge: '',
      SandboxID: '',
      SandboxKey: '',
      Ports: portMap(view),
      ...bridgeJson(view.networks),
      Networks: networksJson(view.networks),
    },
  };
}

function configJson({ config }: ContainerView): Json {
  return {
    Hostname: config.hostname,
    Domainname: config.domainname,
    User: config.user,
    AttachStdin: config.attachStdin,
    AttachStdout: config.attachStdout,
    AttachStderr: config.attachStderr,
    ...(config.exposedPorts.length > 0 ? { ExposedPorts: keysJson(config.exposedPorts) } : {}),
    Tty: config.tty,
    OpenStdin: config.openStdin,
    StdinOnce: config.stdinOnce,
    Env: config.env,
    Cmd: config.command.length > 0 ? config.command : null,
    ...(config.healthcheck ? { Healthcheck: healthcheckJson(config.healthcheck) } : {}),
    Image: config.image,
    Volumes: config.volumes.length > 0 ? keysJson(config.volumes) : null,
    WorkingDir: config.workingDir,
    Entrypoint: config.entrypoint.length > 0 ? config.entrypoint : null,
    OnBuild: null,
    Labels: config.labels,
    ...(config.stopSignal ? { StopSignal: config.stopSignal } : {}),
    ...(config.stopTimeout === undefined ? {} : { StopTimeout: config.stopTimeout }),
  };
}

/** What the client sent lies over the defaults; what the engine settled or updated lies over both. */
function hostConfigJson({ config }: ContainerView): Json {
  return {
    Binds: null,
    ContainerIDFile: '',
    VolumeDriver: '',
    VolumesFrom: null,
    CapAdd: null,
    CapDrop: null,
    Dns: [],
    DnsOptions: [],
    DnsSearch: [],
    ExtraHosts: null,
    GroupAdd: null,
    IpcMode: 'private',
    Cgroup: '',
    Links: null,
    OomScoreAdj: 0,
    PidMode: '',
    Privileged: false,
    SecurityOpt: null,
    UTSMode: '',
    UsernsMode: '',
    ShmSize: 0,
    ConsoleSize: [0, 0],
    CpuShares: 0,
    CgroupParent: '',
    CpuPeriod: 0,
    CpuQuota: 0,
    Devices: null,
    PidsLimit: null,
    Ulimits: null,
    ...Object.fromEntries(Object.entries(config.hostConfig).filter(([, value]) => value !== null)),
    LogConfig: { Type: 'json-file', Config: config.logOptions },
    NetworkMode: config.networkMode,
    PortBindings: Object.fromEntries(
      Object.entries(config.portBindings).map(([key, bindings]) => [
        key,
        bindings.map(({ hostIp, hostPort }) => ({ HostIp: hostIp, HostPort: hostPort })),
      ]),
    ),
    PublishAllPorts: config.publishAllPorts,
    RestartPolicy: {
      Name: config.restartPolicy.name,
      MaximumRetryCount: config.restartPolicy.maximumRetryCount,
    },
    AutoRemove: config.autoRemove,
    ReadonlyRootfs: config.readOnlyRoot,
    Memory: config.memory,
    NanoCpus: config.nanoCpus,
    Runtime: config.runtime,
    Isolation: config.isolation,
  };
}

/** What older scripts read: the endpoint on the default bridge, said at the top as well. */
function bridgeJson(endpoints: readonly NetworkEndpoint[]): Json {
  const bridge = endpoints.find(({ name }) => name === 'bridge');
  return {
    EndpointID: bridge?.endpointId ?? '',
    Gateway: bridge?.gateway ?? '',
    IPAddress: bridge?.ipAddress ?? '',
    IPPrefixLen: bridge?.prefixLength ?? 0,
    MacAddress: bridge?.macAddress ?? '',
    IPv6Gateway: '',
    GlobalIPv6Address: '',
    GlobalIPv6PrefixLen: 0,
  };
}

/** `NetworkSettings.Networks`, keyed by the network's name. */
function networksJson(endpoints: readonly NetworkEndpoint[]): Json {
  return Object.fromEntries(
    endpoints.map((endpoint) => [
      endpoint.name,
      {
        IPAMConfig: endpoint.requestedAddress === undefined ? null : { IPv4Address: endpoint.requestedAddress },
        Links: null,
        Aliases: endpoint.aliases.length > 0 ? endpoint.aliases : null,
        MacAddress: endpoint.macAddress,
        DriverOpts: null,
        NetworkID: endpoint.networkId,
        EndpointID: endpoint.endpointId ?? '',
        Gateway: endpoint.gateway,
        IPAddress: endpoint.ipAddress,
        IPPrefixLen: endpoint.prefixLength,
        IPv6Gateway: '',
        GlobalIPv6Address: '',
        GlobalIPv6PrefixLen: 0,
        DNSNames: endpoint.dnsNames ?? null,
      },
    ]),
  );
}

export interface RowExtras {
  /** What the Image column shows: the name given at create, or the id when that name means another image now. */
  readonly image: string;
  readonly size?: { readonly rw: number; readonly root: number } | undefined;
}

/** One row of `GET /containers/json`. */
export function containerRowJson(view: ContainerView, extras: RowExtras): Json {
  return {
    Id: view.id,
    Names: [`/${view.name}`],
    Image: extras.image,
    ImageID: view.imageId,
    Command: [view.path, ...view.args].join(' '),
    Created: Math.floor(Date.parse(view.created) / 1000),
    Ports: portRows(view),
    ...(extras.size ? { SizeRw: extras.size.rw, SizeRootFs: extras.size.root } : {}),
    Labels: view.config.labels,
    State: view.state,
    Status: statusText(view),
    HostConfig: { NetworkMode: view.config.networkMode },
    NetworkSettings: { Networks: networksJson(view.networks) },
    Mounts: view.mounts.map(mountJson),
  };
}

/** `{"80/tcp":{}}`: Go's set of names. */
export const keysJson = (names: readonly string[]): Record<string, Json> =>
  Object.fromEntries(names.map((name) => [name, {}]));
