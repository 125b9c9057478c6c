import type { Descriptor } from '../oci.ts';
import { isTarLayerType, isWasmLayerType } from './media-types.ts';

/** The OCI annotation that names a file (image spec, annotations.md); oras and wkg set it, and `recognise` where they did not. */
export const titleAnnotation = 'org.opencontainers.image.title';

/** What a layer is in the root: entries of a tar, one file, or nothing (signatures, documents, data of another host). */
export type LayerKind =
  | { readonly kind: 'tar' }
  /** `path` is absolute, '/hello.wasm'. */
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'none' };

export function layerKindOf(layer: Descriptor): LayerKind {
  const title = layer.annotations?.[titleAnnotation];
  if (isWasmLayerType(layer.mediaType)) return { kind: 'file', path: `/${moduleFileName(title) ?? 'module.wasm'}` };
  // What `recognise` found by its first bytes carries our mark.
  if (layer.annotations?.[sniffedAnnotation] === 'wasm')
    return { kind: 'file', path: `/${moduleFileName(title) ?? 'module.wasm'}` };
  return { kind: isTarLayerType(layer.mediaType) ? 'tar' : 'none' };
}

/** On descriptors in memory only: the layer has no type of a module, but the bytes of one. */
export const sniffedAnnotation = 'dev.drydock.sniffed';

/** A title or a repository's last part as the name of a .wasm file; undefined for what cannot be a file's name. */
export function moduleFileName(title: string | undefined): string | undefined {
  const name = title?.replaceAll('\\', '/').split('/').at(-1)?.trim() ?? '';
  if (name === '' || name === '.' || name === '..' || name.includes('\0') || name.startsWith('.wh.')) return undefined;
  if (Buffer.byteLength(name) > 200) return undefined;
  return /\.(wasm|wat)$/i.test(name) ? name : `${name}.wasm`;
}
