/** Image references as people read them. */

/** "ghcr.io/acme/api:1.4" → name and tag; a digest stays with the name's "@". A port is not a tag. */
export function splitReference(reference: string): { name: string; tag: string } {
  const at = reference.indexOf('@');
  if (at > 0) return { name: reference.slice(0, at), tag: reference.slice(at + 1) };
  const colon = reference.lastIndexOf(':');
  if (colon > reference.lastIndexOf('/')) return { name: reference.slice(0, colon), tag: reference.slice(colon + 1) };
  return { name: reference, tag: '' };
}

/** Shortens in the middle and keeps the tag: "ghcr.io/a…p-api:1.4". Ids and digests become 12 characters. */
export function shortReference(reference: string, most: number): string {
  const digest = /^sha256:([0-9a-f]{64})$/.exec(reference)?.[1];
  if (digest) return digest.slice(0, 12);
  if (reference.length <= most) return reference;
  const { name, tag } = splitReference(reference);
  const end =
    tag === '' ? '' : `${reference.includes('@') ? '@' : ':'}${tag.startsWith('sha256:') ? tag.slice(0, 19) : tag}`;
  const room = Math.max(8, most - end.length - 1);
  if (name.length <= room) return name + end;
  const head = Math.ceil(room / 2);
  return `${name.slice(0, head)}…${name.slice(name.length - (room - head))}${end}`;
}

/** The 12 characters that docker shows of an id. */
export const shortId = (id: string): string => id.replace(/^sha256:/, '').slice(0, 12);

/** What is wrong with a reference that a person typed; undefined when it will do (distribution/reference grammar). */
export function referenceProblem(reference: string): 'empty' | 'upperCase' | 'form' | undefined {
  if (reference.trim() === '') return 'empty';
  const { name, tag } = splitReference(reference);
  const [host = '', ...rest] = name.split('/');
  const isHost = rest.length > 0 && (/[.:]/.test(host) || host === 'localhost');
  const path = isHost ? rest.join('/') : name;
  if (/[A-Z]/.test(path)) return 'upperCase';
  if (!/^[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*)*$/.test(path))
    return 'form';
  if (isHost && !/^[A-Za-z0-9.-]+(?::\d+)?$/.test(host)) return 'form';
  if (tag !== '' && !/^(?:\w[\w.-]{0,127}|sha256:[0-9a-f]{64})$/.test(tag)) return 'form';
  if (reference.endsWith(':')) return 'form';
  return undefined;
}
