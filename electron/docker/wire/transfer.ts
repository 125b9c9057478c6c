import type { PullEvent, PushEvent } from '../../engine/api/index.ts';

type Json = Record<string, unknown>;

/** What docker shows of a layer: twelve digits. */
const short = (digest: string): string => digest.replace(/^sha256:/, '').slice(0, 12);

const pullTexts = {
  pulling: 'Pulling fs layer',
  waiting: 'Waiting',
  verifying: 'Verifying Checksum',
  downloaded: 'Download complete',
  complete: 'Pull complete',
  exists: 'Already exists',
} as const;

/** One line of `POST /images/create?fromImage=`. */
export function pullJson(event: PullEvent): Json {
  switch (event.type) {
    case 'begin':
      return { status: `Pulling from ${event.repository}`, id: event.tag };
    case 'layer': {
      const id = short(event.id);
      if (event.state === 'downloading') return { status: 'Downloading', ...detail(event), id };
      if (event.state === 'extracting') return { status: 'Extracting', ...detail(event), id };
      if (event.state === 'retrying') return { status: retrying(event.after), progressDetail: {}, id };
      return { status: pullTexts[event.state], progressDetail: {}, id };
    }
    case 'digest':
      return { status: `Digest: ${event.digest}` };
    case 'done':
      return {
        status: event.isNew
          ? `Status: Downloaded newer image for ${event.reference}`
          : `Status: Image is up to date for ${event.reference}`,
      };
  }
}

const pushTexts = {
  preparing: 'Preparing',
  waiting: 'Waiting',
  pushed: 'Pushed',
  exists: 'Layer already exists',
} as const;

/** The lines of `POST /images/{name}/push` for one event. */
export function pushJson(event: PushEvent): readonly Json[] {
  switch (event.type) {
    case 'begin':
      return [{ status: `The push refers to repository [${event.repository}]` }];
    case 'layer': {
      const id = short(event.id);
      if (event.state === 'pushing') return [{ status: 'Pushing', ...detail(event), id }];
      if (event.state === 'mounted') return [{ status: `Mounted from ${event.from}`, progressDetail: {}, id }];
      if (event.state === 'retrying') return [{ status: retrying(event.after), progressDetail: {}, id }];
      return [{ status: pushTexts[event.state], progressDetail: {}, id }];
    }
    case 'done': {
      const { tag, digest, size } = event;
      return [
        { status: `${tag}: digest: ${digest} size: ${size}` },
        { progressDetail: {}, aux: { Tag: tag, Digest: digest, Size: size } },
      ];
    }
  }
}

const retrying = (milliseconds: number): string => {
  const seconds = Math.max(1, Math.round(milliseconds / 1000));
  return `Retrying in ${seconds} ${seconds === 1 ? 'second' : 'seconds'}`;
};

function detail({ current, total }: { readonly current: number; readonly total: number }): Json {
  return { progressDetail: { current, total }, progress: bar(current, total) };
}

const units = ['B', 'kB', 'MB', 'GB', 'TB'];

/** Four digits at most, as Docker's go-units: 1.234MB, 12.34MB, 123.4MB. */
function size(bytes: number): string {
  let value = bytes;
  let at = 0;
  for (; value >= 1000 && at < units.length - 1; at++) value /= 1000;
  return `${Number(value.toPrecision(4))}${units[at]}`;
}

/** The bar that clients before 1.48 print as it is (moby: pkg/jsonmessage). */
function bar(current: number, total: number): string {
  if (total <= 0) return size(current).padStart(8);
  const width = 50;
  const done = Math.min(width, Math.floor((current / total) * width));
  const line = '='.repeat(done) + (done < width ? '>' : '');
  return `[${line.padEnd(width)}] ${size(current).padStart(8)}/${size(total)}`;
}
