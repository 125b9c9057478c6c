import { defaultPath } from '../images/find-program.ts';

/** Build arguments that need no ARG and leave no trace in the cache (moby's builtinAllowedBuildArgs). */
const predefined = new Set(
  ['HTTP_PROXY', 'HTTPS_PROXY', 'FTP_PROXY', 'NO_PROXY', 'ALL_PROXY'].flatMap((name) => [name, name.toLowerCase()]),
);

/** What BuildKit declares before the first FROM: the platform that is built for. */
const platform = (text: string): readonly [string, string][] => {
  const [os = '', architecture = ''] = text.split('/');
  return [
    ['TARGETPLATFORM', text],
    ['TARGETOS', os],
    ['TARGETARCH', architecture],
    ['BUILDPLATFORM', text],
    ['BUILDOS', os],
    ['BUILDARCH', architecture],
  ];
};

/** `--build-arg` and ARG: what a name means in a FROM line and in a stage. */
export class BuildArguments {
  readonly #given: Readonly<Record<string, string | null>>;
  readonly #globals = new Map<string, string>();
  readonly #declared = new Set<string>();
  #stage = new Map<string, string>();

  /** @param given null = the one who builds has no such variable: then the default of the Dockerfile counts */
  constructor(given: Readonly<Record<string, string | null>>, targetPlatform: string) {
    this.#given = given;
    for (const [name, value] of platform(targetPlatform)) this.#globals.set(name, this.#value(name) ?? value);
  }

  #value(name: string): string | undefined {
    return Object.hasOwn(this.#given, name) ? (this.#given[name] ?? undefined) : undefined;
  }

  /** An ARG before the first FROM. */
  declareGlobal(name: string, value: string | undefined): void {
    this.#declared.add(name);
    const meant = this.#value(name) ?? value;
    if (meant === undefined) this.#globals.delete(name);
    else this.#globals.set(name, meant);
  }

  get globals(): ReadonlyMap<string, string> {
    return this.#globals;
  }

  /** Each stage starts without arguments. */
  beginStage(): void {
    this.#stage = new Map();
    for (const name of predefined) {
      const value = this.#value(name);
      if (value !== undefined) this.#stage.set(name, value);
    }
  }

  /** An ARG in a stage. Without a value of its own it takes the global one. */
  declare(name: string, value: string | undefined): void {
    this.#declared.add(name);
    const meant = this.#value(name) ?? value ?? this.#globals.get(name);
    if (meant === undefined) this.#stage.delete(name);
    else this.#stage.set(name, meant);
  }

  /** What variables mean in the stage: ENV hides ARG. PATH is there as it is when a program runs: `ENV PATH=/opt/bin:$PATH`. */
  variables(env: readonly string[]): Map<string, string> {
    const out = new Map([['PATH', defaultPath], ...this.#stage]);
    for (const entry of env) {
      const at = entry.indexOf('=');
      out.set(entry.slice(0, at), entry.slice(at + 1));
    }
    return out;
  }

  /** `NAME=value` of the stage's arguments, for RUN; sorted. The predefined ones only when `all`. */
  entries(all: boolean): string[] {
    return [...this.#stage]
      .filter(([name]) => all || !predefined.has(name))
      .map(([name, value]) => `${name}=${value}`)
      .sort();
  }

  /** Names that were given and that no ARG asked for. */
  unused(): string[] {
    return Object.keys(this.#given)
      .filter((name) => !this.#declared.has(name) && !predefined.has(name) && !this.#globals.has(name))
      .sort();
  }
}
