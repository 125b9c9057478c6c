import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import type { CarrierOwner } from './carrier.ts';
import { KernelCarrier } from './kernel-carrier.ts';
import { until } from './testing.ts';

test('drained is told however little was waiting', async () => {
  const server = createServer({ pauseOnConnect: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [peer] = (await once(server, 'connection')) as [Socket];
  let drained = 0;
  const owner: CarrierOwner = {
    data: () => undefined,
    ending: () => undefined,
    failed: () => undefined,
    drained: () => drained++,
  };
  let gone = false;
  const carrier = new KernelCarrier(
    client,
    { received: 0, sent: 0 },
    { gone: () => void (gone = true), lingers: () => undefined },
  );
  carrier.attach(owner);
  // Until the kernel takes no more; what is left is less than the stream's high-water mark.
  const block = Buffer.alloc(4096);
  while (carrier.queued === 0) {
    carrier.write(block);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(carrier.queued).toBeLessThan(client.writableHighWaterMark);
  peer.resume();
  await until(() => carrier.queued === 0 && drained > 0);
  carrier.destroy();
  peer.destroy();
  server.close();
  await until(() => gone);
});
