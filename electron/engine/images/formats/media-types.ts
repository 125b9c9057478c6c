/** Media types that registries hold for images and Wasm, by the documents that define them. */
export const manifestTypes = {
  oci: 'application/vnd.oci.image.manifest.v1+json',
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  docker: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
} as const;

/** Image manifest schema 1 (Docker before 1.10), signed or not: recognised to be refused by name. */
export const isSchema1 = (mediaType: string): boolean =>
  /^application\/vnd\.docker\.distribution\.manifest\.v1\+(json|prettyjws)$/.test(mediaType);

export const isIndexType = (mediaType: string): boolean =>
  mediaType === manifestTypes.ociIndex || mediaType === manifestTypes.dockerList;

export const isManifestType = (mediaType: string): boolean =>
  mediaType === manifestTypes.oci || mediaType === manifestTypes.docker;

export const configTypes = {
  oci: 'application/vnd.oci.image.config.v1+json',
  docker: 'application/vnd.docker.container.image.v1+json',
  /** CNCF TAG Runtime, "Wasm OCI Artifact layout": wkg, wash, oras. */
  wasm: 'application/vnd.wasm.config.v0+json',
  /** wasm-to-oci, Krustlet. */
  wasmToOci: 'application/vnd.wasm.config.v1+json',
  /** solo.io, Istio, variant "oci". */
  soloModule: 'application/vnd.module.wasm.config.v1+json',
  wasmcloudActor: 'application/vnd.wasmcloud.actor.archive.config',
  wasmcloudProvider: 'application/vnd.wasmcloud.provider.archive.config',
  spinApplication: 'application/vnd.fermyon.spin.application.v1+config',
} as const;

/** Layers that are a module or a component as it is, without a tar around it. */
export const wasmLayerTypes = {
  wasm: 'application/wasm',
  content: 'application/vnd.wasm.content.layer.v1+wasm',
  moduleContent: 'application/vnd.module.wasm.content.layer.v1+wasm',
  runwasiComponent: 'application/vnd.bytecodealliance.wasm.component.layer.v0+wasm',
} as const;

const rawWasm = new Set<string>(Object.values(wasmLayerTypes));

/** By the registered names, and by the suffix: who invents another one calls it "…+wasm" too. */
export const isWasmLayerType = (mediaType: string): boolean => rawWasm.has(mediaType) || /\+wasm$/.test(mediaType);

/** Layers that registries may not hold (OCI "nondistributable", Docker "foreign"): their bytes lie elsewhere. */
export const isForeignLayerType = (mediaType: string): boolean => /\.nondistributable\.|\.foreign\./.test(mediaType);

/** A layer of the root file system: tar, plain or compressed. */
export const isTarLayerType = (mediaType: string): boolean =>
  /^application\/vnd\.(oci\.image\.layer(\.nondistributable)?\.v1|docker\.image\.rootfs\.(foreign\.)?diff)\.tar/.test(
    mediaType,
  );

/** What buildx puts beside an image: facts about the build, nothing to run. */
export const isAttestationLayerType = (mediaType: string): boolean => mediaType === 'application/vnd.in-toto+json';
