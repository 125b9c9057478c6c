import { damaged } from '../../../base/errors.ts';
import type { Descriptor, ImageConfigFile, Manifest } from '../oci.ts';
import { configTypes } from './media-types.ts';

/**
 * The image config that an artifact would have: what it says of itself, the module as entrypoint, one "layer" for each of its own. Held in memory;
 * the blobs stay as they came.
 * @param text the artifact's config, of whatever type; anything but a JSON object counts as empty
 * @param path where the module lies, '/hello.wasm'
 */
export function configOfArtifact(manifest: Manifest, text: string, path: string): ImageConfigFile {
  const value = jsonObject(text);
  const created = stringAt(value, 'created');
  const author = stringAt(value, 'author');
  const annotated = manifest.annotations?.['org.opencontainers.image.created'];
  return {
    ...((created ?? annotated) !== undefined && { created: created ?? annotated ?? '' }),
    ...(author !== undefined && { author }),
    architecture: stringAt(value, 'architecture') ?? 'wasm',
    os: stringAt(value, 'os') ?? 'wasi',
    config: { Entrypoint: [path], Labels: labelsOf(manifest) },
    rootfs: { type: 'layers', diff_ids: manifest.layers.map((layer) => layer.digest) },
    history: manifest.layers.map((layer) => ({ created_by: `ARTIFACT ${layer.mediaType}` })),
  };
}

/** What the manifest says about the image is what labels say elsewhere: description, licence, source. */
function labelsOf(manifest: Manifest): Record<string, string> | null {
  const labels = Object.entries(manifest.annotations ?? {}).filter(([, value]) => typeof value === 'string');
  return labels.length > 0 ? Object.fromEntries(labels) : null;
}

/**
 * The CNCF config lists the digests of the layers ("layerDigests"); when it does, they must be the manifest's.
 * @throws damaged when they are not
 */
export function checkLayerDigests(manifest: Manifest, text: string, what: string): void {
  if (manifest.config.mediaType !== configTypes.wasm) return;
  const listed = jsonObject(text)['layerDigests'];
  if (!Array.isArray(listed)) return;
  const digests = manifest.layers.map((layer: Descriptor) => layer.digest);
  if (listed.length !== digests.length || listed.some((digest, i) => digest !== digests[i]))
    throw damaged(`the config of ${what} lists other layers than its manifest`, {
      data: { config: listed, manifest: digests },
    });
}

function jsonObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : {};
  } catch {
    return {};
  }
}

function stringAt(value: Record<string, unknown>, key: string): string | undefined {
  const found = value[key];
  return typeof found === 'string' && found !== '' ? found : undefined;
}
