import type { ModuleDescription } from '../../../module/describe.ts';
import { mediaTypes, type Descriptor, type ImageConfigFile, type Manifest } from '../oci.ts';
import { configTypes, wasmLayerTypes } from './media-types.ts';
import { titleAnnotation } from './layer-kind.ts';

/**
 * A module as a CNCF Wasm OCI artifact (TAG Runtime, wasm-oci-artifact): what wkg, wash, Wasmtime's tools and wasmCloud take. Args, env and other files of the
 * image do not travel with it. The same module under the same name gives the same bytes.
 * @param module descriptor of the module's bytes
 */
export function artifactOf(
  image: ImageConfigFile,
  module: {
    readonly digest: string;
    readonly size: number;
    readonly path: string;
    readonly description: ModuleDescription;
  },
): { readonly config: Buffer; readonly manifest: (config: Descriptor) => Manifest } {
  const { description } = module;
  const isComponent = description.kind === 'component';
  const config = {
    created: image.created ?? '1970-01-01T00:00:00Z',
    ...(image.author !== undefined && image.author !== '' && { author: image.author }),
    architecture: 'wasm',
    os: isComponent ? 'wasip2' : 'wasip1',
    layerDigests: [module.digest],
    ...(isComponent && { component: interfacesOf(description) }),
  };
  return {
    config: Buffer.from(JSON.stringify(config)),
    manifest: (descriptor) => ({
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      config: { ...descriptor, mediaType: configTypes.wasm },
      layers: [
        {
          mediaType: wasmLayerTypes.wasm,
          digest: module.digest,
          size: module.size,
          annotations: { [titleAnnotation]: module.path.split('/').at(-1) ?? 'module.wasm' },
        },
      ],
      ...(image.created !== undefined && { annotations: { 'org.opencontainers.image.created': image.created } }),
    }),
  };
}

/** Names of interfaces alone: what a component is made of inside is nobody's business here. */
function interfacesOf({ imports, exports }: ModuleDescription): {
  readonly exports: string[];
  readonly imports: string[];
} {
  return {
    exports: [...new Set(exports.map((each) => each.name))].filter(Boolean).sort(),
    imports: [...new Set(imports.map((each) => each.module))].filter(Boolean).sort(),
  };
}
