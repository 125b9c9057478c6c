import type { Stats, StatsSample } from '../../engine/api/index.ts';

type Json = Record<string, unknown>;

const never = '0001-01-01T00:00:00Z';

/** One reading of `GET /containers/{id}/stats`. Times of CPU in ns; the CLI takes its percentage from the difference to `precpu_stats`. */
export function statsJson({ id, name, running, current, previous }: Stats): Json {
  return {
    name: `/${name}`,
    id,
    read: running ? current.read : never,
    preread: previous?.read ?? never,
    num_procs: 0,
    pids_stats: running ? pidsJson(current) : {},
    cpu_stats: running ? cpuJson(current) : noCpu,
    precpu_stats: running && previous ? cpuJson(previous) : noCpu,
    memory_stats: running ? memoryJson(current) : {},
    blkio_stats: {
      io_service_bytes_recursive: running
        ? [
            { major: 0, minor: 0, op: 'read', value: current.readBytes },
            { major: 0, minor: 0, op: 'write', value: current.writtenBytes },
          ]
        : null,
      io_serviced_recursive: null,
      io_queue_recursive: null,
      io_service_time_recursive: null,
      io_wait_time_recursive: null,
      io_merged_recursive: null,
      io_time_recursive: null,
      sectors_recursive: null,
    },
    storage_stats: {},
    networks: running ? { eth0: networkJson(current) } : {},
  };
}

const throttling = { periods: 0, throttled_periods: 0, throttled_time: 0 };
const noCpu = {
  cpu_usage: { total_usage: 0, usage_in_kernelmode: 0, usage_in_usermode: 0 },
  throttling_data: throttling,
};

function cpuJson(sample: StatsSample): Json {
  return {
    cpu_usage: {
      total_usage: sample.cpuUser + sample.cpuSystem,
      usage_in_kernelmode: sample.cpuSystem,
      usage_in_usermode: sample.cpuUser,
    },
    system_cpu_usage: sample.systemCpu,
    online_cpus: sample.onlineCpus,
    throttling_data: throttlingJson(sample),
  };
}

const throttlingJson = ({ throttling: it }: StatsSample): Json =>
  it ? { periods: it.periods, throttled_periods: it.throttledPeriods, throttled_time: it.throttledTime } : throttling;

/** Bytes alone are counted: there are no packets. */
function networkJson(sample: StatsSample): Json {
  return {
    rx_bytes: sample.receivedBytes,
    rx_packets: 0,
    rx_errors: 0,
    rx_dropped: 0,
    tx_bytes: sample.sentBytes,
    tx_packets: 0,
    tx_errors: 0,
    tx_dropped: 0,
  };
}

const pidsJson = ({ threads, threadLimit }: StatsSample): Json => ({
  current: threads,
  ...(threadLimit === undefined ? {} : { limit: threadLimit }),
});

function memoryJson(sample: StatsSample): Json {
  return {
    usage: sample.memory,
    max_usage: sample.memoryPeak,
    limit: sample.memoryLimit,
    // The CLI subtracts this from usage.
    stats: { inactive_file: 0 },
  };
}
