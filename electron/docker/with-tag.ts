/** `repo` and `tag` of a query as one reference; a digest is joined with '@'. */
export function withTag(repo: string, tagOrDigest: string | undefined): string {
  if (!tagOrDigest) return repo;
  return tagOrDigest.includes(':') ? `${repo}@${tagOrDigest}` : `${repo}:${tagOrDigest}`;
}
