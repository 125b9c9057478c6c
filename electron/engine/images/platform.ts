import { invalid, notFound } from '../../base/errors.ts';
import { isAttestationLayerType } from './formats/media-types.ts';
import type { Descriptor, ImageConfigFile, Manifest, PlatformRecord } from './oci.ts';

/** In the order of preference; all mean WebAssembly, and say next to nothing about the module inside. */
const wasmPlatforms: readonly (readonly [os: string, architecture: string])[] = [
  ['wasi', 'wasm'],
  ['wasip1', 'wasm'],
  ['wasip2', 'wasm'],
  ['wasi', 'wasm32'],
  ['wasip1', 'wasm32'],
  ['wasip2', 'wasm32'],
];

const isWasmArchitecture = (architecture: string): boolean => /^wasm(32|64)?$/.test(architecture);

/** A platform that somebody asks for. */
interface Wish {
  readonly os: string | undefined;
  readonly architecture: string;
  readonly variant: string | undefined;
}

/** What the Go world calls this machine. */
const hostArchitecture = ((): string => {
  const names: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };
  return names[process.arch] ?? process.arch;
})();

/** `os/architecture[/variant]`, `wasm` alone, or an operating system alone. @throws invalid in containerd's words */
export function parsePlatform(text: string): Wish {
  const parts = text.split('/');
  const [first = '', second, variant] = parts;
  if (parts.length > 3 || parts.some((part) => !/^[A-Za-z0-9_.-]+$/.test(part)))
    throw invalid(`invalid platform ${JSON.stringify(text)}`, { hint: 'Write it like wasi/wasm or linux/amd64.' });
  if (second !== undefined) return { os: first, architecture: second, variant };
  if (isWasmArchitecture(first)) return { os: undefined, architecture: first, variant: undefined };
  if (/^wasi(p[12])?$/.test(first)) return { os: first, architecture: 'wasm', variant: undefined };
  return { os: first, architecture: hostArchitecture, variant: undefined };
}

/**
 * `wasm` means any of the WASI ones, and so does wasm32; wasi, wasip1 and wasip2 stay apart only when there is a choice (`rank`), because builders
 * write one or another for the same module.
 */
function matches(wish: Wish, { os, architecture, variant }: PlatformRecord): boolean {
  if (isWasmArchitecture(wish.architecture)) {
    if (!isWasmArchitecture(architecture)) return false;
    return wish.os === undefined || wish.os === os;
  }
  if (wish.os !== os || wish.architecture !== architecture) return false;
  return wish.variant === undefined || wish.variant === variant;
}

const isWasmPlatform = ({ os, architecture }: PlatformRecord): boolean =>
  isWasmArchitecture(architecture) || /^wasi(p[12])?$/.test(os);

function rank({ os, architecture }: PlatformRecord): number {
  const at = wasmPlatforms.findIndex((known) => known[0] === os && known[1] === architecture);
  return at < 0 ? wasmPlatforms.length : at;
}

/** `linux/arm64/v8` */
const platformText = ({ os, architecture, variant }: PlatformRecord): string =>
  [os, architecture, variant].filter(Boolean).join('/');

/** buildx marks what it adds about a build with the platform unknown/unknown and an annotation. */
function isAttestation({ platform, annotations, mediaType }: Descriptor): boolean {
  if (annotations?.['vnd.docker.reference.type'] !== undefined || isAttestationLayerType(mediaType)) return true;
  return platform?.os === 'unknown' && platform.architecture === 'unknown';
}

export interface Choice {
  readonly manifest: Descriptor;
  /** The image is for this machine and not for Wasm: only worth having when its program may be a module all the same. */
  readonly isNative: boolean;
  /** Of all images of the index. */
  readonly platforms: readonly PlatformRecord[];
}

/**
 * The entry of an index that is meant.
 * @param wanted `--platform`; undefined = a Wasm one, else one of this machine's
 * @throws notFound with the platforms that there are, invalid for a platform that is none
 */
export function chooseManifest(entries: readonly Descriptor[], wanted: string | undefined, name: string): Choice {
  const images = entries.filter((entry) => !isAttestation(entry));
  const known = images.flatMap((manifest) => (manifest.platform ? [{ manifest, platform: manifest.platform }] : []));
  const candidates =
    wanted === undefined
      ? known.filter(({ platform }) => isWasmPlatform(platform))
      : known.filter(({ platform }) => matches(parsePlatform(wanted), platform));
  const platforms = known.map(({ platform }) => platform);
  const best = candidates.sort((a, b) => rank(a.platform) - rank(b.platform))[0];
  if (best) return { manifest: best.manifest, isNative: false, platforms };
  // Some tools make an index around one artifact and say nothing about platforms.
  const nameless = images.find(({ platform }) => platform === undefined);
  if (nameless) return { manifest: nameless, isNative: false, platforms };
  const native = known.find(({ platform }) => platform.os === 'linux' && platform.architecture === hostArchitecture);
  if (wanted === undefined && native) return { manifest: native.manifest, isNative: true, platforms };
  throw noPlatform(name, wanted, platforms);
}

/** Says what there is, since that is what can be asked for. */
export function noPlatform(name: string, wanted: string | undefined, has: readonly PlatformRecord[]) {
  const list = [...new Set(has.map(platformText))];
  const text = list.join(', ') || 'none that it names';
  const what =
    wanted === undefined ? `${name} has no image for WebAssembly` : `no matching manifest for ${wanted} in ${name}`;
  return notFound(`${what}; its platforms are: ${text}`, {
    hint:
      wanted === undefined
        ? 'Drydock runs WebAssembly: look for a wasi/wasm variant of it.'
        : 'Choose one of them with --platform.',
    data: { reference: name, platforms: list },
  });
}

/**
 * For images without an index: is it the platform that was asked for?
 * @throws notFound with the platform that it has
 */
export function checkPlatform(
  config: Pick<ImageConfigFile, 'os' | 'architecture'>,
  wanted: string | undefined,
  name: string,
): void {
  if (wanted === undefined) return;
  if (!matches(parsePlatform(wanted), config)) throw noPlatform(name, wanted, [config]);
}

/** An image for linux may hold a module as its program: crun's annotation says so, or the program's name. */
export function mayHoldWasm(manifest: Manifest, config: ImageConfigFile): boolean {
  if (
    manifest.annotations?.['module.wasm.image/variant'] !== undefined ||
    manifest.annotations?.['run.oci.handler'] !== undefined
  )
    return true;
  const { Entrypoint, Cmd } = config.config ?? {};
  const program = Entrypoint?.[0] || Cmd?.[0] || '';
  return /\.(wasm|wat)(#.*)?$/i.test(program);
}
