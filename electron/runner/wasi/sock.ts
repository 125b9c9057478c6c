import { errno } from './errno.ts';
import { guarded, type Family, type Host } from './host.ts';

/** The four socket functions of preview 1. No descriptor of this table is a socket, so each says so; a directory is not even open for data. */
export function sockFamily({ memory, descriptors }: Host): Family {
  const notSocket = (fd: number): number => {
    return descriptors.get(fd).kind === 'directory' ? errno.badf : errno.notsock;
  };
  return guarded(memory, {
    sock_accept: (fd: number, _flags: number, _out: number) => notSocket(fd),
    sock_recv: (fd: number, _iovs: number, _count: number, _flags: number, _sizeOut: number, _flagsOut: number) =>
      notSocket(fd),
    sock_send: (fd: number, _iovs: number, _count: number, _flags: number, _sizeOut: number) => notSocket(fd),
    sock_shutdown: (fd: number, _how: number) => notSocket(fd),
  });
}
