import { expect, it } from 'vitest';
import { DrydockError } from '../../base/errors.ts';
import { listenersOf, withListeners } from './listeners.ts';

const of = (text: string) => listenersOf({ 'drydock.listen': text });

it('reads sockets from the label', () => {
  expect(listenersOf({})).toEqual([]);
  expect(of(' ')).toEqual([]);
  expect(of('tcp:8080, udp:53,tcp:53')).toEqual([
    { protocol: 'tcp', port: 8080 },
    { protocol: 'udp', port: 53 },
    { protocol: 'tcp', port: 53 },
  ]);
});

it.each(['8080', 'tcp:0', 'tcp:65536', 'sctp:1', 'tcp:80,', 'tcp:80,tcp:80', 'tcp:1x'])('refuses %s', (text) => {
  expect(() => of(text)).toThrow(DrydockError);
  expect(() => of(text)).toThrow('invalid label drydock.listen');
});

it('refuses more than a start could wait for', () => {
  expect(() => of(Array.from({ length: 65 }, (_, index) => `tcp:${index + 1}`).join())).toThrow('more than 64');
});

it('tells their number, whatever else the environment says', () => {
  expect(withListeners(['A=1', 'LISTEN_FDS=9'], of('tcp:1'))).toEqual(['A=1', 'LISTEN_FDS=1']);
  expect(withListeners(['LISTEN_FDS=9'], [])).toEqual(['LISTEN_FDS=9']);
});
