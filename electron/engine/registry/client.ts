import { createHash } from 'node:crypto';
import { damaged, invalid, kindOf, toDrydockError, unavailable } from '../../base/errors.ts';
import type { RegistryAuth } from '../api/registry.ts';
import { manifestTypes } from '../images/formats/media-types.ts';
import type { Descriptor } from '../images/oci.ts';
import { Authorizer } from './auth.ts';
import { download } from './download.ts';
import { endpointsOf, type Endpoint } from './endpoints.ts';
import { ask, type Asking, type Question } from './request.ts';
import type { Incoming } from './transport.ts';
import {
  mount,
  uploadKnown,
  uploadSource,
  type BlobSource,
  type KnownBlob,
  type UploadOptions,
  type UploadTarget,
} from './upload.ts';

/** A manifest or an index as it came, byte for byte. */
export interface RawManifest {
  readonly bytes: Buffer;
  readonly descriptor: Descriptor;
}

/** Larger ones are refused, as every registry does (distribution spec: "at least 4 MiB"). */
export const manifestLimit = 4 << 20;

const accept = [manifestTypes.oci, manifestTypes.ociIndex, manifestTypes.docker, manifestTypes.dockerList].join(', ');

export interface BlobOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onRetry?: ((after: number) => void) | undefined;
}

interface Place {
  readonly endpoint: Endpoint;
  readonly authorizer: Authorizer;
}

/** One repository, asked in one name. */
export class Repository {
  readonly #asking: Asking;
  readonly #path: string;
  readonly #scopes: readonly string[];
  readonly #places: readonly Place[];
  /** The place that answered last: a mirror that has the manifest has the blobs. */
  #preferred = 0;

