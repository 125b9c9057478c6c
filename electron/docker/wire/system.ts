import type { EngineInfo } from '../../engine/api/index.ts';
import { MAX_API_VERSION, MIN_API_VERSION } from '../versions.ts';
import { runtimes } from './runtime.ts';

type Json = Record<string, unknown>;

/** Where the CLI logs in when no registry is named. */
const INDEX_SERVER = 'https://index.docker.io/v1/';

/** /version speaks of GOARCH, /info of `uname -m`. */
const goArchitectures: Readonly<Record<string, string>> = { x86_64: 'amd64', x64: 'amd64', aarch64: 'arm64' };

/** `GET /version`; `Components` is what the CLI prints. Strings only in Details. */
export function versionJson(info: EngineInfo, version: string): Json {
  const architecture = goArchitectures[info.architecture] ?? info.architecture;
  const details = {
    ApiVersion: MAX_API_VERSION,
    MinAPIVersion: MIN_API_VERSION,
    Os: 'linux',
    Arch: architecture,
    KernelVersion: info.kernelVersion,
    Experimental: 'false',
    Node: info.nodeVersion,
    V8: info.v8Version,
  };
  return {
    Platform: { Name: 'Drydock' },
    Components: [{ Name: 'Engine', Version: version, Details: details }],
    Version: version,
    ApiVersion: MAX_API_VERSION,
    MinAPIVersion: MIN_API_VERSION,
    GitCommit: '',
    GoVersion: '',
    Os: 'linux',
    Arch: architecture,
    KernelVersion: info.kernelVersion,
    BuildTime: '',
  };
}

/** `GET /info`. The facts about WebAssembly stand in DriverStatus, which the CLI prints under the storage driver. */
export function infoJson(info: EngineInfo, version: string, now = new Date()): Json {
  return {
    ID: info.id,
    Containers: info.containers.total,
    ContainersRunning: info.containers.running,
    ContainersPaused: info.containers.paused,
    ContainersStopped: info.containers.stopped,
    Images: info.images,
    Driver: 'overlay',
    DriverStatus: [
      ['WASI', 'preview 1'],
      ['Engine', `V8 ${info.v8Version}`],
      ['Node', info.nodeVersion],
      ['Runtimes', info.runtimes.join(' ')],
    ],
    Plugins: {
      Volume: ['local'],
      Network: ['bridge', 'host', 'null'],
      Authorization: null,
      Log: ['json-file', 'local'],
    },
    MemoryLimit: true,
    SwapLimit: false,
    CpuCfsPeriod: true,
    CpuCfsQuota: true,
    CPUShares: false,
    CPUSet: false,
    PidsLimit: true,
    IPv4Forwarding: true,
    Debug: false,
    NFd: 0,
    OomKillDisable: false,
    NGoroutines: 0,
    SystemTime: now.toISOString(),
    LoggingDriver: 'json-file',
    CgroupDriver: 'none',
    CgroupVersion: '',
    NEventsListener: 0,
    KernelVersion: info.kernelVersion,
    OperatingSystem: info.os,
    OSVersion: '',
    OSType: 'linux',
    Architecture: info.architecture,
    IndexServerAddress: INDEX_SERVER,
    RegistryConfig: {
      AllowNondistributableArtifactsCIDRs: null,
      AllowNondistributableArtifactsHostnames: null,
      InsecureRegistryCIDRs: ['127.0.0.0/8', '::1/128'],
      IndexConfigs: { 'docker.io': { Name: 'docker.io', Mirrors: [], Secure: true, Official: true } },
      Mirrors: null,
    },
    NCPU: info.cpus,
    MemTotal: info.memoryTotal,
    GenericResources: null,
    DockerRootDir: info.home,
    HttpProxy: '',
    HttpsProxy: '',
    NoProxy: '',
    Name: info.hostName,
    Labels: [],
    ExperimentalBuild: false,
    ServerVersion: version,
    Runtimes: Object.fromEntries(runtimes.map((name) => [name, { path: '' }])),
    DefaultRuntime: 'wasi',
    Swarm: {
      NodeID: '',
      NodeAddr: '',
      LocalNodeState: 'inactive',
      ControlAvailable: false,
      Error: '',
      RemoteManagers: null,
    },
    LiveRestoreEnabled: false,
    Isolation: '',
    InitBinary: '',
    ContainerdCommit: { ID: '' },
    RuncCommit: { ID: '' },
    InitCommit: { ID: '' },
    SecurityOptions: [],
    ProductLicense: '',
    Warnings: null,
  };
}
