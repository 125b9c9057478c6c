import { DrydockError, cancelled, denied, invalid, notFound, unauthorized, unavailable } from '../../base/errors.ts';

interface RegistryProblem {
  readonly code: string;
  readonly message: string;
}

/** Longest body of an error that is read. */
export const problemLimit = 64 * 1024;

/** "manifest unknown: manifest unknown": code and message as every Go client words them (distribution, errcode.Error). */
export function problemsOf(body: string): RegistryProblem[] {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return [];
  }
  const { errors, details, error, message } = (value ?? {}) as Record<string, unknown>;
  if (!Array.isArray(errors)) {
    // Token servers answer in other shapes.
    const said = [details, message, error].find((text) => typeof text === 'string');
    return said === undefined ? [] : [{ code: '', message: said as string }];
  }
  return errors.map((each: unknown) => {
    const { code, message: text } = (each ?? {}) as Record<string, unknown>;
    return { code: typeof code === 'string' ? code : '', message: typeof text === 'string' ? text : '' };
  });
}

const worded = ({ code, message }: RegistryProblem): string =>
  [code.toLowerCase().replaceAll('_', ' '), message].filter((part) => part !== '').join(': ');

/**
 * What a registry's refusal means. The text is the registry's own, as the docker CLI's users know it; `data` has its codes and the status.
 * @param what the question, for answers without a text: "GET https://…"
 */
export function failureOf(status: number, body: string, what: string): DrydockError {
  const problems = problemsOf(body.slice(0, problemLimit));
  const text = problems.map(worded).filter(Boolean).join('; ') || `${what} was answered with ${status}`;
  const data = { status, codes: problems.map((problem) => problem.code) };
  if (status === 401)
    return unauthorized(text, { data, hint: 'Log in first (docker login), or check name and password.' });
  if (status === 403) return denied(text, { data });
  if (status === 404) return notFound(text, { data });
  if (status === 429)
    return unavailable(text, { data, hint: 'The registry limits how often it is asked; log in, or wait a while.' });
  if (status >= 500) return unavailable(text, { data });
  return invalid(text, { data });
}

/** True when the registry gave one of the distribution spec's codes. */
export const hasCode = (error: unknown, ...codes: readonly string[]): boolean =>
  error instanceof DrydockError &&
  ((error.data['codes'] ?? []) as readonly string[]).some((code) => codes.includes(code));

const untrusted = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_UNTRUSTED',
]);
/** Connections that broke, names that did not resolve just now. */
const passing = new Set([
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'ECONNABORTED',
  'ENETRESET',
  'ERR_STREAM_PREMATURE_CLOSE',
]);

/** A connection's failure in words, with what to do. `data.passing` says whether asking again makes sense. */
export function connectionFailure(error: unknown, host: string): DrydockError {
  if (error instanceof DrydockError) return error;
  const { code = '', name = '', message = '' } = (error ?? {}) as NodeJS.ErrnoException;
  if (name === 'AbortError' || code === 'ABORT_ERR') return cancelled('the transfer was cancelled');
  const details = (hint: string | undefined) => ({
    hint,
    cause: error,
    data: { host, code, passing: passing.has(code) },
  });
  if (untrusted.has(code))
    return unavailable(
      `the certificate of ${host} is not signed by an authority that is trusted here: ${message}`,
      details(`Name its CA certificate (a PEM file) in the settings, or list ${host} as an insecure registry.`),
    );
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID')
    return unavailable(
      `the certificate of ${host} is not valid now: ${message}`,
      details('Is the clock of this machine right?'),
    );
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return unavailable(
      `the certificate of ${host} is for other names: ${message}`,
      details('Use the name that the certificate has, or list the registry as insecure.'),
    );
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_') || code === 'ERR_TLS_HANDSHAKE_TIMEOUT')
    return unavailable(
      `${host} does not speak HTTPS: ${message.replace(/\s+/g, ' ').trim()}`,
      details(`If it is a registry without TLS, list ${host} as an insecure registry in the settings.`),
    );
  if (code === 'ECONNREFUSED')
    return unavailable(
      `nothing listens at ${host}: ${message}`,
      details('Is the registry running, and the port right?'),
    );
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return unavailable(
      `the name of ${host} is not known: ${message}`,
      details('Check the spelling and the network; behind a proxy, name it in the settings.'),
    );
  if (code === 'ERR_PROXY_TUNNEL' || /proxy/i.test(code))
    return unavailable(
      `the proxy does not let us reach ${host}: ${message}`,
      details('Check the proxy in the settings or HTTPS_PROXY.'),
    );
  return unavailable(`the connection to ${host} failed: ${message || code}`, details(undefined));
}
