import { invalid, unsupported } from '../../../base/errors.ts';
import { parseConfig, type Descriptor, type ImageConfigFile, type Manifest, type RuntimeConfig } from '../oci.ts';
import { checkLayerDigests, configOfArtifact } from './artifact-config.ts';
import { layerKindOf, moduleFileName, sniffedAnnotation, titleAnnotation } from './layer-kind.ts';
import { configTypes, isAttestationLayerType, isForeignLayerType, isWasmLayerType } from './media-types.ts';
import { firstTarName, isWasm, type Peek } from './peek.ts';

/** The makes of images, one for each way in which people have put Wasm into registries. */
export type ImageFormat =
  /** Docker-style: a root file system and a config. Also plain linux images, whose entrypoint may be a module. */
  | 'image'
  /** The same with crun's or Istio's annotation `module.wasm.image/variant`. */
  | 'compat'
  /** An image config with layers that are modules: containerd's Wasm shims. */
  | 'wasm-layers'
  /** CNCF Wasm OCI artifact. */
  | 'artifact'
  | 'wasm-to-oci'
  | 'solo'
  | 'wasmcloud'
  | 'spin'
  /** Any other artifact that holds a module. */
  | 'other';

/** An image as the engine works with it. */
export interface Recognised {
  readonly format: ImageFormat;
  /** For images their own; for artifacts made up from what they say. Differs from the blob where a layer is the program. */
  readonly config: ImageConfigFile;
  /** As stored, but layers that are files carry their file's name (`titleAnnotation`). */
  readonly manifest: Manifest;
  /** What the id is the digest of: an artifact's config need not tell one from another. */
  readonly idBy: 'config' | 'manifest';
}

export interface RecogniseOptions {
  readonly peek: Peek;
  /** Names the module of an artifact that does not: the last part of the repository. */
  readonly moduleName?: string | undefined;
  /** For errors. */
  readonly what: string;
}

const variantAnnotation = 'module.wasm.image/variant';

/**
 * What a manifest and its config are (docs: wasi OCI formats). Its blobs are in the content store when `peek` is asked.
 * @throws unsupported for native plugins, attestations and foreign layers, invalid for artifacts without a module, damaged for broken JSON
 */
export async function recognise(
  manifest: Manifest,
  configText: string,
  options: RecogniseOptions,
): Promise<Recognised> {
  checkManifest(manifest, options.what);
  return isImageConfig(manifest, configText)
    ? recogniseImage(manifest, configText, options)
    : recogniseArtifact(manifest, configText, options);
}

/**
 * What can be said before any blob is there, so that nothing is downloaded in vain.
 * @throws unsupported for what no engine of Wasm can use
 */
export function checkManifest(manifest: Manifest, what: string): void {
  const { config, layers } = manifest;
  const foreign = layers.find((layer) => isForeignLayerType(layer.mediaType) || (layer.urls?.length ?? 0) > 0);
  if (foreign)
    throw unsupported(
      `${what} has the foreign layer ${foreign.digest} (${foreign.mediaType}): registries do not hold its bytes`,
      {
        hint: 'Such layers belong to Windows images, which hold no WebAssembly.',
        data: { layer: foreign.digest },
      },
    );
  const native = layers.find((layer) => /\+par$/.test(layer.mediaType));
  if (native || config.mediaType === configTypes.wasmcloudProvider)
    throw unsupported(`${what} is a wasmCloud provider: a native program, not a WebAssembly module`);
  if (layers.length > 0 && layers.every((layer) => isAttestationLayerType(layer.mediaType)))
    throw unsupported(`${what} is an attestation about an image, not an image`, {
      hint: 'Pull the image itself by its tag.',
    });
}

/** Docker and OCI configs by type; other builders' by what they hold. */
function isImageConfig({ config }: Manifest, text: string): boolean {
  if (config.mediaType === configTypes.oci || config.mediaType === configTypes.docker) return true;
  if ((Object.values(configTypes) as string[]).includes(config.mediaType)) return false;
  try {
    return Array.isArray((JSON.parse(text) as { rootfs?: { diff_ids?: unknown } } | null)?.rootfs?.diff_ids);
  } catch {
    return false;
  }
}

