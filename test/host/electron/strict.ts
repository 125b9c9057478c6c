/** Members that do not concern the app: asked for by promises, inspectors and module loaders. */
const quiet = new Set([
  'then',
  'toJSON',
  'default',
  '__esModule',
  'module.exports',
  'constructor',
  'prototype',
  'inspect',
]);

const isClass = (value: object): boolean => /^class\b/.test(Function.prototype.toString.call(value));

/**
 * An object whose missing members throw by name instead of being undefined: an API that the host lacks must not look like one that is absent.
 * Methods are bound, because private fields are not found through a proxy.
 */
export function strict<T extends object>(name: string, target: T): T {
  return new Proxy(target, {
    get(object, key) {
      if (!(key in object) && typeof key !== 'symbol' && !quiet.has(key))
        throw new Error(`test host: ${name}.${key} is not implemented`);
      const value: unknown = Reflect.get(object, key, object);
      return typeof value === 'function' && key !== 'constructor' && !isClass(value)
        ? (value.bind(object) as unknown)
        : value;
    },
  });
}