  constructor(
    asking: Asking,
    domain: string,
    path: string,
    auth: (key: string) => RegistryAuth | undefined,
    use: 'read' | 'write',
  ) {
    this.#asking = asking;
    this.#path = path;
    this.#scopes = [`repository:${path}:${use === 'read' ? 'pull' : 'pull,push'}`];
    this.#places = endpointsOf(domain, asking.settings(), use).map((endpoint) => ({
      endpoint,
      authorizer: new Authorizer({
        transport: asking.transport,
        settings: asking.settings,
        auth: auth(endpoint.authKey),
      }),
    }));
  }

  /**
   * A manifest or index by tag or digest; its bytes have the digest that was asked for, or that the registry says.
   * @throws notFound, unauthorized, denied, unavailable; damaged for other bytes; invalid when it is larger than 4 MiB
   */
  async manifest(reference: string, signal?: AbortSignal): Promise<RawManifest> {
    const answer = await this.#read({ method: 'GET', target: `/manifests/${reference}`, headers: { accept }, signal });
    const bytes = await this.#small(answer, `the manifest of ${this.#path}:${reference}`);
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    const said = reference.includes(':') ? reference : answer.headers['docker-content-digest'];
    if (typeof said === 'string' && said.startsWith('sha256:') && said !== digest)
      throw damaged(
        `the registry sent other bytes than it promised for ${this.#path}: ${digest} where ${said} was expected`,
        {
          hint: 'Something on the way changes them (a proxy?), or the registry is damaged.',
          data: { expected: said, received: digest },
        },
      );
    return { bytes, descriptor: { mediaType: mediaTypeOf(answer, bytes), digest, size: bytes.length } };
  }

  /** A blob's bytes, `descriptor.size` of them, over cut connections. */
  async *blob(descriptor: Descriptor, options: BlobOptions = {}): AsyncGenerator<Uint8Array> {
    let begun = false;
    for (const place of this.#inOrder()) {
      try {
        const bytes = download(this.#asking, place.endpoint, place.authorizer, {
          ...options,
          ...descriptor,
          target: `/v2/${this.#path}/blobs/${descriptor.digest}`,
          scopes: this.#scopes,
        });
        for await (const chunk of bytes) {
          begun = true;
          yield chunk;
        }
        return;
      } catch (error) {
        if (begun || options.signal?.aborted || !place.endpoint.isMirror) throw error;
      }
    }
  }

  /** A small blob whole (a config). @throws damaged when its bytes are not those of the descriptor, invalid when it is too large */
  async smallBlob(descriptor: Descriptor, options: BlobOptions = {}): Promise<Buffer> {
    if (descriptor.size > manifestLimit)
      throw invalid(
        `the config ${descriptor.digest} of ${this.#path} has ${descriptor.size} bytes; more than ${manifestLimit} are refused`,
      );
    const chunks: Uint8Array[] = [];
    for await (const chunk of this.blob(descriptor, options)) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  async hasBlob(digest: string, signal?: AbortSignal): Promise<boolean> {
    const answer = await this.#ask(this.#own, {
      method: 'HEAD',
      target: `/blobs/${digest}`,
      accept: [200, 404],
      signal,
    });
    answer.body.resume();
    return answer.status === 200;
  }

  /** Takes a blob over from another repository of this registry. False when the registry does not. */
  mount(digest: string, from: string, signal?: AbortSignal): Promise<boolean> {
    return mount(this.#target(), digest, from, signal);
  }

  upload(blob: KnownBlob, options?: UploadOptions): Promise<void> {
    return uploadKnown(this.#target(), blob, options);
  }

  uploadSource(source: BlobSource, options?: UploadOptions): Promise<string> {
    return uploadSource(this.#target(), source, options);
  }

  async putManifest(reference: string, bytes: Uint8Array, mediaType: string, signal?: AbortSignal): Promise<void> {
    const answer = await this.#ask(this.#own, {
      method: 'PUT',
      target: `/manifests/${reference}`,
      headers: { 'content-type': mediaType, 'content-length': String(bytes.length) },
      body: () => bytes,
      accept: [201, 202],
      signal,
    });
    answer.body.resume();
  }

  /** All tags, in the registry's order, over as many pages as it takes. */
  async tags(signal?: AbortSignal): Promise<string[]> {
    const tags: string[] = [];
    for (let target: string | undefined = '/tags/list?n=1000'; target !== undefined;) {
      const answer: Incoming = await this.#read({ method: 'GET', target, signal });
      const page = json(await this.#small(answer, `the tags of ${this.#path}`));
      for (const tag of Array.isArray(page['tags']) ? page['tags'] : []) if (typeof tag === 'string') tags.push(tag);
      target = nextPage(answer, `/v2/${this.#path}`);
      if (tags.length > 100_000) throw unavailable(`${this.#path} has more than 100,000 tags`);
    }
    return tags;
  }

  /** Removes a manifest (by digest) or a tag. @throws notFound, invalid when the registry does not allow it */
  async deleteManifest(reference: string, signal?: AbortSignal): Promise<void> {
    const scopes = [`repository:${this.#path}:delete`];
    const answer = await this.#ask(this.#own, {
      method: 'DELETE',
      target: `/manifests/${reference}`,
      scopes,
      accept: [202],
      signal,
    });
    answer.body.resume();
  }

  /**
   * What refers to a manifest (signatures, SBOMs): the referrers API, or for registries without it the tag that stands in for it
   * (distribution spec, "Referrers Tag Schema").
   */
  async referrers(digest: string, signal?: AbortSignal): Promise<readonly Descriptor[]> {
    const answer = await this.#ask(this.#own, {
      method: 'GET',
      target: `/referrers/${digest}`,
      headers: { accept: manifestTypes.ociIndex },
      accept: [200, 404],
      signal,
    });
    let bytes: Buffer | undefined;
    if (answer.status === 200) bytes = await this.#small(answer, `the referrers of ${digest}`);
    else {
      answer.body.resume();
      bytes = await this.manifest(digest.replace(':', '-'), signal).then(
        (found) => found.bytes,
        (error: unknown) => (kindOf(error) === 'notFound' ? undefined : Promise.reject(toDrydockError(error))),
      );
    }
    const manifests = bytes && json(bytes)['manifests'];
    return Array.isArray(manifests) ? (manifests as Descriptor[]) : [];
  }

  get #own() {
    const place = this.#places.at(-1);
    if (!place) throw unavailable(`${this.#path} is nowhere`);
    return place;
  }

  #inOrder() {
    const first = this.#places[this.#preferred];
    return first ? [first, ...this.#places.filter((place) => place !== first)] : this.#places;
  }

  #target(): UploadTarget {
    return { asking: this.#asking, ...this.#own, base: `/v2/${this.#path}`, scopes: this.#scopes };
  }

  #ask(place: Place, question: Omit<Question, 'scopes'> & { readonly scopes?: readonly string[] }): Promise<Incoming> {
    return ask(this.#asking, place.endpoint, place.authorizer, {
      scopes: this.#scopes,
      ...question,
      target: `/v2/${this.#path}${String(question.target)}`,
    });
  }

  /** Asks mirrors first; what they cannot answer the registry itself can. */
  async #read(question: Omit<Question, 'scopes' | 'accept'>): Promise<Incoming> {
    for (const place of this.#inOrder()) {
      try {
        const answer = await this.#ask(place, { ...question, accept: [200] });
        this.#preferred = this.#places.indexOf(place);
        return answer;
      } catch (error) {
        if (question.signal?.aborted || !place.endpoint.isMirror) throw error;
      }
    }
    throw unavailable(`${this.#path} is nowhere`);
  }

  async #small(answer: Incoming, what: string): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let size = 0;
    try {
      for await (const chunk of answer.body as AsyncIterable<Buffer>) {
        size += chunk.length;
        if (size > manifestLimit) throw invalid(`${what} is larger than ${manifestLimit} bytes, which is refused`);
        chunks.push(chunk);
      }
    } finally {
      answer.body.destroy();
    }
    return Buffer.concat(chunks);
  }
}

/** What a manifest calls itself counts more than a header; old OCI ones do not say. */
function mediaTypeOf({ headers }: Incoming, bytes: Buffer): string {
  const said = json(bytes)['mediaType'];
  return typeof said === 'string' && said !== ''
    ? said
    : (headers['content-type'] ?? '').split(';')[0]?.trim() || manifestTypes.oci;
}

function json(bytes: Buffer): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : {};
  } catch {
    return {};
  }
}

/** RFC 8288: `Link: </v2/NAME/tags/list?last=x&n=1000>; rel="next"`, as a target below `base`. */
function nextPage({ headers, url }: Incoming, base: string): string | undefined {
  const link = /<([^>]+)>\s*;[^,]*rel="?next"?/.exec(String(headers['link'] ?? ''))?.[1];
  const next = link === undefined ? null : URL.parse(link, url);
  if (!next) return undefined;
  const path = next.pathname.slice(next.pathname.indexOf(base) + base.length);
  return `${path}${next.search}`;
}
