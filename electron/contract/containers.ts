import { eventIterator, oc } from '@orpc/contract';
import { z } from 'zod';
import { failure } from './errors.ts';

export const containerState = z.enum(['created', 'running', 'paused', 'restarting', 'exited', 'removing', 'dead']);
export type ContainerState = z.infer<typeof containerState>;

/** A row of the list; pushed by events.watch, never polled. Times in milliseconds since the epoch, 0 = never. */
export const containerRow = z.object({
  id: z.string(),
  name: z.string(),
  image: z.string(),
  imageId: z.string(),
  /** As ps shows it: path and arguments. */
  command: z.string(),
  state: containerState,
  exitCode: z.number(),
  /** Trap text, start error. '' = none. */
  error: z.string(),
  oomKilled: z.boolean(),
  /** Absent: without a health check, or not started yet. */
  health: z.enum(['starting', 'healthy', 'unhealthy']).optional(),
  createdAt: z.number(),
  startedAt: z.number(),
  finishedAt: z.number(),
  restartCount: z.number(),
  labels: z.record(z.string(), z.string()),
  ports: z.array(z.object({ hostIp: z.string(), hostPort: z.number(), port: z.number(), protocol: z.string() })),
  tty: z.boolean(),
  openStdin: z.boolean(),
  /** Bytes; 0 = the host's memory. */
  memoryLimit: z.number(),
  /** Cores; 0 = all. */
  cpuLimit: z.number(),
  /** Threads; absent = no limit. */
  threadLimit: z.number().optional(),
  /** Bytes of the writable layer; absent = no limit. */
  diskLimit: z.number().optional(),
});
export type ContainerRow = z.infer<typeof containerRow>;

export const containerDetails = z.object({
  row: containerRow,
  /** `docker inspect` JSON of the container, for the Inspect tab. */
  inspect: z.record(z.string(), z.unknown()),
});
export type ContainerDetails = z.infer<typeof containerDetails>;

export const stat = z.object({
  id: z.string(),
  /** Per cent of one core. */
  cpu: z.number(),
  /** Bytes. */
  memory: z.number(),
  memoryLimit: z.number(),
  threads: z.number(),
  /** Share (0–1) of the periods since the last sample in which it was held back by its CPU limit; absent without one. */
  throttled: z.number().optional(),
  /** Bytes since the start. */
  readBytes: z.number(),
  writtenBytes: z.number(),
  receivedBytes: z.number(),
  sentBytes: z.number(),
});
export type Stat = z.infer<typeof stat>;

export const statsMessage = z.object({ at: z.number(), samples: z.array(stat) });
export type StatsMessage = z.infer<typeof statsMessage>;

export const mountRequest = z.object({
  /** 'bind': source is a host path; 'volume': source is a name ('' = anonymous). */
  type: z.enum(['bind', 'volume', 'tmpfs']),
  source: z.string(),
  target: z.string(),
  readOnly: z.boolean(),
});

/** What the Run dialog asks for. */
export const runRequest = z.object({
  image: z.string().min(1),
  name: z.string().optional(),
  /** Arguments after the entrypoint; undefined = the image's. */
  command: z.array(z.string()).optional(),
  /** KEY=value. */
  env: z.array(z.string()),
  mounts: z.array(mountRequest),
  ports: z.array(z.object({ hostPort: z.number().int().min(0).max(65535), port: z.number().int().min(1).max(65535) })),
  /** Bytes; 0 = no limit. */
  memory: z.number().int().min(0),
  /** Cores; absent or 0 = no limit. */
  cpus: z.number().min(0).optional(),
  /** Threads at once; absent or 0 = no limit. */
  threads: z.number().int().min(0).optional(),
  /** Bytes of the writable layer; absent or 0 = no limit. */
  disk: z.number().int().min(0).optional(),
  tty: z.boolean(),
  openStdin: z.boolean(),
  autoRemove: z.boolean(),
  restart: z.enum(['no', 'always', 'unless-stopped', 'on-failure']),
});
export type RunRequest = z.infer<typeof runRequest>;

/** What can be changed of a container that exists; what is absent stays. */
export const limitsRequest = z.object({
  id: z.string().min(1),
  /** Bytes; takes effect at the next start. */
  memory: z.number().int().positive().optional(),
  /** Cores; takes effect at once. */
  cpus: z.number().positive().optional(),
  /** Threads at once, 0 = no limit; takes effect at once. */
  threads: z.number().int().min(0).optional(),
});
export type LimitsRequest = z.infer<typeof limitsRequest>;

const base = oc.errors({ DRYDOCK: { data: failure } });
const ref = z.object({ id: z.string().min(1) });

/** The calls of a container's program to its WASI host, oldest first. */
export const traceView = z.object({
  /** 'later': switched on, but this run was started without; the next one has it. */
  state: z.enum(['on', 'off', 'later']),
  calls: z.array(
    z.object({
      /** Nanoseconds since the epoch, when it began. */
      time: z.string(),
      /** Microseconds, waiting included. */
      took: z.number(),
      name: z.string(),
      args: z.string(),
      /** "SUCCESS", "NOENT", …; "exit", "trap". */
      result: z.string(),
      /** What it gave when it succeeded: "opened=4". */
      given: z.string(),
    }),
  ),
  /** For `since`. */
  next: z.number(),
  /** Some calls since `since` are gone: the last megabyte is kept. */
  lost: z.boolean(),
});
export type TraceView = z.infer<typeof traceView>;

export const containers = {
  inspect: base.input(ref).output(containerDetails),
  /** Create and start. When only the start fails, the container stays (with its error) and the failure names it. */
  run: base.input(runRequest).output(z.object({ id: z.string(), warnings: z.array(z.string()) })),
  start: base.input(ref).output(z.void()),
  stop: base.input(ref.extend({ timeout: z.number().optional() })).output(z.void()),
  restart: base.input(ref).output(z.void()),
  kill: base.input(ref).output(z.void()),
  pause: base.input(ref).output(z.void()),
  unpause: base.input(ref).output(z.void()),
  limit: base.input(limitsRequest).output(z.object({ warnings: z.array(z.string()) })),
  /** Reads the trace, and switches it (at once in a run that has one, else from the next start on). */
  trace: base.input(ref.extend({ on: z.boolean().optional(), since: z.number().int().optional() })).output(traceView),
  rename: base.input(ref.extend({ name: z.string() })).output(z.void()),
  remove: base.input(ref.extend({ force: z.boolean(), volumes: z.boolean() })).output(z.void()),
  /** A message a second for the named containers while iterated. */
  stats: base.input(z.object({ ids: z.array(z.string()).max(1000) })).output(eventIterator(statsMessage)),
};