async function recogniseImage(manifest: Manifest, text: string, options: RecogniseOptions): Promise<Recognised> {
  const config = withDiffIds(parseConfig(text, `the config of ${options.what}`), manifest);
  const program = manifest.layers.find((layer) => isWasmLayerType(layer.mediaType));
  if (program) {
    const entry = (config.config?.Entrypoint?.[0] ?? '').replace(/#.*$/, '');
    const named = withFileNames(manifest, /\.wasm$/i.test(entry) ? entry : options.moduleName);
    // Built on an artifact, with an entrypoint of its own: what its author wrote stands.
    const isOurs = program.annotations?.[titleAnnotation] !== undefined && manifest.layers.some(isTar);
    const isSpin = manifest.layers.some((layer) => layer.mediaType === configTypes.spinApplication);
    return {
      format: isSpin ? 'spin' : 'wasm-layers',
      config:
        isOurs && /\.wasm$/i.test(entry)
          ? config
          : withProgram(config, pathOf(named, manifest.layers.indexOf(program))),
      manifest: named,
      idBy: 'config',
    };
  }
  const variant = manifest.annotations?.[variantAnnotation];
  const { Entrypoint, Cmd } = config.config ?? {};
  const only = manifest.layers.length === 1 ? manifest.layers[0] : undefined;
  // Istio's Docker manifests have no annotation to go by, and no entrypoint: the one file says it.
  if (only && !Entrypoint?.length && !Cmd?.length) {
    const isPlugin = variant === 'compat' || firstTarName(await options.peek(only)) === 'plugin.wasm';
    if (isPlugin) return { format: 'compat', config: withProgram(config, '/plugin.wasm'), manifest, idBy: 'config' };
  }
  return { format: variant === undefined ? 'image' : 'compat', config, manifest, idBy: 'config' };
}

const isTar = (layer: Descriptor): boolean => layerKindOf(layer).kind === 'tar';

/** Spin lists the diffIDs of some layers only; without one for each, the digests have to do. */
function withDiffIds(config: ImageConfigFile, manifest: Manifest): ImageConfigFile {
  if (config.rootfs.diff_ids.length === manifest.layers.length) return config;
  if (manifest.layers.every(isTar)) return config;
  return { ...config, rootfs: { type: 'layers', diff_ids: manifest.layers.map((layer) => layer.digest) } };
}

/** Layers that are modules win over files (runwasi): the entrypoint's first word becomes the module, keeping crun's `#function`. */
function withProgram(config: ImageConfigFile, path: string): ImageConfigFile {
  const runtime: RuntimeConfig = config.config ?? {};
  const [first = '', ...rest] = runtime.Entrypoint ?? [];
  const fragment = /#.*$/.exec(first)?.[0] ?? '';
  return { ...config, config: { ...runtime, Entrypoint: [path + fragment, ...rest] } };
}

async function recogniseArtifact(manifest: Manifest, text: string, options: RecogniseOptions): Promise<Recognised> {
  checkLayerDigests(manifest, text, options.what);
  const marked = manifest.layers.some((layer) => isWasmLayerType(layer.mediaType))
    ? manifest
    : await sniffed(manifest, options.peek);
  const named = withFileNames(marked, options.moduleName);
  const at = named.layers.findIndex((layer) => layerKindOf(layer).kind === 'file');
  if (at < 0)
    throw invalid(
      `${options.what} holds no WebAssembly: its config is ${manifest.config.mediaType}, its layers ${typesOf(manifest)}`,
      {
        hint: 'Other artifacts (charts, signatures, models) live in registries too; pull an image.',
      },
    );
  return {
    format: formatOf(manifest),
    config: configOfArtifact(manifest, text, pathOf(named, at)),
    manifest: named,
    idBy: 'manifest',
  };
}

const typesOf = ({ layers }: Manifest): string =>
  [...new Set(layers.map((layer) => layer.mediaType))].join(', ') || 'none';

function formatOf({ config, layers }: Manifest): ImageFormat {
  switch (config.mediaType) {
    case configTypes.wasm:
      return 'artifact';
    case configTypes.wasmToOci:
      return 'wasm-to-oci';
    case configTypes.soloModule:
      return 'solo';
    case configTypes.wasmcloudActor:
      return 'wasmcloud';
    case configTypes.spinApplication:
      return 'spin';
    default:
      return layers.some((layer) => layer.mediaType === configTypes.spinApplication) ? 'spin' : 'other';
  }
}

/** The last resort: a layer that begins as a module does. */
async function sniffed(manifest: Manifest, peek: Peek): Promise<Manifest> {
  const layers: Descriptor[] = [];
  for (const layer of manifest.layers) {
    const marks = layer.annotations?.[sniffedAnnotation] === 'wasm' || !isWasm(await peek(layer));
    layers.push(marks ? layer : { ...layer, annotations: { ...layer.annotations, [sniffedAnnotation]: 'wasm' } });
  }
  return { ...manifest, layers };
}

/** Gives each layer that is a file a file name of its own. */
function withFileNames(manifest: Manifest, moduleName: string | undefined): Manifest {
  const taken = new Set<string>();
  const layers = manifest.layers.map((layer) => {
    if (layerKindOf(layer).kind !== 'file') return layer;
    const wish = moduleFileName(layer.annotations?.[titleAnnotation]) ?? moduleFileName(moduleName) ?? 'module.wasm';
    let name = wish;
    for (let n = 2; taken.has(name); n++) name = wish.replace(/(\.\w+)$/, `-${n}$1`);
    taken.add(name);
    return layer.annotations?.[titleAnnotation] === name
      ? layer
      : { ...layer, annotations: { ...layer.annotations, [titleAnnotation]: name } };
  });
  return { ...manifest, layers };
}

function pathOf(manifest: Manifest, at: number): string {
  const layer = manifest.layers[at];
  const kind = layer && layerKindOf(layer);
  return kind?.kind === 'file' ? kind.path : '/module.wasm';
}
